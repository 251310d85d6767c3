// Chat completions: what each kind of chat client is answered, what a chat is told instead of a picture, and what is
// bought. The messages are in chatturns.test.ts, the settings in chatsettings.test.ts, streams in chatstream.test.ts.
import { describe, expect, test } from 'vitest'
import { askAs, callsOf, chargesOf, prompt } from '../setup/ask.ts'
import { env } from '../setup/bindings.ts'
import { freshRelay } from '../setup/relay.ts'
import { type Completion, chat, completion, errorOf, pictureAt, user } from './talk.ts'

describe('a picture', () => {
  test('comes as a data URL of the stored bytes to a client that asks for images, beside the words', async () => {
    const words = prompt()
    const response = await chat({ messages: [user(words)], modalities: ['image', 'text'] })
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('application/json')
    const body = (await response.json()) as Completion
    const { message, ...choice } = body.choices[0]!
    expect(body).toMatchObject({ object: 'chat.completion', model: 'gemini-3.1-flash-image' })
    expect(body.id).toBe(`chatcmpl-${body.proofsheet.generation.slice(4)}`)
    expect(choice).toEqual({ index: 0, logprobs: null, finish_reason: 'stop', native_finish_reason: 'STOP' })
    const { mimeType, base64 } = await pictureAt(response.headers.get('x-proofsheet-image')!)
    const url = `data:${mimeType};base64,${base64}`
    expect(message.images).toEqual([{ index: 0, type: 'image_url', image_url: { url } }])
    expect(message).toMatchObject({ role: 'assistant', refusal: null })
    expect(message.content).not.toContain('![')
    expect(await callsOf(words)).toHaveLength(1)
  })

  test.for([
    ['a client that asks for images by their addresses', { modalities: ['text', 'image'] }, false],
    ['a client that only reads text, as Markdown too', {}, true],
  ] as const)('comes by its address to %s', async ([, more, isMarkdown]) => {
    const words = prompt()
    const response = await chat({ messages: [user(words)], ...more }, { 'x-proofsheet-delivery': 'url' })
    const { message } = ((await response.json()) as Completion).choices[0]!
    const url = response.headers.get('x-proofsheet-image')!
    expect(message.images).toEqual([{ index: 0, type: 'image_url', image_url: { url } }])
    expect(message.content.includes(`![image](${url})`)).toBe(isMarkdown)
    expect(await callsOf(words)).toHaveLength(1)
  })

  test('of several in one answer stands between the words that it belongs to', async () => {
    const { choices } = await completion({ messages: [user(`[[fault:storyboard]]${prompt()}`)] })
    const { content, images } = choices[0]!.message
    const urls = images!.map((image) => image.image_url.url)
    expect(new Set(urls).size).toBe(3)
    const steps = urls.map((url, index) => `Step ${index + 1}.\n\n![image](${url})`)
    expect(content.endsWith(steps.join('\n\n'))).toBe(true)
  })

  test('is told with its tokens and with what it cost', async () => {
    const words = prompt()
    const { usage, proofsheet } = await completion({ messages: [user(words)], modalities: ['image'] })
    const [charge] = await chargesOf(words)
    expect(proofsheet).toMatchObject({ provider: 'apiyi', cost: charge!.costMicroUsd! / 1e6, charged: 'yes' })
    expect(usage!.total_tokens).toBe(usage!.prompt_tokens + usage!.completion_tokens)
    expect(usage).toMatchObject({ completion_tokens_details: { image_tokens: 747 } })
  })
})

describe('instead of a picture', () => {
  test('a refusal is an answer that explains it', async () => {
    const words = prompt()
    const response = await chat({
      messages: [user(`[[fault:refused]]${words}`)],
      modalities: ['image', 'text'],
    })
    const { choices } = (await response.json()) as Completion
    expect([response.status, choices[0]!.finish_reason]).toEqual([200, 'content_filter'])
    expect(choices[0]).toMatchObject({ native_finish_reason: 'IMAGE_SAFETY' })
    const { content, refusal, images } = choices[0]!.message
    expect(content).toContain('it violated the safety policy')
    expect([refusal, images]).toEqual([content, undefined])
    expect(response.headers.get('x-should-retry')).toBe('false')
    expect(await callsOf(words)).toHaveLength(1)
  })

  test('words alone are an answer', async () => {
    const words = prompt()
    const response = await chat({ messages: [user(`[[fault:text-only]]${words}`)] })
    const { choices } = (await response.json()) as Completion
    expect([response.status, choices[0]!.finish_reason]).toEqual([200, 'stop'])
    expect(choices[0]!.message).toEqual({
      role: 'assistant',
      content: 'I cannot draw that, but I can describe it.',
      refusal: null,
    })
    expect(response.headers.get('x-should-retry')).toBe('false')
    expect(await callsOf(words)).toHaveLength(1)
  })

  test('a client that wants words alone gets words', async () => {
    const { choices } = await completion({ messages: [user(prompt())], modalities: ['text'] })
    expect(choices[0]).toMatchObject({ finish_reason: 'stop', message: { role: 'assistant' } })
    expect(choices[0]!.message.images).toBeUndefined()
    expect(choices[0]!.message.content).not.toBe('')
  })

  test.for([
    ['no-image', 422, 'no_image', 'no'],
    ['daily-quota', 429, 'insufficient_quota', 'no'],
    ['html', 500, 'provider_error', 'unknown'],
    ['reset', 500, 'cut_off', 'unknown'],
  ] as const)('%s is an error that no client repeats by itself', async ([fault, status, code, doubt]) => {
    const words = prompt()
    const provider = fault === 'daily-quota' ? freshRelay() : 'apiyi'
    const messages = [user(`[[fault:${fault}]]${words}`)]
    const response = await chat({ messages, model: `${provider}/nano-banana-2` })
    const error = await errorOf(response)
    expect([response.status, error.code]).toEqual([status, code])
    expect(response.headers.get('x-should-retry')).toBe('false')
    expect(response.headers.get('x-request-id')).toBeTruthy()
    expect(error.message.includes('not known whether it was charged')).toBe(doubt === 'unknown')
    expect(await callsOf(words)).toHaveLength(1)
  })
})

describe('a call', () => {
  test('with an Idempotency-Key that is repeated gets the same picture, and buys it once', async () => {
    const words = prompt()
    const once = () => chat({ messages: [user(words)] }, { 'idempotency-key': words.replaceAll(' ', '-') })
    const [first, second] = [await once(), await once()]
    expect(second.headers.get('idempotent-replayed')).toBe('true')
    expect(await second.json()).toEqual(await first.json())
    expect(await callsOf(words)).toHaveLength(1)
  })

  test.for([
    [410, 'as an error', {}],
    [200, 'in its stream', { stream: true }],
  ] as const)('whose picture was deleted since is told so with %i, %s', async ([status, , more]) => {
    const body = { messages: [user(prompt())], modalities: ['image'] }
    const key = { 'idempotency-key': crypto.randomUUID() }
    const made = await chat(body, key)
    await made.text()
    await env.BUCKET.delete(`pictures/${made.headers.get('x-proofsheet-image')!.split('/').at(-1)}`)
    const response = await chat({ ...body, ...more }, key)
    expect(response.status).toBe(status)
    expect(await response.text()).toContain('"code":"picture_gone"')
  })

  test('without a token is told so in the shape of this API', async () => {
    const response = await askAs('/openai/v1/chat/completions', { method: 'POST', body: '{}' })
    expect([response.status, (await errorOf(response)).code]).toEqual([401, 'invalid_api_key'])
  })

  test.for([
    ['truncated', '{"model":"nano-banana-2","messages":[{"role":"us', 'invalid_json'],
    ['a list', '[]', 'invalid_type'],
    ['no JSON', 'model=nano-banana-2', 'invalid_json'],
    ['empty', '', 'invalid_json'],
  ] as const)('whose body is %s is refused', async ([, body, code]) => {
    const response = await chat(body)
    const error = await errorOf(response)
    expect([response.status, error.type, error.code]).toEqual([400, 'invalid_request_error', code])
  })
})

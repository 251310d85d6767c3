// streamGenerateContent: the same answer in pieces, in the form that Google's clients read.
import { describe, expect, test } from 'vitest'
import { prompt } from '../setup/ask.ts'
import { freshRelay } from '../setup/relay.ts'
import { answer, bytesOf, type Native, partsOf, send, wanting } from './native.ts'

const method = 'streamGenerateContent'
const both = { responseModalities: ['TEXT', 'IMAGE'] }

function events(text: string): Native[] {
  expect(text).toMatch(/^(data: [^\r\n]+\r\n\r\n)+$/)
  return text
    .split('\r\n\r\n')
    .slice(0, -1)
    .map((event) => JSON.parse(event.slice('data: '.length)))
}

describe('with alt=sse', () => {
  test('words come first, the picture whole in one event, the end with the last', async () => {
    const body = wanting(prompt(), { ...both, seed: 5 })
    const response = await send({ body, method, query: '?alt=sse' })
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    expect(response.headers.get('x-proofsheet-charged')).toBe('yes')
    const [words, picture, ...rest] = events(await response.text())
    expect(rest).toEqual([])
    const whole = await answer({ body })
    const { modelVersion, usageMetadata } = whole
    expect(words).toEqual({
      candidates: [
        {
          content: {
            role: 'model',
            parts: [{ text: 'Here is the picture you asked for.', thoughtSignature: expect.any(String) }],
          },
          index: 0,
        },
      ],
      usageMetadata: expect.objectContaining({ promptTokenCount: usageMetadata!.promptTokenCount }),
      modelVersion,
      responseId: expect.any(String),
    })
    expect(picture).toEqual({
      ...whole,
      candidates: [
        { content: { role: 'model', parts: [partsOf(whole)[0]] }, finishReason: 'STOP', index: 0 },
      ],
    })
    expect(words!.responseId).toBe(picture!.responseId)
  })

  test('a storyboard keeps its order', async () => {
    const body = wanting(`[[fault:storyboard]] ${prompt()}`, both)
    const chunks = events(await (await send({ body, method, query: '?alt=sse' })).text())
    expect(chunks.map((chunk) => partsOf(chunk).map((part) => part.text ?? 'picture'))).toEqual([
      ['Step 1.'],
      ['picture'],
      ['Step 2.'],
      ['picture'],
      ['Step 3.'],
      ['picture'],
    ])
    expect(chunks.filter((chunk) => chunk.candidates![0]!.finishReason !== undefined)).toEqual([
      chunks.at(-1),
    ])
  })

  test.for([
    ['refused', 'refused', { candidates: [{ finishReason: 'IMAGE_SAFETY' }] }],
    ['a blocked prompt', 'blocked-prompt', { promptFeedback: { blockReason: 'PROHIBITED_CONTENT' } }],
  ] as const)('an answer without a picture is one event: %s', async ([, fault, expected]) => {
    const response = await send({
      body: wanting(`[[fault:${fault}]] ${prompt()}`),
      method,
      query: '?alt=sse',
    })
    expect(events(await response.text())).toMatchObject([expected])
  })

  test('pictures come by address where that is asked for', async () => {
    const response = await send({ body: wanting(prompt()), method, query: '?alt=sse&delivery=url' })
    const [chunk] = events(await response.text())
    expect(partsOf(chunk!)).toMatchObject([{ fileData: { mimeType: 'image/jpeg' } }])
  })

  test('a failure before the stream is a plain error', async () => {
    const body = wanting(`[[fault:daily-quota]] ${prompt()}`)
    const model = `${freshRelay()}/nano-banana-2`
    const response = await send({ body, model, method, query: '?alt=sse' })
    expect(response.status).toBe(429)
    expect(response.headers.get('content-type')).toBe('application/json; charset=UTF-8')
    expect(await response.json()).toMatchObject({ error: { status: 'RESOURCE_EXHAUSTED' } })
  })
})

describe('without alt=sse', () => {
  test('the stream is one JSON list', async () => {
    const response = await send({ body: wanting(prompt(), both), method })
    expect(response.headers.get('content-type')).toBe('application/json; charset=UTF-8')
    const chunks = (await response.json()) as Native[]
    expect(chunks).toHaveLength(2)
    expect(bytesOf(partsOf(chunks[1]!)[0]).length).toBeGreaterThan(1000)
  })

  test.for([
    ['of a provider', { body: wanting(`[[fault:model-gone]] ${prompt()}`) }, 404],
    ['of the call', { body: '{' }, 400],
    ['of the key', { body: wanting('x'), headers: { authorization: 'Bearer wrong' } }, 400],
  ] as const)('an error is a list of one: %s', async ([, call, status]) => {
    const response = await send({ ...call, method })
    expect(response.status).toBe(status)
    expect(await response.json()).toEqual([{ error: expect.objectContaining({ code: status }) }])
  })
})

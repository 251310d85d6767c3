// What the provider is sent of a chat: the turns, the user's images, and the pictures that the model made before, in every
// form in which clients send them back.
import { describe, expect, test } from 'vitest'
import { readMessages } from '../../../worker/openai/chatturns.ts'
import { callsOf, prompt } from '../setup/ask.ts'
import { JPEG, PNG } from '../setup/pictures.ts'
import { chat, completion, errorOf, pictureAt, sentFor, user } from './talk.ts'

const PNG64 = PNG.toBase64()
const DATA = `data:image/png;base64,${PNG64}`
const image = (url: string) => ({ type: 'image_url', image_url: { url } })
const text = (words: string) => ({ type: 'text', text: words })
const inline = (data: string, mimeType = 'image/png') => ({ inlineData: { mimeType, data } })

describe('messages', () => {
  test('become turns, and what the system says stands apart', async () => {
    const words = prompt()
    const sent = await sentFor(words, {
      model: 'google/nano-banana-2',
      messages: [
        { role: 'system', content: 'You draw in ink.' },
        user('a fox'),
        { role: 'assistant', content: 'Which season?' },
        { role: 'developer', content: [text('No frames.')] },
        user([text('winter'), text(words)]),
      ],
    })
    expect(sent).toMatchObject({
      systemInstruction: { parts: [{ text: 'You draw in ink.\n\nNo frames.' }] },
      contents: [
        { role: 'user', parts: [{ text: 'a fox' }] },
        { role: 'model', parts: [{ text: 'Which season?' }] },
        { role: 'user', parts: [{ text: 'winter' }, { text: words }] },
      ],
    })
  })

  test('of one role in a row are one turn; empty ones, and what a tool was asked, are none', async () => {
    const words = prompt()
    const { contents } = await sentFor(words, {
      messages: [
        user('a fox'),
        { role: 'assistant', content: null, tool_calls: [{ id: '1', function: { name: 'f' } }] },
        { role: 'tool', tool_call_id: '1', content: 'it snows' },
        { role: 'assistant', content: '' },
        user(words),
      ],
    })
    expect(contents).toEqual([
      { role: 'user', parts: [{ text: 'a fox' }, { text: 'it snows' }, { text: words }] },
    ])
  })

  test.for([
    ['image_url with a url', image(DATA)],
    ['image_url as text', { type: 'image_url', image_url: DATA }],
    ['input_image', { type: 'input_image', image_url: DATA }],
    ['a file', { type: 'file', file: { filename: 'a.png', file_data: DATA } }],
    ['another spelling of its type', image(`data:image/PNG;charset=utf-8;base64,${PNG64}`)],
  ] as const)('hold an image as %s', async ([, part]) => {
    const words = prompt()
    const { contents } = await sentFor(words, { messages: [user([text(words), part, text('in blue')])] })
    expect(contents).toEqual([{ role: 'user', parts: [{ text: words }, inline(PNG64), { text: 'in blue' }] }])
  })

  test('are read in one pass, however many Markdown images they begin and do not end', () => {
    const content = '!['.repeat(2_000_000)
    const { turns } = readMessages([user(content)], () => true)
    expect(turns.flatMap(({ parts }) => parts)).toHaveLength(1)
  })

  test.for([
    ['none', [], 'messages', 'must be a list of at least one message'],
    ['no list', 'hello', 'messages', 'must be a list'],
    ['no message', [1], 'messages[0]', 'must be an object'],
    ['of nobody', [{ role: 'narrator', content: 'x' }], 'messages[0].role', 'not "narrator"'],
    ['of a role that only a program knows', [{ role: 'constructor' }], 'messages[0].role', 'must be'],
    [
      'without the user at the end',
      [{ role: 'assistant', content: 'hello' }],
      'messages[0].role',
      'must be user',
    ],
    [
      'with a system at the end',
      [user('x'), { role: 'system', content: 'y' }],
      'messages[1].role',
      'must be user',
    ],
    ['that say nothing', [user('  ')], 'messages[0].content', 'is empty'],
    ['of another type', [user(5)], 'messages[0].content', 'must be text or a list'],
    [
      'with sound',
      [user([{ type: 'input_audio', input_audio: {} }])],
      'messages[0].content[0]',
      '"input_audio"',
    ],
    [
      'with a file of a store',
      [user([{ type: 'file', file: { file_id: 'f' } }])],
      'messages[0].content[0]',
      'file_id',
    ],
    [
      'with an image of the system',
      [{ role: 'system', content: [image(DATA)] }],
      'messages[0].content[0]',
      'text only',
    ],
    [
      'with a local address',
      [user([image('http://localhost/a.png')])],
      'messages[0].content[0].image_url.url',
      'https',
    ],
    [
      'with data that is no Base64',
      [user([image('data:image/png,abc')])],
      'messages[0].content[0].image_url.url',
      'Base64',
    ],
    [
      'with a broken image',
      [user([image('data:image/png;base64,AAAA')])],
      'messages[0].content[0].image_url.url',
      'none of',
    ],
    [
      'with an image by a wrong name',
      [user([image(`data:image/png;base64,${JPEG.toBase64()}`)])],
      'messages[0].content[0].image_url.url',
      'image/jpeg',
    ],
    [
      'with a picture that is not there',
      [user([image('https://proofsheet.test/images/00000000000000000000000000.png')])],
      'messages[0].content[0].image_url.url',
      'there is no picture',
    ],
    [
      'with more images than the model takes',
      [user(Array.from({ length: 15 }, () => image(DATA)))],
      'messages',
      'at most 14',
    ],
  ] as const)('%s are refused, and it is said where', async ([, messages, param, why]) => {
    const response = await chat({ messages })
    const error = await errorOf(response)
    expect([response.status, error.type, error.param]).toEqual([400, 'invalid_request_error', param])
    expect(error.message).toContain(param)
    expect(error.message).toContain(why)
  })
})

describe('an edit of the picture before', () => {
  /** A first turn: its words, the picture as a data URL, by its address, and its bytes. */
  async function drawn(fault = '') {
    const words = prompt()
    const { choices } = await completion({ messages: [user(`${fault}${words}`)] })
    const { content, images } = choices[0]!.message
    const url = images![0]!.image_url.url
    const { mimeType, base64 } = await pictureAt(url)
    return { words, content, url, mimeType, base64, data: `data:${mimeType};base64,${base64}` }
  }
  type Drawn = Awaited<ReturnType<typeof drawn>>

  test.for([
    ['a data URL in images', ({ data }: Drawn) => ({ content: 'Here.', images: [image(data)] })],
    ['our address in images', ({ url }: Drawn) => ({ content: 'Here.', images: [image(url)] })],
    ['Markdown with our address', ({ url }: Drawn) => ({ content: `Here. ![image](${url})` })],
    [
      'Markdown and images at once',
      ({ url }: Drawn) => ({ content: `Here.\n\n![a "b"](${url} "c")`, images: [image(url)] }),
    ],
    ['Markdown with the bytes', ({ data }: Drawn) => ({ content: `Here. ![image](${data})` })],
    ['parts of its content', ({ url }: Drawn) => ({ content: [text('Here.'), image(url)] })],
  ] as const)('reaches the model with the same bytes, as %s', async ([, said]) => {
    const first = await drawn()
    const edit = prompt('make it blue')
    const messages = [user(first.words), { role: 'assistant', ...said(first) }, user(edit)]
    const { contents } = (await sentFor(edit, { messages })) as {
      contents: { role: string; parts: { text?: string; inlineData?: object }[] }[]
    }
    const [, turn] = contents
    expect(contents.map(({ role }) => role)).toEqual(['user', 'model', 'user'])
    expect(turn!.parts.map(({ text: words, ...part }) => words?.trim() ?? part)).toEqual([
      'Here.',
      expect.objectContaining(inline(first.base64, first.mimeType)),
    ])
    expect(contents[2]!.parts).toEqual([{ text: edit }])
    expect(await callsOf(first.words)).toHaveLength(1)
  })

  test.for([
    ['its address', ({ url }: Drawn) => url],
    ['its bytes', ({ data }: Drawn) => data],
  ] as const)('may be longer than an upload of the user: by %s', { timeout: 30_000 }, async ([, nameOf]) => {
    const first = await drawn('[[fault:big bytes=8000000]]')
    const edit = prompt('make it blue')
    const part = image(nameOf(first))
    await completion({ messages: [user('a'), { role: 'assistant', images: [part] }, user(edit)] })
    const calls = await callsOf(`a\n${edit}`)
    expect(calls.map(({ references, outcome }) => [references, outcome])).toEqual([[1, 'picture']])
    const response = await chat({ messages: [user([text(edit), part])] })
    expect([response.status, (await errorOf(response)).param]).toEqual([
      413,
      'messages[0].content[1].image_url.url',
    ])
  })

  test('is bought once, with one image', async () => {
    const first = await drawn()
    const messages = [user(first.words), { role: 'assistant', content: first.content }, user('make it blue')]
    await completion({ messages })
    const calls = await callsOf(`${first.words}\nmake it blue`)
    expect(calls.map(({ references, outcome }) => [references, outcome])).toEqual([[1, 'picture']])
  })

  test('brings the signature back with which the model gave the picture', async () => {
    const first = await drawn()
    const edit = prompt('make it blue')
    const messages = [user(first.words), { role: 'assistant', content: first.content }, user(edit)]
    const { contents } = (await sentFor(edit, { messages })) as { contents: { parts: object[] }[] }
    expect(contents[1]!.parts.at(-1)).toEqual({
      ...inline(first.base64, first.mimeType),
      thoughtSignature: expect.stringMatching(/.{20,}/),
    })
  })

  test('passes over Markdown images of others: they are text', async () => {
    const words = prompt()
    const said = 'Like ![this](https://example.com/a.png), or ![](x).'
    const { contents } = await sentFor(words, {
      messages: [user('a'), { role: 'assistant', content: said }, user(words)],
    })
    expect(contents).toMatchObject([{}, { role: 'model', parts: [{ text: said }] }, {}])
  })

  test('shows a model no more pictures than it takes: the oldest that it made are left out', async () => {
    const first = await drawn()
    const words = prompt()
    const made = { role: 'assistant', content: first.content }
    const again = { role: 'assistant', images: [image(DATA)] }
    const { contents } = (await sentFor(words, {
      model: 'nano-banana',
      size: '1K',
      messages: [user([text('a'), image(DATA)]), again, user('b'), made, user('c'), again, user(words)],
    })) as { contents: { parts: { text?: string; inlineData?: { data: string } }[] }[] }
    const shown = contents.flatMap(({ parts }) => parts.flatMap((part) => part.inlineData?.data ?? []))
    expect(shown).toEqual([PNG64, first.base64, PNG64])
    expect(contents[1]).toEqual({ role: 'model', parts: [{ text: '(an earlier picture, not shown)' }] })
  })
})

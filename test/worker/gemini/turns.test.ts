// Native calls of several turns on their way through: what was read is what the provider is sent, and problems that are
// found later are told in the words of the body.
import { afterEach, describe, expect, test, vi } from 'vitest'
import { ask, callsOf, chargesOf, prompt, stored } from '../setup/ask.ts'
import { large, PNG } from '../setup/pictures.ts'
import { answer, partsOf, send, standIn } from './native.ts'
import { inline, says } from './reader.ts'

const MAX = 7 * 1024 * 1024
const PICTURE = { candidates: [{ content: { role: 'model', parts: [inline(PNG)] }, finishReason: 'STOP' }] }

afterEach(() => vi.restoreAllMocks())

test('a call is sent on with its turns, signatures, tools and settings as they came', async () => {
  const { bodies } = standIn(() => PICTURE)
  const words = prompt()
  const contents = [
    { role: 'user', parts: [inline(PNG), { text: 'a bicycle' }] },
    {
      role: 'model',
      parts: [
        { ...inline(PNG), thoughtSignature: 'c2ln' },
        { text: 'done', thought: true },
      ],
    },
    { role: 'user', parts: [{ text: words }] },
  ]
  const response = await send({
    model: 'google/nano-banana-2',
    body: {
      contents,
      system_instruction: { parts: [{ text: 'be brief' }] },
      safety_settings: [],
      tools: [{ google_search: {} }],
      generation_config: {
        stop_sequences: ['END'],
        image_config: { person_generation: 'ALLOW_ADULT', image_size: '0.5K' },
        thinking_config: { include_thoughts: true, thinking_level: 'HIGH' },
      },
    },
  })
  expect(response.status).toBe(200)
  expect(bodies).toEqual([
    {
      contents,
      systemInstruction: { parts: [{ text: 'be brief' }] },
      safetySettings: [],
      tools: [{ googleSearch: {} }],
      generationConfig: {
        responseModalities: ['TEXT', 'IMAGE'],
        stopSequences: ['END'],
        imageConfig: { personGeneration: 'ALLOW_ADULT', imageSize: '512' },
        thinkingConfig: { includeThoughts: true, thinkingLevel: 'HIGH' },
      },
    },
  ])
})

test('a system text in a first turn of the model reaches each provider in its own form', async () => {
  const { bodies } = standIn(() => PICTURE)
  const contents = [
    { role: 'model', parts: [{ text: 'be brief' }] },
    { role: 'user', parts: [{ text: prompt() }] },
  ]
  for (const provider of ['apiyi', 'google'])
    await send({ model: `${provider}/nano-banana-2`, body: { contents } })
  expect(bodies).toMatchObject([
    { contents },
    { systemInstruction: { parts: [{ text: 'be brief' }] }, contents: [contents[1]] },
  ])
})

describe('a picture that comes back in a turn of the model', () => {
  const turns = (words: string, bytes: Uint8Array, role = 'model') => ({
    contents: [
      { role, parts: [inline(bytes)] },
      { role: 'user', parts: [{ text: words }] },
    ],
    generationConfig: { imageConfig: { imageSize: '512' } },
  })

  test('may be longer than an upload, and reaches the provider', async () => {
    const words = prompt()
    const native = await answer({ body: turns(words, large(MAX + 1_000_000)) })
    expect(partsOf(native).some((part) => part.inlineData)).toBe(true)
    expect(await callsOf(words)).toMatchObject([{ references: 1, status: 200 }])
  })

  test('is the same picture at a repeat: the key answers with what was bought', async () => {
    const words = prompt()
    const call = {
      body: turns(words, large(MAX + 1_000_000)),
      headers: { 'idempotency-key': crypto.randomUUID() },
    }
    const [first, again] = [await send(call), await send(call)]
    expect(again.headers.get('idempotent-replayed')).toBe('true')
    expect(await again.text()).toBe(await first.text())
    expect(await chargesOf(words)).toHaveLength(1)
  })

  test('of ours is read where it lies', async () => {
    const words = prompt()
    const first = await answer({ body: says(words), query: '?delivery=url' })
    const { fileData } = partsOf(first).find((part) => part.fileData)!
    const before = await stored('references/')
    const second = prompt()
    const contents = [
      { role: 'model', parts: [{ fileData }] },
      { role: 'user', parts: [{ text: second }] },
    ]
    await answer({ body: { contents } })
    expect(await callsOf(second)).toMatchObject([{ references: 1, status: 200 }])
    expect(await stored('references/')).toEqual(before)
  })

  test('is refused there and not sent when its turn is the user’s', async () => {
    const words = prompt()
    const response = await send({ body: turns(words, large(MAX + 1), 'user') })
    expect(response.status).toBe(400)
    expect(await callsOf(words)).toEqual([])
  })
})

describe('what is found out later names the fields of the body', () => {
  test.for([
    [
      'a size',
      {
        model: 'apiyi/nano-banana-pro',
        body: { ...says('a'), generationConfig: { imageConfig: { imageSize: '512' } } },
      },
      'generation_config.image_config.image_size',
      /cannot make 512/,
    ],
    [
      'a ratio',
      {
        model: 'google/nano-banana-pro',
        body: { ...says('a'), generationConfig: { imageConfig: { aspectRatio: '8:1' } } },
      },
      'generation_config.image_config.aspect_ratio',
      /cannot make 8:1/,
    ],
    [
      'a thinking level',
      {
        model: 'google/nano-banana-2',
        body: { ...says('a'), generationConfig: { thinkingConfig: { thinkingLevel: 'LOW' } } },
      },
      'generation_config.thinking_config.thinking_level',
      /does not think at low/,
    ],
    [
      'an address',
      {
        model: 'tokaify/nano-banana-pro',
        body: says('a', { fileData: { fileUri: 'https://10.0.0.1/a.png', mimeType: 'image/png' } }),
      },
      'contents[0].parts[1]',
      /could not be fetched/,
    ],
  ] as const)('%s', async ([, call, field, message]) => {
    const response = await send(call)
    const { error } = (await response.json()) as {
      error: { message: string; details: { fieldViolations?: object[] }[] }
    }
    expect(response.status).toBe(400)
    expect(error.message).toMatch(message)
    expect(error.message.startsWith(`${field}: `)).toBe(true)
    expect(error.details.flatMap((detail) => detail.fieldViolations ?? [])).toMatchObject([{ field }])
  })

  test('the only size of a model that takes none is left out on the way', async () => {
    const { bodies } = standIn(() => PICTURE)
    const body = { ...says(prompt()), generationConfig: { imageConfig: { imageSize: '1k' } } }
    expect((await send({ model: 'google/nano-banana', body })).status).toBe(200)
    expect(bodies[0]!.generationConfig).toEqual({ responseModalities: ['TEXT', 'IMAGE'] })
  })
})

test('an image without a word is a call', async () => {
  const { bodies } = standIn(() => PICTURE)
  const contents = [{ role: 'user', parts: [inline(PNG)] }]
  expect((await send({ body: { contents } })).status).toBe(200)
  expect(bodies).toMatchObject([{ contents }])
})

test('tokens are counted at the route, and no provider is asked', async () => {
  const words = prompt()
  const response = await send({ method: 'countTokens', body: says(words) })
  expect(await response.json()).toMatchObject({ promptTokensDetails: [{ modality: 'TEXT' }] })
  expect(await callsOf(words)).toEqual([])
  expect((await ask('/v1/models/nano-banana-2:countTokens', { method: 'POST', body: '{' })).status).toBe(400)
})

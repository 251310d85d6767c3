// Native calls as they are understood: every documented way of writing them, turns, images and settings.
import { describe, expect, test } from 'vitest'
import { make, prompt, stored } from '../setup/ask.ts'
import { env } from '../setup/bindings.ts'
import { HEIC, JPEG, large, PNG, sha256, WEBP } from '../setup/pictures.ts'
import { inline, NB2, read, refusal, says } from './reader.ts'

const MAX = 7 * 1024 * 1024

describe('a call', () => {
  test('of a text alone is a prompt of one turn, with text and picture wanted', async () => {
    const { asked, places } = await read({ contents: [{ parts: [{ text: 'a fern' }] }] })
    expect(asked).toEqual({
      request: {
        model: NB2,
        prompt: 'a fern',
        modalities: ['TEXT', 'IMAGE'],
        references: [],
        deadline: 300,
      },
      conversation: { turns: [{ role: 'user', parts: [{ part: { text: 'a fern' } }] }] },
      isRepeat: false,
      isShielded: true,
    })
    expect(places).toEqual({ images: [], system: 'system_instruction' })
  })

  test('of an image alone has no prompt', async () => {
    const { asked } = await read({ contents: [{ parts: [inline(PNG)] }] })
    expect(asked.request.prompt).toBe('')
  })

  test('may name its provider before the model', async () => {
    const { asked } = await read(says('a'), { model: 'apiyi/nano-banana-pro' })
    expect(asked.request).toMatchObject({ model: 'nano-banana-pro', provider: 'apiyi' })
  })

  test('carries the key, the repeat mark and the shield of its headers', async () => {
    const headers = {
      'idempotency-key': 'k1',
      'x-stainless-retry-count': '1',
      'x-proofsheet-shield': 'off',
    }
    const { asked } = await read(says('a'), { headers })
    expect(asked).toMatchObject({ key: 'k1', isRepeat: true, isShielded: false })
  })

  test('may give a single turn and a single part without lists', async () => {
    const { asked } = await read({ contents: { parts: { text: 'a' } } })
    expect(asked.conversation.turns).toEqual([{ role: 'user', parts: [{ part: { text: 'a' } }] }])
  })

  test('as Python’s library mixes it is understood', async () => {
    const { asked } = await read({
      contents: [
        {
          parts: [{ text: 'a' }, { inlineData: { data: PNG.toBase64(), mime_type: 'image/png' } }],
          role: 'user',
        },
      ],
      generationConfig: {
        responseModalities: ['TEXT', 'IMAGE'],
        imageConfig: { aspectRatio: '16:9', imageSize: '2K' },
        thinkingConfig: { include_thoughts: true, thinking_level: 'HIGH' },
      },
    })
    expect(asked.request).toMatchObject({
      aspect: '16:9',
      size: '2K',
      thinking: { level: 'high' },
      references: [{ sha256: sha256(PNG), mimeType: 'image/png', bytes: PNG.length }],
    })
    expect(asked.conversation.includeThoughts).toBe(true)
  })
})

describe('turns', () => {
  test('come as they are, images counted across them, signatures to the letter', async () => {
    const signature = 'Aa+/=='.repeat(1_000)
    const { asked, places } = await read({
      contents: [
        { role: 'user', parts: [inline(PNG), { text: 'a bicycle' }, inline(JPEG, 'image/jpeg')] },
        {
          role: 'model',
          parts: [
            { text: 'thinking', thought: true },
            { ...inline(WEBP, 'image/webp'), thoughtSignature: signature },
          ],
        },
        { role: 'user', parts: [{ text: 'now red' }, { text: 'and small' }] },
      ],
    })
    expect(asked.conversation.turns).toEqual([
      { role: 'user', parts: [{ image: 0 }, { part: { text: 'a bicycle' } }, { image: 1 }] },
      {
        role: 'model',
        parts: [
          { part: { text: 'thinking', thought: true } },
          { image: 2, more: { thoughtSignature: signature } },
        ],
      },
      { role: 'user', parts: [{ part: { text: 'now red' } }, { part: { text: 'and small' } }] },
    ])
    expect(asked.request.prompt).toBe('now red\nand small')
    expect(asked.request.references).toMatchObject([
      { sha256: sha256(PNG) },
      { sha256: sha256(JPEG) },
      { sha256: sha256(WEBP), made: true },
    ])
    expect(places.images).toEqual(['contents[0].parts[0]', 'contents[0].parts[2]', 'contents[1].parts[1]'])
  })

  test('of functions keep the callers’ own names', async () => {
    const parts = [{ functionCall: { name: 'look_up', args: { product_id: 1 } } }]
    const answer = { name: 'look_up', response: { unit_price: 2 } }
    const { asked } = await read({
      contents: [
        { role: 'user', parts: [{ text: 'a' }] },
        { role: 'model', parts: [{ function_call: parts[0]!.functionCall }] },
        { role: 'function', parts: [{ function_response: answer }] },
      ],
    })
    expect(asked.conversation.turns.slice(1)).toEqual([
      { role: 'model', parts: [{ part: parts[0] }] },
      { role: 'function', parts: [{ part: { functionResponse: answer } }] },
    ])
    expect(asked.request.prompt).toBe('a')
  })

  test.for([
    [
      'the system instruction',
      { systemInstruction: { role: 'user', parts: [{ text: 's' }, { text: 't' }] } },
      's\nt',
      'system_instruction',
    ],
    ['a first turn of the model', {}, 'be brief', 'contents[0]'],
  ] as const)('%s is the system text', async ([, more, system, place]) => {
    const contents = [
      ...(place === 'contents[0]' ? [{ role: 'model', parts: [{ text: 'be brief' }] }] : []),
      { role: 'user', parts: [{ text: 'a' }] },
    ]
    const { asked, places } = await read({ contents, ...more })
    expect(asked.request.system).toBe(system)
    expect(asked.conversation.turns).toEqual([{ role: 'user', parts: [{ part: { text: 'a' } }] }])
    expect(places.system).toBe(place)
  })

  test.for([
    ['beside a system instruction', [{ text: 'hello' }], { systemInstruction: { parts: [{ text: 's' }] } }],
    ['with a signature', [{ text: 'hello', thoughtSignature: 'x' }], {}],
  ] as const)('a first turn of the model %s is an answer, not a system text', async ([, parts, more]) => {
    const contents = [
      { role: 'model', parts },
      { role: 'user', parts: [{ text: 'a' }] },
    ]
    const { asked } = await read({ contents, ...more })
    expect(asked.conversation.turns).toHaveLength(2)
  })
})

describe('settings', () => {
  test('that a request has names for are read in any documented spelling', async () => {
    const { asked } = await read({
      ...says('a'),
      safety_settings: [
        { category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_NONE' },
        { category: 'HARM_CATEGORY_HATE_SPEECH', threshold: 'HARM_BLOCK_THRESHOLD_UNSPECIFIED' },
      ],
      generation_config: {
        response_modalities: ['Image', 'Text'],
        image_config: { aspect_ratio: '1:8', image_size: '0.5k' },
        temperature: 0.7,
        top_p: 0.9,
        top_k: 40,
        seed: '42',
        max_output_tokens: 100_000,
        candidate_count: 1,
        thinking_config: { thinking_budget: -1, thinking_level: 'THINKING_LEVEL_UNSPECIFIED' },
      },
    })
    expect(asked.request).toEqual({
      model: NB2,
      prompt: 'a',
      references: [],
      deadline: 300,
      modalities: ['IMAGE', 'TEXT'],
      aspect: '1:8',
      size: '512',
      temperature: 0.7,
      topP: 0.9,
      topK: 40,
      seed: 42,
      maxOutputTokens: 100_000,
      thinking: { budget: -1 },
      safetySettings: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_NONE' }],
    })
  })

  test.for([
    ['512px', '512'],
    ['512', '512'],
    ['0.5K', '512'],
    ['1k', '1K'],
    ['4K', '4K'],
    ['', undefined],
  ] as const)('size %j is %s', async ([imageSize, size]) => {
    const { asked } = await read({ ...says('a'), generationConfig: { imageConfig: { imageSize } } })
    expect(asked.request.size).toBe(size)
  })

  test('of other names are passed on in camelCase', async () => {
    const schema = { type: 'OBJECT', properties: { unit_price: { type: 'NUMBER' } } }
    const { asked } = await read({
      ...says('a'),
      tools: [
        { google_search: { search_types: { web_search: {}, image_search: {} } } },
        { function_declarations: [{ name: 'look_up', parameters: schema }] },
      ],
      tool_config: { function_calling_config: { mode: 'ANY', allowed_function_names: ['look_up'] } },
      store: false,
      service_tier: 'SERVICE_TIER_STANDARD',
      generation_config: {
        stop_sequences: ['END'],
        presence_penalty: 0.5,
        response_logprobs: true,
        response_mime_type: 'text/plain',
        response_schema: schema,
        image_config: { person_generation: 'ALLOW_ADULT' },
      },
    })
    expect(asked.conversation).toMatchObject({
      tools: [
        { googleSearch: { searchTypes: { webSearch: {}, imageSearch: {} } } },
        { functionDeclarations: [{ name: 'look_up', parameters: schema }] },
      ],
      toolConfig: { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['look_up'] } },
      generationConfig: {
        stopSequences: ['END'],
        presencePenalty: 0.5,
        responseLogprobs: true,
        responseMimeType: 'text/plain',
        responseSchema: schema,
      },
      imageConfig: { personGeneration: 'ALLOW_ADULT' },
    })
  })

  test('may ask for text alone, and may be empty', async () => {
    const { asked } = await read({
      ...says('a'),
      safetySettings: [],
      generationConfig: { responseModalities: ['TEXT'] },
    })
    expect(asked.request).toMatchObject({ modalities: ['TEXT'], safetySettings: [] })
  })
})

describe('an inline image', () => {
  test.for([
    ['PNG', PNG, 'image/png'],
    ['JPEG', JPEG, 'image/jpeg'],
    ['JPEG called jpg', JPEG, 'image/jpg'],
    ['WebP', WEBP, 'image/webp'],
    ['HEIC', HEIC, 'image/heic'],
    ['HEIC called HEIF', HEIC, 'image/heif'],
  ] as const)('is stored under its digest: %s', async ([, bytes, label]) => {
    const { asked } = await read(says('a', inline(bytes, label)))
    const digest = sha256(bytes)
    expect(asked.request.references).toMatchObject([{ sha256: digest, key: `references/default/${digest}` }])
    expect(await stored('references/')).toContain(`references/default/${digest}`)
  })

  test('may be url-safe and unpadded Base64', async () => {
    const data = PNG.toBase64({ alphabet: 'base64url', omitPadding: true })
    const { asked } = await read(says('a', { inlineData: { mimeType: 'image/png', data } }))
    expect(asked.request.references).toMatchObject([{ sha256: sha256(PNG) }])
  })

  test('that a model made may be longer than an upload, and is stored to the byte', async () => {
    const bytes = large(MAX + 3_000_001)
    const { asked } = await read({
      contents: [
        // As both official libraries write it: the role comes after the parts.
        { parts: [inline(bytes)], role: 'model' },
        { role: 'user', parts: [{ text: 'now red' }] },
      ],
    })
    const [image] = asked.request.references as { key: string; sha256: string }[]
    expect(image).toMatchObject({
      sha256: sha256(bytes),
      bytes: bytes.length,
      mimeType: 'image/png',
      made: true,
    })
    expect(image!.key).toMatch(/^references\/default\/large\/[0-9a-z]{26}$/)
    const object = await env.BUCKET.get(image!.key)
    expect(sha256(new Uint8Array(await object!.arrayBuffer()))).toBe(sha256(bytes))
  })
})

describe('an image by its address', () => {
  const file = (fileUri: string, mimeType = 'image/png') => ({ fileData: { fileUri, mimeType } })
  const OTTER = 'https://pictures.example.com/otter.png?a=1'

  test.for([
    ['is passed on where the provider fetches', 'google', { fileUri: OTTER, mimeType: 'image/png' }],
    ['is fetched here where it does not', 'tokaify', { url: OTTER }],
  ] as const)('%s', async ([, provider, reference]) => {
    const { asked, places } = await read(says('a', file(OTTER)), { model: `${provider}/nano-banana-pro` })
    expect(asked.request.references).toEqual([reference])
    expect(places.images).toEqual(['contents[0].parts[1]'])
  })

  test('of ours is the stored picture, whoever makes the next', async () => {
    const { image } = await make({ prompt: prompt() })
    const { asked } = await read(says('a', file(`${image!.url}?x=1`, image!.mimeType)))
    const key = `pictures/${image!.url.split('/').at(-1)}`
    const { sha256: digest, mimeType, bytes } = image!
    expect(asked.request.references).toEqual([{ sha256: digest, mimeType, bytes, key }])
  })

  test('of ours is none where it belongs to another workspace', async () => {
    const { image } = await make({ prompt: prompt() })
    const keys = ['GOOGLE', 'APIYI', 'TOKAIFY'].map((name) => [`${name}_API_KEY`, ''])
    const emulated = { ...Object.fromEntries(keys), BAD_KEY: '', ANY_KEY: '', EMULATOR_URL: env.EMULATOR }
    const body = says('a', file(image!.url, image!.mimeType))
    expect(await refusal(body, { changes: emulated })).toMatchObject({
      status: '400 INVALID_ARGUMENT',
      fields: ['contents[0].parts[1].file_data.file_uri'],
    })
  })
})

test('the same call is the same wish in every casing', async () => {
  const random = generator(20261121)
  const body = {
    contents: [
      { role: 'user', parts: [inline(PNG), { text: 'a' }] },
      { role: 'model', parts: [{ ...inline(JPEG, 'image/jpeg'), thoughtSignature: 'abc' }] },
      {
        role: 'user',
        parts: [{ text: 'b' }, { fileData: { mimeType: 'image/png', fileUri: 'https://a.example.com/b' } }],
      },
    ],
    systemInstruction: { parts: [{ text: 's' }] },
    safetySettings: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'OFF' }],
    tools: [
      { googleSearch: { searchTypes: { webSearch: {} } } },
      { functionDeclarations: [{ name: 'f', parametersJsonSchema: { type: 'object' } }] },
    ],
    toolConfig: { functionCallingConfig: { allowedFunctionNames: ['f'] } },
    serviceTier: 'standard',
    generationConfig: {
      responseModalities: ['IMAGE'],
      imageConfig: { aspectRatio: '16:9', imageSize: '2K', personGeneration: 'ALLOW_ALL' },
      maxOutputTokens: 8_000,
      topP: 0.5,
      stopSequences: ['END'],
      thinkingConfig: { includeThoughts: true, thinkingLevel: 'HIGH' },
    },
  }
  const expected = await read(body)
  expect(expected.asked.conversation.imageConfig).toEqual({ personGeneration: 'ALLOW_ALL' })
  for (let round = 0; round < 30; round++) expect(await read(recased(body, random))).toEqual(expected)
})

/** The value with each key in camelCase or snake_case, by chance. */
function recased(value: unknown, random: () => number): unknown {
  if (Array.isArray(value)) return value.map((element) => recased(element, random))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => {
      const snake = key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
      return [random() < 0.5 ? key : snake, recased(member, random)]
    }),
  )
}

/** Numbers from 0 to 1 that are the same at every run. */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

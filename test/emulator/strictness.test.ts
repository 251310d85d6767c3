import sharp from 'sharp'
import { beforeAll, describe, expect, test } from 'vitest'
import { createEmulator } from '../../emulator/app.ts'
import { type AnyError, type Asked, ask, GENERATION_1, LITE, NB2, PRO, prompt } from './ask.ts'

const { app, calls, bill, reset } = createEmulator()

const images: Record<string, string> = {}
beforeAll(async () => {
  const dot = sharp({ create: { width: 4, height: 4, channels: 3, background: '#f60' } })
  images.png = (await dot.clone().png().toBuffer()).toString('base64')
  images.jpeg = (await dot.clone().jpeg().toBuffer()).toString('base64')
})

const inline = (mimeType: string, data: string) => ({ inlineData: { mimeType, data } })
const config = (generationConfig: Record<string, unknown>) => prompt('a fern', generationConfig)
const image = (imageConfig: Record<string, unknown>) => config({ imageConfig })

type Case = [
  rule: string,
  body: () => unknown,
  expected: { code: number; status: string; message: string | RegExp },
  asked?: Asked,
]

const bad = (message: string | RegExp) => ({ code: 400, status: 'INVALID_ARGUMENT', message })

describe('the key', () => {
  const google = { headers: {} }
  const noKey = { code: 403, status: 'PERMISSION_DENIED', message: /unregistered callers/ }
  test.for<Case>([
    ['no key at Google is a 403', () => prompt('a fern'), noKey, google],
    [
      'no key at a relay is a 401',
      () => prompt('a fern'),
      { code: 401, status: 'UNAUTHENTICATED', message: /Bearer/ },
      { ...google, provider: 'tokaify', model: 'gemini-3-pro-image-preview' },
    ],
    [
      "Google's header does not open a relay",
      () => prompt('a fern'),
      { code: 401, status: 'UNAUTHENTICATED', message: /Bearer/ },
      { headers: { 'x-goog-api-key': 'k' }, provider: 'apiyi', model: GENERATION_1 },
    ],
    ['an empty Bearer is no key', () => prompt('a fern'), noKey, { headers: { authorization: 'Bearer ' } }],
    [
      'a bad key is a 400 as at Google',
      () => prompt('a fern'),
      bad('API key not valid. Please pass a valid API key.'),
      { headers: { 'x-goog-api-key': 'bad-key' } },
    ],
  ])('%s', refuses)

  test.for<[string, Asked]>([
    ['x-goog-api-key', { headers: { 'x-goog-api-key': 'k' } }],
    ['?key=', { headers: {}, query: '?key=k' }],
    ['Bearer at Google', { headers: { authorization: 'Bearer k' } }],
    ['Bearer at a relay nobody knows, under /v1', { provider: 'third-relay', version: 'v1' }],
  ])('%s opens', async ([, asked]) => {
    expect((await ask(app, prompt('a fern', { responseModalities: ['TEXT'] }), asked)).status).toBe(200)
  })

  test('a bad key carries API_KEY_INVALID and a localised message', async () => {
    const response = await ask(app, prompt('a fern'), { headers: { authorization: 'Bearer bad-key' } })
    const { error } = (await response.json()) as AnyError
    expect(error.details).toMatchObject([
      { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID' },
      { '@type': 'type.googleapis.com/google.rpc.LocalizedMessage', message: error.message },
    ])
  })
})

describe('the model', () => {
  const missing = (id: string) => ({
    code: 404,
    status: 'NOT_FOUND',
    message: new RegExp(`^models/${id} is not found for API version v1beta`),
  })
  test.for<Case>([
    ['an unknown id is a 404', () => prompt('a fern'), missing('gemini-9'), { model: 'gemini-9' }],
    [
      'Google does not sell preview ids',
      () => prompt('a fern'),
      missing('gemini-3-pro-image-preview'),
      { model: 'gemini-3-pro-image-preview' },
    ],
    ['APIYI sells preview ids only', () => prompt('a fern'), missing(PRO), { model: PRO, provider: 'apiyi' }],
    ['Tokaify sells one model', () => prompt('a fern'), missing(NB2), { model: NB2, provider: 'tokaify' }],
    [
      'a short name is no wire id',
      () => prompt('a fern'),
      missing('nano-banana-2'),
      { model: 'nano-banana-2', provider: 'relay' },
    ],
  ])('%s', refuses)

  test.for([NB2, 'gemini-3.1-flash-image-preview', 'gemini-3-pro-image-preview', 'gemini-nano-banana-2.1'])(
    'a relay nobody knows sells %s',
    async (model) => {
      const body = prompt('a fern', { responseModalities: ['TEXT'] })
      expect((await ask(app, body, { model, provider: 'relay' })).status).toBe(200)
    },
  )

  test('another method is a 404 in the same shape', async () => {
    const response = await app.request(`/google/v1beta/models/${NB2}:predict`, { method: 'POST' })
    expect(response.status).toBe(404)
    expect(await response.json()).toMatchObject({ error: { status: 'NOT_FOUND' } })
  })
})

describe('the body', () => {
  test.for<Case>([
    ['broken JSON', () => '{"contents": [', bad(/^Invalid JSON payload received\./)],
    ['an array as body', () => [], bad(/Root element must be a message/)],
    ['no contents', () => ({}), bad('* GenerateContentRequest.contents: contents is not specified')],
    [
      'empty contents',
      () => ({ contents: [] }),
      bad('* GenerateContentRequest.contents: contents is not specified'),
    ],
    [
      'a turn without parts',
      () => ({ contents: [{ role: 'user' }] }),
      bad(/contents\[0\]\.parts: contents\.parts must not be empty/),
    ],
    [
      'an empty part',
      () => ({ contents: [{ parts: [{}] }] }),
      bad(/parts\[0\]\.data: required oneof field 'data'/),
    ],
    [
      'a null part',
      () => ({ contents: [{ parts: [null] }] }),
      bad("Invalid value at 'contents[0].parts[0]' (TYPE_MESSAGE), null"),
    ],
    [
      'a part with text and image',
      () => ({ contents: [{ parts: [{ text: 'a', ...inline('image/png', images.png!) }] }] }),
      bad(/\(oneof\), oneof field 'data' is already set/),
    ],
    [
      'a role that is none',
      () => ({ contents: [{ role: 'system', parts: [{ text: 'a' }] }] }),
      bad('Please use a valid role: user, model.'),
    ],
    [
      'a mistyped value',
      () => config({ temperature: 'warm' }),
      bad(`Invalid value at 'generation_config.temperature' (TYPE_FLOAT), "warm"`),
    ],
    [
      'an unknown name at the top',
      () => ({ ...prompt('a'), labels: {} }),
      bad('Invalid JSON payload received. Unknown name "labels": Cannot find field.'),
    ],
    [
      "Vertex's outputMimeType",
      () => image({ outputMimeType: 'image/png' }),
      bad(
        `Invalid JSON payload received. Unknown name "outputMimeType" at 'generation_config.image_config': Cannot find field.`,
      ),
    ],
    [
      'an unknown name in snake_case, named as it came',
      () => ({ contents: [{ parts: [{ text: 'a', inline_image: {} }] }] }),
      bad(
        `Invalid JSON payload received. Unknown name "inline_image" at 'contents[0].parts[0]': Cannot find field.`,
      ),
    ],
    [
      'candidateCount 2',
      () => config({ candidateCount: 2 }),
      bad('Multiple candidates is not enabled for this model'),
    ],
    [
      'temperature 2.1',
      () => config({ temperature: 2.1 }),
      bad(/temperature must be in the range \[0\.0, 2\.0\]/),
    ],
    [
      'maxOutputTokens over the limit',
      () => config({ maxOutputTokens: 100_000 }),
      bad(/from 1 \(inclusive\) to 32769 \(exclusive\)/),
    ],
    [
      "maxOutputTokens over Lite's limit",
      () => config({ maxOutputTokens: 8_000 }),
      bad(/to 4097 \(exclusive\)/),
      { model: LITE },
    ],
    [
      'a modality that is none',
      () => config({ responseModalities: ['VIDEO'] }),
      bad(/response_modalities\[0\]' \(TYPE_ENUM\), "VIDEO"/),
    ],
    [
      'a thinking level that is none',
      () => config({ thinkingConfig: { thinkingLevel: 'huge' } }),
      bad(/thinking_level' \(TYPE_ENUM\), "huge"/),
    ],
    [
      'search on Lite',
      () => ({ ...prompt('a'), tools: [{ google_search: {} }] }),
      bad('Search Grounding is not supported.'),
      { model: LITE },
    ],
  ])('%s is refused', refuses)

  test('every unknown name is told at once, with its field', async () => {
    const response = await ask(app, { ...image({ size: '1K' }), sytem: {} })
    const { error } = (await response.json()) as AnyError
    expect(error.details).toEqual([
      {
        '@type': 'type.googleapis.com/google.rpc.BadRequest',
        fieldViolations: error.message.split('\n').map((description) => ({
          field: description.includes('"size"') ? 'generation_config.image_config' : '',
          description,
        })),
      },
    ])
    expect(error.message.split('\n')).toHaveLength(2)
  })

  test('a body over 100 MiB is refused, announced or not', async () => {
    const announced = await ask(app, prompt('a'), {
      headers: { authorization: 'Bearer k', 'content-length': String(100 * 1024 * 1024 + 1) },
    })
    expect(announced.status).toBe(400)
    let left = 101
    const response = await app.request(`/google/v1beta/models/${NB2}:generateContent`, {
      method: 'POST',
      headers: { authorization: 'Bearer k' },
      duplex: 'half',
      body: new ReadableStream({
        pull(controller) {
          left -= 1
          if (left < 0) controller.close()
          else controller.enqueue(new Uint8Array(1024 * 1024))
        },
      }),
    } as RequestInit)
    expect(((await response.json()) as AnyError).error.message).toBe(
      'Request payload size exceeds the limit: 104857600 bytes.',
    )
  })

  test.for<[string, () => unknown, Asked?]>([
    [
      'camelCase',
      () => ({
        ...prompt('a', { responseModalities: ['TEXT'], imageConfig: { aspectRatio: '1:1' } }),
        safetySettings: [],
        systemInstruction: { role: 'user', parts: [{ text: 's' }] },
      }),
    ],
    [
      'snake_case',
      () => ({
        contents: [{ parts: [{ text: 'a' }, { inline_data: { mime_type: 'image/png', data: images.png } }] }],
        generation_config: {
          response_modalities: ['TEXT'],
          image_config: { aspect_ratio: '1:1', image_size: '1K' },
        },
      }),
    ],
    [
      "Python's mixture",
      () => ({
        contents: [{ parts: [{ text: 'a' }, { inlineData: { data: images.png, mime_type: 'image/png' } }] }],
        generationConfig: {
          responseModalities: ['TEXT'],
          thinkingConfig: { include_thoughts: true, thinking_level: 'HIGH' },
        },
      }),
    ],
    ['modalities in any case', () => config({ responseModalities: ['Text'] })],
    [
      'a single turn without a list',
      () => ({ contents: { parts: { text: 'a' } }, generationConfig: { responseModalities: 'TEXT' } }),
    ],
    [
      "Tokaify's own maxOutputTokens",
      () => config({ temperature: 0.7, maxOutputTokens: 100_000, responseModalities: ['TEXT'] }),
      { provider: 'tokaify', model: 'gemini-3-pro-image-preview' },
    ],
    [
      'an answer of the model with its signature',
      () => ({
        contents: [
          { parts: [{ text: 'a' }] },
          { role: 'model', parts: [{ ...inline('image/png', images.png!), thoughtSignature: 'abc' }] },
          { role: 'user', parts: [{ text: 'b' }] },
        ],
        generationConfig: { responseModalities: ['TEXT'] },
      }),
    ],
  ])('%s is read', async ([, body, asked]) => {
    const response = await ask(app, body(), asked)
    expect([response.status, await response.json()]).toMatchObject([200, {}])
  })
})

describe('the picture asked for', () => {
  test.for<Case>([
    ['1k', () => image({ imageSize: '1k' }), bad(/Invalid image size "1k"/)],
    ['0.5K', () => image({ imageSize: '0.5K' }), bad(/Invalid image size "0\.5K"/)],
    ['512px', () => image({ imageSize: '512px' }), bad(/Invalid image size "512px"/)],
    ['512 on Pro', () => image({ imageSize: '512' }), bad(/Supported values: 1K, 2K, 4K/), { model: PRO }],
    [
      '512 on 2.1',
      () => image({ imageSize: '512' }),
      bad(/Supported values: 1K, 2K, 4K/),
      { model: 'gemini-nano-banana-2.1' },
    ],
    [
      'any size on generation 1',
      () => image({ imageSize: '1K' }),
      bad('Image size is not supported by this model.'),
      { model: GENERATION_1 },
    ],
    [
      'any size on Lite',
      () => image({ imageSize: '1K' }),
      bad('Image size is not supported by this model.'),
      { model: LITE },
    ],
    ['8:1 on Pro', () => image({ aspectRatio: '8:1' }), bad(/Invalid aspect ratio "8:1"/), { model: PRO }],
    ['5:3 anywhere', () => image({ aspectRatio: '5:3' }), bad(/Invalid aspect ratio "5:3"/)],
  ])('%s is refused', refuses)
})

describe('input images', () => {
  const edit = (...parts: unknown[]) => prompt('a', {}, ...parts)
  const png = () => inline('image/png', images.png!)
  test.for<Case>([
    [
      'an unsupported type',
      () => edit(inline('image/gif', images.png!)),
      bad('Unsupported MIME type: image/gif'),
    ],
    [
      'image/jpg at Google',
      () => edit(inline('image/jpg', images.jpeg!)),
      bad('Unsupported MIME type: image/jpg'),
    ],
    ['a missing type', () => edit({ inlineData: { data: images.png } }), bad(/mime_type is required/)],
    [
      'a wrong label',
      () => edit(inline('image/jpeg', images.png!)),
      bad(/is labelled image\/jpeg but holds image\/png/),
    ],
    ['bytes that are no picture', () => edit(inline('image/png', 'aGVsbG8=')), bad(/holds no known picture/)],
    ['no bytes', () => edit(inline('image/png', '')), bad(/must not be empty/)],
    [
      'broken Base64',
      () => edit(inline('image/png', 'abc!')),
      bad(
        `Invalid value at 'contents[0].parts[1].inline_data.data' (TYPE_BYTES), Base64 decoding failed for "abc!"`,
      ),
    ],
    [
      'Base64 with a line break',
      () => edit(inline('image/png', `${images.png!.slice(0, 20)}\n${images.png!.slice(20)}`)),
      bad(/Base64 decoding failed/),
    ],
    ['Base64 of impossible length', () => edit(inline('image/png', 'abcde')), bad(/Base64 decoding failed/)],
    [
      'more than 7 MiB',
      () => edit(inline('image/png', Buffer.alloc(7 * 1024 * 1024 + 1).toString('base64'))),
      bad(/has 7340033 bytes; at most 7340032/),
    ],
    [
      'a fourth image on generation 1',
      () => edit(png(), png(), png(), png()),
      bad(/has 4 input images; this model takes at most 3/),
      { model: GENERATION_1 },
    ],
    [
      'a fifteenth image on NB2',
      () => edit(...Array.from({ length: 15 }, png)),
      bad(/has 15 input images; this model takes at most 14/),
    ],
    [
      'a link at Tokaify',
      () => edit({ fileData: { mimeType: 'image/png', fileUri: 'https://a.example/b.png' } }),
      bad(/file links are not supported/),
      { provider: 'tokaify', model: 'gemini-3-pro-image-preview' },
    ],
  ])('%s is refused', refuses)

  test('a picture of exactly 7 MiB, url-safe and unpadded Base64, and image/jpg at APIYI are taken', async () => {
    const whole = Buffer.concat([Buffer.from(images.png!, 'base64'), Buffer.alloc(7 * 1024 * 1024)]).subarray(
      0,
      7 * 1024 * 1024,
    )
    const text = { responseModalities: ['TEXT'] }
    const full = await ask(app, prompt('a', text, inline('image/png', whole.toString('base64url'))))
    const jpg = await ask(app, prompt('a', text, inline('image/jpg', images.jpeg!)), {
      provider: 'apiyi',
      model: GENERATION_1,
    })
    expect([full.status, jpg.status]).toEqual([200, 200])
  })

  test.for<[string, unknown, { provider?: string; model?: string }, number]>([
    ['Google reads snake_case image parts', { inline_data: { mime_type: 'image/png', data: '' } }, {}, 1],
    [
      'APIYI ignores inline_data without a word',
      { inline_data: { mime_type: 'image/png', data: '' } },
      { provider: 'apiyi', model: GENERATION_1 },
      0,
    ],
    [
      'APIYI ignores file_data without a word',
      { file_data: { mime_type: 'image/png', file_uri: 'https://a.example/b.png' } },
      { provider: 'apiyi', model: GENERATION_1 },
      0,
    ],
    [
      'APIYI ignores a camelCase part with a snake_case member',
      { fileData: { mime_type: 'image/png', fileUri: 'https://a.example/b.png' } },
      { provider: 'apiyi', model: GENERATION_1 },
      0,
    ],
    [
      'APIYI reads camelCase links',
      { fileData: { mimeType: 'image/png', fileUri: 'https://a.example/b.png' } },
      { provider: 'apiyi', model: GENERATION_1 },
      1,
    ],
  ])('%s', async ([, part, asked, references]) => {
    reset()
    const filled = JSON.parse(JSON.stringify(part).replace('"data":""', `"data":"${images.png}"`))
    const response = await ask(app, prompt('a', { responseModalities: ['TEXT'] }, filled), asked)
    expect([response.status, calls()[0]!.references]).toEqual([200, references])
  })
})

async function refuses([, body, expected, asked]: Case): Promise<void> {
  reset()
  const response = await ask(app, body(), asked)
  const { error } = (await response.json()) as AnyError
  expect([response.status, error.code, error.status]).toEqual([expected.code, expected.code, expected.status])
  if (typeof expected.message === 'string') expect(error.message).toBe(expected.message)
  else expect(error.message).toMatch(expected.message)
  expect(calls()).toMatchObject([{ outcome: expected.status, status: expected.code, charged: false }])
  expect(bill()).toEqual([])
}

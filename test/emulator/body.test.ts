import sharp from 'sharp'
import { beforeAll, describe, expect, test } from 'vitest'
import { createEmulator } from '../../emulator/app.ts'
import { type AnyError, type Asked, ask, GENERATION_1, LITE, NB2, PRO, prompt } from './ask.ts'
import { bad, type Refusal, refuses } from './refusal.ts'

const emulator = createEmulator()
const { app } = emulator

const images: Record<string, string> = {}
beforeAll(async () => {
  const dot = sharp({ create: { width: 4, height: 4, channels: 3, background: '#f60' } })
  images.png = (await dot.clone().png().toBuffer()).toString('base64')
  images.jpeg = (await dot.clone().jpeg().toBuffer()).toString('base64')
})

const inline = (mimeType: string, data: string) => ({ inlineData: { mimeType, data } })
const config = (generationConfig: Record<string, unknown>) => prompt('a fern', generationConfig)
const image = (imageConfig: Record<string, unknown>) => config({ imageConfig })

describe('the body', () => {
  test.for<Refusal>([
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
  ])('%s is refused', (row) => refuses(emulator, row))

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
  test.for<Refusal>([
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
  ])('%s is refused', (row) => refuses(emulator, row))
})

// Native calls that are refused before anything is bought: in Google's words, with the part or field at fault.
import { describe, expect, test } from 'vitest'
import { ask, stored } from '../setup/ask.ts'
import { env } from '../setup/bindings.ts'
import { JPEG, large, PNG } from '../setup/pictures.ts'
import { count, inline, refusal, says } from './reader.ts'

const MAX = 7 * 1024 * 1024
const BAD = '400 INVALID_ARGUMENT'

type Row = [rule: string, body: unknown, message: string | RegExp, field?: string]

const config = (generationConfig: object) => ({ ...says('a'), generationConfig })
const image = (imageConfig: object) => config({ imageConfig })
const file = (fileData: object) => says('a', { fileData })

/** Asserts the message and that the field is named. */
async function refuses([, body, message, field]: Row, model?: string): Promise<void> {
  const refused = await refusal(body, model ? { model } : {})
  expect(refused.status).toBe(BAD)
  if (typeof message === 'string') expect(refused.message).toBe(message)
  else expect(refused.message).toMatch(message)
  expect(refused.fields).toEqual(field === undefined ? [] : [field])
}

describe('turns are refused', () => {
  test.for<Row>([
    ['that are not there', {}, '* GenerateContentRequest.contents: contents is not specified', 'contents'],
    ['of an empty list', { contents: [] }, /contents is not specified/, 'contents'],
    [
      'of text alone',
      { contents: 'a fern' },
      `Invalid value at 'contents[0]' (TYPE_MESSAGE), "a fern"`,
      'contents[0]',
    ],
    [
      'without parts',
      { contents: [{ role: 'user' }] },
      /contents\.parts must not be empty/,
      'contents[0].parts',
    ],
    [
      'with an empty part',
      { contents: [{ parts: [{}] }] },
      /required oneof field 'data'/,
      'contents[0].parts[0]',
    ],
    ['with a part that is null', { contents: [{ parts: [null] }] }, /TYPE_MESSAGE/, 'contents[0].parts[0]'],
    [
      'with another role',
      { contents: [{ role: 'system', parts: [{ text: 'a' }] }] },
      'Please use a valid role: user, model.',
      'contents[0].role',
    ],
    [
      'with text and image in one part',
      { contents: [{ parts: [{ text: 'a', ...inline(PNG) }] }] },
      "Invalid value at 'contents[0].parts[0]' (oneof), oneof field 'data' is already set. Cannot set 'inlineData'",
      'contents[0].parts[0]',
    ],
    [
      'with an image in the system instruction',
      { ...says('a'), systemInstruction: { parts: [{ text: 's' }, inline(PNG)] } },
      /^system_instruction\.parts\[1\]: a system instruction is text only/,
      'system_instruction.parts[1]',
    ],
    [
      'with an image where none is looked for',
      says('a', { functionResponse: { name: 'f', parts: [inline(PNG)] } }),
      /1 of 1 stand elsewhere/,
      'contents',
    ],
  ])('%s', (row) => refuses(row))
})

describe('settings are refused', () => {
  test.for<Row>([
    [
      'of Vertex',
      image({ outputMimeType: 'image/png' }),
      `Invalid JSON payload received. Unknown name "outputMimeType" at 'generation_config.image_config': Cannot find field.`,
      'generation_config.image_config',
    ],
    ['that nobody knows', { ...says('a'), labels: {} }, /Unknown name "labels": Cannot find field/, ''],
    [
      'asking for two candidates',
      config({ candidateCount: 2 }),
      'Multiple candidates is not enabled for this model',
    ],
    [
      'of another size',
      image({ imageSize: '3K' }),
      /^Invalid value at 'generation_config\.image_config\.image_size': unknown size "3K": one of 512, 1K, 2K, 4K$/,
      'generation_config.image_config.image_size',
    ],
    [
      'of another ratio',
      image({ aspectRatio: '5:3' }),
      /must be one of 1:1, /,
      'generation_config.image_config.aspect_ratio',
    ],
    ['too warm', config({ temperature: 2.1 }), /temperature/, 'generation_config.temperature'],
    ['of the wrong type', config({ topP: 'high' }), /\(TYPE_FLOAT\), "high"/, 'generation_config.top_p'],
    [
      'of a modality that is none',
      config({ responseModalities: ['AUDIO'] }),
      /\(TYPE_ENUM\), "AUDIO"/,
      'generation_config.response_modalities[0]',
    ],
    [
      'of a thinking level that is none',
      config({ thinkingConfig: { thinkingLevel: 'HUGE' } }),
      /\(TYPE_ENUM\), "HUGE"/,
      'generation_config.thinking_config.thinking_level',
    ],
    [
      'of a threshold that is none',
      { ...says('a'), safetySettings: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'ALL' }] },
      /must be one of BLOCK_LOW_AND_ABOVE/,
      'safety_settings[0].threshold',
    ],
    [
      'of cached content',
      { ...says('a'), cachedContent: 'cachedContents/1' },
      /does not offer cached content/,
      'cached_content',
    ],
    [
      'of another tier',
      { ...says('a'), serviceTier: 'priority' },
      /does not offer the service tier priority/,
      'service_tier',
    ],
  ])('%s', (row) => refuses(row))

  test('every one of them at once', async () => {
    const { fields } = await refusal(config({ temperature: 3, topP: 2, imageConfig: { imageSize: '9K' } }))
    expect(fields.sort()).toEqual([
      'generation_config.image_config.image_size',
      'generation_config.temperature',
      'generation_config.top_p',
    ])
  })
})

describe('images are refused', () => {
  const part = 'contents[0].parts[1]'
  test.for<Row>([
    [
      'of a type that no model reads',
      says('a', inline(PNG, 'image/gif')),
      'Unsupported MIME type: image/gif',
      part,
    ],
    ['without a type', says('a', { inlineData: { data: 'AAAA' } }), /mime_type is required/, part],
    [
      'under another label',
      says('a', inline(PNG, 'image/jpeg')),
      `Unable to process input image: ${part} is labelled image/jpeg but holds image/png.`,
      part,
    ],
    ['that are none', says('a', inline(new TextEncoder().encode('hello'))), /holds no known picture/, part],
    [
      'without bytes',
      says('a', { inlineData: { mimeType: 'image/png' } }),
      /must not be empty/,
      `${part}.inline_data.data`,
    ],
    [
      'whose bytes are a number',
      says('a', { inlineData: { mimeType: 'image/png', data: 0 } }),
      /\(TYPE_BYTES\), 0/,
      `${part}.inline_data.data`,
    ],
    [
      'that are no Base64, even among good ones',
      says(
        'a',
        inline(JPEG, 'image/jpeg'),
        { inlineData: { mimeType: 'image/png', data: 'iVBO!abc' } },
        inline(PNG),
      ),
      /^Invalid value at 'contents\[0\]\.parts\[2\]\.inline_data\.data' \(TYPE_BYTES\), Base64 decoding failed for /,
      'contents[0].parts[2].inline_data.data',
    ],
    [
      'of a user over 7 MiB',
      says('a', inline(large(MAX + 1))),
      `${part}: an input image has ${MAX + 1} bytes; at most ${MAX} are taken.`,
      part,
    ],
    [
      'of a model over 32 MiB',
      { contents: [{ role: 'model', parts: [inline(large(32 * 1024 * 1024 + 1))] }] },
      /^contents\[0\]\.parts\[0\]: the image is over 33554432 bytes/,
      'contents[0].parts[0]',
    ],
    [
      'beyond fourteen',
      says('a', ...Array.from({ length: 15 }, () => inline(PNG))),
      'The request has more than 14 input images; this model takes at most 14.',
    ],
    [
      'in Cloud Storage',
      file({ fileUri: 'gs://b/o.png', mimeType: 'image/png' }),
      /Cloud Storage is not read here/,
      `${part}.file_data.file_uri`,
    ],
    [
      'of the Files API',
      file({ fileUri: 'files/abc', mimeType: 'image/png' }),
      /no Files API here/,
      `${part}.file_data.file_uri`,
    ],
    [
      'of the Files API by address',
      file({ fileUri: 'https://generativelanguage.googleapis.com/v1beta/files/abc', mimeType: 'image/png' }),
      /no Files API here/,
      `${part}.file_data.file_uri`,
    ],
    [
      'by plain http',
      file({ fileUri: 'http://a.example/b.png', mimeType: 'image/png' }),
      /only https/,
      `${part}.file_data.file_uri`,
    ],
    [
      'by an address without a type',
      file({ fileUri: 'https://a.example/b.png' }),
      /mime_type is required/,
      part,
    ],
    [
      'by no address',
      file({ mimeType: 'image/png' }),
      /file_uri: must not be empty/,
      `${part}.file_data.file_uri`,
    ],
    [
      'that are films',
      file({ fileUri: 'https://a.example/b.mp4', mimeType: 'video/mp4' }),
      'Unsupported MIME type: video/mp4',
      part,
    ],
    [
      'of ours that are not there',
      file({ fileUri: `https://proofsheet.test/images/${'0'.repeat(26)}.png`, mimeType: 'image/png' }),
      /there is no picture/,
      `${part}.file_data.file_uri`,
    ],
  ])('%s', (row) => refuses(row))

  test('beyond what the model takes, before they are stored', async () => {
    const own = (i: number) => Uint8Array.from([...PNG, 91, i])
    const before = await stored('references/')
    const row: Row = [
      '',
      says('a', ...[1, 2, 3, 4].map((i) => inline(own(i)))),
      'The request has more than 3 input images; this model takes at most 3.',
    ]
    await refuses(row, 'gemini-2.5-flash-image')
    expect((await stored('references/')).length).toBe(before.length + 3)
  })
})

describe('bodies are refused', () => {
  test.for([
    ['broken JSON', '{"contents": [}', /^Invalid JSON payload received\. /],
    ['a body that ends early', '{"contents": [{"parts": [{"text": "a', /^Invalid JSON payload received\. /],
    ['an empty body', '', /^Invalid JSON payload received\. /],
    ['a list', '[]', /Root element must be a message/],
    [
      'a body of text over 8 MiB',
      JSON.stringify(says('x'.repeat(8 * 1024 * 1024))),
      /^Request payload size exceeds the limit: 8388608 bytes/,
    ],
  ] as const)('%s', async ([, body, message]) => {
    const refused = await refusal(body)
    expect(refused.status).toBe(BAD)
    expect(refused.message).toMatch(message)
  })

  test.for([
    ['of a model that is unknown', 'gemini-9', {}, 404],
    ['with a key that is none', 'nano-banana-2', { 'idempotency-key': 'a b' }, 400],
    ['with too many images', 'nano-banana-2', {}, 400],
  ] as const)('%s: the rest is read, so that the sender sees the answer', async ([, model, more, status]) => {
    const images = Array.from({ length: 16 }, () => inline(PNG))
    const bytes = new TextEncoder().encode(
      JSON.stringify(says('a', ...images, { text: 'x'.repeat(300_000) })),
    )
    let sent = 0
    const body = new ReadableStream({
      pull(controller) {
        const piece = bytes.subarray(sent, sent + 1_000)
        sent += piece.length
        if (piece.length === 0) controller.close()
        else controller.enqueue(piece)
      },
    })
    const headers = { 'x-goog-api-key': env.ADMIN_TOKEN, ...more }
    const path = `/v1beta/models/${model}:generateContent`
    expect((await ask(path, { method: 'POST', headers, body })).status).toBe(status)
    expect(sent).toBe(bytes.length)
  })
})

describe('tokens are counted', () => {
  const text = 'x'.repeat(41)
  const detail = (modality: string, tokenCount: number) => ({ modality, tokenCount })

  test.for([
    ['contents', says(text, inline(PNG))],
    ['a whole request', { generateContentRequest: { model: 'models/m', ...says(text, inline(PNG)) } }],
    ['a whole request in snake_case', { generate_content_request: says(text, inline(PNG)) }],
  ] as const)('of %s', async ([, body]) => {
    expect(await count(body)).toEqual({
      totalTokens: 11 + 1120,
      promptTokensDetails: [detail('TEXT', 11), detail('IMAGE', 1120)],
    })
  })

  test('of a system text too, and of images by the general rule where none is established', async () => {
    const request = { ...says(text, inline(PNG), inline(PNG)), systemInstruction: { parts: [{ text }] } }
    const tokens = await count({ generateContentRequest: request }, { model: 'gemini-2.5-flash-image' })
    expect(tokens).toEqual({
      totalTokens: 21 + 516,
      promptTokensDetails: [detail('TEXT', 21), detail('IMAGE', 516)],
    })
  })

  test('without storing an image, whatever its bytes are', async () => {
    const before = (await env.BUCKET.list()).objects.length
    const broken = { inlineData: { mimeType: 'image/png', data: '?' } }
    await count(says('a', inline(Uint8Array.from([...PNG, 92])), broken))
    expect((await env.BUCKET.list()).objects.length).toBe(before)
  })

  test.for([
    ['without contents', {}, 'contents'],
    ['with both forms', { ...says('a'), generateContentRequest: says('a') }, 'generate_content_request'],
    ['with an unknown field', { ...says('a'), generationConfig: {} }, ''],
  ] as const)('not %s', async ([, body, field]) => {
    expect(await refusal(body, {}, 'count')).toMatchObject({ status: BAD, fields: [field] })
  })
})

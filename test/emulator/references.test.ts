import sharp from 'sharp'
import { beforeAll, describe, expect, test } from 'vitest'
import { createEmulator } from '../../emulator/app.ts'
import { ask, GENERATION_1, prompt } from './ask.ts'
import { bad, type Refusal, refuses } from './refusal.ts'

const emulator = createEmulator()
const { app, calls, reset } = emulator

const images: Record<string, string> = {}
beforeAll(async () => {
  const dot = sharp({ create: { width: 4, height: 4, channels: 3, background: '#f60' } })
  images.png = (await dot.clone().png().toBuffer()).toString('base64')
  images.jpeg = (await dot.clone().jpeg().toBuffer()).toString('base64')
})

const inline = (mimeType: string, data: string) => ({ inlineData: { mimeType, data } })

describe('input images', () => {
  const edit = (...parts: unknown[]) => prompt('a', {}, ...parts)
  const png = () => inline('image/png', images.png!)
  test.for<Refusal>([
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
  ])('%s is refused', (row) => refuses(emulator, row))

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

  test('a picture in a turn of the model may be longer, as the model made it', async () => {
    const whole = Buffer.concat([Buffer.from(images.png!, 'base64'), Buffer.alloc(8 * 1024 * 1024)])
    const part = inline('image/png', whole.toString('base64'))
    const contents = [
      { role: 'model', parts: [part] },
      { role: 'user', parts: [{ text: 'a' }] },
    ]
    const response = await ask(app, { contents, generationConfig: { responseModalities: ['TEXT'] } })
    expect(response.status).toBe(200)
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

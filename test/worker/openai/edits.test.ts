// POST /images/edits: images in forms, as data URLs and by their addresses, and what is none.
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { GenerationView } from '../../../core/api.ts'
import { ask, callsOf, prompt, stored } from '../setup/ask.ts'
import { HEIC, JPEG, large, PNG, sha256, WEBP } from '../setup/pictures.ts'
import { blob, edit, errorOf, eventsOf, form, generate, imagesOf, send } from './ask.ts'

afterEach(() => void vi.restoreAllMocks())

const MODEL = ['model', 'apiyi/nano-banana-2'] as const
const MAX = 7 * 1024 * 1024

/** Digests of what the provider was given, in order. */
async function inputsOf(response: Response): Promise<string[]> {
  const id = response.headers.get('x-proofsheet-generation')!.split(', ').at(-1)
  const view = (await (await ask(`/api/generations/${id}`)).json()) as GenerationView
  return (view.request.references as { sha256: string }[]).map((reference) => reference.sha256)
}

/** A PNG that no other test sends. */
const own = () => Uint8Array.from([...large(100), ...crypto.getRandomValues(new Uint8Array(16))])

const dataUrl = (bytes: Uint8Array, type = 'image/png') => `data:${type};base64,${bytes.toBase64()}`

describe('a form', () => {
  test.for([
    ['image', ['image']],
    ['image[] as the openai client sends lists', ['image[]', 'image[]', 'image[]']],
    ['images[]', ['images[]', 'images[]']],
    ['image[0], image[1]', ['image[0]', 'image[1]']],
  ] as const)('has its images under %s, in their order', async ([, names]) => {
    const wanted = prompt()
    const pictures = names.map(own)
    const parts = names.map((name, i): [string, Blob] => [name, blob(pictures[i]!)])
    const data = form([...MODEL], ...parts, ['prompt', wanted], ['size', '512x512'], ['n', '1'])
    const response = await send('/images/edits', data)
    const { size } = await imagesOf(response)
    expect(size).toBe('512x512')
    expect(await inputsOf(response)).toEqual(pictures.map(sha256))
    expect(await callsOf(wanted)).toMatchObject([{ references: names.length, status: 200 }])
  })

  test('has its fields after its images, in any type that is an image', async () => {
    const wanted = prompt()
    const data = form(
      ['image[]', blob(JPEG, 'image/jpg'), 'a.jpg'],
      ['image[]', blob(WEBP, 'application/octet-stream'), 'blob'],
      ['image[]', blob(HEIC, 'image/heif'), 'c.heic'],
      ['prompt', wanted],
      ['n', '2'],
      ['response_format', 'url'],
      ['input_fidelity', 'high'],
      ['aspect_ratio', '16:9'],
      ['quality', 'low'],
      [...MODEL],
    )
    const response = await send('/images/edits', data)
    const body = await imagesOf(response)
    expect(body.data).toEqual([{ url: expect.any(String) }, { url: expect.any(String) }])
    expect(body).toMatchObject({ size: '688x384', quality: 'low' })
    // As the provider counts them: three images of two pictures.
    expect(body.usage).toMatchObject({
      input_tokens_details: { image_tokens: 2 * 3 * 1120, text_tokens: expect.any(Number) },
    })
    expect(await inputsOf(response)).toEqual([JPEG, WEBP, HEIC].map(sha256))
    expect(await callsOf(wanted)).toHaveLength(2)
  })

  test('may be streamed back', async () => {
    const data = form([...MODEL], ['image', blob(PNG)], ['prompt', prompt()], ['stream', 'true'])
    const events = await eventsOf(await send('/images/edits', data))
    expect(events).toMatchObject([
      { event: 'image_edit.completed', data: { type: 'image_edit.completed', b64_json: expect.any(String) } },
    ])
  })

  test('may name an address where a file may stand', async () => {
    const first = await imagesOf(await generate({ prompt: prompt() }))
    const bytes = own()
    const data = form(
      [...MODEL],
      ['image[]', first.data[0]!.url],
      ['image[]', blob(bytes)],
      ['prompt', prompt()],
    )
    const response = await send('/images/edits', data)
    expect(response.status).toBe(200)
    const made = Uint8Array.fromBase64(first.data[0]!.b64_json!)
    expect(await inputsOf(response)).toEqual([sha256(made), sha256(bytes)])
  })

  test('is understood however it is cut, with a preamble of none and an epilogue', async () => {
    const picture = own()
    const text = new TextEncoder()
    const bytes = new Uint8Array(
      await new Blob([
        text.encode(`--B\r\nContent-Disposition: form-data; name="prompt"\r\n\r\n${prompt()}\r\n`),
        text.encode('--B\r\nContent-Disposition: form-data; name="model"\r\n\r\napiyi/nano-banana-2\r\n'),
        text.encode('--B\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n'),
        picture,
        text.encode('\r\n--B--\r\nwhat follows is nobody’s'),
      ]).arrayBuffer(),
    )
    const body = new ReadableStream<Uint8Array>({
      async start(controller) {
        for (const byte of bytes) controller.enqueue(Uint8Array.of(byte))
        controller.close()
      },
    })
    const headers = { 'content-type': 'multipart/form-data; boundary="B"' }
    const response = await send('/images/edits', body, headers)
    expect(response.status).toBe(200)
    expect(await inputsOf(response)).toEqual([sha256(picture)])
  })
})

describe('JSON', () => {
  test.for([
    ['images: [{image_url}]', (a: string, b: string) => ({ images: [{ image_url: a }, { image_url: b }] })],
    ['images: [{image_url: {url}}]', (a: string, b: string) => ({ images: [{ image_url: { url: a } }, b] })],
    ['images: […]', (a: string, b: string) => ({ images: [a, b] })],
    ['image: […]', (a: string, b: string) => ({ image: [a, { url: b }] })],
  ] as const)('has its images under %s', async ([, fields]) => {
    const wanted = prompt()
    const pictures = [own(), own()]
    const [a, b] = pictures.map((bytes) => dataUrl(bytes))
    const response = await edit({ prompt: wanted, ...fields(a!, b!) })
    expect(response.status).toBe(200)
    expect(await inputsOf(response)).toEqual(pictures.map(sha256))
    expect(await callsOf(wanted)).toMatchObject([{ references: 2 }])
  })

  test('may hold one image as a string, also in a generation', async () => {
    const bytes = own()
    const response = await generate({ prompt: prompt(), image: dataUrl(bytes) })
    expect(response.status).toBe(200)
    expect(await inputsOf(response)).toEqual([sha256(bytes)])
  })

  test('names a picture made here without any fetch', async () => {
    const first = await imagesOf(await generate({ prompt: prompt() }))
    const platform = globalThis.fetch
    const fetched: string[] = []
    vi.spyOn(globalThis, 'fetch').mockImplementation((input, init) => {
      fetched.push(String(input))
      return platform(input, init)
    })
    const response = await edit({ prompt: prompt(), images: [{ image_url: first.data[0]!.url }] })
    expect(response.status).toBe(200)
    expect(fetched.filter((url) => url.includes('proofsheet.test'))).toEqual([])
    expect(await inputsOf(response)).toEqual([sha256(Uint8Array.fromBase64(first.data[0]!.b64_json!))])
  })

  test('names an https address, which is fetched once for all n', async () => {
    const platform = globalThis.fetch
    let fetches = 0
    vi.spyOn(globalThis, 'fetch').mockImplementation((input, init) => {
      if (!String(input).startsWith('https://pictures.example.com')) return platform(input, init)
      fetches++
      return Promise.resolve(new Response(PNG))
    })
    const wanted = prompt()
    const images = [{ image_url: 'https://pictures.example.com/a.png' }]
    const response = await edit({ prompt: wanted, n: 2, images })
    expect(response.status).toBe(200)
    expect(await inputsOf(response)).toEqual([sha256(PNG)])
    expect(await callsOf(wanted)).toHaveLength(2)
    expect(fetches).toBe(1)
  })
})

describe('refused before anything is bought', () => {
  const png = dataUrl(PNG)
  const one = { images: [{ image_url: png }] }
  test.for<[string, Record<string, unknown>, Record<string, unknown>]>([
    ['an edit without an image', {}, { status: 400, param: 'image', code: 'missing_required_parameter' }],
    ['a mask', { mask: { image_url: png }, ...one }, { status: 400, param: 'mask' }],
    ['a mask after the images', { ...one, mask: { file_id: 'file-1' } }, { status: 400, param: 'mask' }],
    [
      'a file id',
      { images: [{ file_id: 'file-1' }] },
      { param: 'images[0].file_id', code: 'file_id_not_supported' },
    ],
    [
      'an image that is a number',
      { images: [7] },
      { status: 400, param: 'images[0]', code: 'invalid_image' },
    ],
    ['an http address', { images: ['http://example.com/a.png'] }, { status: 400, param: 'images[0]' }],
    ['no address', { images: [{ image_url: 'otter' }] }, { status: 400, param: 'images[0].image_url' }],
    ['a data URL of text', { images: ['data:image/svg+xml,<svg/>'] }, { status: 400, param: 'images[0]' }],
    ['Base64 that is none', { images: ['data:image/png;base64,Q*Q'] }, { status: 400, param: 'images[0]' }],
    [
      'bytes that are no image',
      { images: ['data:image/png;base64,QUJD'] },
      { param: 'images[0]', code: 'invalid_image' },
    ],
    [
      'a lie about the type',
      { images: [png, dataUrl(PNG, 'image/jpeg')] },
      { status: 400, param: 'images[1]' },
    ],
    [
      'an address of ours without a picture',
      { images: ['https://proofsheet.test/images/x.png'] },
      { status: 400, param: 'images[0]' },
    ],
    ['too large an image', { images: [dataUrl(large(MAX + 3))] }, { status: 413, param: 'images[0]' }],
    ['too many images', { images: Array(15).fill(png) }, { status: 400, param: 'image' }],
    [
      'more images than the model takes',
      { model: 'apiyi/nano-banana', size: 'auto', images: Array(4).fill(png) },
      { status: 400, param: 'image' },
    ],
  ])('%s', async ([, fields, expected]) => {
    const wanted = prompt()
    const response = await edit({ prompt: wanted, ...fields })
    expect(response.headers.get('x-should-retry')).toBeNull()
    expect(await errorOf(response)).toMatchObject({ status: 400, type: 'invalid_request_error', ...expected })
    expect(await callsOf(wanted)).toEqual([])
  })

  test.for<[string, [string, string | Blob, string?][], Record<string, unknown>]>([
    ['no image', [], { param: 'image' }],
    [
      'a mask before its images',
      [
        ['mask', blob(PNG)],
        ['image[]', blob(PNG)],
      ],
      { param: 'mask' },
    ],
    [
      'a mask after its images',
      [
        ['image', blob(PNG)],
        ['mask', blob(PNG)],
      ],
      { param: 'mask' },
    ],
    [
      'a text for an image',
      [['image', new Blob(['otter'], { type: 'image/png' })]],
      { param: 'image[0]', code: 'invalid_image' },
    ],
    [
      'a lie about the type',
      [
        ['image[]', blob(PNG)],
        ['image[]', blob(PNG, 'image/webp')],
      ],
      { param: 'image[1]' },
    ],
    ['too large an image', [['image', blob(large(MAX + 1))]], { status: 413, param: 'image' }],
    ['too many images', Array.from({ length: 15 }, () => ['image[]', blob(PNG)]), { param: 'image' }],
    ['too many parts', Array.from({ length: 70 }, (_, i) => [`x${i}`, 'x']), { code: 'invalid_form' }],
    [
      'n that is no number',
      [
        ['image', blob(PNG)],
        ['n', 'many'],
      ],
      { param: 'n' },
    ],
    [
      'stream that is neither',
      [
        ['image', blob(PNG)],
        ['stream', 'maybe'],
      ],
      { param: 'stream' },
    ],
    [
      'a text that is not UTF-8',
      [
        ['quality', new Blob([Uint8Array.of(0xff)])],
        ['image', blob(PNG)],
      ],
      { param: 'quality' },
    ],
  ])('a form with %s', async ([, parts, expected]) => {
    const wanted = prompt()
    const response = await send('/images/edits', form(['prompt', wanted], [...MODEL], ...parts))
    expect(await errorOf(response)).toMatchObject({ status: 400, ...expected })
    expect(await callsOf(wanted)).toEqual([])
  })

  test('nothing of a mask is stored', async () => {
    const mask = own()
    const error = await errorOf(await edit({ prompt: prompt(), mask: { image_url: dataUrl(mask) } }))
    expect(error.param).toBe('mask')
    expect(await stored('references/')).not.toContain(`references/default/${sha256(mask)}`)
  })

  test.for([
    [
      'cut off',
      'multipart/form-data; boundary=B',
      '--B\r\nContent-Disposition: form-data; name="prompt"\r\n\r\nx',
    ],
    ['of another boundary', 'multipart/form-data; boundary=C', '--B\r\n\r\n\r\n--B--\r\n'],
    ['without a boundary', 'multipart/form-data', '--B\r\n\r\n\r\n--B--\r\n'],
    ['of endless headers', 'multipart/form-data; boundary=B', `--B\r\nX: ${'x'.repeat(20_000)}`],
    ['of nothing', 'multipart/form-data; boundary=B', ''],
  ] as const)('a form %s', async ([, type, body]) => {
    const error = await errorOf(await send('/images/edits', body, { 'content-type': type }))
    expect(error).toMatchObject({ status: 400, code: 'invalid_form', param: null })
  })

  test('a body is read to its end, so that its sender sees why', async () => {
    let sent = 0
    const chunk = new Uint8Array(1024 * 1024)
    const head = '--B\r\nContent-Disposition: form-data; name="mask"; filename="m.png"\r\n\r\n\r\n--B\r\n'
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          if (sent === 0) controller.enqueue(new TextEncoder().encode(head))
          if (sent === 40) return controller.close()
          controller.enqueue(chunk)
          sent++
        },
      },
      { highWaterMark: 0 },
    )
    const headers = { 'content-type': 'multipart/form-data; boundary=B' }
    expect(await errorOf(await send('/images/edits', body, headers))).toMatchObject({ param: 'mask' })
    expect(sent).toBe(40)
  })
})

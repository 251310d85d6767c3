// Bodies that are broken in every way, sent to every surface over real HTTP: the answer has the shape of that surface and
// names the place, nothing is sent to a provider, and the client sees an answer instead of a broken connection.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { GENERATE_CONTENT_BODY, type Spec } from '../../core/gemini/spec.ts'
import { RequestSchema } from '../../core/request.ts'
import { type Stack, startStack } from '../runner/sandbox.ts'
import {
  API,
  CHAT,
  DRAW,
  EDIT,
  GENERATE,
  type HttpAnswer,
  type Image,
  PIXEL,
  post,
  type Refused,
  STREAM,
  SURFACES,
  type Surface,
} from './surfaces.ts'

let stack: Stack

beforeAll(async () => {
  stack = await startStack()
}, 120_000)

afterAll(() => stack.close(), 60_000)

afterEach(() => {
  const calls = stack.emulator.calls()
  stack.emulator.reset()
  expect(calls).toEqual([])
})

type Body = string | Uint8Array | readonly Uint8Array[] | Record<string, unknown>

async function send(surface: Surface, body: Body, headers?: Record<string, string>): Promise<HttpAnswer> {
  const isRaw = typeof body === 'string' || body instanceof Uint8Array || Array.isArray(body)
  const raw = isRaw ? (body as string) : JSON.stringify(body)
  return post(stack.url + surface.path, stack.token, raw, headers)
}

/** How a surface refuses a body. */
async function refusal(surface: Surface, body: Body, headers?: Record<string, string>): Promise<Refused> {
  return surface.refusedBy(await send(surface, body, headers))
}

const isNative = (surface: Surface) => surface === GENERATE || surface === STREAM

/** Status and code by surface: of the worker's own API, Gemini's and OpenAI's. */
function verdictOf(surface: Surface, api: [number, string], openai: [number, string]): object {
  const [status, code] = surface === API ? api : isNative(surface) ? [400, 'INVALID_ARGUMENT'] : openai
  return { status, code }
}

describe.each(SURFACES.map((surface) => ({ name: surface.name, surface })))('$name', ({ surface }) => {
  const good = JSON.stringify(surface.body('a cat'))

  test.for<[string, string | Uint8Array, RegExp]>([
    ['that ends early', good.slice(0, -3), /ended after \d+ bytes/],
    ['that is empty', '', /ended after 0 bytes|is empty/],
    ['that is no JSON', 'cat', /not JSON/],
    ['of a form without files', 'prompt=a+cat', /not JSON/],
    ['with something behind it', `${good} x`, /something follows/],
    ['with a comma too many', good.replace(/\}$/, ',}'), /not JSON/],
    ['of bytes that are not UTF-8', Buffer.from(good.replace('a cat', 'caf\u00e9'), 'latin1'), /UTF-8/],
  ])('a body %s is no JSON', async ([, body, message]) => {
    const refused = await refusal(surface, body)
    expect(refused).toMatchObject(verdictOf(surface, [400, 'invalid_json'], [400, 'invalid_json']))
    expect(refused.message).toMatch(message)
  })

  test.for(['[]', 'null', '"a cat"', '7', 'true'])('%s is JSON, but no request', async (body) => {
    const refused = await refusal(surface, body)
    expect(refused.status).toBe(400)
    expect(refused.message).toMatch(/object|message/)
  })

  test.for([
    ['a hundred thousand lists', (_s: Surface) => `{"x":${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
    [
      'a field',
      (s: Surface) =>
        JSON.stringify(s.body('a cat')).replace('"a cat"', `${'{"a":'.repeat(500)}1${'}'.repeat(500)}`),
    ],
  ] as const)('nesting without end in %s is told as such', async ([, body]) => {
    const refused = await refusal(surface, body(surface))
    expect(refused).toMatchObject(verdictOf(surface, [400, 'invalid_json'], [400, 'invalid_json']))
    expect(refused.message).toMatch(/nested deeper than 128 levels/)
  })

  test.for<[string, Image, RegExp]>([
    ['that is no Base64', { ...PIXEL, data: `${PIXEL.data.slice(0, 40)}%!` }, /Base64/],
    ['that ends inside a group', { ...PIXEL, data: 'iVBOR' }, /Base64/],
    ['without bytes', { ...PIXEL, data: '' }, /0 bytes|no known picture|must not be empty/],
    [
      'whose label is another type',
      { ...PIXEL, mimeType: 'image/jpeg' },
      /image\/png.*image\/jpeg|image\/jpeg.*image\/png/,
    ],
    [
      'that is a GIF',
      { mimeType: 'image/gif', data: base64('GIF89a, and so on and on') },
      /none of image\/png|Unsupported MIME type: image\/gif/,
    ],
    [
      'that is a text called PNG',
      { mimeType: 'image/png', data: base64('once upon a time') },
      /none of image\/png|no known picture/,
    ],
    [
      'that is a PDF',
      { mimeType: 'application/pdf', data: base64('%PDF-1.7 and so on') },
      /none of image\/png|Unsupported MIME type: application\/pdf/,
    ],
  ])('an image %s is refused by its place', async ([, image, message]) => {
    const refused = await refusal(surface, surface.withImages('a cat', [PIXEL, image]))
    expect([400, 415]).toContain(refused.status)
    const place = surface.placeOf(1)
    expect(refused.fields.filter((field) => field.startsWith(place))).toHaveLength(1)
    expect(refused.message).toMatch(message)
  })

  test('a 15th image is one too many', async () => {
    const refused = await refusal(surface, surface.withImages('a cat', Array<Image>(15).fill(PIXEL)))
    expect(refused).toMatchObject(verdictOf(surface, [422, 'unsupported'], [400, 'unsupported']))
    expect(refused.message).toMatch(/14/)
  })

  test('a body of another kind is refused, whatever it is called', async () => {
    for (const type of ['application/xml', 'text/plain', 'application/x-www-form-urlencoded']) {
      const refused = await refusal(surface, '<prompt>a cat</prompt>', { 'content-type': type })
      expect(refused).toMatchObject(verdictOf(surface, [400, 'invalid_json'], [400, 'invalid_json']))
    }
  })

  test('101 MB of text in one field are read to their end and refused', async () => {
    const [head, tail] = JSON.stringify(surface.body('@')).split('@') as [string, string]
    const refused = await refusal(surface, [...around(head, tail, Buffer.alloc(MB, 'x'))])
    const large = 'payload_too_large'
    expect(refused).toMatchObject(verdictOf(surface, [413, large], [413, large]))
    expect(refused.message).toMatch(/over \d+ bytes|exceeds the limit/)
  })

  test('101 MB as one image are read to their end and refused by its place', async () => {
    const body = JSON.stringify(surface.withImages('a cat', [{ ...PIXEL, data: '@' }]))
    const [head, tail] = body.split('@') as [string, string]
    const png = 'iVBORw0KGgoAAAAN'
    const refused = await refusal(surface, [...around(head + png, tail, Buffer.alloc(MB, 'AAAA'))])
    const large = 'payload_too_large'
    expect(refused).toMatchObject(verdictOf(surface, [413, large], [413, large]))
    expect(refused.fields.join()).toContain(surface.placeOf(0))
    expect(refused.message).toMatch(/bytes/)
  })
})

const MB = 1_000_000

/** 101 MB between two texts. */
function* around(head: string, tail: string, piece: Uint8Array): Generator<Uint8Array> {
  yield Buffer.from(head)
  for (let i = 0; i < 101; i++) yield piece
  yield Buffer.from(tail)
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}

describe('values of the wrong type, field by field', () => {
  test('/api/generations', async () => {
    const wrong: Record<string, unknown> = {
      system: 1,
      metadata: 'x',
      seed: 1.5,
      topK: 1.5,
      maxOutputTokens: 0.5,
    }
    for (const field of Object.keys(RequestSchema.shape)) {
      const refused = await refusal(API, { ...API.body('a cat'), [field]: wrong[field] ?? { no: 'such' } })
      expect(refused, field).toMatchObject({ status: 400, code: 'invalid_request' })
      expect(
        refused.fields.some((path) => path.startsWith(field)),
        `${field}: ${refused.fields}`,
      ).toBe(true)
    }
    for (const reference of ['x', 7, {}, { sha256: 7 }, { url: 7 }, { data: 7, mimeType: 'image/png' }]) {
      const refused = await refusal(API, { ...API.body('a cat'), references: [reference] })
      expect(refused, JSON.stringify(reference)).toMatchObject({ status: 400, code: 'invalid_request' })
      expect(refused.fields[0]).toMatch(/^references\[0\]/)
    }
  })

  test.for([GENERATE, STREAM])('Gemini, every field of the body ($path)', async (surface) => {
    const fields = [...leavesOf(GENERATE_CONTENT_BODY, [])]
    expect(fields.length).toBeGreaterThan(70)
    for (const { path, wrong } of fields) {
      const refused = await refusal(surface, placed(path, wrong))
      expect(refused, path.join('.')).toMatchObject({ status: 400, code: 'INVALID_ARGUMENT' })
      const field = path
        .map((key) => (key === '0' ? '[0]' : `.${snake(key)}`))
        .join('')
        .slice(1)
      expect(refused.fields, path.join('.')).toContain(field)
      expect(refused.message).toContain(field)
    }
  })

  test.for([GENERATE, STREAM])(
    'Gemini, a number where the bytes of an image should be ($path)',
    async (surface) => {
      for (const data of [0, 1, -1, 0.5]) {
        const parts = [{ text: 'a' }, { inlineData: { mimeType: 'image/png', data } }, { inlineData: PIXEL }]
        const refused = await refusal(surface, { contents: [{ parts }] })
        expect(refused, String(data)).toMatchObject({ status: 400, code: 'INVALID_ARGUMENT' })
      }
    },
  )

  test('/api/generations, a number where the bytes of an image should be', async () => {
    for (const data of [0, 1, -1, 0.5])
      for (const references of [
        [{ mimeType: 'image/png', data }, PIXEL],
        [PIXEL, { mimeType: 'image/png', data }],
      ]) {
        const refused = await refusal(API, { ...API.body('a cat'), references })
        expect(refused, JSON.stringify(references)).toMatchObject({ status: 400, code: 'invalid_request' })
      }
  })

  test.for([DRAW, EDIT])('$name', async (surface) => {
    for (const [field, values] of Object.entries({
      prompt: [1, null, '', {}, ['a cat']],
      model: [1, {}],
      n: ['two', 0, 1.5, 11, {}],
      size: [1024, {}, 'huge', '1x9999'],
      quality: [1, {}],
      response_format: [1, 'jpeg'],
      output_format: [1, 'svg', 'gif'],
      background: [1, 'transparent'],
      stream: ['yes', 1],
      aspect_ratio: [1, '7:50'],
      mask: [{ image_url: 'data:image/png;base64,AAAA' }, 'data:image/png;base64,AAAA'],
      images: [7, ['x'], [7], [{}], [{ file_id: 'file-1' }], ['ftp://example.com/a.png']],
    }))
      for (const value of values) {
        const refused = await refusal(surface, { ...surface.body('a cat'), [field]: value })
        const what = `${field}: ${JSON.stringify(value)}`
        expect(refused.status, what).toBe(400)
        expect(refused.fields[0], what).toMatch(new RegExp(`^${field}`))
      }
  })

  test('OpenAI chat/completions', async () => {
    const said = (content: unknown) => [{ role: 'user', content }]
    for (const [field, values] of Object.entries({
      model: [1, {}],
      messages: [
        ...[1, 'a cat', {}, [], ['a cat'], [{}], [{ role: 'robot', content: 'a' }], [null]],
        ...[said(1), said(null), said(''), said([]), said(['x']), said([{ type: 'text', text: 1 }])],
        ...[said([{ type: 'image_url' }]), said([{ type: 'image_url', image_url: 7 }])],
        said([{ type: 'image_url', image_url: { url: 'ftp://example.com/a.png' } }]),
        said([{ type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } }]),
        [{ role: 'assistant', content: 'I drew a cat' }],
      ],
      modalities: ['image', [], ['audio'], 1],
      n: [2, 'one'],
      temperature: ['hot', 3, {}],
      top_p: ['all', 2],
      max_tokens: ['many', 0.5],
      seed: ['lucky', 1.5],
      size: [1024, 'huge'],
      response_format: [{ type: 'json_object' }, { type: 'json_schema', json_schema: {} }],
      tool_choice: ['required'],
    }))
      for (const value of values) {
        const refused = await refusal(CHAT, { ...CHAT.body('a cat'), [field]: value })
        const what = `${field}: ${JSON.stringify(value)}`
        expect(refused.status, what).toBe(400)
        expect(refused.fields[0], what).toMatch(new RegExp(`^${field}`))
      }
  })

  test('an unknown field is refused where a misspelt one would buy the wrong picture', async () => {
    for (const surface of [API, GENERATE, STREAM]) {
      const refused = await refusal(surface, { ...surface.body('a cat'), imageSize: '4K' })
      expect(refused.status).toBe(400)
      expect(refused.message).toContain('imageSize')
    }
  })
})

type Leaf = { path: string[]; wrong: unknown }

/** Every field that a spec describes, by its path, with a value that it cannot have. */
function* leavesOf(spec: Spec, path: string[]): Generator<Leaf> {
  if (spec === 'any') return
  if (typeof spec === 'string') {
    const wrong = { string: 7, bytes: {}, number: 'x', integer: 0.5, boolean: 'x' }[spec]
    yield { path, wrong }
  } else if ('list' in spec) {
    if (typeof spec.list !== 'string') yield { path: [...path, '0'], wrong: 7 }
    yield* leavesOf(spec.list, [...path, '0'])
  } else {
    if (path.length > 0 && path.at(-1) !== '0') yield { path, wrong: 'x' }
    for (const [name, member] of Object.entries(spec.fields)) yield* leavesOf(member, [...path, name])
  }
}

/** A body that holds nothing but one value at a path. */
function placed(path: readonly string[], value: unknown): Record<string, unknown> {
  return path.reduceRight(
    (inner: unknown, key) => (key === '0' ? [inner] : { [key]: inner }),
    value,
  ) as Record<string, unknown>
}

function snake(camel: string): string {
  return camel.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

describe('forms of images/edits', () => {
  const TYPE = { 'content-type': 'multipart/form-data; boundary=b0undary' }
  const prompt = '--b0undary\r\nContent-Disposition: form-data; name="prompt"\r\n\r\na cat\r\n'
  const file = (content: Uint8Array, type = 'image/png', name = 'image[]') =>
    Buffer.concat([
      Buffer.from(
        `--b0undary\r\nContent-Disposition: form-data; name="${name}"; filename="a.png"\r\nContent-Type: ${type}\r\n\r\n`,
      ),
      content,
      Buffer.from('\r\n'),
    ])
  const END = '--b0undary--\r\n'
  const png = Buffer.from(PIXEL.data, 'base64')
  const form = (...pieces: (string | Uint8Array)[]) =>
    Buffer.concat([...pieces, END].map((piece) => Buffer.from(piece as Uint8Array)))

  test.for<[string, Uint8Array, object, RegExp, string?]>([
    [
      'without a boundary in its type',
      form(prompt, file(png)),
      { code: 'invalid_form' },
      /boundary/,
      'multipart/form-data',
    ],
    [
      'with another boundary',
      form(prompt, file(png)),
      { code: 'invalid_form' },
      /form cannot be read/,
      'multipart/form-data; boundary=other',
    ],
    [
      'that is cut off in a file',
      form(prompt, file(png)).subarray(0, -40),
      { code: 'invalid_form' },
      /form cannot be read/,
    ],
    [
      'without its end',
      form(prompt, file(png)).subarray(0, -END.length),
      { code: 'invalid_form' },
      /form cannot be read/,
    ],
    ['that is empty', Buffer.alloc(0), { code: 'invalid_form' }, /form cannot be read/],
    [
      'that is JSON',
      Buffer.from(JSON.stringify(EDIT.body('a cat'))),
      { code: 'invalid_form' },
      /form cannot be read/,
    ],
    ['without an image', form(prompt), { fields: ['image'] }, /at least one image/],
    ['without a prompt', form(file(png)), { fields: ['prompt'] }, /prompt/],
    ['with a mask', form(prompt, file(png), file(png, 'image/png', 'mask')), { fields: ['mask'] }, /mask/],
    [
      'with a mask before its images',
      form(file(png, 'image/png', 'mask'), file(png), prompt),
      { fields: ['mask'] },
      /mask/,
    ],
    [
      'with an image under a wrong label',
      form(prompt, file(png), file(png, 'image/jpeg')),
      { fields: ['image[1]'] },
      /image\/png.*image\/jpeg/,
    ],
    [
      'with a text as image',
      form(prompt, file(Buffer.from('once upon a time'))),
      { fields: ['image[0]'] },
      /none of image\/png/,
    ],
    ['with an empty file', form(prompt, file(Buffer.alloc(0))), { fields: ['image[0]'] }, /0 bytes/],
    ['with 15 images', form(prompt, ...Array<Buffer>(15).fill(file(png))), { fields: ['image'] }, /14/],
    ['with n in words', form(prompt, file(png), prompt.replace('"prompt"', '"n"')), { fields: ['n'] }, /n:/],
    [
      'with text that is not UTF-8',
      form(Buffer.from(prompt.replace('cat', 'caf\u00e9'), 'latin1'), file(png)),
      { fields: ['prompt'] },
      /UTF-8/,
    ],
  ])('a form %s', async ([, body, expected, message, type]) => {
    const refused = await refusal(EDIT, body, type ? { 'content-type': type } : TYPE)
    expect(refused).toMatchObject({ status: 400, ...expected })
    expect(refused.message).toMatch(message)
  })

  test('a form with a file of 101 MB is read to its end and refused', async () => {
    const [head, tail] = file(Buffer.from('@')).toString().split('@') as [string, string]
    const pieces = around(`${prompt + head}\u0089PNG\r\n\u001a\n`, tail + END, Buffer.alloc(MB))
    const refused = await refusal(EDIT, [...pieces], TYPE)
    expect(refused).toMatchObject({ status: 413, code: 'payload_too_large', fields: ['image'] })
  })

  test.for([API, GENERATE, STREAM, CHAT])('$name takes no form', async (surface) => {
    const refused = await refusal(surface, form(prompt, file(png)), TYPE)
    expect(refused).toMatchObject(verdictOf(surface, [400, 'invalid_json'], [400, 'invalid_json']))
  })
})

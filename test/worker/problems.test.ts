// What is refused before anything was sent: each with its own code and the field at fault, no call, nothing stored.
import { listDurableObjectIds } from 'cloudflare:test'
import { afterEach, describe, expect, test } from 'vitest'
import { ask, callsOf, post, problemOf, prompt, stored } from './setup/ask.ts'
import { env } from './setup/bindings.ts'
import { HEIC, JPEG, large, PNG, sha256 } from './setup/pictures.ts'

const words = prompt()
const base64 = PNG.toBase64()

afterEach(async () => {
  expect(await callsOf(words)).toEqual([])
  expect(await stored()).toEqual([])
  for (const id of await listDurableObjectIds(env.GENERATION))
    expect(await env.GENERATION.get(id).read()).toBeUndefined()
})

describe('a body that cannot be read is refused', () => {
  test.for([
    ['that is no JSON', 'model=nano-banana-2', 'invalid_json', 400],
    ['that breaks off', `{"model":"nano-banana-2","prompt":"${words}`, 'invalid_json', 400],
    ['that goes on after its end', `{"prompt":"${words}"} {}`, 'invalid_json', 400],
    ['that is empty', '', 'invalid_json', 400],
    ['that is absent', null, 'invalid_json', 400],
    ['that is a list', `[{"prompt":"${words}"}]`, 'invalid_request', 400],
    ['that is null', 'null', 'invalid_request', 400],
    ['over 1 MiB without its images', `{"prompt":"${'x'.repeat(1024 * 1024)}"}`, 'payload_too_large', 413],
  ] as const)('%s', async ([, body, code, status]) => {
    const response = await ask('/api/generations', { method: 'POST', body })
    expect(await problemOf(response)).toMatchObject({ code, status, charged: 'no', retryAfterMs: null })
  })
})

describe('a request that is not valid is refused, field by field', () => {
  test.for([
    ['no model', { model: undefined }, 'model', 'is missing'],
    ['no prompt', { prompt: undefined }, 'prompt', 'is missing'],
    ['an empty prompt', { prompt: '' }, 'prompt', 'must not be empty'],
    ['a prompt of another type', { prompt: 7 }, 'prompt', 'must be of type string'],
    ['a misspelt field', { promt: 'x' }, 'promt', 'unknown field'],
    ['an unknown size', { size: '8K' }, 'size', 'unknown size "8K": one of 512, 1K, 2K, 4K'],
    ['an unknown aspect', { aspect: '7:3' }, 'aspect', /^must be one of 1:1, /],
    ['no reasons for a fallback', { fallback: [{ model: 'nano-banana' }] }, 'fallback[0].on', 'is missing'],
    ['a maxCost of nothing', { maxCost: 0 }, 'maxCost', 'must be more than 0'],
    ['a deadline of more than a day', { deadline: 86_401 }, 'deadline', 'must be at most 86400'],
    ['a number in metadata', { metadata: { page: 1 } }, 'metadata.page', 'must be of type string'],
    [
      'an unknown kind of reference',
      { references: [{ path: 'a.png' }] },
      'references[0].path',
      'unknown field',
    ],
    [
      'a digest that is none',
      { references: [{ sha256: 'abc' }] },
      'references[0].sha256',
      /64 lower-case hex/,
    ],
    [
      'a reference by plain http',
      { references: [{ url: 'http://example.com/a.png' }] },
      'references[0].url',
      /https:.* public host/,
    ],
    ['a reference that is no address', { references: [{ url: 'a.png' }] }, 'references[0].url', /https:/],
    ['a webhook by plain http', { webhook: 'http://e.com/' }, 'webhook', /https:.* public host/],
    [
      'a fileUri without its type',
      { references: [{ fileUri: 'https://e.com/a' }] },
      'references[0].mimeType',
      'is missing',
    ],
    ['text alone', { modalities: ['TEXT'] }, 'modalities', 'must include IMAGE'],
  ] as const)('%s', async ([, changes, path, message]) => {
    const problem = await problemOf(await post({ prompt: words, ...changes }))
    expect(problem).toMatchObject({ code: 'invalid_request', status: 400, charged: 'no' })
    expect(problem.errors!.find((error) => error.path === path)).toEqual({
      path,
      message: typeof message === 'string' ? message : expect.stringMatching(message),
    })
    expect(problem.detail).toContain(path)
  })

  test('all faults are told at once', async () => {
    const problem = await problemOf(await post({ prompt: '', size: '8K', aspect: '7:3', sizes: 1 }))
    expect(problem.errors!.map((error) => error.path).sort()).toEqual(['aspect', 'prompt', 'size', 'sizes'])
  })
})

describe('what nobody here can make is refused', () => {
  test.for([
    ['an unknown model', { model: 'dall-e-3' }, 'unknown_model', 422, 'model'],
    [
      'an unknown model as fallback',
      { fallback: [{ model: 'x', on: ['failed'] }] },
      'unknown_model',
      422,
      'fallback[0].model',
    ],
    ['an unknown provider', { provider: 'acme' }, 'unknown_provider', 422, 'provider'],
    ['a model that the provider does not sell', { provider: 'tokaify' }, 'not_sold', 422, 'provider'],
    [
      'a size that the model does not make',
      { model: 'nano-banana-pro', size: '512' },
      'unsupported',
      422,
      'size',
    ],
    [
      'an aspect that the model does not make',
      { model: 'nano-banana-pro', size: '1K', aspect: '1:8' },
      'unsupported',
      422,
      'aspect',
    ],
    [
      'a size that the fallback does not make',
      { fallback: [{ model: 'nano-banana', on: ['failed'] }] },
      'unsupported',
      422,
      'size',
    ],
    [
      'too many references',
      { model: 'nano-banana', size: '1K', references: Array(4).fill({ sha256: '0'.repeat(64) }) },
      'unsupported',
      422,
      'references',
    ],
    [
      'thinking where the provider has none',
      { model: 'nano-banana-pro', size: '1K', thinking: { level: 'high' } },
      'unsupported',
      422,
      'thinking',
    ],
    ['a picture that may cost too much', { maxCost: 0.05 }, 'max_cost_exceeded', 402, undefined],
    [
      'a fallback that may cost too much',
      { maxCost: 0.055, fallback: [{ model: 'nano-banana-2', provider: 'google', on: ['no_image'] }] },
      'max_cost_exceeded',
      402,
      undefined,
    ],
    [
      'a limit to an unknown price',
      { model: 'nano-banana-pro', provider: 'tokaify', size: '1K', maxCost: 5 },
      'max_cost_exceeded',
      402,
      undefined,
    ],
    ['a limit finer than a micro-dollar', { maxCost: 0.0000001 }, 'invalid_request', 400, undefined],
  ] as const)('%s', async ([, changes, code, status, path]) => {
    const problem = await problemOf(await post({ prompt: words, ...changes }))
    expect(problem).toMatchObject({ code, status, charged: 'no' })
    if (path) expect(problem.errors).toMatchObject([{ path }])
    if (path) expect(problem.detail).toContain(path)
  })

  test('a provider without a key is not asked', async () => {
    const problem = await problemOf(await post({ prompt: words }, {}, { APIYI_API_KEY: '' }))
    expect(problem).toMatchObject({ code: 'not_configured', status: 422 })
    expect(problem.detail).toMatch(
      /^provider: there is no key for provider apiyi; configured: google, tokaify, locked, silent, /,
    )
  })
})

describe('a reference that cannot be used is refused, and named', () => {
  const at = (reference: unknown) => ({ references: [reference] })
  test.for([
    ['not stored', at({ sha256: '0'.repeat(64) }), 'reference_not_found', 422],
    ['of no generation', at({ generation: 'gen_00000000000000000000000000' }), 'reference_not_found', 422],
    [
      'that is no image',
      at({ data: btoa('<html></html>'), mimeType: 'image/png' }),
      'unsupported_media_type',
      415,
    ],
    ['without bytes', at({ data: '', mimeType: 'image/png' }), 'unsupported_media_type', 415],
    [
      'over 7 MiB',
      at({ data: large(7 * 1024 * 1024 + 1).toBase64(), mimeType: 'image/png' }),
      'payload_too_large',
      413,
    ],
  ] as const)('%s', async ([, changes, code, status]) => {
    const problem = await problemOf(await post({ prompt: words, ...changes }))
    expect(problem).toMatchObject({ code, status, charged: 'no' })
    expect(problem.errors).toMatchObject([{ path: 'references[0]' }])
    expect(problem.detail).toMatch(/^references\[0\]: /)
  })

  test.for([
    ['that is no Base64', 'not base64!'],
    ['whose Base64 breaks off', base64.slice(0, 41)],
  ] as const)('%s', async ([, data]) => {
    const problem = await problemOf(await post({ prompt: words, ...at({ data, mimeType: 'image/png' }) }))
    expect(problem).toMatchObject({ code: 'invalid_request', status: 400 })
    expect(problem.detail).toMatch(/^references\[0\]: is not Base64: /)
  })

  test.for([
    ['a loopback address', 'https://127.0.0.1/a.png'],
    ['a loopback address of IPv6', 'https://[::1]/a.png'],
    ['IPv4 inside IPv6', 'https://[::ffff:10.0.0.1]/a.png'],
    ['a hex octet', 'https://0x7f.1/a.png'],
    ['one decimal number', 'https://2130706433/a.png'],
    ['an octal octet', 'https://0177.0.0.1/a.png'],
    ['full-width digits', 'https://１２７.0.0.1/a.png'],
    ['a private address', 'https://10.0.0.1/a.png'],
    ['a public address without a name', 'https://93.184.215.14/a.png'],
    ['an address with a dot at its end', 'https://127.0.0.1./a.png'],
    ['localhost', 'https://localhost/a.png'],
    ['localhost with a dot at its end', 'https://localhost./a.png'],
    ['a name under localhost', 'https://a.localhost/a.png'],
    ['a metadata service', 'https://metadata.google.internal/a.png'],
    ['a name of the local network', 'https://nas.local/a.png'],
    ['a name without a dot', 'https://intranet/a.png'],
    ['a user name', 'https://user:pw@example.com/a.png'],
  ] as const)('by an address that is not public: %s', async ([, url]) => {
    const problem = await problemOf(await post({ prompt: words, references: [{ url }] }))
    expect(problem).toMatchObject({ code: 'reference_unreachable', status: 422, charged: 'no' })
    expect(problem.errors).toMatchObject([{ path: 'references[0]' }])
    expect(problem.detail).toMatch(/is not a public host name|user name or password is not fetched/)
  })
})

describe('an inline reference whose label is not what its bytes are is refused', () => {
  afterEach(async () => {
    // It is stored under its digest while the body is read; no picture can come of it unless it is asked for by digest.
    await env.BUCKET.delete(await stored('references/'))
  })

  test.for([
    ['JPEG called PNG', JPEG, 'image/png', 'unsupported_media_type'],
    ['PNG called JPEG', PNG, 'image/jpg', 'unsupported_media_type'],
    ['HEIC called WebP', HEIC, 'image/webp', 'unsupported_media_type'],
    ['PNG called GIF', PNG, 'image/gif', 'unsupported_media_type'],
    ['PNG called nothing', PNG, undefined, 'invalid_request'],
  ] as const)('%s', async ([, bytes, mimeType, code]) => {
    const references = [{ data: bytes.toBase64(), mimeType }]
    const problem = await problemOf(await post({ prompt: words, references }))
    expect(problem).toMatchObject({ code, charged: 'no' })
    expect(problem.errors).toMatchObject([{ path: 'references[0]' }])
    expect(await stored()).toEqual([`references/default/${sha256(bytes)}`])
  })
})

// Input images: uploaded once under their digest, checked by their bytes, and named in every way a request allows.
import { describe, expect, test } from 'vitest'
import type { StoredReference } from '../../core/api.ts'
import { ask, callsOf, make, post, problemOf, prompt, stored } from './setup/ask.ts'
import { env } from './setup/bindings.ts'
import { HEIC, JPEG, large, PNG, sha256, WEBP } from './setup/pictures.ts'

const MAX = 7 * 1024 * 1024
/** PNGs of their own, so that tests do not meet each other's. */
let made = 0
function own(length = 100): Uint8Array {
  const bytes = large(length)
  bytes[length - 1] = ++made
  return bytes
}

function put(bytes: Uint8Array, digest = sha256(bytes), headers: Record<string, string> = {}) {
  return ask(`/api/references/${digest}`, { method: 'PUT', body: bytes, headers })
}

describe('a reference', () => {
  test.for([
    ['PNG', PNG, 'image/png'],
    ['JPEG', JPEG, 'image/jpeg'],
    ['WebP', WEBP, 'image/webp'],
    ['HEIC', HEIC, 'image/heic'],
  ] as const)('is stored under its digest with the type of its bytes: %s', async ([, bytes, mimeType]) => {
    const response = await put(bytes)
    expect(response.status).toBe(201)
    expect(await response.json()).toEqual({ sha256: sha256(bytes), mimeType, bytes: bytes.length })
    expect(await stored('references/')).toContain(`references/default/${sha256(bytes)}`)
  })

  test('that is there already is answered as such, and its bytes are not read', async () => {
    const bytes = own()
    await put(bytes)
    const response = await put(new TextEncoder().encode('other bytes'), sha256(bytes))
    expect(response.status).toBe(200)
    expect(await response.json()).toEqual({ sha256: sha256(bytes), mimeType: 'image/png', bytes: 100 })
  })

  test('is told apart from one that is not there by HEAD', async () => {
    const bytes = own()
    const path = `/api/references/${sha256(bytes)}`
    expect((await ask(path, { method: 'HEAD' })).status).toBe(404)
    await put(bytes)
    const response = await ask(path, { method: 'HEAD' })
    expect(response.status).toBe(200)
    expect(response.headers.get('content-length')).toBe('100')
    expect(response.headers.get('content-type')).toBe('image/png')
    expect(await response.text()).toBe('')
  })

  test('is read back byte by byte', async () => {
    const bytes = own()
    await put(bytes)
    const response = await ask(`/api/references/${sha256(bytes)}`)
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(bytes)
    expect(response.headers.get('content-type')).toBe('image/png')
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
  })

  test('can be sent without knowing its digest', async () => {
    const bytes = own()
    const response = await ask('/api/references', { method: 'POST', body: bytes })
    expect(response.status).toBe(201)
    const reference = (await response.json()) as StoredReference
    expect(reference).toEqual({ sha256: sha256(bytes), mimeType: 'image/png', bytes: 100 })
    expect(response.headers.get('location')).toBe(`/api/references/${reference.sha256}`)
  })

  test('may come without a Content-Length', async () => {
    const bytes = own(300_000)
    const body = new Blob([bytes]).stream()
    const response = await ask(`/api/references/${sha256(bytes)}`, { method: 'PUT', body })
    expect(response.status).toBe(201)
    expect((await env.BUCKET.head(`references/default/${sha256(bytes)}`))!.size).toBe(300_000)
  })

  test('may have exactly 7 MiB', async () => {
    expect((await put(own(MAX))).status).toBe(201)
  })

  test.for([
    ['its own type', 'image/png'],
    ['its own type with a parameter', 'Image/PNG; q=1'],
    ['what curl says of anything', 'application/x-www-form-urlencoded'],
    ['bytes', 'application/octet-stream'],
  ] as const)('may be called %s', async ([, type]) => {
    const bytes = own()
    expect((await put(bytes, sha256(bytes), { 'content-type': type })).status).toBe(201)
  })

  test('that is a JPEG may be called image/jpg', async () => {
    const bytes = new Uint8Array([...JPEG, 1])
    expect((await put(bytes, sha256(bytes), { 'content-type': 'image/jpg' })).status).toBe(201)
  })
})

describe('nothing is stored of an upload', () => {
  const rows: [string, Uint8Array, { digest?: string; type?: string }, string, number][] = [
    ['with another digest', own(), { digest: '0'.repeat(64) }, 'digest_mismatch', 422],
    ['under no digest', own(), { digest: 'ABC' }, 'invalid_request', 400],
    ['of a text', new TextEncoder().encode('no image'), {}, 'unsupported_media_type', 415],
    ['of nothing', new Uint8Array(), {}, 'unsupported_media_type', 415],
    ['called by another type', own(), { type: 'image/jpeg' }, 'unsupported_media_type', 415],
    ['of 7 MiB and a byte', own(MAX + 1), {}, 'payload_too_large', 413],
  ]
  test.for(rows)('%s', async ([, bytes, { digest, type }, code, status]) => {
    const before = await stored()
    const response = await put(bytes, digest ?? sha256(bytes), type ? { 'content-type': type } : {})
    expect(await problemOf(response)).toMatchObject({ code, status, charged: 'no' })
    expect(await stored()).toEqual(before)
  })

  test('a reference that is not stored cannot be read', async () => {
    const response = await ask(`/api/references/${'0'.repeat(64)}`)
    expect(await problemOf(response)).toMatchObject({ code: 'not_found', status: 404 })
  })
})

describe('a generation takes as input', () => {
  test('a reference by its digest, once or several times', async () => {
    const bytes = own()
    await put(bytes)
    const words = prompt()
    const reference = { sha256: sha256(bytes) }
    const view = await make({ prompt: words, references: [reference, reference] })
    const echoed = { ...reference, mimeType: 'image/png', bytes: 100 }
    expect(view.request).toMatchObject({ references: [echoed, echoed] })
    expect(await callsOf(words)).toMatchObject([{ references: 2, status: 200 }])
  })

  test('inline bytes, which are then stored under their digest', async () => {
    const bytes = own()
    const words = prompt()
    const data = bytes.toBase64()
    const inline = { data, mimeType: 'image/png' }
    const view = await make({
      prompt: words,
      references: [inline, { mimeType: 'image/jpg', data: JPEG.toBase64() }],
    })
    expect(view.request).toMatchObject({
      references: [
        { sha256: sha256(bytes), mimeType: 'image/png', bytes: 100 },
        { sha256: sha256(JPEG), mimeType: 'image/jpeg', bytes: JPEG.length },
      ],
    })
    expect(JSON.stringify(view)).not.toContain(data)
    expect((await ask(`/api/references/${sha256(bytes)}`, { method: 'HEAD' })).status).toBe(200)
    expect(await callsOf(words)).toMatchObject([{ references: 2 }])
  })

  test('the same image inline or by digest: it is the same request', async () => {
    const bytes = own()
    const key = { 'idempotency-key': crypto.randomUUID() }
    const words = `[[fault:text-only]] ${prompt()}`
    const inline = { data: bytes.toBase64(), mimeType: 'image/png' }
    const first = await make({ prompt: words, references: [inline] }, key)
    const second = await make({ prompt: words, references: [{ sha256: sha256(bytes) }] }, key)
    expect(second.id).toBe(first.id)
    expect(await callsOf(words)).toHaveLength(1)
  })

  test('references in their order: another order is another request', async () => {
    const references = [own(), own()].map((bytes) => ({ data: bytes.toBase64(), mimeType: 'image/png' }))
    const key = { 'idempotency-key': crypto.randomUUID() }
    const words = `[[fault:text-only]] ${prompt()}`
    await make({ prompt: words, references }, key)
    const turned = await post({ prompt: words, references: references.toReversed() }, key)
    expect((await problemOf(turned)).code).toBe('key_reused')
  })

  test('the picture of an earlier generation', async () => {
    const first = await make({ prompt: prompt() })
    const words = prompt()
    const second = await make({ prompt: words, references: [{ generation: first.id }] })
    const { sha256: digest, mimeType, bytes } = first.image!
    expect(second.request).toMatchObject({ references: [{ sha256: digest, mimeType, bytes }] })
    expect(await callsOf(words)).toMatchObject([{ references: 1, status: 200 }])
  })

  test('no picture of a generation that has none', async () => {
    const refused = await make({ prompt: `[[fault:refused]] ${prompt()}` })
    const response = await post({ prompt: prompt(), references: [{ generation: refused.id }] })
    expect(await problemOf(response)).toMatchObject({
      code: 'reference_not_found',
      detail: `references[0]: generation ${refused.id} has no picture (it is refused)`,
    })
  })

  test('an address that is left to the provider', async () => {
    const words = prompt()
    const reference = { fileUri: 'https://pictures.example.com/otter.png', mimeType: 'image/png' }
    const view = await make({ prompt: words, references: [reference] })
    expect(view.request).toMatchObject({ references: [reference] })
    expect(await callsOf(words)).toMatchObject([{ references: 1, status: 200 }])
  })

  test('no such address where the provider does not fetch', async () => {
    const references = [{ fileUri: 'https://pictures.example.com/otter.png', mimeType: 'image/png' }]
    const asked = { model: 'nano-banana-pro', provider: 'tokaify', size: '1K', prompt: prompt(), references }
    expect(await problemOf(await post(asked))).toMatchObject({ code: 'unsupported' })
  })
})

// The pictures as browsers and caches meet them: validators, ranges, and no way to find one by looking.
import { expect, test } from 'vitest'
import { askAs, problemOf } from './setup/ask.ts'
import { env } from './setup/bindings.ts'

const NAME = '0123456789abcdefghjkmnpqrs.png'
const BYTES = Uint8Array.from({ length: 100 }, (_, index) => index)

const object = await env.BUCKET.put(`pictures/${NAME}`, BYTES, { httpMetadata: { contentType: 'image/png' } })
const etag = object!.httpEtag

const get = (headers: Record<string, string> = {}, method = 'GET') =>
  askAs(`/images/${NAME}`, { method, headers })
const bytesOf = async (response: Response) => [...new Uint8Array(await response.arrayBuffer())]
const numbers = (from: number, to: number) => [...BYTES.subarray(from, to + 1)]

test('a picture is served whole, with its type, for ever', async () => {
  const response = await get()
  expect(response.status).toBe(200)
  expect(await bytesOf(response)).toEqual([...BYTES])
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'content-type': 'image/png',
    'content-length': '100',
    'cache-control': 'public, max-age=31536000, immutable',
    'accept-ranges': 'bytes',
    'x-content-type-options': 'nosniff',
    'access-control-allow-origin': '*',
    'last-modified': object!.uploaded.toUTCString(),
  })
  expect(response.headers.get('etag')).toMatch(/^"[^"]+"$/)
})

test('HEAD says the same without the bytes', async () => {
  const [head, whole] = [await get({}, 'HEAD'), await get()]
  expect(head.status).toBe(200)
  expect(await bytesOf(head)).toEqual([])
  const withoutId = (response: Response) => ({ ...Object.fromEntries(response.headers), 'x-request-id': '' })
  expect(withoutId(head)).toEqual(withoutId(whole))
})

test.for([
  ['the same ETag', { 'if-none-match': etag }, 304],
  ['the same ETag among others', { 'if-none-match': `"other", ${etag}` }, 304],
  ['the same ETag, weak', { 'if-none-match': `W/${etag}` }, 304],
  ['any ETag', { 'if-none-match': '*' }, 304],
  ['another ETag', { 'if-none-match': '"other"' }, 200],
  ['a date after it was made', { 'if-modified-since': 'Fri, 01 Jan 2100 00:00:00 GMT' }, 304],
  ['a date before it was made', { 'if-modified-since': 'Sat, 01 Jan 2000 00:00:00 GMT' }, 200],
  ['the same ETag and a range', { 'if-none-match': etag, range: 'bytes=0-9' }, 304],
] as const)('a caller that has %s gets %s', async ([, headers, status]) => {
  const response = await get(headers)
  expect(response.status).toBe(status)
  expect(response.headers.get('etag')).toBe(etag)
  expect(await bytesOf(response)).toEqual(status === 304 ? [] : [...BYTES])
})

test.for([
  ['the first bytes', 'bytes=0-9', 0, 9],
  ['bytes in the middle', 'bytes=40-59', 40, 59],
  ['the last bytes', 'bytes=-10', 90, 99],
  ['everything from a byte on', 'bytes=95-', 95, 99],
  ['one byte', 'bytes=7-7', 7, 7],
  ['more than there is', 'bytes=90-1000', 90, 99],
  ['a longer tail than there is', 'bytes=-1000', 0, 99],
] as const)('a range gives %s', async ([, range, from, to]) => {
  const response = await get({ range })
  expect(response.status).toBe(206)
  expect(await bytesOf(response)).toEqual(numbers(from, to))
  expect(response.headers.get('content-range')).toBe(`bytes ${from}-${to}/100`)
  expect(response.headers.get('content-length')).toBe(String(to - from + 1))
  expect(response.headers.get('content-type')).toBe('image/png')
})

test.for(['bytes=100-', 'bytes=200-300', 'bytes=-0'])('%s cannot be satisfied', async (range) => {
  const response = await get({ range })
  expect(response.status).toBe(416)
  expect(response.headers.get('content-range')).toBe('bytes */100')
  expect(await bytesOf(response)).toEqual([])
})

test.for(['bytes=0-1,5-6', 'bytes=9-3', 'bytes=-', 'bytes=a-b', 'lines=1-2'])(
  'a range that is not served (%s) gives the whole picture',
  async (range) => {
    const response = await get({ range })
    expect(response.status).toBe(200)
    expect(await bytesOf(response)).toEqual([...BYTES])
  },
)

test('a range of the same picture is continued, of another it begins anew', async () => {
  const same = await get({ range: 'bytes=50-', 'if-range': etag })
  expect([same.status, await bytesOf(same)]).toEqual([206, numbers(50, 99)])
  const other = await get({ range: 'bytes=50-', 'if-range': '"other"' })
  expect([other.status, await bytesOf(other)]).toEqual([200, [...BYTES]])
})

test.for([
  '/images/zzzzzzzzzzzzzzzzzzzzzzzzzz.png',
  '/images/',
  '/images',
  '/images/..%2Fcommits%2Fgen_1%2F1.json',
  '/images/%2E%2E/references/default/0.png',
])('there is nothing at %s, and no list of pictures', async (path) => {
  for (const headers of [{}, { range: 'bytes=0-9' }] as Record<string, string>[]) {
    const response = await askAs(path, { headers })
    expect(await problemOf(response)).toMatchObject({ code: 'not_found', status: 404 })
  }
})

test.for(['unquoted', '"open', 'W/', '"a" "b"'])(
  'a malformed If-None-Match (%s) is passed over',
  async (value) => {
    expect((await get({ 'if-none-match': value })).status).toBe(200)
  },
)

test('pictures are served when the configuration of providers is broken, and health tells of it', async () => {
  const broken = { PROVIDERS: '{' }
  expect((await askAs(`/images/${NAME}`, {}, broken)).status).toBe(200)
  expect(await problemOf(await askAs('/healthz', {}, broken))).toMatchObject({
    code: 'misconfigured',
    status: 500,
  })
})

test('HEAD is asked for changes like GET', async () => {
  expect((await get({ 'if-none-match': etag }, 'HEAD')).status).toBe(304)
  expect((await get({ 'if-none-match': '"other"' }, 'HEAD')).status).toBe(200)
})

test.for([
  ['another ETag', { 'if-match': '"other"' }, 412],
  ['this ETag', { 'if-match': etag }, 200],
  ['no change since long ago', { 'if-unmodified-since': 'Thu, 01 Jan 1970 00:00:00 GMT' }, 412],
] as const)('who wants %s and nothing else is answered so', async ([, headers, status]) => {
  expect((await get(headers)).status).toBe(status)
})

test('HEAD of a picture that is not there is 404 without a body', async () => {
  const response = await askAs('/images/zzzzzzzzzzzzzzzzzzzzzzzzzz.png', { method: 'HEAD' })
  expect(response.status).toBe(404)
})

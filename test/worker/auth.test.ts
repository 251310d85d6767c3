// Who may ask: every way of sending the token, and everything that is not the token.
import { describe, expect, test } from 'vitest'
import { ask, askAs, problemOf } from './setup/ask.ts'
import { env } from './setup/bindings.ts'

const token = env.ADMIN_TOKEN

describe('the token opens the API', () => {
  test.for([
    ['as a Bearer token', { authorization: `Bearer ${token}` }, ''],
    ['as a Bearer token whatever the case of the scheme', { authorization: `bearer ${token}` }, ''],
    ['as Google’s header', { 'x-goog-api-key': token }, ''],
    ['as Google’s query parameter', {}, `?key=${token}`],
  ] as const)('%s', async ([, headers, query]) => {
    expect((await askAs(`/api/models${query}`, { headers })).status).toBe(200)
  })
})

describe('any other call of the API is refused as unauthorised', () => {
  test.for([
    ['without a token', {}, ''],
    ['with an unknown token', { authorization: 'Bearer another' }, ''],
    ['with another token of the same length', { authorization: `Bearer ${'x'.repeat(token.length)}` }, ''],
    ['with the beginning of the token', { authorization: `Bearer ${token.slice(0, -1)}` }, ''],
    ['with the token in another scheme', { authorization: `Basic ${token}` }, ''],
    ['with an unknown key in Google’s header', { 'x-goog-api-key': 'another' }, ''],
    ['with an unknown key in the query', {}, '?key=another'],
  ] as const)('%s', async ([, headers, query]) => {
    const response = await askAs(`/api/models${query}`, { headers })
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toBe('Bearer')
    expect(await problemOf(response)).toMatchObject({ code: 'unauthorised', status: 401, charged: 'no' })
  })
})

test.for(['/api/generations', '/api/references', '/api/estimate'])(
  '%s reads nothing of a body before it knows the token',
  async (path) => {
    const body = new ReadableStream(
      {
        pull() {
          throw new Error('the body was read')
        },
      },
      { highWaterMark: 0 },
    )
    const response = await askAs(path, { method: 'POST', body, headers: { authorization: 'Bearer another' } })
    expect(response.status).toBe(401)
  },
)

test.for(['', undefined])('without ADMIN_TOKEN (%o) the worker says that it is not set up', async (unset) => {
  for (const sent of ['Bearer undefined', 'Bearer ', `Bearer ${token}`]) {
    const response = await ask('/api/models', { headers: { authorization: sent } }, { ADMIN_TOKEN: unset })
    expect(await problemOf(response)).toMatchObject({
      code: 'misconfigured',
      status: 500,
      detail: 'ADMIN_TOKEN is not set: run `wrangler secret put ADMIN_TOKEN`',
    })
  }
})

test('a provider table that is no JSON is told to the operator', async () => {
  const response = await ask('/api/models', {}, { PROVIDERS: '{' })
  expect(await problemOf(response)).toMatchObject({ code: 'misconfigured' })
})

test('the health check needs no token', async () => {
  expect(await (await askAs('/healthz')).json()).toEqual({ ok: true, emulated: false, paused: false })
})

test('a picture needs no token', async () => {
  await env.BUCKET.put('pictures/open.png', 'bytes', { httpMetadata: { contentType: 'image/png' } })
  expect((await askAs('/images/open.png')).status).toBe(200)
})

test('an address without a resource is not found', async () => {
  expect(await problemOf(await askAs('/nowhere'))).toMatchObject({ code: 'not_found', status: 404 })
})

test('a problem carries the id under which the request was logged', async () => {
  const headers = { 'x-request-id': 'request-7' }
  const response = await askAs('/nowhere', { headers })
  expect(response.headers.get('x-request-id')).toBe('request-7')
  expect(await problemOf(response)).toMatchObject({ requestId: 'request-7' })
})

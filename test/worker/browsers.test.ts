// Pages of other origins call this worker: what a browser asks beforehand, and what it lets the page read.
import { describe, expect, test } from 'vitest'
import { ask, askAs, callsOf, post, prompt } from './setup/ask.ts'

const ORIGIN = 'https://shop.example'

const SURFACES = [
  ['POST', '/api/generations', 'authorization,content-type,idempotency-key,prefer'],
  ['PUT', '/api/references/00', 'authorization'],
  ['DELETE', '/api/tokens/tok_1', 'authorization'],
  ['GET', '/images/x.png', 'if-none-match'],
  ['POST', '/v1beta/models/gemini-3.1-flash-image:generateContent', 'x-goog-api-key,x-goog-api-client'],
  ['POST', '/openai/v1/images/generations', 'authorization,x-stainless-lang,x-stainless-retry-count'],
] as const

test.for(SURFACES)(
  'before %s %s no token is asked for, and any header may be sent',
  async ([method, path, headers]) => {
    const response = await askAs(path, {
      method: 'OPTIONS',
      headers: {
        origin: ORIGIN,
        'access-control-request-method': method,
        'access-control-request-headers': headers,
      },
    })
    expect(response.status).toBe(204)
    expect(response.headers.get('access-control-allow-origin')).toBe('*')
    expect(response.headers.get('access-control-allow-methods')?.split(',')).toContain(method)
    expect(response.headers.get('access-control-allow-headers')).toBe(headers)
    expect(response.headers.get('access-control-allow-credentials')).toBeNull()
    expect(response.headers.get('access-control-max-age')).toBe('86400')
  },
)

describe('a page may read', () => {
  test('an answer, and what our headers say of it', async () => {
    const words = prompt()
    const response = await post({ prompt: words }, { origin: ORIGIN })
    expect(response.status).toBe(201)
    expect(response.headers.get('access-control-allow-origin')).toBe('*')
    const exposed = response.headers.get('access-control-expose-headers')!.toLowerCase().split(',')
    for (const name of ['location', 'retry-after', 'idempotent-replayed', 'x-request-id', 'ratelimit'])
      expect(exposed).toContain(name)
    expect(await callsOf(words)).toHaveLength(1)
  })

  test('every header of ours that a drop-in sends', async () => {
    const body = JSON.stringify({ model: 'gemini-3.1-flash-image', prompt: prompt() })
    const headers = { origin: ORIGIN, 'content-type': 'application/json' }
    const response = await ask('/openai/v1/images/generations', { method: 'POST', body, headers })
    await response.body?.cancel()
    const exposed = response.headers.get('access-control-expose-headers')!.toLowerCase().split(',')
    const own = [...response.headers.keys()].filter((name) => name.startsWith('x-'))
    expect(own).toContain('x-proofsheet-cost')
    expect(own.filter((name) => !exposed.includes(name))).toEqual([])
  })

  test.for([
    ['GET', '/api/models', 401],
    ['GET', '/api/nothing', 401],
    ['GET', '/nothing', 404],
    ['DELETE', '/healthz', 405],
    ['GET', '/images/x.png', 404],
    ['POST', '/v1beta/models/gemini-3.1-flash-image:generateContent', 403],
    ['POST', '/openai/v1/images/generations', 401],
    ['POST', '/upload/v1beta/files', 403],
  ] as const)('the error of %s %s', async ([method, path, status]) => {
    const response = await askAs(path, { method, headers: { origin: ORIGIN } })
    expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([status, '*'])
    expect(response.headers.get('access-control-expose-headers')).toContain('x-proofsheet-generation')
  })
})

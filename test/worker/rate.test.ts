// How many calls a token may make in a minute, and how every surface tells it.
import { describe, expect, test } from 'vitest'
import { createApp } from '../../worker/app.ts'
import { admitted, type RateWindow, WINDOW_MS } from '../../worker/money/rate.ts'
import { ask, callsOf, prompt } from './setup/ask.ts'
import { env } from './setup/bindings.ts'
import { askWith, makeToken, postWith } from './setup/tokens.ts'

describe('a window', () => {
  test('takes as many calls as it may, says what is left, and begins anew when it is over', () => {
    let window: RateWindow | undefined
    const at = (now: number) => {
      const next = admitted(window, 2, now)
      window = next.window
      return next.standing
    }
    const limit = 2
    expect(at(1_000)).toEqual({ isAdmitted: true, limit, remaining: 1, resetMs: 60_000 })
    expect(at(21_000)).toEqual({ isAdmitted: true, limit, remaining: 0, resetMs: 40_000 })
    // A call that is refused does not count, nor does it put off the next minute.
    expect(at(60_999)).toEqual({ isAdmitted: false, limit, remaining: 0, resetMs: 1 })
    expect(at(61_000)).toEqual({ isAdmitted: true, limit, remaining: 1, resetMs: 60_000 })
  })

  test('is neither begun nor prolonged by a clock that is behind', () => {
    const { window, standing } = admitted({ startedAt: 10_000, used: 1 }, 5, 9_000)
    expect(window).toEqual({ startedAt: 10_000, used: 2 })
    expect(standing.resetMs).toBe(WINDOW_MS)
  })

  test('of a clock that was far ahead is given up', () => {
    expect(admitted({ startedAt: 10_000_000, used: 5 }, 5, 9_000).standing.isAdmitted).toBe(true)
  })
})

/** The worker with its clock at an instant. */
function at(now: number, token: string, path: string, init: RequestInit = {}) {
  const app = createApp(
    () => {},
    () => now,
  )
  const headers = { authorization: `Bearer ${token}` }
  return app.fetch(new Request(`https://proofsheet.test${path}`, { ...init, headers }), env)
}

const NOON = Date.UTC(2026, 10, 30, 12)

test('a call within the limit is told how it stands', async () => {
  const { token } = await makeToken({ perMinute: 3 })
  const first = await at(NOON, token, '/api/models')
  expect(first.headers.get('ratelimit-policy')).toBe('"minute";q=3;w=60')
  expect(first.headers.get('ratelimit')).toBe('"minute";r=2;t=60')
  const second = await at(NOON + 10_500, token, '/v1beta/models')
  expect(second.headers.get('ratelimit')).toBe('"minute";r=1;t=50')
  // A failure is a call like any other.
  const third = await at(NOON + 59_999, token, '/api/generations/none')
  expect(third.status).toBe(404)
  expect(third.headers.get('ratelimit')).toBe('"minute";r=0;t=1')
  expect(third.headers.get('retry-after')).toBeNull()
})

test('a token without a limit is told nothing of it', async () => {
  const { token } = await makeToken()
  for (const response of [await askWith(token, '/api/models'), await ask('/api/models')])
    for (const name of ['ratelimit', 'ratelimit-policy']) expect(response.headers.get(name)).toBeNull()
})

describe('a call too many is refused on every surface, and the next minute takes it', () => {
  test.for<[string, unknown]>([
    [
      '/api/models',
      {
        code: 'too_many_requests',
        charged: 'no',
        retryAfterMs: 45_500,
        detail: 'this token may make 1 call a minute; the next one is taken in 46 s',
      },
    ],
    [
      '/v1beta/models',
      {
        error: {
          code: 429,
          status: 'RESOURCE_EXHAUSTED',
          details: [
            { reason: 'TOO_MANY_REQUESTS', domain: 'proofsheet' },
            { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '45.5s' },
          ],
        },
      },
    ],
    ['/openai/v1/models', { error: { type: 'rate_limit_error', code: 'rate_limit_exceeded' } }],
  ])('%s', async ([path, body]) => {
    const { token } = await makeToken({ perMinute: 1 })
    expect((await at(NOON, token, path)).status).toBe(200)
    const refused = await at(NOON + 14_500, token, path)
    expect(refused.status).toBe(429)
    expect(refused.headers.get('retry-after')).toBe('46')
    expect(refused.headers.get('ratelimit-policy')).toBe('"minute";q=1;w=60')
    expect(refused.headers.get('ratelimit')).toBe('"minute";r=0;t=46')
    expect(await refused.json()).toMatchObject(body as object)
    expect((await at(NOON + 60_000, token, path)).status).toBe(200)
  })
})

test('a picture that is asked for once too often is not bought', async () => {
  const { token } = await makeToken({ perMinute: 1 })
  const asked = { prompt: prompt() }
  expect((await postWith(token, asked)).status).toBe(201)
  expect((await postWith(token, asked)).status).toBe(429)
  expect(await callsOf(asked.prompt)).toHaveLength(1)
})

test('calls of one token do not count for another', async () => {
  const [one, other] = [await makeToken({ perMinute: 1 }), await makeToken({ perMinute: 1 })]
  expect((await askWith(one.token, '/api/models')).status).toBe(200)
  expect((await askWith(other.token, '/api/models')).status).toBe(200)
})

test('twenty calls at once pass a limit of five five times', async () => {
  const { token } = await makeToken({ perMinute: 5 })
  const responses = await Promise.all(Array.from({ length: 20 }, () => at(NOON, token, '/api/models')))
  expect(responses.filter(({ status }) => status === 200)).toHaveLength(5)
  expect(responses.filter(({ status }) => status === 429)).toHaveLength(15)
})

test('an account that cannot be reached refuses the call, and says that nothing was bought', async () => {
  const { token } = await makeToken({ perMinute: 5 })
  const ACCOUNT = {
    idFromName: (name: string) => env.ACCOUNT.idFromName(name),
    get: () => ({ admit: () => Promise.reject(new Error('Network connection lost.')) }),
  }
  const response = await askWith(token, '/api/models', {}, { ACCOUNT })
  expect(response.status).toBe(503)
  expect(response.headers.get('retry-after')).toBe('5')
  expect(await response.json()).toMatchObject({ code: 'unavailable', charged: 'no' })
})

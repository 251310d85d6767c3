// The price before the picture: the same sums as the bill, and nothing bought (promises 4 and 5).
import { afterEach, describe, expect, test } from 'vitest'
import { EstimateSchema, type EstimateView } from '../../core/api.ts'
import { ask, callsOf, make, problemOf, prompt } from './setup/ask.ts'

const words = prompt()

afterEach(async () => {
  expect(await callsOf(words)).toEqual([])
})

async function estimate(body: unknown): Promise<EstimateView> {
  const response = await ask('/api/estimate', { method: 'POST', body: JSON.stringify(body) })
  if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`)
  return EstimateSchema.parse(await response.json())
}

const request = { model: 'nano-banana-2', provider: 'apiyi', prompt: words, size: '512' }

test('one request has its price, its route and the date of the table', async () => {
  expect(await estimate(request)).toEqual({
    expected: 0.055,
    atMost: 0.055,
    currency: 'USD',
    unknown: [],
    requests: [
      {
        provider: 'apiyi',
        model: 'gemini-3.1-flash-image',
        expected: 0.055,
        atMost: 0.055,
        unknown: [],
        existing: null,
      },
    ],
    emulated: false,
    pricesAsOf: '2026-11-21',
  })
})

test.for([
  ['nano-banana-2', '512', 0.055],
  ['nano-banana-pro', '1K', 0.09],
  ['nano-banana', '1K', 0.02],
] as const)('a flat price is what the picture then costs: %s', async ([model, size, usd]) => {
  const asked = { model, size, prompt: prompt(), provider: 'apiyi' }
  expect((await estimate(asked)).expected).toBe(usd)
  const { cost } = await make(asked)
  expect(cost).toMatchObject({ estimated: usd, actual: usd, difference: 0 })
})

test('a price by tokens is what the picture then costs at most', async () => {
  const asked = { ...request, provider: 'google', prompt: prompt() }
  const { expected, atMost } = await estimate(asked)
  const { cost } = await make(asked)
  expect(cost).toMatchObject({ estimated: expected, atMost })
  expect(cost.actual).toBeGreaterThan(0.04482)
  expect(cost.actual).toBeLessThanOrEqual(atMost!)
})

test('a request without a provider is priced at the first one that sells it', async () => {
  const { requests } = await estimate({ model: 'nano-banana-pro', prompt: words })
  expect(requests).toMatchObject([{ provider: 'google' }])
})

test('a fallback after a charged answer is added to what it may cost at most', async () => {
  const fallback = [{ model: 'nano-banana-pro', provider: 'apiyi', on: ['no_image'] }]
  const { expected, atMost } = await estimate({ ...request, size: '1K', fallback })
  expect([expected, atMost]).toEqual([0.055, 0.145])
})

test('a price that is not known is null and named, alone and in the sum', async () => {
  const unpriced = { model: 'nano-banana-pro', provider: 'tokaify', prompt: words }
  const view = await estimate({ requests: [request, unpriced] })
  const unknown = ['the price of nano-banana-pro at tokaify']
  expect(view).toMatchObject({ expected: null, atMost: null, unknown })
  expect(view.requests).toMatchObject([
    { expected: 0.055, unknown: [] },
    { expected: null, atMost: null, unknown },
  ])
})

test('what was asked for already under its key is not counted again', async () => {
  const key = crypto.randomUUID()
  const asked = { ...request, prompt: `[[fault:text-only]] ${prompt()}` }
  const { id } = await make(asked, { 'idempotency-key': key })
  const view = await estimate({ requests: [{ ...asked, key }, { ...request, key: 'new' }, request] })
  expect(view.expected).toBe(0.11)
  expect(view.requests.map(({ existing }) => existing)).toEqual([{ id, status: 'failed' }, null, null])
})

test('ten thousand requests are one sum, exact to the micro-dollar', async () => {
  const view = await estimate({
    requests: Array.from({ length: 10_000 }, (_, n) => ({ ...request, key: `k${n}` })),
  })
  expect(view).toMatchObject({ expected: 550, atMost: 550, unknown: [] })
  expect(view.requests).toHaveLength(10_000)
})

describe('a request that could not be made is refused here too', () => {
  test.for([
    ['none', { requests: [] }, 'invalid_request', 400],
    ['a misspelt field', { ...request, promt: 'x' }, 'invalid_request', 400],
    [
      'a misspelt field among many',
      { requests: [request, { ...request, promt: 'x' }] },
      'invalid_request',
      400,
    ],
    ['an unknown model', { ...request, model: 'x' }, 'unknown_model', 422],
    ['a size that the model does not make', { ...request, model: 'nano-banana' }, 'unsupported', 422],
    ['a provider that does not sell it', { ...request, provider: 'tokaify' }, 'not_sold', 422],
  ] as const)('%s', async ([, body, code, status]) => {
    const response = await ask('/api/estimate', { method: 'POST', body: JSON.stringify(body) })
    expect(await problemOf(response)).toMatchObject({ code, status })
  })

  test('text that is no JSON', async () => {
    const response = await ask('/api/estimate', { method: 'POST', body: '{' })
    expect(await problemOf(response)).toMatchObject({ code: 'invalid_json', status: 400 })
  })
})

// A price before the picture: what is expected, the most that can be billed, and what nobody knows.
import { describe, expect, test } from 'vitest'
import {
  type Draft,
  type PricedFallback,
  type PricedRoute,
  quote,
  total,
  unknownExpected,
} from '../../core/cost.ts'
import { findModel, type Size } from '../../core/models.ts'
import { PRICES, type PriceRow } from '../../core/prices.ts'

const draft: Draft = { size: '1K', promptBytes: 400, references: 0 }

const route = (provider: string, name: string): PricedRoute => {
  const model = findModel(name)!
  return { provider, model, row: PRICES.find((r) => r.provider === provider && r.model === model.id) }
}

/** A route that costs this many micro-USD a request; undefined: nobody knows. */
const flat = (provider: string, microUsd: number | undefined): PricedRoute => {
  const model = findModel('nano-banana-2')!
  const about = { provider, model: model.id, source: 'test' }
  const row: PriceRow | undefined =
    microUsd === undefined ? undefined : { ...about, unit: 'request', microUsd }
  return { provider, model, row }
}

const reached = (after: 'charged' | 'free' | 'both', way: PricedRoute): PricedFallback => ({
  ...way,
  afterCharged: after !== 'free',
  afterFree: after !== 'charged',
})

describe('one route', () => {
  test.for([
    ['nano-banana-pro', 90_000],
    ['nano-banana-2', 55_000],
    ['nano-banana-2-lite', 25_000],
    ['nano-banana', 20_000],
  ] as const)('APIYI asks one price for %s, whatever the request holds', ([name, microUsd]) => {
    const large: Draft = { size: '4K', promptBytes: 9_000, references: 14 }
    for (const wanted of [draft, large])
      expect(quote(wanted, route('apiyi', name))).toEqual({
        expected: microUsd,
        atMost: microUsd,
        unknown: [],
      })
  })

  // Expected: 100 prompt tokens, the picture, and the usual text beside it; at most: 400 prompt tokens and the most text.
  test.for<[string, Size, number, number]>([
    ['nano-banana-pro', '1K', 100 * 2 + 320 * 12 + 1120 * 120, 400 * 2 + 980 * 12 + 1120 * 120],
    ['nano-banana-pro', '4K', 100 * 2 + 320 * 12 + 2000 * 120, 400 * 2 + 980 * 12 + 2000 * 120],
    ['nano-banana-2', '512', 50 + 250 * 3 + 747 * 60, 200 + 1422 * 3 + 747 * 60],
    ['nano-banana-2', '2K', 50 + 250 * 3 + 1680 * 60, 200 + 1422 * 3 + 1680 * 60],
    ['nano-banana-2.1', '4K', 150 + 250 * 7.5 + 3780 * 30, 600 + 1422 * 7.5 + 3780 * 30],
    ['nano-banana-2-lite', '1K', 25 + 250 * 1.5 + 1120 * 30, 100 + 1422 * 1.5 + 1120 * 30],
    ['nano-banana', '1K', 30 + 250 * 2.5 + 1290 * 30, 120 + 630 * 2.5 + 1290 * 30],
  ])('Google sells %s at %s by tokens', ([name, size, expected, atMost]) => {
    expect(quote({ ...draft, size }, route('google', name))).toEqual({ expected, atMost, unknown: [] })
  })

  test('a prompt token is four bytes when expected and one at most', () => {
    const price = (promptBytes: number) =>
      quote({ ...draft, promptBytes }, route('google', 'nano-banana-pro'))
    expect(price(404).expected - price(400).expected).toBe(2)
    expect(price(401).expected - price(400).expected).toBe(2)
    expect(price(404).atMost - price(400).atMost).toBe(8)
  })

  test.for([
    ['nano-banana-pro', 560 * 2],
    ['nano-banana-2', 1120 * 0.5],
  ] as const)('each reference of %s adds its tokens', ([name, microUsd]) => {
    const without = quote(draft, route('google', name))
    const one = quote({ ...draft, references: 1 }, route('google', name))
    expect([one.expected - without.expected, one.atMost - without.atMost]).toEqual([microUsd, microUsd])
    expect(one.unknown).toEqual([])
  })

  test('a sum is rounded up once, not part by part', () => {
    const cheap: PriceRow = {
      provider: 'p',
      model: 'gemini-3-pro-image',
      source: 'test',
      unit: 'token',
      inputPerMillion: 1,
      textPerMillion: 1,
      imagePerMillion: 1,
    }
    const model = findModel('nano-banana-pro')!
    expect(quote(draft, { provider: 'p', model, row: cheap })).toEqual({
      expected: 1,
      atMost: 1,
      unknown: [],
    })
  })
})

describe('what is not known', () => {
  test('a route without a row is named, and its price is in no sum', () => {
    expect(quote(draft, route('tokaify', 'nano-banana-pro'))).toEqual({
      expected: 0,
      atMost: 0,
      unknown: ['the price of nano-banana-pro at tokaify'],
    })
  })

  test.for(['nano-banana-2.1', 'nano-banana-2-lite', 'nano-banana'])(
    'the tokens of an input image of %s are named where there is one',
    (name) => {
      expect(quote(draft, route('google', name)).unknown).toEqual([])
      const unknown = [`tokens per input image of ${name}`]
      expect(quote({ ...draft, references: 2 }, route('google', name)).unknown).toEqual(unknown)
    },
  )

  test('a size whose tokens nobody printed is named', () => {
    const { unknown, expected } = quote({ ...draft, size: '512' }, route('google', 'nano-banana-pro'))
    expect(unknown).toEqual(['output tokens of nano-banana-pro at 512'])
    expect(expected).toBeGreaterThan(0)
  })

  test('what a fallback would cost is named too, once, and the rest is still summed', () => {
    const unpriced = flat('tokaify', undefined)
    const fallbacks = [reached('free', unpriced), reached('both', unpriced), reached('charged', flat('b', 7))]
    expect(quote(draft, flat('a', 10), fallbacks)).toEqual({
      expected: 10,
      atMost: 17,
      unknown: ['the price of nano-banana-2 at tokaify'],
      unknownFallbacks: ['the price of nano-banana-2 at tokaify'],
    })
  })

  test('a price that only a fallback lacks is missing from "at most", not from "expected"', () => {
    const unpriced = flat('tokaify', undefined)
    const fallback = quote(draft, flat('a', 10), [reached('free', unpriced)])
    const own = quote(draft, unpriced, [reached('free', unpriced)])
    expect(unknownExpected(fallback)).toEqual([])
    expect(unknownExpected(own)).toEqual(['the price of nano-banana-2 at tokaify'])
    expect(unknownExpected(total([fallback, fallback]))).toEqual([])
    expect(unknownExpected(total([fallback, own]))).toEqual(own.unknown)
    expect(total([fallback, own]).unknown).toEqual(own.unknown)
  })
})

describe('fallbacks', () => {
  const first = flat('a', 10)

  test.for<[string, PricedFallback[], number]>([
    ['none: the route alone', [], 10],
    ['a cheaper one after a free failure adds nothing', [reached('free', flat('b', 4))], 10],
    ['a dearer one after a free failure takes the place', [reached('free', flat('b', 40))], 40],
    ['one after a charge adds up', [reached('charged', flat('b', 4))], 14],
    ['one after either adds up, because it may', [reached('both', flat('b', 40))], 50],
    ['a chain after charges is the sum', [1, 2, 3].map((n) => reached('charged', flat('b', n))), 16],
    [
      'a chain after free failures is its dearest',
      [30, 20, 25].map((n) => reached('free', flat('b', n))),
      30,
    ],
    [
      'charged, then free: the middle one may fail free',
      [reached('charged', flat('b', 4)), reached('free', flat('c', 100))],
      110,
    ],
    [
      'free, then charged: from the dearer start',
      [reached('free', flat('b', 40)), reached('charged', flat('c', 5))],
      45,
    ],
    [
      'three: charged, free, charged',
      [reached('charged', flat('b', 1)), reached('free', flat('c', 30)), reached('charged', flat('d', 6))],
      46,
    ],
    [
      'three: the dearest path passes the middle one',
      [reached('charged', flat('b', 20)), reached('free', flat('c', 25)), reached('both', flat('d', 2))],
      37,
    ],
  ])('%s', ([, fallbacks, atMost]) => {
    expect(quote(draft, first, fallbacks)).toEqual({ expected: 10, atMost, unknown: [] })
  })

  test('the most is that of the dearest path among all', () => {
    // Every path through the list, walked one by one: what each attempt was billed, and what may come after it.
    const walk = (here: number, rest: PricedFallback[]): number =>
      rest.reduce((most, next, index) => {
        const on = walk((next.row as { microUsd: number }).microUsd, rest.slice(index + 1))
        return Math.max(most, next.afterCharged ? here + on : 0, next.afterFree ? on : 0)
      }, here)
    const kinds = ['charged', 'free', 'both'] as const
    for (let seed = 0; seed < 300; seed++) {
      const fallbacks = [0, 1, 2, 3, 4].map((n) =>
        reached(kinds[((seed * 7 + n * 5) >> n) % 3]!, flat(`p${n}`, (seed * 31 + n * 17) % 97)),
      )
      expect(quote(draft, first, fallbacks).atMost).toBe(walk(10, fallbacks))
    }
  })

  test('a list of hundreds is priced at once', () => {
    const fallbacks = Array.from({ length: 500 }, () => reached('both', flat('b', 1)))
    expect(quote(draft, first, fallbacks).atMost).toBe(510)
  })
})

test('a total adds the sums and names each unknown once', () => {
  const parts = [
    { expected: 1, atMost: 10, unknown: ['x'] },
    { expected: 2, atMost: 20, unknown: [] },
    { expected: 3, atMost: 30, unknown: ['y', 'x'] },
  ]
  expect(total(parts)).toEqual({ expected: 6, atMost: 60, unknown: ['x', 'y'] })
  expect(total([])).toEqual({ expected: 0, atMost: 0, unknown: [] })
})

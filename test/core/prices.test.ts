// The price table against what the vendors print: rates, and what a picture costs by them.
import { describe, expect, test } from 'vitest'
import { settle } from '../../core/cost.ts'
import { findModel, MODELS, type Size } from '../../core/models.ts'
import { toUsd } from '../../core/money.ts'
import { PRICE_TABLE_VERSION, PRICES, PriceSchema } from '../../core/prices.ts'
import { PROVIDERS } from '../../core/providers.ts'

const rowOf = (provider: string, name: string) =>
  PRICES.find((row) => row.provider === provider && row.model === findModel(name)!.id)

// USD per million tokens: input, text and thinking out, image out.
test.for([
  ['nano-banana-pro', 2, 12, 120, '2026-10-07'],
  ['nano-banana-2', 0.5, 3, 60, '2026-10-07'],
  ['nano-banana-2.1', 1.5, 7.5, 30, '2026-10-07'],
  ['nano-banana-2-lite', 0.25, 1.5, 30, '2026-10-07'],
  ['nano-banana', 0.3, 2.5, 30, '2026-07-22'],
] as const)('Google sells %s at its list rates', ([name, input, text, image, checkedOn]) => {
  expect(rowOf('google', name)).toMatchObject({
    unit: 'token',
    inputPerMillion: input * 1e6,
    textPerMillion: text * 1e6,
    imagePerMillion: image * 1e6,
    checkedOn,
  })
})

// The vendor's price of one picture, at the precision in which it is printed.
test.for<[string, Size, string]>([
  ['nano-banana-pro', '1K', '0.134'],
  ['nano-banana-pro', '2K', '0.134'],
  ['nano-banana-pro', '4K', '0.24'],
  ['nano-banana-2', '512', '0.045'],
  ['nano-banana-2', '1K', '0.067'],
  ['nano-banana-2', '2K', '0.101'],
  ['nano-banana-2', '4K', '0.151'],
  ['nano-banana-2.1', '1K', '0.0336'],
  ['nano-banana-2.1', '2K', '0.0504'],
  ['nano-banana-2.1', '4K', '0.1134'],
  ['nano-banana-2-lite', '1K', '0.0336'],
  ['nano-banana', '1K', '0.039'],
])('the tokens of %s at %s come to $%s', ([name, size, printed]) => {
  const tokens = findModel(name)!.tokens.image[size]!
  const usage = {
    promptTokenCount: 0,
    totalTokenCount: tokens,
    candidatesTokensDetails: [{ modality: 'IMAGE', tokenCount: tokens }],
  }
  const decimals = printed.split('.')[1]!.length
  expect(toUsd(settle(rowOf('google', name), usage, 1)!).toFixed(decimals)).toBe(printed)
})

test.for([
  ['nano-banana-pro', 0.09],
  ['nano-banana-2', 0.055],
  ['nano-banana-2-lite', 0.025],
  ['nano-banana', 0.02],
] as const)('APIYI sells %s at $%s per request', ([name, usd]) => {
  expect(rowOf('apiyi', name)).toMatchObject({ unit: 'request', microUsd: Math.round(usd * 1e6) })
})

test('what is not printed has no row: Tokaify, and 2.1 at APIYI', () => {
  expect(PRICES.filter((row) => row.provider === 'tokaify')).toEqual([])
  expect(rowOf('apiyi', 'nano-banana-2.1')).toBeUndefined()
})

test('a pair of provider and model has one row, with a source, and is really sold', () => {
  const pairs = PRICES.map((row) => `${row.provider} ${row.model}`)
  expect(new Set(pairs).size).toBe(pairs.length)
  for (const row of PRICES) {
    expect(row.source).not.toBe('')
    expect(row.checkedOn ?? PRICE_TABLE_VERSION).toMatch(/^2026-\d\d-\d\d$/)
    expect(PROVIDERS.find((p) => p.id === row.provider)?.wire).toHaveProperty([row.model])
    expect(MODELS.map((m) => m.id)).toContain(row.model)
  }
})

describe("an operator's price", () => {
  test('is a flat one or three rates, in USD', () => {
    expect(PriceSchema.parse({ perRequest: 0.045 })).toEqual({ unit: 'request', microUsd: 45_000 })
    expect(PriceSchema.parse({ inputPerMillion: 0.18, textPerMillion: 21.6, imagePerMillion: 21.6 })).toEqual(
      {
        unit: 'token',
        inputPerMillion: 180_000,
        textPerMillion: 21_600_000,
        imagePerMillion: 21_600_000,
      },
    )
  })

  test.for<[string, unknown]>([
    ['negative', { perRequest: -1 }],
    ['finer than a micro-USD', { perRequest: 0.0000001 }],
    ['text', { perRequest: '0.05' }],
    ['incomplete rates', { inputPerMillion: 1, imagePerMillion: 30 }],
    ['both kinds', { perRequest: 0.05, inputPerMillion: 1, textPerMillion: 1, imagePerMillion: 1 }],
    ['a misspelt member', { perrequest: 0.05 }],
    ['nothing', {}],
  ])('is refused when it is %s', ([, price]) => expect(PriceSchema.safeParse(price).success).toBe(false))
})

// What an answer cost, from the tokens its provider reported. The samples are logs of real calls that were published.
import { describe, expect, test } from 'vitest'
import { settle, type Usage } from '../../core/cost.ts'
import { findModel } from '../../core/models.ts'
import { PRICES, type PriceRow } from '../../core/prices.ts'

const rowOf = (provider: string, name: string) =>
  PRICES.find((row) => row.provider === provider && row.model === findModel(name)!.id)!

const PRO = rowOf('google', 'nano-banana-pro')
const NB2 = rowOf('google', 'nano-banana-2')
const images = (tokenCount: number) => [{ modality: 'IMAGE', tokenCount }]

// Micro-USD: input, text and thinking, picture. The total decides how much of the output is text.
test.for<[string, PriceRow, Usage, number, number]>([
  [
    'Pro, one picture',
    PRO,
    {
      promptTokenCount: 533,
      candidatesTokenCount: 1120,
      candidatesTokensDetails: images(1120),
      thoughtsTokenCount: 217,
      totalTokenCount: 1870,
    },
    1,
    533 * 2 + 217 * 12 + 1120 * 120,
  ],
  [
    'Pro, two image parts',
    PRO,
    {
      promptTokenCount: 615,
      candidatesTokenCount: 2478,
      candidatesTokensDetails: images(2240),
      thoughtsTokenCount: 208,
      totalTokenCount: 3301,
    },
    2,
    615 * 2 + (238 + 208) * 12 + 2240 * 120,
  ],
  [
    'NB2, three pictures in one answer',
    NB2,
    {
      promptTokenCount: 23,
      candidatesTokenCount: 4132,
      candidatesTokensDetails: images(3360),
      totalTokenCount: 4155,
    },
    3,
    Math.ceil(23 * 0.5) + 772 * 3 + 3360 * 60,
  ],
  [
    'refused before generation',
    PRO,
    { promptTokenCount: 271, candidatesTokenCount: 0, totalTokenCount: 271 },
    0,
    271 * 2,
  ],
  [
    'a refusal of which the log holds no total',
    PRO,
    { promptTokenCount: 276, candidatesTokenCount: 0, thoughtsTokenCount: 173 },
    0,
    276 * 2 + 173 * 12,
  ],
  [
    'a refusal that counts its thinking twice is billed once',
    PRO,
    { promptTokenCount: 271, candidatesTokenCount: 190, thoughtsTokenCount: 190, totalTokenCount: 461 },
    0,
    271 * 2 + 190 * 12,
  ],
  [
    'without a total, text is what candidates hold beside the picture',
    PRO,
    {
      promptTokenCount: 10,
      candidatesTokenCount: 1210,
      candidatesTokensDetails: images(1120),
      thoughtsTokenCount: 100,
    },
    1,
    10 * 2 + (90 + 100) * 12 + 1120 * 120,
  ],
  [
    'tokens of a tool are input',
    PRO,
    {
      promptTokenCount: 10,
      toolUsePromptTokenCount: 40,
      candidatesTokenCount: 1120,
      candidatesTokensDetails: images(1120),
      totalTokenCount: 1170,
    },
    1,
    50 * 2 + 1120 * 120,
  ],
  [
    'details of several entries are added, other modalities are text',
    NB2,
    {
      promptTokenCount: 0,
      candidatesTokensDetails: [...images(1120), { modality: 'TEXT', tokenCount: 5 }, ...images(1120)],
      totalTokenCount: 2245,
    },
    2,
    5 * 3 + 2240 * 60,
  ],
  [
    'a total that is less than its parts takes nothing off',
    NB2,
    { promptTokenCount: 100, candidatesTokensDetails: images(1120), totalTokenCount: 500 },
    1,
    50 + 1120 * 60,
  ],
])('%s', ([, row, usage, pictures, microUsd]) => expect(settle(row, usage, pictures)).toBe(microUsd))

test('a sum is rounded up once', () => {
  const usage = { promptTokenCount: 1, candidatesTokensDetails: images(1), totalTokenCount: 3 }
  const row = { ...NB2, unit: 'token' as const, inputPerMillion: 1, textPerMillion: 1, imagePerMillion: 1 }
  expect(settle(row, usage, 1)).toBe(1)
})

describe('a flat price is the price', () => {
  test.for<[string, Usage | undefined, number]>([
    ['without usage', undefined, 1],
    ['for a picture of any number of tokens', { promptTokenCount: 1, candidatesTokenCount: 9_999_999 }, 1],
    ['for several pictures in one answer', undefined, 10],
    ['for a refusal that is charged', { promptTokenCount: 276, candidatesTokenCount: 0 }, 0],
  ])('%s', ([, usage, pictures]) => {
    expect(settle(rowOf('apiyi', 'nano-banana-pro'), usage, pictures)).toBe(90_000)
  })
})

describe('the cost is unknown, never 0,', () => {
  test.for<[string, PriceRow | undefined, Usage | undefined, number]>([
    ['without a price row', undefined, { promptTokenCount: 5, candidatesTokensDetails: images(1120) }, 1],
    ['without usage', PRO, undefined, 1],
    ['when usage is empty', PRO, {}, 1],
    ['when usage is empty and there is no picture', PRO, {}, 0],
    ['without the prompt count', PRO, { totalTokenCount: 1870, candidatesTokensDetails: images(1120) }, 1],
    [
      'when a picture came and no details',
      PRO,
      { promptTokenCount: 48, candidatesTokenCount: 4096, totalTokenCount: 4144 },
      1,
    ],
    [
      'when a picture came and the details are empty',
      PRO,
      { promptTokenCount: 48, candidatesTokenCount: 4096, candidatesTokensDetails: [] },
      1,
    ],
    [
      'when a picture came and the details name only text',
      PRO,
      { promptTokenCount: 48, candidatesTokensDetails: [{ modality: 'TEXT', tokenCount: 9 }] },
      1,
    ],
    [
      'when the detail of the picture has no count',
      PRO,
      { promptTokenCount: 48, candidatesTokensDetails: [{ modality: 'IMAGE' }] },
      1,
    ],
  ])('%s', ([, row, usage, pictures]) => expect(settle(row, usage, pictures)).toBeUndefined())
})

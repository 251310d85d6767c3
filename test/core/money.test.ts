// Money is whole micro-USD, and nothing turns into 0 on its way there.
import { expect, test } from 'vitest'
import { formatUsd, fromUsd, toUsd } from '../../core/money.ts'

test.for([
  [0, 0],
  [0.000001, 1],
  [0.02, 20_000],
  [0.055, 55_000],
  [0.0336, 33_600],
  [35.294, 35_294_000],
  [52.8, 52_800_000],
  [60, 60_000_000],
  [1.005, 1_005_000],
  [4.35, 4_350_000],
  [123_456.789012, 123_456_789_012],
] as const)('$%s is %s micro-USD, and back', ([usd, micro]) => {
  expect(fromUsd(usd)).toBe(micro)
  expect(toUsd(micro)).toBe(usd)
})

test.for([
  -0.01,
  -1,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  0.0000001,
  1e-10,
  0.0550001,
  1e16,
])('%s is no amount', (usd) => expect(fromUsd(usd)).toBeUndefined())

test('every amount with six decimals is read as it is written', () => {
  for (let micro = 0; micro < 3_000_000; micro += 37) {
    const written = `${Math.floor(micro / 1e6)}.${String(micro % 1e6).padStart(6, '0')}`
    expect(fromUsd(Number(written))).toBe(micro)
  }
})

test.for([
  [0, '$0.00'],
  [1, '$0.000001'],
  [20_000, '$0.02'],
  [55_000, '$0.055'],
  [100_000, '$0.10'],
  [134_400, '$0.1344'],
  [12_400_000, '$12.40'],
  [1_000_000, '$1.00'],
  [1_234_567_890_000, '$1234567.89'],
  [-5_000, '-$0.005'],
] as const)('%s micro-USD read %s', ([micro, text]) => expect(formatUsd(micro)).toBe(text))

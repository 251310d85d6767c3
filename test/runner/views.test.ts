import { describe, expect, test } from 'vitest'
import { amount, duration, fileSize, quoted } from '../../runner/views/format.ts'
import { alignRows } from '../../runner/views/table.ts'

describe('figures', () => {
  test.each([
    [67_527, '$0.0676'],
    [55_000, '$0.055'],
    [1_000_000, '$1.00'],
    [0, '$0.00'],
  ])('%i micro-USD are shown as %s, never below what they are', (micro, shown) =>
    expect(amount(micro)).toBe(shown),
  )

  test('a sum with an unknown part is at least its known part, and nothing known is a question mark', () => {
    expect(quoted(90_000, { unknown: ['x'] })).toBe('≥ $0.09')
    expect(quoted(0, { unknown: ['x'] })).toBe('?')
  })

  test('durations and sizes have units', () => {
    expect([
      duration(3_400),
      duration(59_960),
      duration(119_700),
      duration(125_000),
      fileSize(812_000),
      fileSize(1_400_000),
    ]).toEqual(['3.4 s', '1 min 0 s', '2 min 0 s', '2 min 5 s', '812 KB', '1.4 MB'])
  })

  test('wide characters do not break columns', () => {
    expect(
      alignRows(
        [
          ['日本', 'x'],
          ['abcd', 'y'],
        ],
        ['left', 'left'],
      ),
    ).toEqual(['日本  x', 'abcd  y'])
  })
})

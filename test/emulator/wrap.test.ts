import { describe, expect, test } from 'vitest'
import { fitText, LINE_HEIGHT } from '../../emulator/wrap.ts'

const sizes = { smallest: 10, largest: 40 }

describe('a fitted text', () => {
  test('is set at the largest size when it is short', () => {
    expect(fitText('A lamp', { width: 400, height: 100 }, sizes)).toEqual({
      text: 'A lamp',
      fontSize: 40,
      lines: 1,
    })
  })

  test('shrinks until it fits, and stays whole', () => {
    const text = 'A brass lamp on an oak table, seen from above, with a long cord.'
    const fitted = fitText(text, { width: 200, height: 100 }, sizes)
    expect(fitted.text).toBe(text)
    expect(fitted.fontSize).toBeLessThan(40)
    expect(fitted.fontSize).toBeGreaterThan(10)
    expect(fitted.lines * fitted.fontSize * LINE_HEIGHT).toBeLessThanOrEqual(100)
  })

  test('shrinks rather than break a word', () => {
    expect(fitText('Extraordinarily', { width: 120, height: 100 }, sizes)).toMatchObject({ lines: 1 })
  })

  test.for([
    ['words', 'word '.repeat(5_000)],
    ['one word', 'x'.repeat(5_000)],
    ['signs as wide as they are high', '画'.repeat(5_000)],
  ])('is cut with an ellipsis when there are too many %s', ([, text]) => {
    const fitted = fitText(text!, { width: 200, height: 100 }, sizes)
    expect(fitted.text.endsWith('…')).toBe(true)
    expect(fitted).toMatchObject({ fontSize: 10, lines: 7 })
    expect(fitted.text.length).toBeLessThan(400)
  })
})

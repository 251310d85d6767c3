import { describe, expect, test } from 'vitest'
import { widthOf } from '../../emulator/glyphs.ts'
import { fitText, LINE_HEIGHT, measure } from '../../emulator/wrap.ts'

const sizes = { smallest: 10, largest: 40 }
const fitted = (text: string, width: number, height: number) =>
  fitText(measure(text), { width, height }, sizes)

const LONG =
  'Studio packshot of a mug, three-quarter view, before a seamless warm off-white backdrop, all-over in focus. '

describe('a fitted text', () => {
  test('is set at the largest size when it is short', () => {
    expect(fitted('A lamp', 400, 100)).toEqual({ lines: ['A lamp'], fontSize: 40, shown: 1 })
  })

  test('shrinks until it fits, and stays whole', () => {
    const text = 'A brass lamp on an oak table, seen from above, with a long cord.'
    const { lines, fontSize, shown } = fitted(text, 200, 100)
    expect(lines.join(' ')).toBe(text)
    expect(shown).toBe(1)
    expect(fontSize).toBeLessThan(40)
    expect(fontSize).toBeGreaterThan(10)
    expect(lines.length * fontSize * LINE_HEIGHT).toBeLessThanOrEqual(100)
  })

  test('shrinks rather than break a word', () => {
    expect(fitted('Extraordinarily', 120, 100).lines).toEqual(['Extraordinarily'])
  })

  test('keeps its line breaks and runs other white space together', () => {
    expect(fitted(' one  two\t three \n\n four ', 400, 200).lines).toEqual(['one two three', 'four'])
  })

  test.for([
    ['words', 'word '.repeat(5_000)],
    ['one word', 'x'.repeat(5_000)],
    ['signs as wide as they are high', '画'.repeat(5_000)],
  ])('is cut with an ellipsis when there are too many %s', ([, text]) => {
    const { lines, fontSize, shown } = fitted(text!, 200, 100)
    expect(lines).toHaveLength(7)
    expect(lines.at(-1)).toMatch(/[^…]…$/)
    expect(fontSize).toBe(10)
    expect(shown).toBeGreaterThan(0)
    expect(shown).toBeLessThan(0.1)
  })

  test('no line is wider than its box, in boxes of every size', () => {
    for (let width = 40; width < 500; width += 7) {
      const { lines, fontSize } = fitted(LONG.repeat(5), width, 120)
      for (const line of lines) expect(widthOf(line) * fontSize).toBeLessThanOrEqual(width + 0.001)
    }
  })

  test('an ellipsis stands after a whole word, in boxes of every size', () => {
    const text = LONG.repeat(12).trim()
    const words = new Set(text.split(' ').map((word) => word.replace(/[,.]$/, '')))
    for (let width = 110; width < 500; width += 3) {
      const { lines } = fitted(text, width, 90)
      const last = lines.join(' ').replace(/- /g, '-').split(' ').at(-1)!
      expect(last).toMatch(/…$/)
      expect(words).toContain(last.slice(0, -1))
    }
  })

  test('a word breaks after its hyphen, and no space is put there', () => {
    const { lines } = fitText(
      measure('a three-quarter view'),
      { width: 80, height: 80 },
      { smallest: 12, largest: 12.1 },
    )
    expect(lines).toEqual(['a three-', 'quarter view'])
  })

  test('a hundred thousand characters are not measured to their end', () => {
    const { characters, paragraphs } = measure('word '.repeat(20_000))
    expect(characters).toBe(99_999)
    expect(paragraphs.flat().length).toBeLessThan(3_000)
  })
})

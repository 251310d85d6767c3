// How a problem is printed: the caret stands under its cause whatever the line holds, and the line cannot move the cursor.
import { expect, test } from 'vitest'
import { renderProblems } from '../../../runner/manifest/frames.ts'
import type { Diagnostic } from '../../../runner/manifest/problems.ts'
import { problems } from './fixture.ts'

const at = (line: number, column: number, width: number, more: Partial<Diagnostic> = {}): Diagnostic => ({
  file: 'c.yaml',
  line,
  column,
  width,
  path: 'items.a',
  message: 'is wrong',
  severity: 'error',
  ...more,
})
const frame = (source: string, ...found: Diagnostic[]) => renderProblems(found, source, { color: false })

test('a problem is a head, its line, and a caret with the hint', () => {
  const found = at(2, 3, 5, { hint: 'do better' })
  expect(frame('items:\n  promt: x\n', found)).toMatchInlineSnapshot(`
    "c.yaml:2:3  items.a – is wrong
    > 2 |   promt: x
        |   ^^^^^ do better
    1 problem. Nothing was sent."
  `)
})

test('wide characters take two columns', () => {
  expect(frame('茶道: promt', at(1, 5, 5))).toMatchInlineSnapshot(`
    "c.yaml:1:5  items.a – is wrong
    > 1 | 茶道: promt
        |       ^^^^^
    1 problem. Nothing was sent."
  `)
})

test('tabs and control characters cannot move anything', () => {
  const source = '\ta: \u001b[31mred\r\n'
  expect(frame(source, at(1, 5, 3, { message: 'bad \u0007' }))).toMatchInlineSnapshot(`
    "c.yaml:1:5  items.a – bad ·
    > 1 |  a: ·[31mred
        |     ^^^
    1 problem. Nothing was sent."
  `)
})

test('a long line is cut around its cause', () => {
  const line = `a: ${'x'.repeat(200)} HERE ${'y'.repeat(200)}`
  expect(frame(line, at(1, line.indexOf('HERE') + 1, 4))).toMatchInlineSnapshot(`
    "c.yaml:1:205  items.a – is wrong
    > 1 | …xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx HERE yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy…
        |                                                              ^^^^
    1 problem. Nothing was sent."
  `)
})

test('a place without a line keeps its hint', () => {
  expect(frame('', at(1, 1, 1, { path: '', hint: 'name the file' }))).toMatchInlineSnapshot(`
    "c.yaml:1:1  is wrong
        name the file
    1 problem. Nothing was sent."
  `)
})

test('colours mark place, gutter and caret, and say nothing more', () => {
  const source = 'a: b\nc: d\n'
  const found = [at(1, 4, 1), at(2, 4, 1, { severity: 'warning' })]
  const coloured = renderProblems(found, source, { color: true })
  expect(coloured).toContain('\u001b[31m^\u001b[0m')
  expect(coloured).toContain('\u001b[33m^\u001b[0m')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape sequences are what is taken away
  expect(coloured.replace(/\u001b\[\d+m/g, '')).toBe(renderProblems(found, source, { color: false }))
})

test.for([
  [0, 0, '0 problems.'],
  [1, 0, '1 problem. Nothing was sent.'],
  [2, 1, '2 problems, 1 warning. Nothing was sent.'],
  [0, 2, '2 warnings.'],
] as const)('%i errors and %i warnings end in a sum', ([errors, warnings, sum]) => {
  const found = [
    ...Array.from({ length: errors }, () => at(1, 1, 1)),
    ...Array.from({ length: warnings }, () => at(1, 1, 1, { severity: 'warning' })),
  ]
  expect(
    frame('x', ...found)
      .split('\n')
      .at(-1),
  ).toBe(sum)
})

test('the caret stands under the value in a flow map far to the right', async () => {
  const lines = (await problems('items: { a: { prompt: x, model: nano-banana, size: 4K } }')).split('\n')
  const column = lines[1]!.indexOf('4K')
  expect(lines[2]!.slice(column, column + 3)).toBe('^^')
})

// How a problem is printed: the caret stands under its cause whatever the line holds, and the line cannot move the cursor.
import { expect, test } from 'vitest'
import { diagnosticsJson, renderProblems } from '../../../runner/manifest/frames.ts'
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
// The problems with the lines of a source that they point at.
const within = (source: string, found: readonly Diagnostic[]) => {
  const lines = source.split(/\r?\n/)
  return found.map((each) => ({ ...each, text: lines[each.line - 1] ?? '' }))
}
const frame = (source: string, ...found: Diagnostic[]) =>
  renderProblems(within(source, found), { color: false })

test('a problem is a head, its line, and a caret with the hint', () => {
  const found = at(2, 3, 5, { hint: 'do better' })
  expect(frame('items:\n  promt: x\n', found)).toMatchInlineSnapshot(`
    "c.yaml:2:3  items.a – is wrong
    > 2 |   promt: x
        |   ^^^^^ do better
    1 problem. Nothing was sent."
  `)
})

test.for([
  ['./tables/p.csv', 'tables/p.csv:1:2'],
  ['.//p.csv', 'p.csv:1:2'],
  ['../p.csv', '../p.csv:1:2'],
  ['/shop/p.csv', '/shop/p.csv:1:2'],
  ['.hidden.yaml', '.hidden.yaml:1:2'],
] as const)('the file %s is headed %s', ([file, head]) => {
  expect(frame('abc', at(1, 2, 1, { file })).split('  ')[0]).toBe(head)
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
  const coloured = renderProblems(within(source, found), { color: true })
  expect(coloured).toContain('\u001b[31m^\u001b[0m')
  expect(coloured).toContain('\u001b[33m^\u001b[0m')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape sequences are what is taken away
  expect(coloured.replace(/\u001b\[\d+m/g, '')).toBe(frame(source, ...found))
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

test('what the names in the line stand for is said below it', () => {
  const values = [
    { name: 'product', value: 'ff-101 (row 2 of products.csv)' },
    { name: 'light', value: `soft\n${'x'.repeat(200)}` },
  ]
  expect(frame('from: ${product}', at(1, 7, 10, { hint: 'closest: ff-1', values }))).toMatchInlineSnapshot(`
    "c.yaml:1:7  items.a – is wrong
    > 1 | from: \${product}
        |       ^^^^^^^^^^ closest: ff-1
        | product = ff-101 (row 2 of products.csv)
        | light = soft·xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…
    1 problem. Nothing was sent."
  `)
})

test('a flag is shown as it was written, without a number of its line', () => {
  const flag = at(1, 12, 2, { file: '--set size=9K', text: '--set size=9K', path: 'size' })
  expect(renderProblems([flag], { color: false })).toMatchInlineSnapshot(`
    "--set size=9K  size – is wrong
    > 1 | --set size=9K
        |            ^^
    1 problem. Nothing was sent."
  `)
})

test('of very many problems the first hundred are shown, and all are counted', () => {
  const found = Array.from({ length: 250 }, (_, index) => at(index + 1, 1, 1))
  const lines = renderProblems(found, { color: false }).split('\n')
  expect(lines).toHaveLength(102)
  expect(lines.slice(-2)).toEqual(['… and 150 more', '250 problems. Nothing was sent.'])
})

test('as JSON a problem has its place, its words and its line', () => {
  const values = [{ name: 'product', value: 'ff-101' }]
  const found = [
    at(2, 3, 5, { hint: 'do better', text: '  promt: x', values }),
    at(1, 1, 1, { severity: 'warning', path: '', text: 'x'.repeat(500) }),
  ]
  expect(diagnosticsJson(found)).toEqual({
    format: 'proofsheet-problems',
    version: 1,
    problems: [
      {
        file: 'c.yaml',
        line: 2,
        column: 3,
        endColumn: 8,
        path: 'items.a',
        severity: 'error',
        message: 'is wrong',
        hint: 'do better',
        values,
        snippet: '  promt: x',
      },
      {
        file: 'c.yaml',
        line: 1,
        column: 1,
        endColumn: 2,
        path: '',
        severity: 'warning',
        message: 'is wrong',
        hint: null,
        values: [],
        snippet: null,
      },
    ],
  })
})

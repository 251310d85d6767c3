// Findings become diagnostics: merged by cause, placed in the file they are in, explained once.
import { expect, test } from 'vitest'
import { Lines, plainFile } from '../../../runner/manifest/lines.ts'
import { type Finding, Findings, printPath, SourceFile } from '../../../runner/manifest/problems.ts'

const manifest = new SourceFile(
  'catalog.yaml',
  () => ({ line: 9, column: 1, width: 1 }),
  () => 'items:',
)
const prompt = plainFile('prompt.md', 'A ${lamp}\nby ${brnd}')
const diagnostics = (...found: Finding[]) => {
  const findings = new Findings()
  for (const each of found) findings.add(each)
  return findings.diagnostics(manifest)
}

test('a path that begins with a file is placed in that file, and says only what comes after it', () => {
  const [found] = diagnostics({ at: [prompt, 'x'], within: '${brnd}', message: 'm' })
  expect(found).toEqual({
    file: 'prompt.md',
    line: 2,
    column: 4,
    width: 7,
    path: 'x',
    message: 'm',
    severity: 'error',
    text: 'by ${brnd}',
  })
})

test('the manifest comes first, then file by file, each by line and column', () => {
  const a = plainFile('a.csv', 'x y\nz')
  const told = diagnostics(
    { at: [prompt], within: 'by', message: '5' },
    { at: [a], within: 'z', message: '4' },
    { at: [a], within: 'y', message: '3' },
    { at: [a], within: 'x', message: '2' },
    { at: ['items'], message: '1' },
  )
  expect(told.map(({ message }) => message)).toEqual(['1', '2', '3', '4', '5'])
})

test('two findings are one problem only in one file', () => {
  const again = plainFile('prompt.md', 'A ${lamp}')
  const other = plainFile('other.md', 'A ${lamp}')
  const found = [prompt, again, other].map((file) => ({ at: [file], message: 'm' }))
  expect(diagnostics(...found).map(({ file }) => file)).toEqual(['other.md', 'prompt.md'])
})

test('a key that is called like a file is no file', () => {
  expect(diagnostics({ at: [prompt], message: 'm' }, { at: ['prompt.md'], message: 'm' })).toHaveLength(2)
})

test('a finding may say its place itself', () => {
  const place = { line: 2, column: 1, width: 2 }
  expect(diagnostics({ at: [prompt], place, message: 'm' })).toMatchObject([{ ...place, text: 'by ${brnd}' }])
})

test('a problem is explained once, whatever the number of its cells', () => {
  const findings = new Findings()
  for (const item of ['a/1', 'a/2', 'a/3']) findings.add({ at: ['items', 'a'], message: 'm', item })
  const asked: (string | undefined)[] = []
  const told = findings.diagnostics(manifest, ({ item }) => {
    asked.push(item)
    return [{ name: 'product', value: '1' }]
  })
  expect(asked).toEqual(['a/1'])
  expect(told).toMatchObject([
    { message: 'm (in a/1 and 2 more)', values: [{ name: 'product', value: '1' }] },
  ])
})

test('a path is written as people write it, without the row of a table', () => {
  expect(printPath(['items', 'a b', 'refs', 0, 'from'])).toBe('items."a b".refs[0].from')
  expect(printPath([prompt, 12, 'sku'])).toBe('sku')
  expect(printPath([prompt, 'ff-1', 'sku'])).toBe('ff-1.sku')
})

test.for([
  [0, 1, { line: 1, column: 1, width: 1 }],
  [2, 4, { line: 1, column: 3, width: 1 }],
  [5, 7, { line: 2, column: 1, width: 2 }],
  [8, 8, { line: 3, column: 1, width: 1 }],
] as const)('offsets %i to %i are a place that stays on its line', ([from, to, place]) => {
  expect(new Lines('abc\r\nde\n').place(from, to)).toEqual(place)
})

test('a line is without its end, and past the last there is none', () => {
  const lines = new Lines('abc\r\nde\n')
  expect([0, 1, 2, 3, 4].map(lines.at)).toEqual([undefined, 'abc', 'de', '', undefined])
})

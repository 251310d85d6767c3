// Tables: what is read from each kind of file, and what a person reads when it cannot be.
import { expect, test } from 'vitest'
import { renderProblems } from '../../../runner/manifest/frames.ts'
import { Findings } from '../../../runner/manifest/problems.ts'
import { columnOf, type Row, readTable } from '../../../runner/manifest/tables.ts'

const plainRow = ({ line, number, id, fields }: Row) => ({
  line,
  number,
  ...(id === undefined ? {} : { id }),
  ...Object.fromEntries([...fields].map(([name, value]) => [name, 'scalar' in value ? value.scalar : '…'])),
})
const rows = (name: string, text: string) => readTable(name, text).rows.map(plainRow)

const told = (name: string, text: string) => {
  const { file, problems, rows } = readTable(name, text)
  if (problems.length > 0) expect(rows).toEqual([])
  const findings = new Findings()
  for (const problem of problems) findings.add(problem)
  return renderProblems(findings.diagnostics(file), { color: false })
}

test.for([
  ['comma', ','],
  ['semicolon', ';'],
  ['tab', '\t'],
] as const)('a %s parts the fields where the header has most of it', ([, sign]) => {
  const text = ['sku|name', 'ff-1|"Oak, pale; new\ttall"'].join('\n').replaceAll('|', sign)
  expect(rows('a.csv', text)).toEqual([{ line: 2, number: 2, sku: 'ff-1', name: 'Oak, pale; new\ttall' }])
})

test('what is in quotes is not counted for the delimiter', () => {
  expect(rows('a.csv', '"size; in; cm",name\n1,a\n')).toEqual([
    { line: 2, number: 2, size_in_cm: '1', name: 'a' },
  ])
})

test('CSV as spreadsheets write it: byte order mark, quotes, lines in fields, empty rows and columns', () => {
  const text =
    '\uFEFFsku;name ; Price (EUR);;\r\n0012;"The ""big""\r\nlamp"; 1,10;;\r\n;;;;\r\n\r\nff-2; "Mug" ;;;\r\n'
  expect(rows('a.csv', text)).toEqual([
    { line: 2, number: 2, sku: '0012', name: 'The "big"\nlamp', Price_EUR: '1,10' },
    { line: 6, number: 5, sku: 'ff-2', name: 'Mug', Price_EUR: '' },
  ])
})

test('a row of JSON Lines is a line; null is empty text, a missing name is missing', () => {
  expect(rows('a.jsonl', '{"sku":"a","n":1.5,"x":null}\r\n\n{"sku":"b","x":[1],"y":true}')).toEqual([
    { line: 1, number: 1, sku: 'a', n: 1.5, x: '' },
    { line: 3, number: 3, sku: 'b', x: '…', y: true },
  ])
})

test.for([
  ['a.json', '[\n{"sku": "a", "n": 1},\n\n{"sku": "b"}]', 1],
  ['a.yaml', '\n- { sku: a, n: 1 }\n\n- sku: b', '1'],
] as const)('%s may be a list of maps', ([name, text, n]) => {
  expect(rows(name, text)).toEqual([
    { line: 2, number: 1, sku: 'a', n },
    { line: 4, number: 2, sku: 'b' },
  ])
})

test.for([
  ['a.json', '{"b":\n {"n": "x"}, "7":\n {"n": "y"}, "3": {"n": "z"}}'],
  ['a.yml', 'b:\n  n: x\n7: { n: y }\n3: { n: z }'],
] as const)('%s may be a map of id → map, in the order of the file', ([name, text]) => {
  expect(rows(name, text)).toMatchObject([
    { id: 'b', number: 1, n: 'x' },
    { id: '7', number: 2, n: 'y' },
    { id: '3', number: 3, n: 'z' },
  ])
})

test('what is written in YAML is the text: zeros, words and dates stay', () => {
  const text = '- { sku: 0042, price: 1.10, on: no, day: 2026-11-21, sum: 1e3, none: ~, empty: }'
  expect(rows('a.yaml', text)).toMatchObject([
    { sku: '0042', price: '1.10', on: 'no', day: '2026-11-21', sum: '1e3', none: '', empty: '' },
  ])
})

test.for([
  ['a.csv', 'sku\nx'],
  ['a.jsonl', '{"sku":"x"}'],
  ['a.json', '[{"sku":"x"}]'],
  ['a.yaml', '- sku: x'],
] as const)('a byte order mark is no part of %s', ([name, text]) => {
  const table = readTable(name, `\uFEFF${text}`)
  expect(table.columns.map(({ written }) => written)).toEqual(['sku'])
  expect(table.rows.map(plainRow)).toMatchObject([{ sku: 'x' }])
})

test('a column is found by its header and by its name in templates', () => {
  const table = readTable('a.csv', 'sku,Price (EUR)\na,1')
  expect(columnOf(table, 'Price (EUR)')?.name).toBe('Price_EUR')
  expect(columnOf(table, 'Price_EUR')?.written).toBe('Price (EUR)')
  expect(columnOf(table, 'price')).toBeUndefined()
})

const marked = (name: string, text: string, column: string) => {
  const table = readTable(name, text)
  const findings = new Findings()
  for (const { fields } of table.rows) findings.add({ at: fields.get(column)!.at, message: 'here' })
  return findings
    .diagnostics(table.file)
    .map(({ line, column, width, path, text = '' }) => [line, text.substr(column - 1, width), path])
}

test.for([
  [
    'a.csv',
    'sku,a b,c\nx,"1, ""2""",3\n\n"y\ny", 44 ,5\n',
    [
      [2, '"1, ""2"""', '"a b"'],
      [5, '44', '"a b"'],
    ],
  ],
  [
    'a.jsonl',
    '{"s":"}\\"","a b":[1, 2]}\n\n{"a b" : "x" }',
    [
      [1, '[1, 2]', '"a b"'],
      [3, '"x"', '"a b"'],
    ],
  ],
  [
    'a.json',
    '[{"s":{"a b":1},"a b":{"x":[]}},\n {"a b":true}]',
    [
      [1, '{"x":[]}', '"a b"'],
      [2, 'true', '"a b"'],
    ],
  ],
  [
    'a.json',
    '{"p":{"a\\u0020b":1},"q":\n{"a b":22}}',
    [
      [1, '1', 'p."a b"'],
      [2, '22', 'q."a b"'],
    ],
  ],
  [
    'a.yaml',
    '- { a b: 1 }\n- s: 1\n  a b: "22"\n',
    [
      [1, '1', '"a b"'],
      [3, '"22"', '"a b"'],
    ],
  ],
] as const)('a field of %s is known by its line and column', ([name, text, places]) => {
  expect(marked(name, text, 'a_b')).toEqual(places)
})

test('a row that has more or fewer fields than the header is shown', () => {
  expect(told('a.csv', 'sku,name\nff-1,a\nff-2\nff-3,b,c\nff-4,d,\n')).toMatchInlineSnapshot(`
    "a.csv:3:1  has 1 field; the header has 2
    > 3 | ff-2
        | ^^^^ an empty field still needs its \`,\`
    a.csv:4:1  has 3 fields; the header has 2
    > 4 | ff-3,b,c
        | ^^^^^^^^ text with a \`,\` in it needs quotes around it
    2 problems. Nothing was sent."
  `)
})

test('of many rows that do not fit, ten are shown and the others counted', () => {
  const lines = told('a.csv', `sku;name\n${'x\n'.repeat(30)}`).split('\n')
  expect(lines.filter((line) => line.startsWith('a.csv:'))).toHaveLength(10)
  expect(lines.at(-2)).toBe('     | ^ an empty field still needs its `;`; and 20 more rows')
})

test.for([
  [
    'that is not closed',
    'sku,name\nff-1,"a\nff-2,b\n',
    'a.csv:2:6  the quote that begins here is not closed',
  ],
  ['inside text', 'sku,name\n\nff-1,12" lamp\n', 'a.csv:3:8  a quote in the middle of a field'],
  ['inside quotes', 'sku,name\n"a\nb","12" lamp"\n', 'a.csv:3:7  a quote in the middle of a field'],
  [
    'that is not closed in the header',
    'sku,"name\nff-1,b\n',
    'a.csv:1:5  the quote that begins here is not closed',
  ],
] as const)('a quote %s is shown where it is', ([, text, head]) => {
  expect(told('a.csv', text).split('\n')[0]).toBe(head)
})

test('every line that is no JSON is shown where it breaks off, ten of them at most', () => {
  expect(told('a.jsonl', '{"a":1}\n{"a"\n{a: 1}\n{"a":1,}\n{"a":tru}\n')).toMatchInlineSnapshot(`
    "a.jsonl:2:5  is not JSON: \`:\` belongs here
    > 2 | {"a"
        |     ^
    a.jsonl:3:2  is not JSON: a key in "…" or \`}\` belongs here
    > 3 | {a: 1}
        |  ^
    a.jsonl:4:8  is not JSON: a key in "…" belongs here
    > 4 | {"a":1,}
        |        ^
    a.jsonl:5:6  is not JSON: a value belongs here
    > 5 | {"a":tru}
        |      ^
    4 problems. Nothing was sent."
  `)
  const mixed = told('a.jsonl', '{"a":1}\n{"a"\n[1]\n{"a":2}\n5\n{a\n').split('\n')
  expect(mixed.filter((line) => line.startsWith('a.jsonl:'))).toEqual([
    'a.jsonl:2:5  is not JSON: `:` belongs here',
    'a.jsonl:3:1  is no row',
    'a.jsonl:5:1  is no row',
    'a.jsonl:6:2  is not JSON: a key in "…" or `}` belongs here',
  ])
  const many = told('a.jsonl', '{"a"\n'.repeat(12)).split('\n')
  expect(many.filter((line) => line.startsWith('a.jsonl:'))).toHaveLength(10)
  expect(many.at(-2)).toContain('and 2 more rows')
})

test.for([
  ['a.json', '[1', '1:3  is not JSON: `,` or `]` belongs here'],
  ['a.json', '{"a":\n{"b" 1}}', '2:6  is not JSON: `:` belongs here'],
  ['a.json', '[{"a":"x\ny"}]', '1:7  is not JSON: a text that is closed on its line belongs here'],
  ['a.json', '[{}] x', '1:6  is not JSON: the end belongs here'],
  ['a.json', '[{}],', '1:5  is not JSON: the end belongs here'],
  ['a.json', '[{"a":01}]', '1:8  is not JSON: `,` or `}` belongs here'],
  ['a.json', '[{"a":1},]', '1:10  is not JSON: a value belongs here'],
  ['a.json', '[}', '1:2  is not JSON: a value or `]` belongs here'],
  ['a.json', '{"a":1]', '1:7  is not JSON: `,` or `}` belongs here'],
  ['a.json', '"x"', '1:1  is no table'],
  ['a.json', '[{"a":1},\n 5]', '2:2  is no row'],
  ['a.json', '{"a":{"b":1},\n "c":5}', '2:6  c – is no row'],
  ['a.jsonl', '{"a":1}\n[1]', '2:1  is no row'],
  ['a.yaml', '- x', '1:3  is no row'],
  ['a.yaml', 'a: { b: 1', '1:4  `{` is not closed'],
  ['a.yaml', 'a: { b: 1, b: 2 }', '1:12  `b` is already in line 1'],
  ['a.yaml', '# nothing', '1:1  the table is empty'],
  ['a.json', '[]', '1:1  the table is empty'],
  ['a.json', ' \n', '1:1  the table is empty'],
  ['a.csv', '', '1:1  the table is empty'],
  ['a.csv', 'sku,name\n', '1:1  has a header and no rows'],
  ['a.csv', 'sku,name\n,\n', '1:1  has a header and no rows'],
  ['a.csv', 'sku,name,sku\n1,2,3', '1:10  sku – two columns are called `sku`'],
  ['a.csv', 'a b,x,a/b\n1,2,3', '1:7  "a/b" – the columns `a b` and `a/b` are both `a_b` in a template'],
  ['a.csv', 'a,,b\n1,2,3', '1:3  "" – column 2 has no name that a template could use'],
  [
    'a.json',
    '[{"a b":1},\n {"a,b":2}]',
    '2:3  "a,b" – the columns `a b` and `a,b` are both `a_b` in a template',
  ],
  ['a.xlsx', 'x', '1:1  is no table, by its name'],
] as const)('%s with %j is told as %s', ([name, text, head]) => {
  expect(told(name, text).split('\n')[0]).toBe(`${name}:${head}`)
})

// Each takes less than a second on an idle machine (2 cores, 2026-11).
const MOMENT_MS = 2000

// Time of the processor: of the wall's, machines with other work take more.
const clock = () => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

test.for([
  ['rows without end', 'a.csv', `a,b\n${'1,2\n'.repeat(200_001)}`, 'has more than 200000 rows'],
  ['lines without end', 'a.jsonl', '{"a":1}\n'.repeat(200_001), 'has more than 200000 rows'],
  ['columns without end', 'a.csv', ','.repeat(20_000_000), 'has more than 1000 columns'],
  [
    'keys without end',
    'a.json',
    JSON.stringify(
      Array.from({ length: 300 }, (_, row) => ({
        [`a${row}`]: 1,
        [`b${row}`]: 1,
        [`c${row}`]: 1,
        [`d${row}`]: 1,
      })),
    ),
    'has more than 1000 columns',
  ],
  ['a row without end', 'a.csv', `a,b\n${'x,'.repeat(10_000_000)}`, 'this row is longer than 1 MiB'],
  [
    'a quote without end',
    'a.csv',
    `a,b\n"${'x,y\n'.repeat(5_000_000)}`,
    'the quote that begins here is not closed',
  ],
  ['nothing but rows that do not fit', 'a.csv', `a,b\n${'1\n'.repeat(100_000)}`, '99990 more rows'],
  ['nothing but broken lines', 'a.jsonl', '{"a"\n'.repeat(100_000), '99990 more rows'],
  ['lists in lists', 'a.json', '['.repeat(5_000_000), 'is nested too deeply'],
  ['maps in maps', 'a.json', `[${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}]`, 'is nested too deeply'],
  ['lists in lists in YAML', 'a.yaml', '['.repeat(50_000), 'is nested too deeply'],
  [
    'many maps in YAML',
    'a.yaml',
    'a: {}\n'.repeat(200_000),
    'the table has more than 500000 words and signs',
  ],
  ['a large YAML', 'a.yaml', `a: ${'x'.repeat(8 * 1024 * 1024)}`, 'the table is larger than 8 MiB'],
] as const)('%s is refused in a moment', ([, name, text, words]) => {
  const start = clock()
  expect(told(name, text)).toContain(words)
  expect(clock() - start).toBeLessThan(MOMENT_MS)
})

// 0.4 s and 120 MB on an idle machine.
test('a hundred thousand rows are read in a moment', () => {
  const line = (index: number) =>
    `ff-${index};"Lamp, ""no"" ${index}";lamp;${index / 100};some words about it;x;y\n`
  const text = `sku;name;kind;price;about;a;b\n${Array.from({ length: 100_000 }, (_, index) => line(index)).join('')}`
  const start = clock()
  const table = readTable('a.csv', text)
  expect(clock() - start).toBeLessThan(MOMENT_MS)
  expect(table.rows.map(plainRow).at(-1)).toMatchObject({ line: 100_001, number: 100_001, sku: 'ff-99999' })
})

// Cells of tables that are empty where a text uses them.
import { expect, test } from 'vitest'
import { type Disk, load, png, problems } from './fixture.ts'

const CSV = ['sku,Farbe,kind', 'a,red,x', 'b,,x', 'c,,y', 'd,,y', 'e,,y', 'f,blue,y'].join('\n')
const DISK: Disk = {
  'p.csv': CSV,
  'one.csv': 'sku,Farbe\na,red\nb,\n',
  'red.png': png,
  'x.md': 'in ${p.Farbe}',
}
const warnings = async (rest: string, disk: Disk = {}) => {
  const { diagnostics, manifest } = await load(`defaults: { model: nano-banana-2 }\n${rest}`, {
    ...DISK,
    ...disk,
  })
  expect(manifest).toBeDefined()
  return diagnostics.filter(({ message }) => message.includes(' rows ')).map(({ message }) => message)
}
const item = (fields: string, table = 'p.csv') =>
  `items: { i: { matrix: { p: { table: ${table}, key: sku } }, ${fields} } }`
const FOUR = '4 of 6 rows have no `Farbe`, which items.i.prompt uses: lines 3, 4, 5, …'

test('a column that is empty in some rows is told at the first of them, with what to do', async () => {
  expect(
    await problems(
      `defaults: { model: nano-banana-2 }\n${item('prompt: "${p} ${p.Farbe} ${p.kind}"')}`,
      DISK,
    ),
  ).toBe(`p.csv:3:3  warning: Farbe – 4 of 6 rows have no \`Farbe\`, which items.i.prompt uses: lines 3, 4, 5, …
> 3 | b,,x
    |   ^ fill in what is missing, or leave such rows out: skip: [{ p.Farbe: "" }]
1 warning.`)
})

test.for([
  ['the prompt', 'prompt: "${p.Farbe} ${p}"', '', [FOUR]],
  ['a var that the prompt uses', 'prompt: "${light} ${p}"', 'vars: { light: "${p.Farbe}" }\n', [FOUR]],
  [
    'vars that use each other',
    'prompt: "${a.b} ${p}"',
    'vars: { a: { b: "${c}" }, c: "${p.Farbe}" }\n',
    [FOUR],
  ],
  ['the file of the prompt', 'prompt: "file:./x.md", seed: "1"', '', [FOUR]],
  ['the system prompt', 'prompt: "${p}", system: "in ${p.Farbe}"', '', [FOUR.replace('prompt', 'system')]],
  [
    'a reference',
    'prompt: "${p}", refs: [{ image: "./r*${p.Farbe}.png", optional: true }]',
    '',
    [FOUR.replace('prompt', 'refs')],
  ],
  ['prompt and system prompt, once', 'prompt: "${p.Farbe} ${p}", system: "in ${p.Farbe}"', '', [FOUR]],
  ['no text that makes the picture', 'prompt: "${p}", metadata: { colour: "${p.Farbe}" }', '', []],
  ['an axis that hides a var of its name', 'prompt: "${p}"', 'vars: { p: "${p.Farbe}" }\n', []],
] as const)('it is used by %s', async ([, fields, vars, expected]) =>
  expect(await warnings(vars + item(fields))).toEqual(expected),
)

test.for([
  [
    'rows that are left out are not counted',
    `${item('skip: [{ p.Farbe: "" }], prompt: "${p.Farbe} ${p}"')}`,
    [],
  ],
  [
    'a row is counted once, however many cells it has',
    'items: { i: { matrix: { p: { table: one.csv, key: sku }, s: [k, l] }, prompt: "${p.Farbe} ${p} ${s}" } }',
    ['1 of 2 rows has no `Farbe`, which items.i.prompt uses: line 3'],
  ],
  [
    'each item is told of its own',
    `${item('prompt: "${p.Farbe} ${p}"', 'one.csv').slice(0, -2)}, j: { matrix: { p: { table: one.csv, key: sku } }, prompt: "in \${p.Farbe} \${p}" } }`,
    [
      '1 of 2 rows has no `Farbe`, which items.i.prompt uses: line 3',
      '1 of 2 rows has no `Farbe`, which items.j.prompt uses: line 3',
    ],
  ],
  [
    'only the rows are counted whose cells use it',
    `${item('prompt: "${p}"', 'one.csv')}\noverrides: { i/a: { prompt: "\${p.Farbe}" } }`,
    [],
  ],
] as const)('%s', async ([, yaml, expected]) => expect(await warnings(yaml)).toEqual(expected))

test('an empty value that the manifest lists itself was meant', async () => {
  const yaml = 'items: { i: { matrix: { s: { a: { w: "" }, b: { w: x } } }, prompt: "${s.w} ${s}" } }'
  expect(await warnings(yaml)).toEqual([])
})

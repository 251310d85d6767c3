// Axes from tables and files, and cells that are left out.
import { expect, test } from 'vitest'
import { type Disk, items, load, png, problems } from './fixture.ts'

const MODEL = 'defaults: { model: nano-banana-2, prompt: x }\n'
const DISK: Disk = {
  'p.csv': 'sku,name,kind\nff-101,Mug,cup\nff 102,"Rug, long",rug\n',
  'p.jsonl': '{"sku":"a","n":2,"tags":["x"]}\n{"sku":"b","n":3}\n',
  'map.yaml': 'kitchen: { place: pale oak }\nhall: { place: stone }\n',
  'photos/a/front.jpg': png,
  'photos/a/top.png': png,
  'photos/b.jpg': png,
}
const pairs = async (yaml: string) =>
  (await items(MODEL + yaml, DISK)).map(({ id, prompt }) => `${id}: ${prompt}`)

test.for([
  [
    'a row of a table is one value: its key is the part of the id, its columns are fields',
    'items: { i: { matrix: { p: { table: ./p.csv, key: sku } }, prompt: "${p} ${p.sku} ${p.name} ${p.kind}" } }',
    ['i/ff-101: ff-101 ff-101 Mug cup', 'i/ff-102: ff-102 ff 102 Rug, long rug'],
  ],
  [
    'a map of rows needs no key',
    'items: { i: { matrix: { s: { table: map.yaml } }, prompt: "${s} in ${s.place}" } }',
    ['i/kitchen: kitchen in pale oak', 'i/hall: hall in stone'],
  ],
  [
    'nested values may be there as long as nothing uses them',
    'items: { i: { matrix: { p: { table: p.jsonl, key: sku } }, prompt: "${p.n}" } }',
    ['i/a: 2', 'i/b: 3'],
  ],
  [
    'a file is one value: its part of the id is the path below the folder that the pattern names',
    'items: { i: { matrix: { f: { glob: "./photos/**/*.{jpg,png}" } }, prompt: "${f.path} ${f.name} ${f.file} ${f.folder} ${f.ext}" } }',
    [
      'i/a/front: ./photos/a/front.jpg front front.jpg a jpg',
      'i/a/top: ./photos/a/top.png top top.png a png',
      'i/b: ./photos/b.jpg b b.jpg photos jpg',
    ],
  ],
  [
    'a value called table or glob is a value',
    'items: { i: { matrix: { s: { table: oak table, floor: tiles } }, prompt: "${s}" } }',
    ['i/table: oak table', 'i/floor: tiles'],
  ],
] as const)('%s', async ([, yaml, expected]) => expect(await pairs(yaml)).toEqual(expected))

test('text of a table counts as a number where a number belongs', async () => {
  const disk = { 'n.csv': 'k,seed,t,n\na,7,0.5,2\n' }
  const yaml = `${MODEL}items: { i: { matrix: { p: { table: n.csv, key: k } }, seed: "\${p.seed}", temperature: "\${p.t}", samples: "\${p.n}", thinking: { budget: "12" } } }`
  const made = await items(yaml, disk)
  expect(made).toHaveLength(2)
  expect(made[0]?.parameters).toEqual({ seed: 7, temperature: 0.5, thinking: { budget: 12 } })
})

test('the path of a file can be used as a reference', async () => {
  const [item] = await items(
    `${MODEL}items: { i: { matrix: { f: { glob: "photos/*.jpg" } }, refs: ["\${f.path}"] } }`,
    DISK,
  )
  expect(item?.references).toMatchObject([{ shown: './photos/b.jpg', path: '/shop/photos/b.jpg' }])
})

const AXES = 'matrix: { p: { table: ./p.csv, key: sku }, angle: [front, top] }'
test.for([
  ['one name', 'angle: top', ['i/ff-101/front', 'i/ff-102/front']],
  ['a list of values', 'angle: [top, front], p: ff-102', ['i/ff-101/front', 'i/ff-101/top']],
  ['a field', 'p.kind: rug, angle: top', ['i/ff-101/front', 'i/ff-101/top', 'i/ff-102/front']],
] as const)('cells are left out by %s', async ([, entry, expected]) => {
  const made = await items(`${MODEL}items: { i: { ${AXES}, skip: [{ ${entry} }] } }`, DISK)
  expect(made.map(({ id }) => id)).toEqual(expected)
})

test.for([
  ['the id of a value', '{ x: { p: pale oak, q: dark ash } }', '{ x: p }', ['i/q']],
  ['a value', '{ x: { p: pale oak, q: dark ash } }', '{ x: dark ash }', ['i/p']],
  ['two entries at once', '{ x: [p, q], y: [k, l] }', '{ x: p }, { x: p, y: k }', ['i/q/k', 'i/q/l']],
] as const)('a cell is left out by %s', async ([, matrix, entries, expected]) => {
  const made = await items(`${MODEL}items: { i: { matrix: ${matrix}, skip: [${entries}], tags: [x] } }`)
  expect(made.map(({ id }) => id)).toEqual(expected)
})

test('a broken value in a skip is told once, and its item is not known', async () => {
  const yaml = `${MODEL}items: { i: { ${AXES}, skip: [{ angle: { a: 1 } }] }, j: { refs: [{ from: i/x }] } }`
  const { diagnostics } = await load(yaml, DISK)
  expect(diagnostics.map(({ path }) => path)).toEqual(['items.i.skip[0].angle'])
})

test.for([
  [
    'an unknown name',
    '{ angel: top }',
    'no axis and no field of one is called `angel`',
    'did you mean `angle`?',
  ],
  ['nothing', '{ angle: bottom }', 'leaves nothing out: no cell is like this', 'angle is front, top'],
  ['everything', '{ angle: [front, top] }', 'leaves out every cell', 'an item needs at least one'],
] as const)('a skip of %s is an error', async ([, entry, message, hint]) => {
  const { diagnostics } = await load(`${MODEL}items: { i: { ${AXES}, skip: [${entry}] } }`, DISK)
  expect(diagnostics).toHaveLength(1)
  expect(diagnostics[0]).toMatchObject({ message })
  expect(diagnostics[0]?.hint).toBe(hint)
})

test.for([
  ['no file', '{ table: ./q.csv, key: sku }', 'there is no file `./q.csv`'],
  ['no key', '{ table: ./p.csv }', 'has no `key`: the column whose values are parts of the ids'],
  ['another column', '{ table: ./p.csv, key: skuu }', '`./p.csv` has no column `skuu`'],
  ['no such pattern', '{ glob: "./*.gif" }', 'no file matches `./*.gif`'],
  ['a misspelt key', '{ table: ./p.csv, kee: sku }', 'unknown key `kee`'],
] as const)('an axis with %s breaks its item only', async ([, axis, message]) => {
  const yaml = `${MODEL}items:\n  i: { matrix: { p: ${axis} } }\n  j: { refs: [{ from: i/any }, { from: "i/*" }], size: 9K }\noverrides: { i/x: { seed: 1 } }`
  const { diagnostics } = await load(yaml, DISK)
  expect(diagnostics.map((d) => d.message)).toEqual([message, 'there is no size `9K`'])
})

test.for([
  ['the same', 'a\na\n', '`a` is already in line 2', 3],
  [
    'the same but for letters that ids cannot have',
    'a b\na/b\n',
    '`a/b` and `a b` (line 2) are both `a-b` in an id',
    3,
  ],
  ['the same but for case', 'Ab\naB\n', '`aB` and `Ab` (line 2) are both `aB` in an id', 3],
  ['empty', 'a\n" "\n', '`k` is empty', 3],
  ['without a letter', '"***"\n', '`k` is `***`, of which nothing can be part of an id', 2],
] as const)('keys of a table that are %s are told in the table', async ([, rows, message, line]) => {
  const yaml = `${MODEL}items: { i: { matrix: { p: { table: t.csv, key: k } } } }`
  const { diagnostics } = await load(yaml, { 't.csv': `k\n${rows}` })
  expect(diagnostics).toMatchObject([{ file: 't.csv', line, message }])
  expect(diagnostics).toHaveLength(1)
})

test('a table is known by its extension in capitals too', async () => {
  const yaml = `${MODEL}items: { i: { matrix: { p: { table: P.CSV, key: k } }, prompt: "\${p}" } }`
  expect((await items(yaml, { 'P.CSV': 'k\na\n' })).map(({ id }) => id)).toEqual(['i/a'])
})

test('a column is known by its letters, however the file composes them', async () => {
  const yaml = `${MODEL}items: { i: { matrix: { p: { table: p.csv, key: k } }, prompt: "\${p.L\u00e4nge}" } }`
  expect((await items(yaml, { 'p.csv': 'k,La\u0308nge\na,9 cm\n' }))[0]?.prompt).toBe('9 cm')
})

test('a folder of whose name nothing can be part of an id is left out of it', async () => {
  const yaml = `${MODEL}items: { i: { matrix: { f: { glob: "photos/**/*.jpg" } }, prompt: "\${f.path}" } }`
  const made = await items(yaml, { 'photos/!!!/a.jpg': png, 'photos/b/!!!/c.jpg': png })
  expect(made.map(({ id }) => id)).toEqual(['i/a', 'i/b/c'])
})

test('two files with one name but for the extension are told', async () => {
  const { diagnostics } = await load(`${MODEL}items: { i: { matrix: { p: { glob: "*.*g" } } } }`, {
    'a.jpg': png,
    'a.png': png,
  })
  expect(diagnostics).toMatchObject([{ message: '`a.jpg` and `a.png` are both `a` in an id' }])
})

test('a nested value is a problem where it is used', async () => {
  const yaml = `${MODEL}items: { i: { matrix: { p: { table: p.jsonl, key: sku } }, prompt: "\${p.tags}" } }`
  expect((await load(yaml, DISK)).diagnostics[0]).toMatchObject({ message: '`p.tags` is a list (in i/a)' })
})

test('a problem names the row behind the text', async () => {
  expect(
    await problems(
      `${MODEL}items:\n  i:\n    matrix: { p: { table: ./p.csv, key: sku } }\n    refs: ["./\${p.name}-\${p}.jpg"]\n    prompt: \${p.name} \${p.kind}\n`,
      DISK,
    ),
  ).toBe(`catalog.yaml:5:12  items.i.refs[0] – there is no file \`./Mug-ff-101.jpg\` (in i/ff-101 and 1 more)
> 5 |     refs: ["./\${p.name}-\${p}.jpg"]
    |            ^^^^^^^^^^^^^^^^^^^^^^ paths start at the folder of the manifest; also ./Rug, long-ff-102.jpg
    | p.name = Mug (row 2 of p.csv)
    | p = ff-101 (row 2 of p.csv)
1 problem. Nothing was sent.`)
})

test('columns that nothing uses are one warning for each table', async () => {
  const yaml = `${MODEL}items:
  i: { matrix: { p: { table: ./p.csv, key: sku } }, prompt: "\${p}" }
  j: { matrix: { p: { table: p.jsonl, key: sku } }, skip: [{ p.n: 3 }], tags: [x] }
`
  const { diagnostics } = await load(yaml, DISK)
  expect(diagnostics.map(({ file, line, column, message }) => [file, line, column, message])).toEqual([
    ['./p.csv', 1, 5, 'nothing uses the columns `name`, `kind`'],
    ['p.jsonl', 1, expect.any(Number), 'nothing uses the column `tags`'],
  ])
})

test('what a wrong skip leaves over is not known, and nothing in it is called missing', async () => {
  const yaml = `${MODEL}items: { i: { ${AXES}, skip: [{ angle: bottom }] }, j: { refs: [{ from: i/x }] } }`
  expect((await load(yaml, DISK)).diagnostics.map(({ path }) => path)).toEqual(['items.i.skip[0]'])
})

test.for([
  ['{ golb: "./photos/*.jpg" }', 'golb', 'glob'],
  ['{ golb: ./photos/ }', 'golb', 'glob'],
  ['{ tabel: ./p.csv, key: sku }', 'tabel', 'table'],
  ['{ tabel: p, key: sku }', 'tabel', 'table'],
  ['{ csv: ./p.csv }', 'csv', 'table'],
  ['{ table: ./p.csv, kye: sku }', 'kye', 'key'],
  ['{ table: ./p.csv, column: sku }', 'column', 'key'],
] as const)('the axis %s has a key that is misspelt, and is told once', async ([axis, key, meant]) => {
  const { diagnostics } = await load(
    `${MODEL}items: { i: { matrix: { p: ${axis} }, prompt: "\${p}" } }`,
    DISK,
  )
  expect(diagnostics).toMatchObject([
    { message: `unknown key \`${key}\``, hint: `did you mean \`${meant}\`?` },
  ])
})

test.for([
  ['{ glib: a pale oak, kitchen: b }', ['i/glib', 'i/kitchen']],
  ['{ globe: a lamp }', ['i/globe']],
  ['{ key: brass }', ['i/key']],
  ['{ table: of oak, lamp: of brass }', ['i/table', 'i/lamp']],
  ['{ tablet: { file: ./p.csv } }', ['i/tablet']],
] as const)('the axis %s has values of its own', async ([axis, ids]) => {
  const made = await items(`${MODEL}items: { i: { matrix: { p: ${axis} }, prompt: "\${p}" } }`, DISK)
  expect(made.map(({ id }) => id)).toEqual(ids)
})

test('an axis is a table or files, not both', async () => {
  const axis = '{ glob: "./photos/*.jpg", table: ./gone.csv }'
  const { diagnostics } = await load(
    `${MODEL}items: { i: { matrix: { p: ${axis} }, prompt: "\${p}" } }`,
    DISK,
  )
  expect(diagnostics.map(({ path, message }) => [path, message])).toEqual([
    ['items.i.matrix.p', 'has both `table` and `glob`'],
  ])
})

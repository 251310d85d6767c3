// Items, layers, cells, samples and names: what a manifest without problems comes to.
import { expect, test } from 'vitest'
import { items, load, png } from './fixture.ts'

const MODEL = 'defaults: { model: nano-banana-2, prompt: x }\n'
const ids = async (yaml: string) => (await items(yaml)).map(({ id }) => id)

test.for([
  ['an item without a matrix has its own name', 'items: { a: {} }', ['a']],
  [
    'the first axis is the slowest',
    'items: { a: { matrix: { x: [p, q], y: [1, 2] } } }',
    ['a/p/1', 'a/p/2', 'a/q/1', 'a/q/2'],
  ],
  ['axes keep the order of the file', 'items: { a: { matrix: { y: [1, 2], x: [p] } } }', ['a/1/p', 'a/2/p']],
  [
    'a map of values has its keys as ids',
    'items: { a: { matrix: { r: { wide: 16:9, tall: { v: 9:16 }, odd: } } } }',
    ['a/wide', 'a/tall', 'a/odd'],
  ],
  [
    'samples follow their cell',
    'items: { a: { samples: 2, matrix: { x: [p, q] } } }',
    ['a/p', 'a/p#2', 'a/q', 'a/q#2'],
  ],
  ['letters of every script are letters', 'items: { 茶: { matrix: { farbe: [grün] } } }', ['茶/grün']],
  [
    'composed and decomposed letters are one id',
    'items: { a: { matrix: { x: ["u\u0308"] } } }',
    ['a/\u00fc'],
  ],
  [
    'numbers and booleans are written as in YAML 1.2',
    'items: { a: { matrix: { x: [0.5, true, no] } } }',
    ['a/0.5', 'a/true', 'a/no'],
  ],
] as const)('%s', async ([, yaml, expected]) => expect(await ids(MODEL + yaml)).toEqual(expected))

test('an item is found whatever way its letters are composed', async () => {
  const made = await items(`${MODEL}items:\n  "u\u0308": {}\n  b: { refs: [{ from: "u\u0308" }] }\n`)
  expect(made[0]?.id).toBe('\u00fc')
  expect(made[1]?.references).toEqual([{ kind: 'from', item: '\u00fc' }])
})

test('later layers win: defaults, use in order, item', async () => {
  const [item] = await items(`
    defaults: { model: nano-banana-2, size: 1K, aspect: 1:1, seed: 1, temperature: 0.1 }
    presets:
      one: { size: 2K, aspect: 2:3, seed: 2 }
      two: { aspect: 3:2, seed: 3 }
    items: { a: { use: [one, two], seed: 4, prompt: x } }`)
  expect(item).toMatchObject({ size: '2K', aspect: '3:2', parameters: { seed: 4, temperature: 0.1 } })
})

test('maps merge and lists replace', async () => {
  const [item] = await items(
    `
    defaults:
      { model: nano-banana-2, prompt: x, metadata: { a: 1, b: 2 }, thinking: { level: high }, refs: [p.png] }
    items: { a: { metadata: { b: 3, c: true }, thinking: { budget: 9 }, refs: [q.png] } }`,
    { 'p.png': png, 'q.png': png },
  )
  expect(item?.metadata).toEqual({ a: '1', b: '3', c: 'true' })
  expect(item?.parameters.thinking).toEqual({ level: 'high', budget: 9 })
  expect(item?.references).toMatchObject([{ shown: 'q.png' }])
})

test.for([
  ['"..." is the inherited list where it stands', '["q.png", "...", "r.png"]', ['q.png', 'p.png', 'r.png']],
  ['"..." may be used twice', '["...", "..."]', ['p.png', 'p.png']],
  ['an empty list takes all away', '[]', []],
] as const)('%s', async ([, refs, expected]) => {
  const disk = { 'p.png': png, 'q.png': png, 'r.png': png }
  const [item] = await items(
    `${MODEL}presets: { one: { refs: [p.png] } }\nitems: { a: { use: [one], refs: ${refs} } }`,
    disk,
  )
  expect(item?.references.map((r) => 'shown' in r && r.shown)).toEqual(expected)
})

const WORLD = `
  vars: { brand: Fern & Fold, light: "\${mood} light by \${brand}", mood: soft, paint: { wall: white }, hidden: top }
  defaults: { model: nano-banana-2 }
  items:
    a:
      vars: { mood: hard, own: "\${product}!" }
      matrix: { product: { ff-1: { name: Rug, size: 2K } }, angle: [front], hidden: [axis] }
      size: \${product.size}
      seed: \${angle.n}
`
test.for([
  ['a list axis is its value', '${angle}', 'front'],
  ['a map axis is its id', '${product}', 'ff-1'],
  ['a field of a map axis', '${product.name}', 'Rug'],
  ['a var', '${brand}', 'Fern & Fold'],
  ['a field of a var', '${paint.wall}', 'white'],
  [
    "an item's var lies over the one at the top, also inside other vars",
    '${light}',
    'hard light by Fern & Fold',
  ],
  ["an item's var may use an axis", '${own}', 'ff-1!'],
  ['an axis hides a var', '${hidden}', 'axis'],
  ['the id', '${id}', 'a/ff-1/front/axis'],
  ['$${ is a literal', '$${brand} and $5 {x} {{y}}', '${brand} and $5 {x} {{y}}'],
  ['spaces inside the braces do not matter', '${ brand }', 'Fern & Fold'],
] as const)('%s', async ([, prompt, expected]) => {
  const yaml = WORLD.replace(/ {6}seed.*\n/, '').concat(`      prompt: '${prompt}'\n`)
  expect((await items(yaml))[0]).toMatchObject({ prompt: expected, size: '2K' })
})

test('a text that is one placeholder keeps the type of the value', async () => {
  const made = await items(`${MODEL}items: { a: { matrix: { s: [7, 8] }, seed: "\${s}" } }`)
  expect(made.map(({ parameters }) => parameters.seed)).toEqual([7, 8])
})

test('references are counted from 1 in prompt, system and metadata', async () => {
  const [item] = await items(
    `
    refs: { logo: ./brand/logo.png, linen: https://cdn.example.com/linen.jpg }
    defaults: { model: nano-banana-2 }
    items:
      a: { prompt: first }
      b:
        refs: ["@linen", { image: "@logo", as: logo }, { from: a#1, as: before }]
        prompt: \${image.before} with \${image.logo}
        system: See \${image.logo}.
        metadata: { what: "\${image.before}" }`,
    { 'brand/logo.png': png },
  ).then((made) => made.slice(1))
  expect(item).toMatchObject({
    prompt: 'image 3 with image 2',
    parameters: { system: 'See image 2.' },
    metadata: { what: 'image 3' },
    references: [
      { kind: 'url', url: 'https://cdn.example.com/linen.jpg' },
      { kind: 'file', path: '/shop/brand/logo.png', shown: './brand/logo.png', as: 'logo', ...png },
      { kind: 'from', item: 'a#1', as: 'before' },
    ],
  })
})

test('a prompt comes from a file and is rendered, whatever its line ends', async () => {
  const disk = { 'p/front.md': '\uFEFFShow ${angle}.\r\nAnd ${image.i}.\r\n\r\n', 'i.png': png }
  const yaml = `${MODEL}items: { a: { matrix: { angle: [front] }, prompt: "file:./p/\${angle}.md", refs: [{ image: i.png, as: i }] } }`
  expect((await items(yaml, disk))[0]?.prompt).toBe('Show front.\nAnd image 1.')
})

test('only what the manifest says makes a prompt a file', async () => {
  const [item] = await items(`vars: { x: "file:./secret" }\n${MODEL}items: { a: { prompt: "\${x}" } }`)
  expect(item?.prompt).toBe('file:./secret')
})

test.for([
  ['a byte order mark', (yaml: string) => `\uFEFF${yaml}`],
  ['CRLF line ends', (yaml: string) => yaml.replaceAll('\n', '\r\n')],
] as const)('%s changes nothing', async ([, change]) => {
  const yaml = 'defaults:\n  model: nano-banana-2\nitems:\n  a:\n    prompt: |\n      one\n      two\n'
  const [plain, changed] = [await load(yaml), await load(change(yaml))]
  expect(changed.manifest?.items).toEqual(plain.manifest?.items)
  expect(plain.manifest?.items[0]).toMatchObject({ prompt: 'one\ntwo', line: 4 })
})

test('sizes are accepted in every spelling, and unquoted aspects are text', async () => {
  const sizes = ['512', '"512"', '512px', '0.5K', '1k', '"4K"']
  const yaml = sizes.map((size, n) => `  i${n}: { size: ${size}, aspect: 16:9 }\n`).join('')
  const made = await items(`${MODEL}items:\n${yaml}`)
  expect(made.map(({ size }) => size)).toEqual(['512', '512', '512', '512', '1K', '4K'])
  expect(new Set(made.map(({ aspect }) => aspect))).toEqual(new Set(['16:9']))
})

test.for([
  ['a name of its own', 'name: Autumn\n', 'Autumn'],
  ['else the name of the file', '', 'catalog'],
] as const)('a manifest has %s', async ([, head, name]) => {
  expect((await load(`${head}${MODEL}items: { a: {} }`)).manifest).toMatchObject({
    name,
    path: '/shop/catalog.yaml',
  })
})

test.for([
  [
    'equal to the item itself is dropped',
    'provider: apiyi, fallback: [{ model: nano-banana-2, on: [failed] }, { model: gemini-3.1-flash-image, provider: apiyi, on: [failed] }]',
    [],
  ],
  [
    'of the model elsewhere stays',
    'provider: apiyi, fallback: [{ model: nano-banana-2, provider: google, on: [failed] }]',
    [{ model: 'gemini-3.1-flash-image', provider: 'google', on: ['failed'] }],
  ],
  [
    "stays with the item's provider",
    'provider: apiyi, fallback: [{ model: nano-banana-pro, on: [refused] }]',
    [{ model: 'gemini-3-pro-image', provider: 'apiyi', on: ['refused'] }],
  ],
  [
    "goes elsewhere where the item's provider does not sell it",
    'provider: apiyi, fallback: [{ model: nano-banana-2.1, on: [refused] }]',
    [{ model: 'gemini-nano-banana-2.1', on: ['refused'] }],
  ],
  [
    "without a provider is the market's",
    'fallback: [{ model: nano-banana-pro, on: [refused] }]',
    [{ model: 'gemini-3-pro-image', on: ['refused'] }],
  ],
] as const)('a fallback %s', async ([, fields, expected]) => {
  expect((await items(`${MODEL}items: { a: { ${fields} } }`))[0]?.fallback).toEqual(expected)
})

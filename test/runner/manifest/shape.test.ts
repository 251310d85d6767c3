// What a person reads when values have the wrong shape.
import { expect, test } from 'vitest'
import { load, problems } from './fixture.ts'

test('a misspelt key is one problem', async () => {
  expect(
    await problems(`defaults: { model: nano-banana-2 }
items:
  a: { promt: hello }
`),
  ).toMatchInlineSnapshot(`
  "catalog.yaml:3:8  items.a.promt – unknown key \`promt\`
  > 3 |   a: { promt: hello }
      |        ^^^^^ did you mean \`prompt\`?
  1 problem. Nothing was sent."
`)
})

test('a misspelt key inside a reference is one problem', async () => {
  expect(
    await problems(`defaults: { model: nano-banana-2, prompt: x }
items:
  a: { refs: [{ imag: ./a.png }] }
`),
  ).toMatchInlineSnapshot(`
  "catalog.yaml:3:17  items.a.refs[0].imag – unknown key \`imag\`
  > 3 |   a: { refs: [{ imag: ./a.png }] }
      |                 ^^^^ did you mean \`image\`?
  1 problem. Nothing was sent."
`)
})

test('a word of another tool is translated', async () => {
  expect(
    await problems(`defaults: { model: nano-banana-2, prompt: x }
items:
  a: { aspectRatio: 1:1, references: [], n: 2, resolution: 2K }
`),
  ).toMatchInlineSnapshot(`
  "catalog.yaml:3:8  items.a.aspectRatio – unknown key \`aspectRatio\`
  > 3 |   a: { aspectRatio: 1:1, references: [], n: 2, resolution: 2K }
      |        ^^^^^^^^^^^ did you mean \`aspect\`?
  catalog.yaml:3:26  items.a.references – unknown key \`references\`
  > 3 |   a: { aspectRatio: 1:1, references: [], n: 2, resolution: 2K }
      |                          ^^^^^^^^^^ did you mean \`refs\`?
  catalog.yaml:3:42  items.a.n – unknown key \`n\`
  > 3 |   a: { aspectRatio: 1:1, references: [], n: 2, resolution: 2K }
      |                                          ^ did you mean \`samples\`?
  catalog.yaml:3:48  items.a.resolution – unknown key \`resolution\`
  > 3 |   a: { aspectRatio: 1:1, references: [], n: 2, resolution: 2K }
      |                                                ^^^^^^^^^^ did you mean \`size\`?
  4 problems. Nothing was sent."
`)
})

test('a key of items is not taken elsewhere, and a far one lists what is known', async () => {
  expect(
    await problems(`budget: 5
defaults: { matrix: { a: [b] } }
items: { a: { model: nano-banana-2, prompt: x } }
`),
  ).toMatchInlineSnapshot(`
    "catalog.yaml:1:9  budget – must be a map, is 5
    > 1 | budget: 5
        |         ^
    catalog.yaml:2:13  defaults.matrix – unknown key \`matrix\`
    > 2 | defaults: { matrix: { a: [b] } }
        |             ^^^^^^ \`matrix\` belongs to an item
    2 problems. Nothing was sent."
  `)
})

test('a newer version says upgrade and nothing else', async () => {
  expect(
    await problems(`version: 2
foo: bar
items: 5
`),
  ).toMatchInlineSnapshot(`
  "catalog.yaml:1:10  version – this manifest is of version 2; this proofsheet reads version 1
  > 1 | version: 2
      |          ^ upgrade proofsheet
  1 problem. Nothing was sent."
`)
})

test('a version that is none is refused', async () => {
  expect(
    await problems(`version: one
items: { a: { model: nano-banana-2, prompt: x } }
`),
  ).toMatchInlineSnapshot(`
  "catalog.yaml:1:10  version – must be 1, is "one"
  > 1 | version: one
      |          ^^^
  1 problem. Nothing was sent."
`)
})

test('a manifest needs items', async () => {
  expect(
    await problems(`name: x
`),
  ).toMatchInlineSnapshot(`
    "catalog.yaml:1:1  has no \`items\`
    > 1 | name: x
        | ^^^^^^^ \`proofsheet init\` writes an example
    1 problem. Nothing was sent."
  `)
})

test.for(['{}', '{ }'])('items without any are refused: %s', async (none) => {
  expect(await problems(`overrides: { "x/*": { size: 2K } }\nitems: ${none}\n`)).toBe(
    [
      'catalog.yaml:2:1  items – has no items',
      `> 2 | items: ${none}`,
      '    | ^^^^^ `proofsheet init` writes an example',
      '1 problem. Nothing was sent.',
    ].join('\n'),
  )
})

test.for([
  ['HARASSMENT', 'did you mean `HARM_CATEGORY_HARASSMENT`?'],
  ['hate-speech', 'did you mean `HARM_CATEGORY_HATE_SPEECH`?'],
  ['HARM_CATGORY_DANGEROUS_CONTENT', 'did you mean `HARM_CATEGORY_DANGEROUS_CONTENT`?'],
])('the category %s is told which one is near', async ([category, hint]) => {
  const { diagnostics } = await load(
    `defaults: { model: nano-banana-2, prompt: x }\nitems: { a: { safetySettings: [{ category: ${category}, threshold: OFF }] } }`,
  )
  expect(diagnostics).toMatchObject([
    { message: `must be a name such as HARM_CATEGORY_HARASSMENT, is "${category}"`, hint },
  ])
})

test('numbers and text are told apart', async () => {
  expect(
    await problems(`defaults: { model: nano-banana-2, prompt: x }
items:
  a:
    samples: many
    seed: 1.5
    temperature: 7
    topK: 0
    prompt: 5
    size: [1]
    system: ""
`),
  ).toMatchInlineSnapshot(`
  "catalog.yaml:4:14  items.a.samples – must be a whole number, is "many"
  > 4 |     samples: many
      |              ^^^^
  catalog.yaml:5:11  items.a.seed – must be a whole number, is 1.5
  > 5 |     seed: 1.5
      |           ^^^
  catalog.yaml:6:18  items.a.temperature – must be at most 2, is 7
  > 6 |     temperature: 7
      |                  ^
  catalog.yaml:7:11  items.a.topK – must be more than 0, is 0
  > 7 |     topK: 0
      |           ^
  catalog.yaml:8:13  items.a.prompt – must be text, is 5
  > 8 |     prompt: 5
      |             ^
  catalog.yaml:9:5  items.a.size – must be text or a number, is a list
  > 9 |     size: [1]
      |     ^^^^
  catalog.yaml:10:13  items.a.system – is empty
  > 10 |     system: ""
       |             ^^
  7 problems. Nothing was sent."
`)
})

test('lists and maps are told apart', async () => {
  expect(
    await problems(`defaults: { model: nano-banana-2, prompt: x }
items:
  a:
    use: hero
    refs: ./x.png
    matrix: [a, b]
    modalities: [TEXT, SOUND]
    thinking: high
  b: hello
  c:
`),
  ).toMatchInlineSnapshot(`
  "catalog.yaml:4:10  items.a.use – must be a list, is "hero"
  > 4 |     use: hero
      |          ^^^^
  catalog.yaml:5:11  items.a.refs – must be a list, is "./x.png"
  > 5 |     refs: ./x.png
      |           ^^^^^^^
  catalog.yaml:6:5  items.a.matrix – must be a map, is a list
  > 6 |     matrix: [a, b]
      |     ^^^^^^
  catalog.yaml:7:24  items.a.modalities[1] – must be one of IMAGE, TEXT, is "SOUND"
  > 7 |     modalities: [TEXT, SOUND]
      |                        ^^^^^
  catalog.yaml:8:15  items.a.thinking – must be a map, is "high"
  > 8 |     thinking: high
      |               ^^^^
  catalog.yaml:9:6  items.b – must be a map, is "hello"
  > 9 |   b: hello
      |      ^^^^^
  catalog.yaml:10:5  items.c – must be a map, is empty
  > 10 |   c:
       |     ^
  7 problems. Nothing was sent."
`)
})

test('references are told apart by hand', async () => {
  expect(
    await problems(`defaults: { model: nano-banana-2, prompt: x }
items:
  a:
    refs:
      - { image: 5 }
      - { image: a, from: b }
      - {}
      - { from: [x] }
      - 7
      - { image: a.png, as: a b }
`),
  ).toMatchInlineSnapshot(`
    "catalog.yaml:5:18  items.a.refs[0].image – must be text, is 5
    > 5 |       - { image: 5 }
        |                  ^
    catalog.yaml:6:9  items.a.refs[1] – has both \`image\` and \`from\`
    > 6 |       - { image: a, from: b }
        |         ^^^^^^^^^^^^^^^^^^^^^
    catalog.yaml:7:9  items.a.refs[2] – has neither \`image\` nor \`from\`
    > 7 |       - {}
        |         ^^
    catalog.yaml:8:11  items.a.refs[3].from – must be text, is a list
    > 8 |       - { from: [x] }
        |           ^^^^
    catalog.yaml:9:9  items.a.refs[4] – must be a path, an https URL, @name, {image} or {from}, is 7
    > 9 |       - 7
        |         ^
    catalog.yaml:10:29  items.a.refs[5].as – "a b" is not a name: letters, digits, \`_\` and \`-\`, starting with a letter
    > 10 |       - { image: a.png, as: a b }
         |                             ^^^
    6 problems. Nothing was sent."
  `)
})

test('fallbacks are checked field by field', async () => {
  expect(
    await problems(`defaults: { model: nano-banana-2, prompt: x }
items:
  a:
    fallback:
      - { model: x }
      - { model: y, on: [no_imag] }
      - { model: z, on: [] }
      - 5
`),
  ).toMatchInlineSnapshot(`
  "catalog.yaml:5:9  items.a.fallback[0] – has no \`on\`
  > 5 |       - { model: x }
      |         ^^^^^^^^^^^^
  catalog.yaml:6:26  items.a.fallback[1].on[0] – must be one of unavailable, no_image, refused, failed, uncertain, is "no_imag"
  > 6 |       - { model: y, on: [no_imag] }
      |                          ^^^^^^^ did you mean \`no_image\`?
  catalog.yaml:7:21  items.a.fallback[2].on – is an empty list
  > 7 |       - { model: z, on: [] }
      |                     ^^
  catalog.yaml:8:9  items.a.fallback[3] – must be a map, is 5
  > 8 |       - 5
      |         ^
  4 problems. Nothing was sent."
`)
})

test('safety settings, thinking and metadata are checked', async () => {
  expect(
    await problems(`defaults: { model: nano-banana-2, prompt: x }
items:
  a:
    safetySettings: [{ category: X, threshold: OFF }]
    thinking: { level: hihg }
    metadata: { a: [1] }
    modalities: [TEXT]
`),
  ).toMatchInlineSnapshot(`
    "catalog.yaml:4:34  items.a.safetySettings[0].category – must be a name such as HARM_CATEGORY_HARASSMENT, is "X"
    > 4 |     safetySettings: [{ category: X, threshold: OFF }]
        |                                  ^ categories: HARM_CATEGORY_HARASSMENT, HARM_CATEGORY_HATE_SPEECH, HARM_CATEGORY_SEXUALLY_EXPLICIT, HARM_CATEGORY_DANGEROUS_CONTENT
    catalog.yaml:5:24  items.a.thinking.level – must be one of minimal, low, medium, high, is "hihg"
    > 5 |     thinking: { level: hihg }
        |                        ^^^^ did you mean \`high\`?
    catalog.yaml:6:17  items.a.metadata.a – must be text or a number, is a list
    > 6 |     metadata: { a: [1] }
        |                 ^
    catalog.yaml:7:5  items.a.modalities – must include IMAGE
    > 7 |     modalities: [TEXT]
        |     ^^^^^^^^^^
    4 problems. Nothing was sent."
  `)
})

test('names of vars and axes are checked', async () => {
  expect(
    await problems(`defaults: { model: nano-banana-2, prompt: x }
vars: { 1x: a }
`),
  ).toMatchInlineSnapshot(`
    "catalog.yaml:1:1  has no \`items\`
    > 1 | defaults: { model: nano-banana-2, prompt: x }
        | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ \`proofsheet init\` writes an example
    catalog.yaml:2:9  vars.1x – \`1x\` is not a name: letters, digits, \`_\` and \`-\`, starting with a letter
    > 2 | vars: { 1x: a }
        |         ^^
    2 problems. Nothing was sent."
  `)
})

test('axes are checked', async () => {
  expect(
    await problems(`defaults: { model: nano-banana-2, prompt: x }
items:
  a:
    matrix: { a b: [x], c: [], d: 5, e: [[x]], f: { x y: 1 }, g: { h: { i: [1] } }, id: [1] }
`),
  ).toMatchInlineSnapshot(`
    "catalog.yaml:4:15  items.a.matrix."a b" – \`a b\` is not a name: letters, digits, \`_\` and \`-\`, starting with a letter
    > 4 |     matrix: { a b: [x], c: [], d: 5, e: [[x]], f: { x y: 1 }, g: { h: { i: [1] } }, id: [1] }
        |               ^^^
    catalog.yaml:4:25  items.a.matrix.c – is an empty list
    > 4 |     matrix: { a b: [x], c: [], d: 5, e: [[x]], f: { x y: 1 }, g: { h: { i: [1] } }, id: [1] }
        |                         ^
    catalog.yaml:4:35  items.a.matrix.d – must be a list of values, a map of id → value, {table, key} or {glob}, is 5
    > 4 |     matrix: { a b: [x], c: [], d: 5, e: [[x]], f: { x y: 1 }, g: { h: { i: [1] } }, id: [1] }
        |                                   ^
    catalog.yaml:4:42  items.a.matrix.e[0] – must be text or a number, is a list
    > 4 |     matrix: { a b: [x], c: [], d: 5, e: [[x]], f: { x y: 1 }, g: { h: { i: [1] } }, id: [1] }
        |                                          ^^^
    catalog.yaml:4:53  items.a.matrix.f."x y" – \`x y\` cannot be part of an id: letters, digits, \`.\`, \`_\` and \`-\`, not starting with \`.\` or \`-\`, at most 100
    > 4 |     matrix: { a b: [x], c: [], d: 5, e: [[x]], f: { x y: 1 }, g: { h: { i: [1] } }, id: [1] }
        |                                                     ^^^
    catalog.yaml:4:73  items.a.matrix.g.h.i – must be text or a number, is a list
    > 4 | …{ a b: [x], c: [], d: 5, e: [[x]], f: { x y: 1 }, g: { h: { i: [1] } }, id: [1] }
        |                                                              ^
    catalog.yaml:4:85  items.a.matrix.id – \`id\` has a meaning of its own; take another name
    > 4 | …c: [], d: 5, e: [[x]], f: { x y: 1 }, g: { h: { i: [1] } }, id: [1] }
        |                                                              ^^
    7 problems. Nothing was sent."
  `)
})

test('an item is named like a part of a path', async () => {
  expect(
    await problems(`defaults: { model: nano-banana-2, prompt: x }
items:
  "d/e": {}
  .hidden: {}
`),
  ).toMatchInlineSnapshot(`
  "catalog.yaml:3:3  items."d/e" – \`d/e\` cannot be part of an id: letters, digits, \`.\`, \`_\` and \`-\`, not starting with \`.\` or \`-\`, at most 100
  > 3 |   "d/e": {}
      |   ^^^^^
  catalog.yaml:4:3  items.".hidden" – \`.hidden\` cannot be part of an id: letters, digits, \`.\`, \`_\` and \`-\`, not starting with \`.\` or \`-\`, at most 100
  > 4 |   .hidden: {}
      |   ^^^^^^^
  2 problems. Nothing was sent."
`)
})

test('a text where a number belongs is no template', async () => {
  expect(
    await problems(`items:
  a: { seed: many, temperature: hot, thinking: { level: hihg } }
`),
  ).toMatchInlineSnapshot(`
    "catalog.yaml:2:3  items.a – has no \`prompt\`
    > 2 |   a: { seed: many, temperature: hot, thinking: { level: hihg } }
        |   ^ say \`prompt:\` here or in \`defaults\`
    catalog.yaml:2:3  items.a – has no \`model\`
    > 2 |   a: { seed: many, temperature: hot, thinking: { level: hihg } }
        |   ^ say \`model:\` here or in \`defaults\`
    catalog.yaml:2:14  items.a.seed – must be a whole number, is "many"
    > 2 |   a: { seed: many, temperature: hot, thinking: { level: hihg } }
        |              ^^^^
    catalog.yaml:2:33  items.a.temperature – must be a number, is "hot"
    > 2 |   a: { seed: many, temperature: hot, thinking: { level: hihg } }
        |                                 ^^^
    catalog.yaml:2:57  items.a.thinking.level – must be one of minimal, low, medium, high, is "hihg"
    > 2 |   a: { seed: many, temperature: hot, thinking: { level: hihg } }
        |                                                         ^^^^ did you mean \`high\`?
    5 problems. Nothing was sent."
  `)
})

test.for([
  ['items at the top', 'itmes: {}', 'itmes', 'items'],
  [
    'the endings of a fallback',
    'items: { a: { model: nano-banana, prompt: x, fallback: [{ model: nano-banana-2, onn: [failed] }] } }',
    'onn',
    'on',
  ],
] as const)('a misspelt key that is needed is one problem: %s', async ([, yaml, key, meant]) => {
  const { diagnostics } = await load(yaml)
  const hint = `did you mean \`${meant}\`?`
  expect(diagnostics).toMatchObject([{ message: `unknown key \`${key}\``, hint, width: key.length }])
})

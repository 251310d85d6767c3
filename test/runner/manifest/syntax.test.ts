// What a person reads when a manifest is not YAML, or YAML that is not read here.
import { expect, test } from 'vitest'
import { load, problems } from './fixture.ts'

test('a tab cannot indent', async () => {
  expect(
    await problems(`items:
\ta: 1
`),
  ).toMatchInlineSnapshot(`
  "catalog.yaml:2:1  a tab cannot indent
  > 2 |  a: 1
      | ^ use spaces
  1 problem. Nothing was sent."
`)
})

test('a second colon in one line asks for quotes', async () => {
  expect(
    await problems(`items:
  a:
    prompt: foo: bar
`),
  ).toMatchInlineSnapshot(`
  "catalog.yaml:3:13  a second \`: \` in one line
  > 3 |     prompt: foo: bar
      |             ^ put quotes around the text, or write it below a |
  1 problem. Nothing was sent."
`)
})

test('text that begins with @ asks for quotes', async () => {
  expect(
    await problems(`items:
  a:
    refs: [@logo]
`),
  ).toMatchInlineSnapshot(`
  "catalog.yaml:3:12  this character cannot begin text
  > 3 |     refs: [@logo]
      |            ^ put quotes around the text
  1 problem. Nothing was sent."
`)
})

test('a placeholder in a flow list asks for quotes', async () => {
  expect(
    await problems(`items:
  a:
    refs: [./a/\${x}.png]
`),
  ).toMatchInlineSnapshot(`
  "catalog.yaml:3:17  text that is not quoted ends here
  > 3 |     refs: [./a/\${x}.png]
      |                 ^ inside [ ] and { }, text with \${…} needs quotes
  1 problem. Nothing was sent."
`)
})

test('a quote that is not closed is shown where it begins', async () => {
  expect(
    await problems(`items:
  a: { prompt: "abc }
  b: { prompt: x }
`),
  ).toMatchInlineSnapshot(`
    "catalog.yaml:2:16  \`"\` is not closed
    > 2 |   a: { prompt: "abc }
        |                ^
    1 problem. Nothing was sent."
  `)
})

test('a bracket that the next item comes after is shown where it begins', async () => {
  expect(
    await problems(`items:
  a: { prompt: abc
  b: { prompt: x }
`),
  ).toMatchInlineSnapshot(`
    "catalog.yaml:2:6  \`{\` is not closed
    > 2 |   a: { prompt: abc
        |      ^ its \`}\` is missing, or what is inside is not indented further
    1 problem. Nothing was sent."
  `)
})

test.for([
  ['a list that the next key comes after', 'items:\n  a:\n    refs: [./a.png\n    prompt: x\n', 3, 11, '['],
  ['a list inside a closed map', 'items:\n  a: { refs: [./a.png }\n  b: { prompt: y }\n', 2, 14, '['],
  ['the inner one of two', 'defaults: { fallback: [{ on: [a] }\nitems: {}\n', 1, 23, '['],
  ['one that ends with a closed one', 'items: [[a]', 1, 8, '['],
  ['a quote that another one closes', 'items:\n  a:\n    prompt: "A\n  b: { prompt: "x" }\n', 3, 13, '"'],
  ["a quote in '", "items:\n  a:\n    prompt: 'A\n    size: 1K\n", 3, 13, "'"],
] as const)(
  '%s is shown where it begins, and nothing that follows from it',
  async ([, text, line, column, sign]) => {
    const { diagnostics } = await load(text)
    expect(diagnostics.map((d) => [d.line, d.column, d.message])).toEqual([
      [line, column, `\`${sign}\` is not closed`],
    ])
  },
)

test('a bracket in the place of another is named', async () => {
  const { diagnostics } = await load('items:\n  a: { refs: [./a.png }\n')
  expect(diagnostics).toMatchObject([{ column: 14, hint: '`}` comes before its `]`' }])
})

test.for([
  ['items:\n  a: { prompt: x }\n b: {}\n', 3],
  ['items:\n  a:\n    prompt: "x"\n   size: 1K\n', 4],
] as const)(
  'brackets and quotes that are closed have no part in an indentation: %j',
  async ([text, line]) => {
    const { diagnostics } = await load(text)
    expect(diagnostics).toMatchObject([{ line, message: 'the indentation does not fit the lines above' }])
  },
)

test('an indentation that does not fit is shown', async () => {
  expect(
    await problems(`items:
  a:
    prompt: x
     model: y
`),
  ).toMatchInlineSnapshot(`
  "catalog.yaml:3:13  the indentation of the next line does not fit
  > 3 |     prompt: x
      |             ^
  1 problem. Nothing was sent."
`)
})

test('a key that is there twice names the line of the first', async () => {
  expect(
    await problems(`items:
  a: { prompt: a, prompt: b }
  a: { prompt: c }
`),
  ).toMatchInlineSnapshot(`
    "catalog.yaml:2:19  \`prompt\` is already in line 2
    > 2 |   a: { prompt: a, prompt: b }
        |                   ^^^^^^ keys are unique
    catalog.yaml:3:3  \`a\` is already in line 2
    > 3 |   a: { prompt: c }
        |   ^ keys are unique
    catalog.yaml:3:3  items.a – has no \`model\`
    > 3 |   a: { prompt: c }
        |   ^ say \`model:\` here or in \`defaults\`
    3 problems. Nothing was sent."
  `)
})

test('a list is no manifest', async () => {
  expect(
    await problems(`- a
`),
  ).toMatchInlineSnapshot(`
    "catalog.yaml:1:1  a manifest is a map of keys
    > 1 | - a
        | ^^^ it needs at least \`items:\`
    1 problem. Nothing was sent."
  `)
})

test('an empty file is no manifest', async () => {
  expect(
    await problems(`# nothing
`),
  ).toMatchInlineSnapshot(`
  "catalog.yaml:1:1  the manifest is empty
  > 1 | # nothing
      | ^ it needs at least \`items:\`
  1 problem. Nothing was sent."
`)
})

test('an alias needs an anchor', async () => {
  expect(
    await problems(`items: { a: { refs: [*.jpg] } }
`),
  ).toMatchInlineSnapshot(`
  "catalog.yaml:1:22  there is no anchor \`&.jpg\`
  > 1 | items: { a: { refs: [*.jpg] } }
      |                      ^^^^^ put quotes around the text
  1 problem. Nothing was sent."
`)
})

test('an alias must not contain itself', async () => {
  expect(
    await problems(`vars: &v { x: *v }
items: {}
`),
  ).toMatchInlineSnapshot(`
  "catalog.yaml:1:15  this alias contains itself
  > 1 | vars: &v { x: *v }
      |               ^^
  1 problem. Nothing was sent."
`)
})

test('an older YAML is refused, because it reads 16:9 as a number', async () => {
  expect(
    await problems(`%YAML 1.1
---
items: {}
`),
  ).toMatchInlineSnapshot(`
  "catalog.yaml:1:1  is not YAML 1.2
  > 1 | %YAML 1.1
      | ^ remove the %YAML line: older versions read 16:9 as a number
  1 problem. Nothing was sent."
`)
})

test('a second document is refused', async () => {
  expect(
    await problems(`items: {}
---
items: {}
`),
  ).toMatchInlineSnapshot(`
  "catalog.yaml:2:1  \`---\` begins a second document
  > 2 | ---
      | ^^^ a manifest is one document
  1 problem. Nothing was sent."
`)
})

test('a tag is refused', async () => {
  expect(
    await problems(`items:
  a: { prompt: !secret bar }
`),
  ).toMatchInlineSnapshot(`
  "catalog.yaml:2:16  tags (!name) are not read
  > 2 |   a: { prompt: !secret bar }
      |                ^^^^^^^ remove it
  1 problem. Nothing was sent."
`)
})

test('a key that is no text is refused', async () => {
  expect(
    await problems(`{{ x }}: 1
`),
  ).toMatchInlineSnapshot(`
  "catalog.yaml:1:2  a key must be text
  > 1 | {{ x }}: 1
      |  ^
  1 problem. Nothing was sent."
`)
})

test('a merge key points to presets', async () => {
  expect(
    await problems(`items:
  a: &a { prompt: x }
  b: { <<: *a }
`),
  ).toMatchInlineSnapshot(`
  "catalog.yaml:2:3  items.a – has no \`model\`
  > 2 |   a: &a { prompt: x }
      |   ^ say \`model:\` here or in \`defaults\`
  catalog.yaml:3:8  items.b."<<" – merge keys are not read
  > 3 |   b: { <<: *a }
      |        ^^ put the fields into \`presets\` and say \`use: [name]\`
  2 problems. Nothing was sent."
`)
})

test('a bracket that the file never closes is shown where it begins', async () => {
  expect(await problems('items:\n  a: { prompt: x\n')).toMatchInlineSnapshot(`
    "catalog.yaml:2:6  \`{\` is not closed
    > 2 |   a: { prompt: x
        |      ^ its \`}\` is missing, or what is inside is not indented further
    1 problem. Nothing was sent."
  `)
})

test('line ends of two characters and a byte order mark move nothing', async () => {
  expect(
    await problems('\uFEFFitems: { a: { promt: x } }\r\ndefaults:\r\n  modl: nano-banana\r\n'),
  ).toMatchInlineSnapshot(`
    "catalog.yaml:1:15  items.a.promt – unknown key \`promt\`
    > 1 | items: { a: { promt: x } }
        |               ^^^^^ did you mean \`prompt\`?
    catalog.yaml:3:3  defaults.modl – unknown key \`modl\`
    > 3 |   modl: nano-banana
        |   ^^^^ did you mean \`model\`?
    2 problems. Nothing was sent."
  `)
})

test('a key that is left out is one problem, however often', async () => {
  expect(await problems(': @\n: @\n')).not.toContain('already')
})

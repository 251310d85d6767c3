// What a person reads when a manifest is not YAML, or YAML that is not read here.
import { expect, test } from 'vitest'
import { problems } from './fixture.ts'

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
    "catalog.yaml:2:16  is not closed
    > 2 |   a: { prompt: "abc }
        |                ^
    1 problem. Nothing was sent."
  `)
})

test('a bracket that is not closed is an indentation that does not fit', async () => {
  expect(
    await problems(`items:
  a: { prompt: abc
  b: { prompt: x }
`),
  ).toMatchInlineSnapshot(`
  "catalog.yaml:3:3  the indentation does not fit the lines above
  > 3 |   b: { prompt: x }
      |   ^ or a quote or bracket above is not closed
  1 problem. Nothing was sent."
`)
})

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
    "catalog.yaml:2:6  is not closed
    > 2 |   a: { prompt: x
        |      ^
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

// What a person reads when a manifest asks for what is not there or not possible.
import { expect, test } from 'vitest'
import { type Disk, png, problems } from './fixture.ts'

const DISK: Disk = {
  dir: { notAFile: true },
  'locked.png': { unreadable: 'EACCES' },
  'big.png': { sha256: 'b', mimeType: 'image/png', bytes: 9_000_000 },
  'doc.pdf': { sha256: 'c', bytes: 9 },
  'a.png': png,
  'x.md': 'a ${nope} b',
}

test('every undefined name is told, with the names in scope', async () => {
  expect(
    await problems(`vars: { name: x, brand: { y: 1 } }
items:
  a:
    matrix: { p: { q: { r: 1 } } }
    prompt: |
      Hello \${nam}, \${brand.x}, \${brand},
      \${p.rr} \${a + b} and \${open
    model: nano-banan-2
`),
  ).toMatchInlineSnapshot(`
  "catalog.yaml:6:13  items.a.prompt – nothing is called \`nam\` (in a/q)
  > 6 |       Hello \${nam}, \${brand.x}, \${brand},
      |             ^^^^^^ did you mean \`name\`? in scope: p, p.r, name, brand.y, id
  catalog.yaml:6:21  items.a.prompt – nothing is called \`brand.x\` (in a/q)
  > 6 |       Hello \${nam}, \${brand.x}, \${brand},
      |                     ^^^^^^^^^^ did you mean \`brand.y\`? in scope: p, p.r, name, brand.y, id
  catalog.yaml:6:33  items.a.prompt – \`brand\` has several values (in a/q)
  > 6 |       Hello \${nam}, \${brand.x}, \${brand},
      |                                 ^^^^^^^^ use brand.y
  catalog.yaml:7:7  items.a.prompt – nothing is called \`p.rr\` (in a/q)
  > 7 |       \${p.rr} \${a + b} and \${open
      |       ^^^^^^^ did you mean \`p.r\`? in scope: p, p.r, name, brand.y, id
  catalog.yaml:7:15  items.a.prompt – \`\${a + b}\` is not a name (in a/q)
  > 7 |       \${p.rr} \${a + b} and \${open
      |               ^^^^^^^^ only names, as in \`\${product.name}\`; write \`$\${\` for a literal \`\${\`
  catalog.yaml:7:28  items.a.prompt – \`\${\` is not closed on its line (in a/q)
  > 7 |       \${p.rr} \${a + b} and \${open
      |                            ^^^^^^ write \`$\${\` for a literal \`\${\`
  catalog.yaml:8:12  items.a.model – there is no model \`nano-banan-2\` (in a/q)
  > 8 |     model: nano-banan-2
      |            ^^^^^^^^^^^^ did you mean \`nano-banana-2\`?
  7 problems. Nothing was sent."
`)
})

test('a var that needs itself is one problem', async () => {
  expect(
    await problems(`vars: { a: "\${b}", b: "x \${a}" }
items:
  x: { prompt: "\${a}", model: nano-banana-2 }
  y: { prompt: "\${b}", model: nano-banana-2 }
`),
  ).toMatchInlineSnapshot(`
  "catalog.yaml:1:12  vars.a – needs itself: a → b → a (in x and 1 more)
  > 1 | vars: { a: "\${b}", b: "x \${a}" }
      |            ^^^^^^
  1 problem. Nothing was sent."
`)
})

test('vars that grow without end are stopped', async () => {
  expect(
    await problems(`vars: { a0: xxxxxxxxxxxxxxxx, a1: "\${a0}\${a0}", a2: "\${a1}\${a1}", a3: "\${a2}\${a2}", a4: "\${a3}\${a3}", a5: "\${a4}\${a4}", a6: "\${a5}\${a5}", a7: "\${a6}\${a6}", a8: "\${a7}\${a7}", a9: "\${a8}\${a8}", a10: "\${a9}\${a9}", a11: "\${a10}\${a10}", a12: "\${a11}\${a11}", a13: "\${a12}\${a12}", a14: "\${a13}\${a13}", a15: "\${a14}\${a14}", a16: "\${a15}\${a15}", a17: "\${a16}\${a16}", a18: "\${a17}\${a17}", a19: "\${a18}\${a18}" }
items: { x: { prompt: "\${a19}", model: nano-banana-2 } }
`),
  ).toMatchInlineSnapshot(`
    "catalog.yaml:1:343  vars.a17 – becomes longer than 1048576 characters (in x)
    > 1 | …a13}\${a13}", a15: "\${a14}\${a14}", a16: "\${a15}\${a15}", a17: "\${a16}\${a16}", a18: "\${a17}\${a17}", a19…
        |                                                              ^^^^^^^^^^^^^^
        | a16 = xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…
    1 problem. Nothing was sent."
  `)
})

test('files are judged where they are named', async () => {
  expect(
    await problems(
      `defaults: { model: nano-banana-2, prompt: x }
refs: { logo: ./missing.png }
items:
  a:
    refs:
      - "@logo"
      - "@lgo"
      - ./dir
      - locked.png
      - big.png
      - doc.pdf
      - ~/x.png
      - http://x/y.png
      - ""
`,
      DISK,
    ),
  ).toMatchInlineSnapshot(`
    "catalog.yaml:2:15  refs.logo – there is no file \`./missing.png\` (in a)
    > 2 | refs: { logo: ./missing.png }
        |               ^^^^^^^^^^^^^ paths start at the folder of the manifest
    catalog.yaml:7:9  items.a.refs[1] – no reference is called \`@lgo\`
    > 7 |       - "@lgo"
        |         ^^^^^^ did you mean \`@logo\`?
    catalog.yaml:8:9  items.a.refs[2] – \`./dir\` is a folder, not a file
    > 8 |       - ./dir
        |         ^^^^^ ./dir/* stands for the pictures in it
    catalog.yaml:9:9  items.a.refs[3] – \`locked.png\` may not be read (EACCES)
    > 9 |       - locked.png
        |         ^^^^^^^^^^ change its permissions, or run as a user that may read it
    catalog.yaml:10:9  items.a.refs[4] – \`big.png\` has 8.6 MiB; a reference has at most 7 MiB
    > 10 |       - big.png
         |         ^^^^^^^ make it smaller
    catalog.yaml:11:9  items.a.refs[5] – \`doc.pdf\` is no PNG, JPEG, WebP, HEIC or HEIF picture
    > 11 |       - doc.pdf
         |         ^^^^^^^ its first bytes tell, not its name: convert it
    catalog.yaml:12:9  items.a.refs[6] – there is no file \`~/x.png\`
    > 12 |       - ~/x.png
         |         ^^^^^^^ \`~\` is not expanded
    catalog.yaml:13:9  items.a.refs[7] – \`http://x/y.png\` cannot be fetched: a reference is a path or an https URL
    > 13 |       - http://x/y.png
         |         ^^^^^^^^^^^^^^
    catalog.yaml:14:9  items.a.refs[8] – is empty
    > 14 |       - ""
         |         ^^ a reference is a path, an https URL or @name
    9 problems. Nothing was sent."
  `)
})

test('a problem of many cells is told once', async () => {
  expect(
    await problems(`defaults: { model: nano-banana-2, prompt: x }
items:
  a:
    matrix: { x: [1, 2, 3, 4, 5, 6], y: [1, 2] }
    refs: ["./\${x}.png"]
    prompt: \${z}
`),
  ).toMatchInlineSnapshot(`
    "catalog.yaml:5:12  items.a.refs[0] – there is no file \`./1.png\` (in a/1/1 and 11 more)
    > 5 |     refs: ["./\${x}.png"]
        |            ^^^^^^^^^^^^ paths start at the folder of the manifest; also ./2.png, ./3.png, ./4.png and 2 more
        | x = 1
    catalog.yaml:6:13  items.a.prompt – nothing is called \`z\` (in a/1/1 and 11 more)
    > 6 |     prompt: \${z}
        |             ^^^^ did you mean \`x\`? in scope: x, y, id
    2 problems. Nothing was sent."
  `)
})

test('names of references are checked', async () => {
  expect(
    await problems(
      `defaults: { model: nano-banana-2, prompt: x }
items:
  a:
    refs: [{ image: a.png, as: pic }, { image: a.png, as: pic }]
  b:
    refs: [{ image: a.png, as: pic }, "./\${image.pic}.png"]
  c:
    refs: [{ image: a.png, as: pic }]
    prompt: \${image.pik} \${image}
  d: { prompt: "\${image.pik}" }
`,
      DISK,
    ),
  ).toMatchInlineSnapshot(`
    "catalog.yaml:4:59  items.a.refs[1].as – two references are called \`pic\`
    > 4 |     refs: [{ image: a.png, as: pic }, { image: a.png, as: pic }]
        |                                                           ^^^ rename one of them
    catalog.yaml:6:42  items.b.refs[1] – \`image.pic\` cannot be used here
    > 6 |     refs: [{ image: a.png, as: pic }, "./\${image.pic}.png"]
        |                                          ^^^^^^^^^^^^ references are counted in prompt, system and metadata
    catalog.yaml:9:13  items.c.prompt – no reference is called \`image.pik\`
    > 9 |     prompt: \${image.pik} \${image}
        |             ^^^^^^^^^^^^ did you mean \`image.pic\`?
    catalog.yaml:9:26  items.c.prompt – no reference is called \`image\`
    > 9 |     prompt: \${image.pik} \${image}
        |                          ^^^^^^^^ in scope: image.pic
    catalog.yaml:10:17  items.d.prompt – no reference is called \`image.pik\`
    > 10 |   d: { prompt: "\${image.pik}" }
         |                 ^^^^^^^^^^^^ name one with \`as:\` in refs
    5 problems. Nothing was sent."
  `)
})

test('a prompt file is read and rendered', async () => {
  expect(
    await problems(
      `defaults: { model: nano-banana-2, prompt: x }
items:
  a: { prompt: "file:./x.md" }
  b: { prompt: "file:./nothere.md" }
`,
      DISK,
    ),
  ).toMatchInlineSnapshot(`
    "catalog.yaml:4:16  items.b.prompt – there is no file \`./nothere.md\`
    > 4 |   b: { prompt: "file:./nothere.md" }
        |                ^^^^^^^^^^^^^^^^^^^ paths start at the folder of the manifest
    x.md:1:3  nothing is called \`nope\` (in a)
    > 1 | a \${nope} b
        |   ^^^^^^^ in scope: id
    2 problems. Nothing was sent."
  `)
})

test('a from names an item', async () => {
  expect(
    await problems(`defaults: { model: nano-banana-2, prompt: x }
items:
  a: { matrix: { x: [1, 2] } }
  b: { refs: [{ from: a }, { from: a/3 }, { from: "a/1#2" }, { from: something else }] }
  c: { matrix: { p: [1, 2, 3] }, refs: [{ from: "q/\${p}" }] }
`),
  ).toMatchInlineSnapshot(`
    "catalog.yaml:4:23  items.b.refs[0].from – nothing is called \`a\`
    > 4 |   b: { refs: [{ from: a }, { from: a/3 }, { from: "a/1#2" }, { from: something else }] }
        |                       ^ it has 2 pictures: a/1, a/2
    catalog.yaml:4:36  items.b.refs[1].from – nothing is called \`a/3\`
    > 4 |   b: { refs: [{ from: a }, { from: a/3 }, { from: "a/1#2" }, { from: something else }] }
        |                                    ^^^ closest: a/1, a/2, c/3
    catalog.yaml:4:51  items.b.refs[2].from – nothing is called \`a/1#2\`
    > 4 |   b: { refs: [{ from: a }, { from: a/3 }, { from: "a/1#2" }, { from: something else }] }
        |                                                   ^^^^^^^ \`a/1\` has one sample
    catalog.yaml:4:70  items.b.refs[3].from – nothing is called \`something else\`
    > 4 | …fs: [{ from: a }, { from: a/3 }, { from: "a/1#2" }, { from: something else }] }
        |                                                              ^^^^^^^^^^^^^^ ids: a/1, a/2, b, …
    catalog.yaml:5:49  items.c.refs[0].from – nothing is called \`q/1\` (in c/1 and 2 more)
    > 5 |   c: { matrix: { p: [1, 2, 3] }, refs: [{ from: "q/\${p}" }] }
        |                                                 ^^^^^^^^ closest: a/1, c/1; also q/2, q/3
        | p = 1
    5 problems. Nothing was sent."
  `)
})

test('a from into an item with problems is not called dangling', async () => {
  expect(
    await problems(`defaults: { model: nano-banana-2, prompt: x }
items:
  a: { matrix: { x: [1/2] } }
  b: { refs: [{ from: a/3 }] }
`),
  ).toMatchInlineSnapshot(`
  "catalog.yaml:3:22  items.a.matrix.x[0] – \`1/2\` cannot be part of an id: letters, digits, \`.\`, \`_\` and \`-\`, not starting with \`.\` or \`-\`, at most 100
  > 3 |   a: { matrix: { x: [1/2] } }
      |                      ^^^ give each value an id: x: { some-id: "1/2" }
  1 problem. Nothing was sent."
`)
})

test('a cycle prints its path', async () => {
  expect(
    await problems(`defaults: { model: nano-banana-2, prompt: x }
items:
  a: { refs: [{ from: b }] }
  b: { refs: [{ from: c/1 }] }
  c: { matrix: { x: [1, 2] }, refs: [{ from: a }] }
  d: { refs: [{ from: "d#2" }], samples: 2 }
`),
  ).toMatchInlineSnapshot(`
    "catalog.yaml:5:46  items.c.refs[0].from – waits for itself: a → b → c/1 → a (in c/1)
    > 5 |   c: { matrix: { x: [1, 2] }, refs: [{ from: a }] }
        |                                              ^ take away one of these \`from\`
    catalog.yaml:6:23  items.d.refs[0].from – waits for itself: d → d
    > 6 |   d: { refs: [{ from: "d#2" }], samples: 2 }
        |                       ^^^^^ a picture cannot be made from itself
    2 problems. Nothing was sent."
  `)
})

test('values of a list must be usable in an id', async () => {
  expect(
    await problems(`defaults: { model: nano-banana-2, prompt: x }
items:
  a: { matrix: { size: [1K], aspect: [16:9, 9:16, 1K] } }
  b: { matrix: { size: [1, "1"] } }
`),
  ).toMatchInlineSnapshot(`
    "catalog.yaml:3:39  items.a.matrix.aspect[0] – \`16:9\` cannot be part of an id: letters, digits, \`.\`, \`_\` and \`-\`, not starting with \`.\` or \`-\`, at most 100
    > 3 |   a: { matrix: { size: [1K], aspect: [16:9, 9:16, 1K] } }
        |                                       ^^^^ give each value an id: aspect: { some-id: "16:9" }
    catalog.yaml:3:45  items.a.matrix.aspect[1] – \`9:16\` cannot be part of an id: letters, digits, \`.\`, \`_\` and \`-\`, not starting with \`.\` or \`-\`, at most 100
    > 3 |   a: { matrix: { size: [1K], aspect: [16:9, 9:16, 1K] } }
        |                                             ^^^^ give each value an id: aspect: { some-id: "9:16" }
    catalog.yaml:4:28  items.b.matrix.size[1] – \`1\` is twice on the axis \`size\`
    > 4 |   b: { matrix: { size: [1, "1"] } }
        |                            ^^^ take one away; \`samples\` makes several of one picture
    3 problems. Nothing was sent."
  `)
})

test('ids that differ in case only are refused', async () => {
  expect(
    await problems(`defaults: { model: nano-banana-2, prompt: x }
items:
  Rug: {}
  rug: {}
`),
  ).toMatchInlineSnapshot(`
    "catalog.yaml:4:3  items.rug – \`rug\` and \`Rug\` differ in case only: one file would overwrite the other
    > 4 |   rug: {}
        |   ^^^ rename one of them
    1 problem. Nothing was sent."
  `)
})

test('a preset must exist', async () => {
  expect(
    await problems(`defaults: { model: nano-banana-2, prompt: x }
presets: { hero: {} }
items:
  a: { use: [her] }
`),
  ).toMatchInlineSnapshot(`
  "catalog.yaml:4:14  items.a.use[0] – no preset is called \`her\`
  > 4 |   a: { use: [her] }
      |              ^^^ did you mean \`hero\`?
  1 problem. Nothing was sent."
`)
})

test('a catalog has an end', async () => {
  expect(
    await problems(`defaults: { model: nano-banana-2, prompt: x }
items:
  a: { samples: 60000 }
  b: { samples: 60000 }
`),
  ).toMatchInlineSnapshot(`
    "catalog.yaml:4:3  items.b – makes 60000 pictures; a manifest has at most 100000 together
    > 4 |   b: { samples: 60000 }
        |   ^ use fewer values, leave cells out with \`skip\`, or split the manifest
    1 problem. Nothing was sent."
  `)
})

test('prompt and model are needed', async () => {
  expect(
    await problems(`items:
  a: {}
  b: { prompt: "", model: nano-banana-2 }
  c: { prompt: x }
`),
  ).toMatchInlineSnapshot(`
    "catalog.yaml:2:3  items.a – has no \`prompt\`
    > 2 |   a: {}
        |   ^ say \`prompt:\` here or in \`defaults\`
    catalog.yaml:2:3  items.a – has no \`model\`
    > 2 |   a: {}
        |   ^ say \`model:\` here or in \`defaults\`
    catalog.yaml:3:16  items.b.prompt – is empty
    > 3 |   b: { prompt: "", model: nano-banana-2 }
        |                ^^ a prompt says what the picture shows
    catalog.yaml:4:3  items.c – has no \`model\`
    > 4 |   c: { prompt: x }
        |   ^ say \`model:\` here or in \`defaults\`
    4 problems. Nothing was sent."
  `)
})

test('size, aspect and provider must exist', async () => {
  expect(
    await problems(`defaults: { model: nano-banana-2, prompt: x }
items:
  a: { size: 8K, aspect: 7:3, provider: apiy }
  b: { provider: apiyi, model: nano-banana-2.1 }
  c: { provider: tokaify, model: nano-banana-pro }
`),
  ).toMatchInlineSnapshot(`
    "catalog.yaml:3:14  items.a.size – there is no size \`8K\`
    > 3 |   a: { size: 8K, aspect: 7:3, provider: apiy }
        |              ^^ sizes: 512, 1K, 2K, 4K
    catalog.yaml:3:26  items.a.aspect – there is no aspect \`7:3\`
    > 3 |   a: { size: 8K, aspect: 7:3, provider: apiy }
        |                          ^^^ aspects: 1:1, 1:4, 1:8, 2:3, 3:2, 3:4, 4:1, 4:3, 4:5, 5:4, 8:1, 9:16, 16:9, 21:9
    catalog.yaml:3:41  items.a.provider – there is no provider \`apiy\`
    > 3 |   a: { size: 8K, aspect: 7:3, provider: apiy }
        |                                         ^^^^ did you mean \`apiyi\`?
    catalog.yaml:4:18  items.b.provider – apiyi does not sell nano-banana-2.1; it is sold by google
    > 4 |   b: { provider: apiyi, model: nano-banana-2.1 }
        |                  ^^^^^
    catalog.yaml:5:18  items.c.provider – there is no key for provider tokaify; configured: google, apiyi
    > 5 |   c: { provider: tokaify, model: nano-banana-pro }
        |                  ^^^^^^^
    5 problems. Nothing was sent."
  `)
})

test('the limits of the model are told at their lines', async () => {
  expect(
    await problems(
      `defaults: { model: nano-banana-2, prompt: x }
items:
  a:
    model: nano-banana
    provider: apiyi
    size: 4K
    aspect: 1:8
    refs: [a.png, a.png, a.png, a.png]
    thinking: { level: high }
`,
      DISK,
    ),
  ).toMatchInlineSnapshot(`
    "catalog.yaml:6:11  items.a.size – nano-banana cannot make 4K; it makes 1K
    > 6 |     size: 4K
        |           ^^
    catalog.yaml:7:13  items.a.aspect – nano-banana cannot make 1:8; it makes 1:1, 2:3, 3:2, 3:4, 4:3, 4:5, 5:4, 9:16, 16:9, 21:9
    > 7 |     aspect: 1:8
        |             ^^^
    catalog.yaml:8:5  items.a.refs – nano-banana takes at most 3 reference images, not 4
    > 8 |     refs: [a.png, a.png, a.png, a.png]
        |     ^^^^
    catalog.yaml:9:5  items.a.thinking – apiyi takes thinking settings for gemini-3.1-flash-image only
    > 9 |     thinking: { level: high }
        |     ^^^^^^^^
    4 problems. Nothing was sent."
  `)
})

test('a fallback can do what the item wants', async () => {
  expect(
    await problems(`defaults: { model: nano-banana-2, prompt: x }
items:
  a:
    size: "512"
    fallback:
      - { model: nano-banana-pro, on: [unavailable] }
      - { model: foo, on: [failed] }
      - { provider: tokaify, model: nano-banana-2, on: [failed] }
`),
  ).toMatchInlineSnapshot(`
  "catalog.yaml:6:18  items.a.fallback[0].model – cannot stand in: nano-banana-pro cannot make 512; it makes 1K, 2K, 4K
  > 6 |       - { model: nano-banana-pro, on: [unavailable] }
      |                  ^^^^^^^^^^^^^^^
  catalog.yaml:7:18  items.a.fallback[1].model – there is no model \`foo\`
  > 7 |       - { model: foo, on: [failed] }
      |                  ^^^ models: nano-banana-pro, nano-banana-2, nano-banana-2.1, nano-banana-2-lite, nano-banana
  catalog.yaml:8:21  items.a.fallback[2].provider – tokaify does not sell nano-banana-2; it is sold by google, apiyi
  > 8 |       - { provider: tokaify, model: nano-banana-2, on: [failed] }
      |                     ^^^^^^^
  3 problems. Nothing was sent."
`)
})

test('parameters out of templates are checked', async () => {
  expect(
    await problems(`defaults: { model: nano-banana-2, prompt: x }
vars: { s: many, t: 3 }
items:
  a: { seed: "\${s}", temperature: "\${t}", thinking: { level: "\${s}" } }
`),
  ).toMatchInlineSnapshot(`
    "catalog.yaml:4:14  items.a.seed – must be a whole number, is "many"
    > 4 |   a: { seed: "\${s}", temperature: "\${t}", thinking: { level: "\${s}" } }
        |              ^^^^^^
        | s = many
    catalog.yaml:4:35  items.a.temperature – must be at most 2, is 3
    > 4 |   a: { seed: "\${s}", temperature: "\${t}", thinking: { level: "\${s}" } }
        |                                   ^^^^^^
        | t = 3
    catalog.yaml:4:62  items.a.thinking.level – must be one of minimal, low, medium, high, is "many"
    > 4 | … a: { seed: "\${s}", temperature: "\${t}", thinking: { level: "\${s}" } }
        |                                                              ^^^^^^
        | s = many
    3 problems. Nothing was sent."
  `)
})

test('metadata has the limits of the request', async () => {
  expect(
    await problems(`defaults: { model: nano-banana-2, prompt: x }
items:
  a: { metadata: { kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk: x, long: vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv } }
`),
  ).toMatchInlineSnapshot(`
  "catalog.yaml:3:20  items.a.metadata.kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk – a key has at most 64 characters
  > 3 |   a: { metadata: { kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk: x, long: vvvvv…
      |                    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  catalog.yaml:3:96  items.a.metadata.long – has 513 characters; at most 512 are kept
  > 3 | …kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk: x, long: vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv…
      |                                                              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  2 problems. Nothing was sent."
`)
})

test('shape and meaning are told together where they do not touch', async () => {
  expect(
    await problems(`defaults: { model: nano-banana-2, prompt: x }
presets: { bad: { sizes: 1K } }
items:
  a: { promt: x }
  b: { size: 9K }
  c: { use: [bad], size: 7K }
`),
  ).toMatchInlineSnapshot(`
    "catalog.yaml:2:19  presets.bad.sizes – unknown key \`sizes\`
    > 2 | presets: { bad: { sizes: 1K } }
        |                   ^^^^^ did you mean \`size\`?
    catalog.yaml:4:8  items.a.promt – unknown key \`promt\`
    > 4 |   a: { promt: x }
        |        ^^^^^ did you mean \`prompt\`?
    catalog.yaml:5:14  items.b.size – there is no size \`9K\`
    > 5 |   b: { size: 9K }
        |              ^^ sizes: 512, 1K, 2K, 4K
    catalog.yaml:6:26  items.c.size – there is no size \`7K\`
    > 6 |   c: { use: [bad], size: 7K }
        |                          ^^ sizes: 512, 1K, 2K, 4K
    4 problems. Nothing was sent."
  `)
})

test('what nothing uses is a warning', async () => {
  expect(
    await problems(`vars: { a: "\${b}", b: x, c: y }
refs: { logo: a.png }
presets: { hero: {} }
defaults: { model: nano-banana-2, prompt: x }
items: { i: { prompt: "\${a}" } }
`),
  ).toMatchInlineSnapshot(`
  "catalog.yaml:1:26  warning: vars.c – nothing uses it
  > 1 | vars: { a: "\${b}", b: x, c: y }
      |                          ^
  catalog.yaml:2:9  warning: refs.logo – nothing uses it
  > 2 | refs: { logo: a.png }
      |         ^^^^
  catalog.yaml:3:12  warning: presets.hero – nothing uses it
  > 3 | presets: { hero: {} }
      |            ^^^^
  3 warnings."
`)
})

test('cells that are all the same wish are a warning', async () => {
  expect(
    await problems(`defaults: { model: nano-banana-2, prompt: x }
items:
  a: { matrix: { x: [1, 2, 3] } }
  b: { matrix: { x: [1, 2, 3] }, seed: "\${x}" }
`),
  ).toMatchInlineSnapshot(`
  "catalog.yaml:3:8  warning: items.a.matrix – all 3 cells ask for the same picture
  > 3 |   a: { matrix: { x: [1, 2, 3] } }
      |        ^^^^^^ use the names of its axes in the prompt, or \`samples\` for several of one kind
  1 warning."
`)
})

test('an answer must hold a picture', async () => {
  expect(
    await problems(`defaults: { model: nano-banana-2, prompt: x }
items:
  a: { modalities: [TEXT] }
`),
  ).toMatchInlineSnapshot(`
    "catalog.yaml:3:8  items.a.modalities – must include IMAGE
    > 3 |   a: { modalities: [TEXT] }
        |        ^^^^^^^^^^
    1 problem. Nothing was sent."
  `)
})

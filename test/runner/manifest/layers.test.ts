// Which value holds in a cell: presets, overrides, profiles and flags over each other, and what is said of one that is amiss.
import { expect, test } from 'vitest'
import { items, load, png, problems } from './fixture.ts'

const WORLD = `
vars: { light: soft, tone: { warm: oat } }
defaults: { model: nano-banana-2, prompt: "\${light} \${tone.warm}", seed: 1, metadata: { by: defaults } }
presets: { p: { seed: 2, refs: [https://x.example/p.png] } }
profiles: { draft: { seed: 5, samples: 2, vars: { light: draft } } }
items:
  a:
    use: [p]
    matrix: { x: [one, two] }
    seed: 3
  b: {}
overrides:
  a/one: { seed: 4, refs: ["...", https://x.example/o.png], metadata: { one: 1 } }
  "*": { aspect: 1:1 }
  "{a,b}/two": { aspect: 4:5, vars: { light: hard } }
`
const seeds = async (layers = {}) =>
  (await items(WORLD, {}, layers)).map(({ id, parameters }) => [id, parameters.seed])

test('an override lies over the items it matches, the later one on top', async () => {
  const made = await items(WORLD)
  expect(made.map(({ id, parameters, aspect, prompt }) => [id, parameters.seed, aspect, prompt])).toEqual([
    ['a/one', 4, '1:1', 'soft oat'],
    ['a/two', 3, '4:5', 'hard oat'],
    ['b', 1, '1:1', 'soft oat'],
  ])
  expect(made[0]?.metadata).toEqual({ by: 'defaults', one: '1' })
  expect(made[0]?.references).toMatchObject([
    { url: 'https://x.example/p.png' },
    { url: 'https://x.example/o.png' },
  ])
})

test.for([
  ['a profile lies over overrides', { profile: 'draft' }, [5, 5, 5, 5, 5, 5]],
  ['--set lies over the profile', { profile: 'draft', set: ['seed=6', 'samples=1'] }, [6, 6, 6]],
  ['the later --set counts', { set: ['seed=6', 'seed=7'] }, [7, 7, 7]],
] as const)('%s', async ([, layers, expected]) =>
  expect((await seeds(layers)).map(([, seed]) => seed)).toEqual(expected),
)

test('a profile gives its name to the manifest, and its ids stay the same', async () => {
  const { manifest } = await load(WORLD, {}, { profile: 'draft' })
  expect(manifest?.profile).toBe('draft')
  expect(manifest?.items.map(({ id }) => id)).toEqual(['a/one', 'a/one#2', 'a/two', 'a/two#2', 'b', 'b#2'])
  expect((await load(WORLD)).manifest).not.toHaveProperty('profile')
})

test.for([
  ['--var lies over the vars of every layer', { profile: 'draft', vars: ['light=dusk'] }, 'dusk oat'],
  ['--var reaches one field of a var', { vars: ['tone.warm=clay'] }, 'soft clay'],
  ['a var of --set can be set by --var', { set: ['vars.light=x'], vars: ['light=y'] }, 'y oat'],
  ['what follows the first = is the value', { vars: ['light=a=b: c'] }, 'a=b: c oat'],
  ['prose in --set is taken as it stands', { set: ['prompt=a: [b'] }, 'a: [b'],
  ['quotes around prose are taken off', { set: ['prompt="a: b"'] }, 'a: b'],
  ['names in --set are rendered', { set: ['prompt=by ${light}'] }, 'by soft'],
] as const)('%s', async ([, layers, expected]) =>
  expect((await items(WORLD, {}, layers))[0]?.prompt).toBe(expected),
)

test('--set reaches into maps, and "..." in its lists is the list underneath', async () => {
  const set = ['thinking.level=high', 'metadata.sku=7', 'refs=["...", q.png]', 'tags=[x]', 'tags=["...", y]']
  const [item] = await items(WORLD, { 'q.png': png }, { set })
  expect(item?.parameters.thinking).toEqual({ level: 'high' })
  expect(item?.metadata).toEqual({ by: 'defaults', one: '1', sku: '7' })
  expect(item?.references).toHaveLength(3)
  expect(item?.tags).toEqual(['x', 'y'])
})

test.for([
  [
    'no such profile',
    { profile: 'drat' },
    'no profile is called `drat`',
    'did you mean `draft`? profiles: draft',
  ],
  [
    'no field',
    { set: ['seed'] },
    'is not of the form field=value',
    'as in --set size=2K or --set thinking.level=high',
  ],
  ['an unknown field', { set: ['siez=1K'] }, 'unknown key `siez`', 'did you mean `size`?'],
  ['a field of items', { set: ['matrix.x=1'] }, 'unknown key `matrix`', '`matrix` belongs to an item'],
  [
    'no YAML',
    { set: ['seed=[1'] },
    'the value cannot be read as YAML',
    'put quotes around it, as in --set \'prompt="…"\'',
  ],
  ['a value of the wrong kind', { set: ['seed=many'] }, 'must be a whole number, is "many"', undefined],
  ['an unknown var', { vars: ['lihgt=x'] }, 'no var is called `lihgt`', 'did you mean `light`?'],
  [
    'an unknown field of a var',
    { vars: ['tone.cold=x'] },
    'no var is called `tone.cold`',
    'vars: light, tone.warm',
  ],
  [
    'no name',
    { vars: ['light'] },
    'is not of the form name=value',
    'as in --var light=dusk or --var tone.warm=oat',
  ],
] as const)('a flag with %s is a problem at the flag', async ([, layers, message, hint]) => {
  const { manifest, diagnostics } = await load(WORLD, {}, layers)
  const [flag, written] = Object.entries(layers)[0]!
  const file =
    flag === 'profile' ? `--profile ${written}` : `--${flag === 'vars' ? 'var' : 'set'} ${written[0]}`
  expect(manifest).toBeUndefined()
  expect(diagnostics).toHaveLength(1)
  expect(diagnostics[0]).toMatchObject({ file, line: 1, message, text: file })
  expect(diagnostics[0]?.hint).toBe(hint)
})

test('what a flag makes wrong is told at the value in the flag', async () => {
  expect(
    await problems(WORLD, {}, { set: ['size=9K'] }),
  ).toBe(`--set size=9K  size – there is no size \`9K\` (in a/one and 2 more)
> 1 | --set size=9K
    |            ^^ sizes: 512, 1K, 2K, 4K
1 problem. Nothing was sent.`)
})

test('an override that matches nothing, or samples, is an error', async () => {
  expect(
    await problems(`defaults: { model: nano-banana-2, prompt: x }
items: { pack: { matrix: { x: [front, top] } } }
overrides: { pack/frnt: { seed: 1 }, "pack/top#2": { seed: 1 } }
`),
  ).toBe(`catalog.yaml:3:14  overrides."pack/frnt" – no id matches \`pack/frnt\`
> 3 | overrides: { pack/frnt: { seed: 1 }, "pack/top#2": { seed: 1 } }
    |              ^^^^^^^^^ closest: pack/front
catalog.yaml:3:38  overrides."pack/top#2" – an override is for all samples of a picture
> 3 | overrides: { pack/frnt: { seed: 1 }, "pack/top#2": { seed: 1 } }
    |                                      ^^^^^^^^^^^^ leave out \`#\` and what follows it
2 problems. Nothing was sent.`)
})

test('an override that may match an item with problems is not called idle', async () => {
  const told = await problems(`defaults: { model: nano-banana-2, prompt: x }
items: { pack: { matrix: 5 }, other: {} }
overrides: { pack/x: { seed: 1 }, "p*/y": { seed: 1 }, "q*": { seed: 1 } }
`)
  expect(told.match(/no id matches `[^`]+`/g)).toEqual(['no id matches `q*`'])
})

test('samples may differ from cell to cell, by a template or an override', async () => {
  const yaml = `defaults: { model: nano-banana-2, prompt: x }
items: { a: { matrix: { x: { p: { n: 2 }, q: { n: "1" }, r: { n: 1 } } }, samples: "\${x.n}" } }
overrides: { a/r: { samples: 3 } }
`
  expect((await items(yaml)).map(({ id }) => id)).toEqual(['a/p', 'a/p#2', 'a/q', 'a/r', 'a/r#2', 'a/r#3'])
})

test.for([
  ['0', 'must be at least 1, is 0'],
  ['1.5', 'must be a whole number, is "1.5"'],
  ['many', 'must be a whole number, is "many"'],
] as const)('samples cannot be %s', async ([n, message]) => {
  const yaml = `defaults: { model: nano-banana-2, prompt: x }\nvars: { n: ${n} }\nitems: { a: { samples: "\${n}" } }`
  expect((await load(yaml)).diagnostics).toMatchObject([{ path: 'items.a.samples', message }])
})

test('a broken layer hides nothing that does not come from it', async () => {
  const told = await problems(`vars: [x]
defaults: { model: nano-banana-2, size: [2K] }
presets: { p: 5 }
profiles: 7
items:
  a: { use: [p], prompt: "\${any}", aspect: 7:3 }
  b: { prompt: "\${any}", seed: many, size: 8K }
overrides: { c: { seed: 1 } }
`)
  expect(told.match(/^[a-z].*? – [^\n]*/gm)).toEqual([
    'catalog.yaml:1:1  vars – must be a map, is a list',
    'catalog.yaml:2:35  defaults.size – must be text or a number, is a list',
    'catalog.yaml:3:15  presets.p – must be a map, is 5',
    'catalog.yaml:4:11  profiles – must be a map, is 7',
    'catalog.yaml:6:44  items.a.aspect – there is no aspect `7:3`',
    'catalog.yaml:7:32  items.b.seed – must be a whole number, is "many"',
    'catalog.yaml:7:44  items.b.size – there is no size `8K`',
    'catalog.yaml:8:14  overrides.c – no id matches `c`',
  ])
})

test('what lies over a broken layer is not judged by what is missing from it', async () => {
  const { diagnostics } = await load(`defaults: { model: nano-banana-2, vars: 5, refs: 7 }
items: { a: { vars: { own: x }, refs: ["..."], prompt: "\${own} \${other} \${image.any}" } }`)
  expect(diagnostics.map(({ path }) => path)).toEqual(['defaults.vars', 'defaults.refs'])
})

test.for([
  ['a `use` that is no list', 'items: { a: { use: 5, prompt: x } }', ['must be a list, is 5']],
  ['a `use` of no preset', 'items: { a: { use: [nope], prompt: x } }', ['no preset is called `nope`']],
  [
    'a `use` with an entry that is no name',
    'items: { a: { use: [[x]], prompt: x } }',
    ['must be text, is a list'],
  ],
  ['broken defaults', 'defaults: 7\nitems: { a: { prompt: x } }', ['must be a map, is 7']],
] as const)('what %s might have said is not called missing', async ([, yaml, messages]) => {
  expect((await load(yaml)).diagnostics.map(({ message }) => message)).toEqual(messages)
})

// The whole of loading: what is read and how often, what is answered when it cannot be, and how long it takes.
import { expect, test } from 'vitest'
import { z } from 'zod'
import { renderProblems } from '../../../runner/manifest/frames.ts'
import { loadManifest } from '../../../runner/manifest/load.ts'
import { ManifestSchema } from '../../../runner/manifest/schema.ts'
import { effectsOf, load, market, png, problems, render } from './fixture.ts'

const NAME_IT = 'name the manifest, as in: proofsheet plan ./catalog.yaml'
const OR_WRITE_IT = `${NAME_IT}; or write one: proofsheet init`
const MODEL = 'defaults: { model: nano-banana-2, prompt: x }\n'

test('each file is read once, however many items use it', async () => {
  const yaml = `${MODEL}refs: { one: a.png }\nitems:\n  a: { matrix: { x: [1, 2, 3] }, refs: ["@one", ./a.png], prompt: "file:p.md" }\n  b: { samples: 3, refs: [b/../a.png] }\n`
  const fx = effectsOf({ 'catalog.yaml': yaml, 'a.png': png, 'p.md': '${x}' })
  const { manifest } = await loadManifest('/shop/catalog.yaml', market, fx)
  expect(manifest?.items).toHaveLength(6)
  expect(fx.reads).toEqual({ 'catalog.yaml': 1, 'a.png': 1, 'p.md': 1 })
})

test('a manifest with an error is not given out', async () => {
  const { manifest, diagnostics } = await load('items: { a: { model: nano-banana } }')
  expect(manifest).toBeUndefined()
  expect(diagnostics).toEqual([
    {
      file: '/shop/catalog.yaml',
      line: 1,
      column: 10,
      width: 1,
      path: 'items.a',
      message: 'has no `prompt`',
      hint: 'say `prompt:` here or in `defaults`',
      severity: 'error',
      text: 'items: { a: { model: nano-banana } }',
    },
  ])
})

test('a byte order mark moves no column', async () => {
  const { diagnostics } = await load('\uFEFFitems: { a: { model: nano-banana } }')
  expect(diagnostics).toMatchObject([{ line: 1, column: 10, text: 'items: { a: { model: nano-banana } }' }])
})

test('warnings do not hold a manifest back', async () => {
  const { manifest, diagnostics } = await load(`vars: { a: b }\n${MODEL}items: { a: {} }`)
  expect(manifest?.items).toHaveLength(1)
  expect(diagnostics).toMatchObject([{ severity: 'warning', path: 'vars.a' }])
})

test.for([
  ['missing', { missing: true }, 'there is no such manifest', OR_WRITE_IT],
  ['a folder', { notAFile: true }, 'is a folder, not a file', NAME_IT],
  ['unreadable', { unreadable: 'EIO' }, 'cannot be read (EIO)', NAME_IT],
  [
    'locked',
    { unreadable: 'EACCES' },
    'may not be read (EACCES)',
    'change its permissions, or run as a user that may read it',
  ],
] as const)('a manifest that is %s is a problem with a way out', async ([, absent, message, hint]) => {
  const loaded = await loadManifest('/shop/catalog.yaml', market, effectsOf({ 'catalog.yaml': absent }))
  expect(loaded.manifest).toBeUndefined()
  expect(render(loaded)).toBe(`catalog.yaml:1:1  ${message}\n    ${hint}\n1 problem. Nothing was sent.`)
})

// Each takes less than half a second of a processor (2026-11); quadratic work takes minutes. Others may be at work on the
// same machine, so no clock on the wall is asked.
const MOMENT_MS = 4000

function usedMs(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since)
  return (user + system) / 1000
}

const range = (count: number) => Array.from({ length: count }, (_, n) => `v${n}`)
const bomb = [...'bcdefghij'].map((c, n) => `${c}: &${c} [${`*${'abcdefghi'[n]},`.repeat(9)}]`).join('\n')

test.for([
  ['a manifest over 8 MiB', `name: ${'x'.repeat(8 * 1024 * 1024)}`, 'larger than 8 MiB'],
  ['many aliases', `a: &a [x]\nb: [${'*a,'.repeat(20_000)}]`, 'more than 1000 aliases'],
  ['nested aliases', `a: &a [x,x,x,x,x,x,x,x,x]\n${bomb}`, 'its aliases stand for more than 1000000 values'],
  ['lists in lists', `items: ${'['.repeat(50_000)}`, 'nested too deeply'],
  ['lists in lists that close', `items: ${'['.repeat(60)}${']'.repeat(60)}`, 'nested too deeply'],
  ['the same key all over', `items:\n${'  a: {}\n'.repeat(20_000)}`, '`a` is already in line 2'],
  ['too many samples', `${MODEL}items: { a: { samples: 1000000000 } }`, 'makes 1000000000 pictures'],
  [
    'a matrix without end',
    `${MODEL}items: { a: { matrix: { a: [${range(999)}], b: [${range(999)}], c: [${range(999)}] } } }`,
    'makes 997002999 pictures',
  ],
  ['bytes that are no text', '\0\u0001\u0002PNG\r\n\u001a\n', 'a manifest is a map of keys'],
] as const)('%s is refused in a moment', async ([, yaml, words]) => {
  const start = process.cpuUsage()
  const told = await problems(yaml)
  expect(told).toContain(words)
  expect(usedMs(start)).toBeLessThan(MOMENT_MS)
})

test('ten thousand cells with names, references and a fallback load in a moment', async () => {
  const yaml = `
vars: { light: "soft \${brand}", brand: F }
defaults: { model: nano-banana-2, fallback: [{ model: nano-banana-pro, on: [unavailable] }] }
items:
  a:
    matrix: { p: [${range(100)}], q: [${range(100)}] }
    refs: [{ image: "./\${p}.png", as: pic }]
    prompt: "Shot of \${p} \${q} \${image.pic}. \${light}"
`
  const disk = Object.fromEntries(range(100).map((name) => [`${name}.png`, png]))
  const start = process.cpuUsage()
  const { manifest } = await load(yaml, disk)
  expect(manifest?.items).toHaveLength(10_000)
  expect(usedMs(start)).toBeLessThan(MOMENT_MS)
})

test('the schema makes an editor schema, with a description on every field', () => {
  const schema = z.toJSONSchema(ManifestSchema, { target: 'draft-7', io: 'input' })
  expect(schema).toMatchObject({ type: 'object', additionalProperties: false, required: ['items'] })
  const { items } = schema.properties as { items: { additionalProperties: { properties: object } } }
  const item = items.additionalProperties
  expect(Object.keys(item.properties)).toContain('matrix')
  const fields = { ...schema.properties, ...item.properties }
  for (const [key, field] of Object.entries(fields)) expect(field, key).toHaveProperty('description')
})

test('what the validator says never reaches a person', async () => {
  const junk = [null, 5, 'x', [], {}, [1], { a: 1 }, true]
  const keys = [
    ...Object.keys(ManifestSchema.shape),
    ...Object.keys(ManifestSchema.shape.defaults.unwrap().shape),
  ]
  for (const key of keys) {
    for (const value of junk) {
      const text = JSON.stringify(value)
      for (const yaml of [`items: {}\n${key}: ${text}`, `items: { a: { ${key}: ${text} } }`]) {
        const { diagnostics } = await load(yaml)
        expect(renderProblems(diagnostics, { color: false })).not.toMatch(
          /Invalid|expected|received|undefined|what belongs/,
        )
      }
    }
  }
})

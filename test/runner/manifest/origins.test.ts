// Where each value of an item is from.
import { expect, test } from 'vitest'
import { load, png } from './fixture.ts'

const YAML = `vars: { light: soft, brand: F }
defaults:
  model: nano-banana-2
  metadata: { by: top }
presets:
  hero: { size: 4K }
items:
  a:
    use: [hero]
    matrix: { p: { table: t.csv, key: sku } }
    refs: [logo.png]
    prompt: file:p.md
    samples: 2
overrides:
  a/x:
    metadata: { own: "\${p.n}" }
    seed: \${p.n}
profiles:
  draft: { tags: [d] }
`
const DISK = { 't.csv': 'sku,n\ny,1\nx,7\n', 'p.md': 'By ${light}, ${brand}.\n', 'logo.png': png }

test('every field has the line it was written at, in the manifest, a table, a prompt file or a flag', async () => {
  const { manifest } = await load(YAML, DISK, {
    profile: 'draft',
    set: ['aspect=16:9'],
    vars: ['light=hard'],
  })
  const told = manifest
    ?.originsOf('a/x#2')
    .map(({ field, value, file, line }) => [field, value, `${file}:${line}`])
  expect(told).toEqual([
    ['p', 'x', 't.csv:3'],
    ['p.sku', 'x', 't.csv:3'],
    ['p.n', '7', 't.csv:3'],
    ['model', 'nano-banana-2', '/shop/catalog.yaml:3'],
    ['prompt', 'By hard, F.', 'p.md:1'],
    ['refs[0]', 'logo.png', '/shop/catalog.yaml:11'],
    ['size', '4K', '/shop/catalog.yaml:6'],
    ['aspect', '16:9', '--set aspect=16:9:1'],
    ['samples', 2, '/shop/catalog.yaml:13'],
    ['vars.light', 'hard', '--var light=hard:1'],
    ['vars.brand', 'F', '/shop/catalog.yaml:1'],
    ['metadata.by', 'top', '/shop/catalog.yaml:4'],
    ['metadata.own', '7', '/shop/catalog.yaml:16'],
    ['tags', ['d'], '/shop/catalog.yaml:19'],
    ['seed', 7, '/shop/catalog.yaml:17'],
  ])
})

test('of an id that there is not, nothing is said', async () => {
  expect((await load(YAML, DISK)).manifest?.originsOf('b')).toEqual([])
})

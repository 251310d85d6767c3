// Random manifests against the reference expander, and what must hold for all of them: nothing depends on the order of
// names, and a new value leaves the pictures of the others alone. Seeds are fixed, so a failure is the same tomorrow.
import { expect, test } from 'vitest'
import { items } from './fixture.ts'
import { randomOf, worldOf } from './random-manifest.ts'
import { expand, type Tree, type Value, type World } from './reference-expander.ts'
import { fingerprintsOf, itemsOf, wantedOf } from './worlds.ts'

const SEEDS = Array.from({ length: 200 }, (_, n) => n + 1)

test('random manifests expand like the reference expander', async () => {
  const kinds = new Map<string, number>()
  const count = (kind: string, is: boolean) => kinds.set(kind, (kinds.get(kind) ?? 0) + (is ? 1 : 0))
  let pictures = 0
  for (const seed of SEEDS) {
    const world = worldOf(randomOf(seed))
    const expected = expand(world)
    const items = await itemsOf(world).catch((error: Error) => {
      throw new Error(`seed ${seed}: ${error.message}`)
    })
    expect(items.map(wantedOf), `seed ${seed}`).toEqual(expected)
    pictures += expected.length
    const text = JSON.stringify(world.manifest)
    for (const word of ['table', 'glob', 'skip', 'use', 'overrides', 'from', 'wait', 'output', '...'])
      count(word, text.includes(`"${word}"`))
    count('profile', world.profile !== undefined)
    count('set', world.set.length > 0)
    count('var', world.vars.length > 0)
  }
  expect(pictures).toBeGreaterThan(3000)
  // A generator that stops to make some kind of manifest proves nothing of it.
  for (const [kind, times] of kinds) expect(times, kind).toBeGreaterThan(10)
})

/** With the keys of a section in another order. */
function turned(world: World, sections: readonly string[]): World {
  const manifest = { ...world.manifest }
  for (const section of sections)
    manifest[section] = Object.fromEntries(Object.entries((manifest[section] ?? {}) as Tree).reverse())
  return { ...world, manifest }
}

const byId = (fingerprints: ReadonlyMap<string, string>) =>
  [...fingerprints].sort(([a], [b]) => (a < b ? -1 : 1))

test('the order of items, presets, vars, refs and profiles changes no id and no fingerprint', async () => {
  for (const seed of SEEDS.slice(0, 80)) {
    const world = worldOf(randomOf(seed))
    const other = turned(world, ['items', 'presets', 'vars', 'refs', 'profiles', 'defaults'])
    const [before, after] = [await itemsOf(world), await itemsOf(other)]
    expect(byId(fingerprintsOf(after)), `seed ${seed}`).toEqual(byId(fingerprintsOf(before)))
  }
})

/** A world and the same with one value less in one place: what is left must not change. */
type Smaller = { what: string; world: World }

/** Every way to leave out one value of an axis, row of a table, picture of a folder, or item that nothing is made from. */
function smaller(world: World): Smaller[] {
  const change = (what: string, edit: (copy: World) => void): Smaller => {
    const copy = structuredClone(world)
    edit(copy)
    return { what, world: copy }
  }
  const items = Object.entries(world.manifest.items as Tree) as [string, Tree][]
  const axes = items.flatMap(([item, { matrix }]) =>
    Object.entries((matrix ?? {}) as Tree).map(([axis, values]) => ({ item, axis, values })),
  )
  const axisOf = (copy: World, item: string) => ((copy.manifest.items as Tree)[item] as Tree).matrix as Tree
  return [
    ...axes.flatMap(({ item, axis, values }) =>
      Array.isArray(values) && values.length > 1
        ? [change(`${item}.${axis}[0]`, (copy) => void (axisOf(copy, item)[axis] as Value[]).shift())]
        : [],
    ),
    ...axes.flatMap(({ item, axis, values }) =>
      typeof values === 'object' && values !== null && 'p' in values
        ? [change(`${item}.${axis}.p`, (copy) => void delete (axisOf(copy, item)[axis] as Tree).p)]
        : [],
    ),
    ...Object.entries(world.tables).flatMap(([path, rows]) =>
      rows.length > 1 && JSON.stringify(world.manifest).includes(path)
        ? [change(`${path} row 1`, (copy) => void copy.tables[path]!.shift())]
        : [],
    ),
    ...items
      .slice(-1)
      .flatMap(([item]) =>
        items.length > 1
          ? [change(`items.${item}`, (copy) => void delete (copy.manifest.items as Tree)[item])]
          : [],
      ),
  ]
}

test('a value that comes or goes leaves all other ids and fingerprints as they are', async () => {
  let compared = 0
  let gone = 0
  for (const seed of SEEDS.slice(0, 80)) {
    const world = worldOf(randomOf(seed))
    // A pattern among the references takes what there is; overrides and `skip` must match something.
    if (/"from":"[^"]*\*/.test(JSON.stringify(world.manifest))) continue
    const whole = fingerprintsOf(await itemsOf(world))
    for (const { what, world: less } of smaller(world)) {
      const items = await itemsOf(less).catch(() => undefined)
      if (!items) continue
      const left = fingerprintsOf(items)
      for (const [id, fingerprint] of left)
        expect(whole.get(id), `seed ${seed} without ${what}: ${id}`).toBe(fingerprint)
      compared += left.size
      gone += whole.size - left.size
    }
  }
  expect(compared).toBeGreaterThan(2000)
  expect(gone).toBeGreaterThan(300)
})

test('names that are numbers keep their place in the file', async () => {
  const yaml = `
defaults: { model: nano-banana-2 }
items:
  shelf:
    matrix:
      width: { 90: { mm: 900 }, 60: { mm: 600 } }
      product: { table: ./products.yaml }
    prompt: A shelf of \${width.mm} mm with \${product.name}.
  2026: { prompt: A calendar of 2026 }
  2025: { prompt: A calendar of 2025 }
overrides:
  "2*": { size: 1K }
  2025: { size: 2K }
`
  const made = await items(yaml, { 'products.yaml': '7: { name: a mug }\n3: { name: a jug }\n' })
  expect(made.map(({ id, size }) => `${id} ${size}`)).toEqual([
    'shelf/90/7 undefined',
    'shelf/90/3 undefined',
    'shelf/60/7 undefined',
    'shelf/60/3 undefined',
    '2026 1K',
    '2025 2K',
  ])
})

// The fingerprint of an item changes exactly when something changes that the picture is made from. One base manifest, one
// edit per row; every field of an item has a row.
import { describe, expect, test } from 'vitest'
import type { Item } from '../../../runner/manifest/item.ts'
import { over, type Tree, type Value, type World } from './reference-expander.ts'
import { fingerprintsOf, itemsOf } from './worlds.ts'

const BASE: World = {
  manifest: {
    budget: { max: 10 },
    vars: { brand: 'Fern' },
    defaults: { model: 'nano-banana-2', provider: 'google' },
    items: {
      source: { prompt: 'A mug', samples: 2 },
      other: { prompt: 'A jug' },
      it: {
        prompt: 'A mug by ${brand}, as in ${image.own}',
        size: '1K',
        aspect: '4:5',
        seed: 1,
        temperature: 1,
        topP: 0.5,
        topK: 5,
        maxOutputTokens: 5000,
        system: 'You draw.',
        safetySettings: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_NONE' }],
        thinking: { level: 'high' },
        modalities: ['IMAGE'],
        fallback: [{ model: 'nano-banana-pro', on: ['unavailable'] }],
        metadata: { sku: '1' },
        tags: ['shop'],
        output: 'pictures/it',
        refs: [{ image: './a.png', as: 'own' }, 'https://x.example/1.png', { from: 'source' }],
        samples: 2,
      },
    },
  },
  pictures: ['./a.png', './b.png'],
  tables: {},
  set: [],
  vars: [],
}

/** The base with a change merged into the item `it`. */
const withIt = (change: Tree): World => withManifest({ items: { it: change } })
const withManifest = (change: Tree): World => ({ ...BASE, manifest: over(BASE.manifest, change) as Tree })
const refs = (...list: Value[]) => withIt({ refs: list })
const own = { image: './a.png', as: 'own' }
const url = 'https://x.example/1.png'

type Row = [field: keyof Item, what: string, world: World]

const CHANGES: Row[] = [
  ['model', 'another model', withIt({ model: 'nano-banana-2.1' })],
  ['prompt', 'another word', withIt({ prompt: 'A cup by ${brand}, as in ${image.own}' })],
  ['prompt', 'another value of a var', withManifest({ vars: { brand: 'Fold' } })],
  ['prompt', 'another value by flag', { ...BASE, vars: [['brand', 'Fold']] }],
  ['size', 'another size', withIt({ size: '2K' })],
  ['size', 'another size by flag', { ...BASE, set: [['size', '2K']] }],
  ['aspect', 'another aspect', withIt({ aspect: '1:1' })],
  ['parameters', 'seed', withIt({ seed: 2 })],
  ['parameters', 'temperature', withIt({ temperature: 0.9 })],
  ['parameters', 'topP', withIt({ topP: 0.4 })],
  ['parameters', 'topK', withIt({ topK: 4 })],
  ['parameters', 'maxOutputTokens', withIt({ maxOutputTokens: 4999 })],
  ['parameters', 'system text', withIt({ system: 'You paint.' })],
  [
    'parameters',
    'safety settings',
    withIt({ safetySettings: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'OFF' }] }),
  ],
  ['parameters', 'thinking', withIt({ thinking: { level: 'minimal' } })],
  ['parameters', 'modalities', withIt({ modalities: ['IMAGE', 'TEXT'] })],
  ['references', 'another file', refs({ image: './b.png', as: 'own' }, url, { from: 'source' })],
  ['references', 'another address', refs(own, 'https://x.example/2.png', { from: 'source' })],
  ['references', 'another item', refs(own, url, { from: 'other' })],
  ['references', 'another sample of the item', refs(own, url, { from: 'source#2' })],
  ['references', 'one less', refs(own, url)],
  ['references', 'one more', refs(own, url, { from: 'source' }, './b.png')],
  ['references', 'another order', refs(own, { from: 'source' }, url)],
  [
    'references',
    'a change of what it is made from',
    withManifest({ items: { source: { prompt: 'A cup' } } }),
  ],
]

const SAMES: Row[] = [
  ['provider', 'another seller', withIt({ provider: 'apiyi', fallback: [] })],
  ['fallback', 'another fallback', withIt({ fallback: [] })],
  ['metadata', 'other metadata', withIt({ metadata: { sku: '2', more: 'x' } })],
  ['tags', 'other tags', withIt({ tags: ['hero'] })],
  ['output', 'another file name', withIt({ output: 'elsewhere/it' })],
  [
    'references',
    'another name of a reference',
    withIt({
      prompt: 'A mug by ${brand}, as in ${image.mug}',
      refs: [{ image: './a.png', as: 'mug' }, url, { from: 'source' }],
    }),
  ],
  ['references', 'a wait for the pick', refs(own, url, { from: 'source', wait: 'pick' })],
  ['references', 'the first sample named by its number', refs(own, url, { from: 'source#1' })],
  ['model', 'an alias of the model', withIt({ model: 'gemini-3.1-flash-image-preview' })],
  ['size', 'another spelling of the size', withIt({ size: '1k' })],
  ['prompt', 'white space at its end', withIt({ prompt: 'A mug by ${brand}, as in ${image.own}\n\n' })],
  ['sample', 'more samples', withIt({ samples: 3 })],
  ['sample', 'fewer samples', withIt({ samples: 1 })],
  ['line', 'items before it', withManifest({ items: { extra: { prompt: 'x' } } })],
  ['id', 'a budget', withManifest({ budget: { max: 20, per_image: 5, confirm_above: 1 } })],
  ['id', 'prices', withManifest({ prices: { google: { 'nano-banana-2': { perRequest: 0.01 } } } })],
  ['id', 'a name of the catalog', withManifest({ name: 'Autumn' })],
]

const itOf = async (world: World) => fingerprintsOf(await itemsOf(world)).get('it')

describe('a change of what the picture is made from is another fingerprint', () => {
  test.for(CHANGES)('%s: %s', async ([, , world]) => {
    expect(await itOf(world)).not.toBe(await itOf(BASE))
  })
})

describe('a change of anything else is none', () => {
  test.for(SAMES)('%s: %s', async ([, , world]) => {
    expect(await itOf(world)).toBe(await itOf(BASE))
  })

  test('a renamed item keeps its fingerprint', async () => {
    const { it, ...rest } = BASE.manifest.items as Tree
    const renamed = { ...BASE, manifest: { ...BASE.manifest, items: { ...rest, tableau: it! } } }
    expect(fingerprintsOf(await itemsOf(renamed)).get('tableau')).toBe(await itOf(BASE))
  })
})

test('samples of one picture have fingerprints of their own', async () => {
  const prints = fingerprintsOf(await itemsOf(BASE))
  expect(prints.get('it#2')).toBeDefined()
  expect(prints.get('it#2')).not.toBe(prints.get('it'))
})

test('all changes are different from each other', async () => {
  const prints = await Promise.all(CHANGES.map(([, , world]) => itOf(world)))
  // The var gets the same value in the manifest and by flag. (The size by flag is also that of what it is made from.)
  expect(new Set(prints).size).toBe(CHANGES.length - 1)
})

test('every field of an item is in one of the tables', async () => {
  const fields = (await itemsOf(BASE)).flatMap((item) => Object.keys(item))
  const covered = new Set<string>([...CHANGES, ...SAMES].map(([field]) => field))
  // The id that samples share is the id.
  expect([...new Set(fields)].filter((field) => field !== 'base' && !covered.has(field))).toEqual([])
})

// A world of the reference expander as the loader sees it: YAML, files, flags; and what the loader makes of it.
import { createHash } from 'node:crypto'
import { stringify } from 'yaml'
import { sha256 } from '../../../runner/digest.ts'
import type { Item } from '../../../runner/manifest/item.ts'
import { loadManifest } from '../../../runner/manifest/load.ts'
import { planOf } from '../../../runner/plan/plan.ts'
import { type Disk, effectsOf, market, render } from './fixture.ts'
import { tableText } from './random-manifest.ts'
import type { Wanted, World } from './reference-expander.ts'

const TODAY = '2026-11-20'
const FOLDER = '/shop'

const digest = (text: string) => createHash('sha256').update(text).digest('hex')

/** The files of a world; the bytes of a picture follow from its path. */
function diskOf({ manifest, pictures, tables }: World): Disk {
  const named = (path: string) => path.slice(2)
  return {
    'catalog.yaml': stringify(manifest, { aliasDuplicateObjects: false }),
    ...Object.fromEntries(Object.entries(tables).map(([path, rows]) => [named(path), tableText(path, rows)])),
    ...Object.fromEntries(
      pictures.map((path) => [named(path), { sha256: digest(path), mimeType: 'image/png', bytes: 100 }]),
    ),
  }
}

/** The items that the loader finds; throws with what a person would read when it finds a problem. */
export async function itemsOf(world: World): Promise<Item[]> {
  const layers = {
    profile: world.profile,
    set: world.set.map(([field, value]) => `${field}=${JSON.stringify(value)}`),
    vars: world.vars.map(([name, text]) => `${name}=${text}`),
  }
  const effects = effectsOf(diskOf(world))
  const loaded = await loadManifest(`${FOLDER}/catalog.yaml`, market, effects, layers, TODAY)
  if (!loaded.manifest) throw new Error(render(loaded))
  return loaded.manifest.items
}

/** An item in the words of the reference expander. */
export function wantedOf(item: Item): Wanted {
  const { id, base, sample, model, provider, prompt, size, aspect, fallback, metadata, tags, output } = item
  return {
    id,
    base,
    sample,
    model,
    provider,
    prompt,
    size,
    aspect,
    parameters: item.parameters as Wanted['parameters'],
    fallback: fallback.map((f) => ({ model: f.model, on: f.on })),
    metadata,
    tags: [...tags],
    output,
    references: item.references.map((reference) => {
      if (reference.kind === 'file') return `file:.${reference.path.slice(FOLDER.length)}`
      if (reference.kind === 'url') return `url:${reference.url}`
      return `from:${reference.item}${reference.wait ? ' wait' : ''}`
    }),
  }
}

/** The fingerprint of every item, by id. */
export function fingerprintsOf(items: readonly Item[]): Map<string, string> {
  const urls = new Map(
    items.flatMap(({ references }) =>
      references.flatMap((r) => (r.kind === 'url' ? [[r.url, digest(r.url)] as const] : [])),
    ),
  )
  const repeat = { refused: false, uncertain: false }
  const plan = planOf(items, { lock: new Map(), market, urls, repeat, sha256 })
  return new Map(plan.items.map(({ item, fingerprint }) => [item.id, fingerprint]))
}

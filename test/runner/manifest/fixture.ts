// A manifest from text, with a disk that is a table: what a test needs to speak about manifests.
import { posix } from 'node:path'
import picomatch from 'picomatch'
import { marketOf } from '../../../core/market.ts'
import type { Absent } from '../../../runner/manifest/absence.ts'
import type { ManifestEffects, ReferenceFile } from '../../../runner/manifest/effects.ts'
import { renderProblems } from '../../../runner/manifest/frames.ts'
import { type Layers, type Loaded, loadManifest } from '../../../runner/manifest/load.ts'

/** Name below the manifest's folder → text, or what reading it answers. */
export type Disk = Record<string, string | ReferenceFile | Absent>

export const market = marketOf({ APIYI_API_KEY: 'a', GOOGLE_API_KEY: 'g' })

export const png: ReferenceFile = { sha256: '1'.repeat(64), mimeType: 'image/png', bytes: 1000 }

/** The effects over a disk, and how often each file was read. */
export function effectsOf(disk: Disk): ManifestEffects & { reads: Record<string, number> } {
  const reads: Record<string, number> = {}
  const find = (path: string) => {
    const name = path.replace(/^\/shop\//, '')
    reads[name] = (reads[name] ?? 0) + 1
    return disk[name] ?? { missing: true as const }
  }
  return {
    reads,
    readText: async (path) => find(path) as string | Absent,
    readReference: async (path) => find(path) as ReferenceFile | Absent,
    listFiles: async (pattern, folder) => {
      const matches = picomatch(posix.normalize(pattern))
      const below = Object.keys(disk).map((name) => posix.relative(folder, `/shop/${name}`))
      return below.filter((name) => matches(name)).sort()
    },
  }
}

/** The flags of a command line, as far as a test has any. */
export type SomeLayers = Partial<Layers>

export function load(yaml: string, disk: Disk = {}, layers: SomeLayers = {}): Promise<Loaded> {
  const fx = effectsOf({ 'catalog.yaml': yaml, ...disk })
  return loadManifest('/shop/catalog.yaml', market, fx, { set: [], vars: [], ...layers }, '2026-11-21')
}

/** The items of a manifest that has no problem. */
export async function items(yaml: string, disk: Disk = {}, layers: SomeLayers = {}) {
  const loaded = await load(yaml, disk, layers)
  if (!loaded.manifest) throw new Error(render(loaded))
  return loaded.manifest.items
}

/** What a person reads. */
export async function problems(yaml: string, disk: Disk = {}, layers: SomeLayers = {}): Promise<string> {
  return render(await load(yaml, disk, layers))
}

export function render({ diagnostics }: Loaded): string {
  return renderProblems(diagnostics, { color: false }).replaceAll('/shop/catalog.yaml', 'catalog.yaml')
}

// A manifest from text, with a disk that is a table: what a test needs to speak about manifests.
import { marketOf } from '../../../core/market.ts'
import { renderProblems } from '../../../runner/manifest/frames.ts'
import { type Loaded, loadManifest } from '../../../runner/manifest/load.ts'
import type { Absent, ManifestEffects, ReferenceFile } from '../../../runner/manifest/reading.ts'

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
  }
}

export function load(yaml: string, disk: Disk = {}): Promise<Loaded> {
  return loadManifest('/shop/catalog.yaml', market, effectsOf({ 'catalog.yaml': yaml, ...disk }))
}

/** The items of a manifest that has no problem. */
export async function items(yaml: string, disk: Disk = {}) {
  const loaded = await load(yaml, disk)
  if (!loaded.manifest) throw new Error(render(loaded))
  return loaded.manifest.items
}

/** What a person reads. */
export async function problems(yaml: string, disk: Disk = {}): Promise<string> {
  return render(await load(yaml, disk))
}

export function render({ diagnostics, source }: Loaded): string {
  return renderProblems(diagnostics, source, { color: false }).replaceAll(
    '/shop/catalog.yaml',
    'catalog.yaml',
  )
}

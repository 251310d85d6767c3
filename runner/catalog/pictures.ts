// The catalog as other programs want it: the pictures that are made, by id. Knows no file format and no disk.
import type { Plan, PlanItem } from '../plan/plan.ts'
import type { LockEntry } from '../state/lock.ts'

/** A made picture. `export --format ts` writes this type into its file: keep the two together (formats.ts). */
export type Picture = {
  url: string
  /** Pixels; null when the bytes did not tell. */
  width: number | null
  height: number | null
  mimeType: string
  bytes: number
  /** Of the bytes, in hex. */
  sha256: string
  /** Which of several of the same, from 1. */
  sample: number
  tags: readonly string[]
  metadata: Readonly<Record<string, string>>
  provider: string
  /** Canonical id. */
  model: string
  /** USD; null when it is not known. */
  cost: number | null
  /** Path from the manifest's folder; null when it is not on disk. */
  file: string | null
  /** Drawn by the emulator: a stand-in, not the picture. */
  emulated: boolean
}

/** Pictures by id, and how many items are not among them, by reason. */
export type Catalog = { pictures: Map<string, Picture>; left: Map<string, number> }

/** The catalog of a plan. One picture stands for all samples of a base, under the base id: the picked one, else the first
 *  that is made and not rejected; `allSamples` gives every one of them under its own id. `fileOf` says where a picture
 *  lies, from the manifest's folder. */
export function catalogOf(
  plan: Plan,
  { allSamples }: { allSamples: boolean },
  fileOf: (planned: PlanItem, entry: LockEntry) => string | null,
): Catalog {
  const catalog: Catalog = { pictures: new Map(), left: new Map() }
  const chosen = plan.items.filter((p) => p.selected)
  for (const [base, samples] of Map.groupBy(chosen, (p) => p.item.base)) {
    const made = samples.filter((p) => reasonToLeave(p) === undefined)
    for (const p of samples) {
      // Of samples that are alternatives, one that is missing is missed only when none is there.
      const reason = allSamples || made.length === 0 ? reasonToLeave(p) : undefined
      if (reason !== undefined) catalog.left.set(reason, (catalog.left.get(reason) ?? 0) + 1)
    }
    const best = made.find((p) => p.entry?.review === 'picked') ?? made[0]
    if (allSamples) for (const p of made) catalog.pictures.set(p.item.id, pictureOf(p, fileOf))
    else if (best) catalog.pictures.set(base, pictureOf(best, fileOf))
  }
  return catalog
}

/** Why an item's picture is not in the catalog; undefined when it is. */
function reasonToLeave({ state, entry }: PlanItem): string | undefined {
  if (state !== 'done' && state !== 'redo') return state === 'same' ? 'new' : state
  return entry?.review === 'rejected' ? 'rejected' : undefined
}

function pictureOf(
  planned: PlanItem,
  fileOf: (planned: PlanItem, entry: LockEntry) => string | null,
): Picture {
  const { item } = planned
  const entry = planned.entry!
  const { url, width, height, mimeType, bytes, sha256 } = entry.image!
  return {
    url,
    width,
    height,
    mimeType,
    bytes,
    sha256,
    sample: item.sample,
    tags: item.tags,
    metadata: item.metadata ?? {},
    provider: entry.provider,
    model: entry.model,
    cost: entry.cost,
    file: fileOf(planned, entry),
    emulated: entry.emulated,
  }
}

// What a report shows, as one value: rows of pictures with what a person wants to know of each. The page gets it as JSON.
import type { PlanItem, PlanState } from '../plan/plan.ts'
import type { LockEntry } from '../state/lock.ts'
import { amount, usdOf } from '../views/format.ts'

export type ReportPicture = {
  id: string
  /** What tells it from the others of its row. */
  label: string
  state: PlanState
  /** Why, for states that have reasons; for a picture that was refused, the model's words. */
  reason: string
  tags: readonly string[]
  review?: 'picked' | 'rejected'
  model: string
  prompt: string
  /** As shown. */
  cost: string
  emulated: boolean
  /** Absent: there is no picture. `thumb` is what the page loads at first. */
  image?: { url: string; thumb: string; width: number | null; height: number | null }
}

export type ReportRow = { name: string; pictures: ReportPicture[] }

export type Report = {
  name: string
  /** For `proofsheet pick`. */
  manifest: string
  /** The profile that was laid over all items. */
  profile?: string
  /** ISO time. */
  madeAt: string
  /** What was paid for all pictures of the report, as shown. */
  cost: string
  rows: ReportRow[]
}

/** Where a picture is seen: its own address, and what the page loads at first. */
export type Source = { url: string; thumb: string }

/** The rows of a report. Where an item has several samples, a row holds them; else it holds the pictures that differ in
 *  the last part of the id only. */
export function rowsOf(items: readonly PlanItem[], sources: ReadonlyMap<string, Source>): ReportRow[] {
  const sampled = new Set(items.filter((p) => p.item.sample > 1).map((p) => p.item.base))
  const rowOf = ({ item }: PlanItem) =>
    sampled.has(item.base) ? item.base : folderOf(item.base) || item.base
  return [...Map.groupBy(items, rowOf)].map(([name, members]) => ({
    name,
    pictures: members.map((p) =>
      pictureOf(p, labelOf(p, name, sampled.has(p.item.base)), sources.get(p.item.id)),
    ),
  }))
}

/** What the lock knows of an item's picture; of one that has changed since, the picture it was. */
export function lastOf({ entry, previous }: PlanItem): LockEntry | undefined {
  return entry ?? previous
}

/** What was paid for the pictures that are there, and for tries that gave none. What the emulator drew was not paid. */
export function costOf(items: readonly PlanItem[]): string {
  const entries = new Map(items.flatMap((p) => lastOf(p) ?? []).map((entry) => [entry.key, entry]))
  const drawn = [...entries.values()].filter(({ emulated }) => emulated)
  const bought = [...entries.values()].filter(({ emulated }) => !emulated)
  return bought.length === 0 && drawn.length > 0
    ? `${sumOf(drawn)} at list prices, drawn by the emulator`
    : `${sumOf(bought)} paid`
}

function sumOf(entries: readonly LockEntry[]): string {
  const known = entries.reduce((sum, { cost }) => sum + Math.round((cost ?? 0) * 1_000_000), 0)
  return `${entries.some(({ cost }) => cost === null) ? '≥ ' : ''}${amount(known)}`
}

function folderOf(id: string): string {
  return id.slice(0, Math.max(0, id.lastIndexOf('/')))
}

function labelOf({ item }: PlanItem, row: string, sampled: boolean): string {
  if (sampled) return `#${item.sample}`
  return item.id === row ? '' : item.id.slice(row.length + 1)
}

function pictureOf(planned: PlanItem, label: string, source: Source | undefined): ReportPicture {
  const { item, state, reasons } = planned
  const entry = lastOf(planned)
  const { image } = entry ?? {}
  return {
    id: item.id,
    label,
    state,
    reason: planned.entry?.error && state !== 'done' ? planned.entry.error.message : reasons.join(', '),
    tags: item.tags,
    ...(entry?.review ? { review: entry.review } : {}),
    model: entry?.model ?? item.model,
    prompt: item.prompt,
    cost: entry ? usdOf(entry.cost) : '',
    emulated: entry?.emulated ?? false,
    ...(image && source ? { image: { ...source, width: image.width, height: image.height } } : {}),
  }
}

// The lock: one line of JSON per picture, sorted by id. It is the catalog: what was made, from what, where it lies. It
// can be thrown away: the worker finds everything again by its key (promise 6).
// Rules: read tolerantly (a line that git or an editor broke is set aside, what it spoke of is looked up again), write
// whole, never drop an entry of an item that is no longer in the manifest: it was paid for. What a newer version wrote
// into an entry stays in it.
import { z } from 'zod'
import { ImageSchema, STATUSES } from '../../core/api.ts'
import { baseOf } from '../manifest/ids.ts'
import type { Inputs } from '../plan/inputs.ts'

/** What a person may say of a picture. */
export const REVIEWS = ['picked', 'rejected'] as const
export type Review = (typeof REVIEWS)[number]

const PastSchema = z.object({
  key: z.string(),
  generation: z.string(),
  status: z.enum(STATUSES),
  model: z.string(),
  /** USD; null when it is not known. */
  cost: z.number().nullable(),
  /** Of its picture, when it had one. */
  url: z.string().optional(),
  recordedAt: z.number(),
})

const EntrySchema = z.object({
  id: z.string(),
  /** The Idempotency-Key: the fingerprint, and `-<edition>` from the second one on. */
  key: z.string(),
  fingerprint: z.string(),
  edition: z.int().positive(),
  inputs: z.looseObject({ references: z.array(z.object({ name: z.string(), is: z.string() })) }),
  generation: z.string(),
  status: z.enum(STATUSES),
  provider: z.string(),
  model: z.string(),
  emulated: z.boolean(),
  image: ImageSchema.optional(),
  /** USD; null when it is not known. */
  cost: z.number().nullable(),
  charged: z.enum(['no', 'yes', 'unknown']),
  error: z.object({ code: z.string(), message: z.string() }).optional(),
  /** The profile under which it was made; a draft stands beside the final picture and never replaces it. */
  profile: z.string().optional(),
  /** What a person said of this very picture, and when they last said something; epoch ms. */
  review: z.enum(REVIEWS).optional(),
  reviewedAt: z.number().optional(),
  /** What the slot held before, newest first, each key once. */
  before: z.array(PastSchema).optional(),
  /** Epoch ms. */
  recordedAt: z.number(),
})

/** An earlier try of an item. */
export type Past = z.output<typeof PastSchema>

export type LockEntry = Omit<z.output<typeof EntrySchema>, 'inputs'> & { inputs: Inputs }

/** Entries by slot. */
export type Lock = ReadonlyMap<string, LockEntry>

/** The place of an entry in the lock: its item's id, and the profile it was made under, if any. */
export function slotOf({ id, profile }: { id: string; profile?: string | undefined }): string {
  return profile === undefined ? id : `${id}@${profile}`
}

/** The key of an edition of a fingerprint. */
export function keyOf(fingerprint: string, edition: number): string {
  return edition === 1 ? fingerprint : `${fingerprint}-${edition}`
}

/** How many earlier tries an entry remembers. */
const MOST_REMEMBERED = 20

export type Lines = {
  lock: Lock
  /** Lines that hold something and are no entry: what they spoke of is looked up again. */
  unreadable: string[]
}

/** Reads the text of a lock or a journal. What git leaves of two versions is read as both; of several entries of one
 *  slot the newest counts. */
export function readLines(text: string): Lines {
  const lock = new Map<string, LockEntry>()
  const unreadable: string[] = []
  for (const line of text.replace(/^\uFEFF/, '').split('\n')) {
    const entry = readEntry(line)
    if (entry) put(lock, entry)
    else if (line.trim() !== '') unreadable.push(line.trimEnd())
  }
  settlePicks(lock)
  return { lock, unreadable }
}

/** The entries of a lock or a journal. */
export function readEntries(text: string): Lock {
  return readLines(text).lock
}

/** Whether a line is git's own: it separates two versions and holds nothing. */
export function isConflictMarker(line: string): boolean {
  return /^(<{7}|\|{7}|={7}|>{7})( |$)/.test(line)
}

/** The entries of all; of several of one slot the newest counts, of equally new ones the last. */
export function merge(...locks: Lock[]): Lock {
  const merged = new Map<string, LockEntry>()
  for (const lock of locks) for (const entry of lock.values()) put(merged, entry)
  settlePicks(merged)
  return merged
}

/** Adds an entry where it belongs, unless a newer one is there. */
export function put(lock: Map<string, LockEntry>, entry: LockEntry): void {
  const slot = slotOf(entry)
  const known = lock.get(slot)
  lock.set(slot, known ? newest(known, entry) : entry)
}

/** One entry as a line, without its end. */
export function writeEntry(entry: LockEntry): string {
  return JSON.stringify(entry)
}

/** The lock file's text. */
export function writeLock(lock: Lock): string {
  const sorted = [...lock.values()].sort(
    (a, b) => order(a.id, b.id) || order(a.profile ?? '', b.profile ?? ''),
  )
  return sorted.map((entry) => `${writeEntry(entry)}\n`).join('')
}

/** The newer of two entries of one slot, with what both remember. What was said of a picture holds for that picture. */
function newest(a: LockEntry, b: LockEntry): LockEntry {
  const [older, newer] = a.recordedAt <= b.recordedAt ? [a, b] : [b, a]
  const { before: _, ...rest } = isSamePicture(older, newer) ? withReview(newer, older) : newer
  const before = history(older, newer)
  return before.length > 0 ? { ...rest, before } : rest
}

/** A drawing of the emulator has the key of the picture that it stands for. */
function isSamePicture(a: LockEntry, b: LockEntry): boolean {
  return a.key === b.key && a.emulated === b.emulated
}

/** An entry with what was said last in it or in another of the same picture. */
function withReview(entry: LockEntry, other: LockEntry): LockEntry {
  if ((other.reviewedAt ?? 0) <= (entry.reviewedAt ?? 0)) return entry
  const { review: _, ...rest } = entry
  return {
    ...rest,
    ...(other.review ? { review: other.review } : {}),
    ...(other.reviewedAt ? { reviewedAt: other.reviewedAt } : {}),
  }
}

function history(older: LockEntry, newer: LockEntry): Past[] {
  const all = [pastOf(older), ...(newer.before ?? []), ...(older.before ?? [])]
  const byKey = new Map<string, Past>()
  for (const past of all.sort((a, b) => b.recordedAt - a.recordedAt))
    if (past.key !== newer.key && !byKey.has(past.key)) byKey.set(past.key, past)
  return [...byKey.values()].slice(0, MOST_REMEMBERED)
}

function pastOf({ key, generation, status, model, cost, image, recordedAt }: LockEntry): Past {
  return { key, generation, status, model, cost, ...(image ? { url: image.url } : {}), recordedAt }
}

/** Leaves one picked picture where two people picked different samples: the one that was picked last. */
function settlePicks(lock: Map<string, LockEntry>): void {
  const picked = new Map<string, LockEntry>()
  for (const entry of lock.values()) {
    if (entry.review !== 'picked') continue
    const shared = slotOf({ id: baseOf(entry.id), profile: entry.profile })
    const rival = picked.get(shared)
    const [loser, winner] =
      rival && (rival.reviewedAt ?? 0) > (entry.reviewedAt ?? 0) ? [entry, rival] : [rival, entry]
    picked.set(shared, winner)
    if (loser) {
      const { review: _, ...rest } = loser
      lock.set(slotOf(loser), rest)
    }
  }
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** The entry of a line, with members that only a newer version knows. */
function readEntry(line: string): LockEntry | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    const value: unknown = JSON.parse(line)
    return EntrySchema.safeParse(value).success ? (value as LockEntry) : undefined
  } catch {
    return undefined
  }
}

// The lock: one line of JSON per picture, sorted by id. It is the catalog: what was made, from what, where it lies. It
// can be thrown away: the worker finds everything again by its key (promise 6).
// Rules: read tolerantly (a line that git or an editor broke is dropped, what it spoke of is looked up again), write
// whole and atomically, never drop an entry of an item that is no longer in the manifest: it was paid for.
import { z } from 'zod'
import { ImageSchema, STATUSES } from '../../core/api.ts'
import type { Inputs } from '../plan/inputs.ts'

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
  /** What a person said of the picture. */
  review: z.enum(['picked', 'rejected']).optional(),
  /** What the item was before, newest first. */
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

/** Reads lines of lock or journal; of several entries with one id the newest counts. */
export function readEntries(text: string): Lock {
  const entries = new Map<string, LockEntry>()
  for (const line of text.split('\n')) {
    const entry = readEntry(line)
    const known = entry && entries.get(entry.id)
    if (entry && (!known || known.recordedAt <= entry.recordedAt)) entries.set(entry.id, entry)
  }
  return entries
}

/** Lines that hold something and are no entry: what they spoke of is looked up again. */
export function unreadableLines(text: string): number {
  return text.split('\n').filter((line) => line.trim() !== '' && !readEntry(line)).length
}

/** The entries of both; the newer of two with one id counts. */
export function merge(a: Lock, b: Lock): Lock {
  const merged = new Map(a)
  for (const [id, entry] of b) {
    const known = merged.get(id)
    if (!known || known.recordedAt <= entry.recordedAt) merged.set(id, entry)
  }
  return merged
}

/** One entry as a line, without its end. */
export function writeEntry(entry: LockEntry): string {
  return JSON.stringify(entry)
}

/** The lock file's text. */
export function writeLock(lock: Lock): string {
  const sorted = [...lock.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
  return sorted.map((entry) => `${writeEntry(entry)}\n`).join('')
}

function readEntry(line: string): LockEntry | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    const parsed = EntrySchema.safeParse(JSON.parse(line))
    return parsed.success ? (parsed.data as LockEntry) : undefined
  } catch {
    return undefined
  }
}

// The lock: one line of JSON per picture, sorted by id. It is the catalog: what was made, from what, where it lies. It
// can be thrown away: the worker finds everything again by its key (promise 6).
// Rules: read tolerantly (a line that git or an editor broke is set aside, what it spoke of is looked up again), write
// whole, never drop an entry of an item that is no longer in the manifest: it was paid for. What a newer version wrote
// into an entry stays in it.
import { z } from 'zod'
import { ImageSchema, STATUSES } from '../../core/api.ts'
import { baseOf } from '../manifest/ids.ts'
import type { Inputs } from '../plan/inputs.ts'
import { joined, partsOf } from './tries.ts'

/** What a person may say of a picture. */
export const REVIEWS = ['picked', 'rejected'] as const
export type Review = (typeof REVIEWS)[number]

const PastSchema = z.object({
  key: z.string(),
  /** Empty where it was asked for, and the run was gone before the worker answered. */
  generation: z.string(),
  status: z.enum(STATUSES),
  provider: z.string().optional(),
  model: z.string(),
  emulated: z.boolean().optional(),
  image: ImageSchema.optional(),
  /** Where its picture is, as older versions kept it. */
  url: z.string().optional(),
  /** USD; null when it is not known. */
  cost: z.number().nullable(),
  charged: z.enum(['no', 'yes', 'unknown']).optional(),
  error: z.object({ code: z.string(), message: z.string() }).optional(),
  review: z.enum(REVIEWS).optional(),
  reviewedAt: z.number().optional(),
  recordedAt: z.number(),
})

const EntrySchema = z.object({
  id: z.string(),
  /** The Idempotency-Key: the fingerprint, and `-<edition>` from the second one on. */
  key: z.string(),
  fingerprint: z.string(),
  edition: z.int().positive(),
  inputs: z.looseObject({ references: z.array(z.object({ name: z.string(), is: z.string() })) }),
  /** Empty where it was asked for, and the run was gone before the worker answered. */
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
  /** What else was tried in this place, newest first. */
  before: z.array(PastSchema).optional(),
  /** Epoch ms. */
  recordedAt: z.number(),
})

/** An earlier try of an item. */
export type Past = z.output<typeof PastSchema>

export type LockEntry = Omit<z.output<typeof EntrySchema>, 'inputs'> & {
  inputs: Inputs
  /** The line of a newer version whose words this one does not know: how the try ended is not known. It is kept as it is. */
  foreign?: string
}

/** Entries by slot. */
export type Lock = ReadonlyMap<string, LockEntry>

/** The place of an entry in the lock: its item's id, and the profile it was made under, if any. */
export function slotOf({ id, profile }: { id: string; profile?: string | undefined }): string {
  return profile === undefined ? id : `${id}@${profile}`
}

export type Lines = {
  lock: Lock
  /** Lines that hold something and are no entry: what they spoke of is looked up again. */
  unreadable: string[]
  /** Lines of a newer version; what they speak of is known, how it ended is not. */
  foreign: string[]
}

/** Reads the text of a lock or a journal. What git leaves of two versions is read as both; several entries of one slot
 *  become one. */
export function readLines(text: string): Lines {
  const lock = new Map<string, LockEntry>()
  const unreadable: string[] = []
  const foreign: string[] = []
  for (const line of text.replace(/^\uFEFF/, '').split('\n')) {
    const entry = readEntry(line)
    if (entry) put(lock, entry)
    else if (line.trim() !== '') unreadable.push(line.trimEnd())
    if (entry?.foreign !== undefined) foreign.push(entry.foreign)
  }
  settlePicks(lock)
  return { lock, unreadable, foreign }
}

/** The entries of a lock or a journal. */
export function readEntries(text: string): Lock {
  return readLines(text).lock
}

/** Whether a line is git's own: it separates two versions and holds nothing. */
export function isConflictMarker(line: string): boolean {
  return /^(<{7}|\|{7}|={7}|>{7})( |$)/.test(line)
}

/** The entries of all, with one for each slot: see tries.ts. */
export function merge(...locks: Lock[]): Lock {
  const merged = new Map<string, LockEntry>()
  for (const lock of locks) for (const entry of lock.values()) put(merged, entry)
  settlePicks(merged)
  return merged
}

/** Adds an entry to what is known of its slot. */
export function put(lock: Map<string, LockEntry>, entry: LockEntry): void {
  const slot = slotOf(entry)
  const known = lock.get(slot)
  lock.set(slot, known ? joined(known, entry) : entry)
}

/** One entry as a line, without its end. */
export function writeEntry({ foreign, ...entry }: LockEntry): string {
  return foreign === undefined ? JSON.stringify(entry) : withHistory(foreign, entry.before)
}

/** The lock file's text. */
export function writeLock(lock: Lock): string {
  const sorted = [...lock.values()].sort(
    (a, b) => order(a.id, b.id) || order(a.profile ?? '', b.profile ?? ''),
  )
  return sorted.map((entry) => `${writeEntry(entry)}\n`).join('')
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
    return EntrySchema.safeParse(value).success ? (value as LockEntry) : foreignEntry(value, line.trimEnd())
  } catch {
    return undefined
  }
}

/** What is certain of an entry, whatever else a newer version says in it. */
const CertainSchema = z.looseObject({
  id: z.string(),
  key: z.string(),
  fingerprint: z.string(),
  profile: z.string().optional(),
})

/** An entry whose words only a newer version knows: something was tried under that key, and perhaps paid for. */
function foreignEntry(value: unknown, line: string): LockEntry | undefined {
  const certain = CertainSchema.safeParse(value)
  if (!certain.success) return undefined
  const { id, key, fingerprint, profile, ...others } = certain.data
  const known = <K extends keyof typeof EntrySchema.shape>(name: K) =>
    EntrySchema.shape[name].safeParse(others[name]).data as LockEntry[K] | undefined
  return {
    id,
    key,
    fingerprint,
    edition: partsOf(key).edition,
    inputs: known('inputs') ?? NO_INPUTS,
    generation: known('generation') ?? '',
    status: 'uncertain',
    provider: known('provider') ?? '?',
    model: known('model') ?? '?',
    emulated: known('emulated') ?? false,
    cost: known('cost') ?? null,
    charged: 'unknown',
    ...(profile === undefined ? {} : { profile }),
    ...(known('before') ? { before: known('before') } : {}),
    recordedAt: known('recordedAt') ?? 0,
    foreign: line,
  } as LockEntry
}

const NO_INPUTS: Inputs = { model: '?', prompt: '', size: '1K', references: [] }

/** A line of a newer version with what its place held besides; as it is where that is nothing new. */
function withHistory(line: string, before: readonly Past[] | undefined): string {
  const value = JSON.parse(line) as { before?: unknown }
  const isNews = before !== undefined && JSON.stringify(before) !== JSON.stringify(value.before)
  const isOurs = EntrySchema.shape.before.safeParse(value.before).success
  return isNews && isOurs ? JSON.stringify({ ...value, before }) : line
}

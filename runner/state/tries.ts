// The tries of a picture in one place of the lock, and which of them stands for it. Locks are merged as sets of tries, so
// that it does not matter who merges them in what order.
// Rules: what was tried last says which picture the place is about; of the tries of that picture what was bought counts
// over what the emulator drew, a picture over none, then the higher edition, then the later record. So a try to buy a
// picture again that went wrong takes nothing away, nor does a clock that is ahead.
import { isEnded } from '../../core/api.ts'
import type { LockEntry, Past } from './lock.ts'

/** How many other tries an entry remembers. */
const MOST_REMEMBERED = 20

/** The key of an edition of a fingerprint. */
export function keyOf(fingerprint: string, edition: number): string {
  return edition === 1 ? fingerprint : `${fingerprint}-${edition}`
}

/** The fingerprint and the edition that a key stands for. */
export function partsOf(key: string): { fingerprint: string; edition: number } {
  const [, fingerprint, edition] = /^(.+)-(\d+)$/.exec(key) ?? []
  return fingerprint === undefined
    ? { fingerprint: key, edition: 1 }
    : { fingerprint, edition: Number(edition) }
}

/** All tries that an entry knows of, itself first. The inputs of another picture are not remembered; what stands in their
 *  place are those of the entry. Leaves out what an older version kept too little of. */
export function triesOf(entry: LockEntry): LockEntry[] {
  return pastsOf(entry).flatMap((past, index) => {
    if (index === 0) return entry
    return isKept(past) ? restored(past, entry) : []
  })
}

/** Two entries of one place as one, with what both remember. What was said of a picture holds for that picture. */
export function joined(a: LockEntry, b: LockEntry): LockEntry {
  const tries = distinct([...pastsOf(a), ...pastsOf(b)])
  const about = tries.reduce((x, y) => (isAfter(x, y) ? x : y))
  const isAbout = ({ key }: { key: string }) => partsOf(key).fingerprint === partsOf(about.key).fingerprint
  // One of the two is about the same picture, for neither remembers anything newer than what it is about.
  const heads = [a, b].filter(isAbout)
  const model = (heads.length > 0 ? heads : [a, b]).reduce((x, y) => (isAfter(pastOf(x), pastOf(y)) ? x : y))
  const candidates = tries.filter((past) => isKept(past) && (heads.length === 0 || isAbout(past)))
  const first = candidates.reduce((x, y) => (ahead(x, y) >= 0 ? x : y))
  const own = heads.filter((head) => identity(pastOf(head)) === identity(first))
  const base =
    own.length > 0 ? own.reduce((x, y) => (isAfter(pastOf(x), pastOf(y)) ? x : y)) : restored(first, model)
  const before = tries.filter((past) => past !== first).slice(0, MOST_REMEMBERED)
  return entryWith(base, first, before)
}

/** An entry that says what is known of its try. What a newer version wrote into it stays. */
function entryWith(base: LockEntry, { url: _, ...known }: Past, before: Past[]): LockEntry {
  const all = { ...base, ...known, ...(before.length > 0 ? { before } : {}) }
  const absent = MAY_BE_ABSENT.filter((name) =>
    name === 'before' ? before.length === 0 : known[name] === undefined,
  )
  return Object.fromEntries(
    Object.entries(all).filter(([name]) => !absent.some((one) => one === name)),
  ) as LockEntry
}

const MAY_BE_ABSENT = ['image', 'error', 'review', 'reviewedAt', 'before'] as const

/** An entry as the last word on its place: the clocks of those who share a lock differ, and are set back. */
export function asLatest(entry: LockEntry, known: LockEntry | undefined): LockEntry {
  if (!known) return entry
  const tries = pastsOf(known)
  // Nothing new of the picture: only what a person says of it.
  if (tries.some((past) => isSameRecord(past, entry))) return entry
  const newest = Math.max(...tries.map(({ recordedAt }) => recordedAt))
  return entry.recordedAt > newest ? entry : { ...entry, recordedAt: newest + 1 }
}

/** Which of two tries of one picture stands for it: the first where this is positive, the second where it is negative. */
export function ahead(a: Past, b: Past): number {
  return (
    Number(b.emulated) - Number(a.emulated) ||
    Number(hasPicture(a)) - Number(hasPicture(b)) ||
    partsOf(a.key).edition - partsOf(b.key).edition ||
    a.recordedAt - b.recordedAt ||
    order(textOf(a), textOf(b))
  )
}

export function hasPicture({ image, status }: Pick<Past, 'image' | 'status'>): boolean {
  return status === 'succeeded' && image !== undefined
}

/** What an entry says of its own try, before all others that it remembers. */
function pastsOf(entry: LockEntry): Past[] {
  return [pastOf(entry), ...(entry.before ?? [])]
}

function pastOf(entry: LockEntry): Past {
  const { key, generation, status, provider, model, emulated, image, cost, charged, error } = entry
  const { review, reviewedAt, recordedAt } = entry
  return {
    key,
    generation,
    status,
    provider,
    model,
    emulated,
    ...(image ? { image } : {}),
    cost,
    charged,
    ...(error ? { error } : {}),
    ...(review === undefined ? {} : { review }),
    ...(reviewedAt === undefined ? {} : { reviewedAt }),
    recordedAt,
  }
}

/** Whether enough is known of a try to stand for its place. */
function isKept(past: Past): past is Past & Pick<LockEntry, 'provider' | 'emulated' | 'charged'> {
  return past.provider !== undefined && past.emulated !== undefined && past.charged !== undefined
}

/** A remembered try as an entry of its own. */
function restored(past: Past, { id, profile, inputs }: LockEntry): LockEntry {
  const { provider = '', emulated = false, charged = 'unknown', url: _, ...rest } = past
  return {
    id,
    ...partsOf(past.key),
    inputs,
    ...rest,
    provider,
    emulated,
    charged,
    ...(profile === undefined ? {} : { profile }),
  }
}

/** One try of each generation, newest first. */
function distinct(pasts: readonly Past[]): Past[] {
  const known = new Map<string, Past>()
  for (const past of pasts) {
    const other = known.get(identity(past))
    known.set(identity(past), other ? merged(past, other) : past)
  }
  const all = [...known.values()]
  return all
    .filter((past) => !all.some((other) => isTold(past, other)))
    .sort((a, b) => b.recordedAt - a.recordedAt || order(textOf(b), textOf(a)))
}

/** Whether a try that is known by its key only, as it was just asked for or an older version kept it, is one that is known
 *  better. */
function isTold(past: Past, other: Past): boolean {
  if ((isKept(past) && past.generation !== '') || !isKept(other) || other.generation === '') return false
  const isSame = isKept(past) ? keyAndKind(past) === keyAndKind(other) : past.key === other.key
  return isSame && other.recordedAt >= past.recordedAt
}

function identity(past: Past): string {
  return `${keyAndKind(past)} ${past.generation}`
}

function keyAndKind({ key, emulated }: Past): string {
  return `${key} ${emulated}`
}

/** Two records of one generation: what came of it, and what was said of it last. */
function merged(a: Past, b: Past): Past {
  const finality = (past: Past) => Number(hasPicture(past)) * 2 + Number(isEnded(past.status))
  const isFirst =
    (finality(a) - finality(b) || a.recordedAt - b.recordedAt || order(textOf(a), textOf(b))) >= 0
  const { review: _, reviewedAt: __, ...rest } = isFirst ? a : b
  const said = lastSaid(a, b)
  return {
    ...rest,
    ...(said.review === undefined ? {} : { review: said.review }),
    ...(said.reviewedAt === undefined ? {} : { reviewedAt: said.reviewedAt }),
    recordedAt: Math.max(a.recordedAt, b.recordedAt),
  }
}

function lastSaid(a: Past, b: Past): Past {
  const difference = (a.reviewedAt ?? 0) - (b.reviewedAt ?? 0) || order(a.review ?? '', b.review ?? '')
  return difference >= 0 ? a : b
}

/** Whether a place is about the picture of `a` rather than that of `b`. */
function isAfter(a: Past, b: Past): boolean {
  return (a.recordedAt - b.recordedAt || order(a.key, b.key)) >= 0
}

function isSameRecord(past: Past, entry: LockEntry): boolean {
  return (
    identity(past) === identity(pastOf(entry)) &&
    past.status === entry.status &&
    past.recordedAt === entry.recordedAt
  )
}

/** What makes two tries differ that are equally good and equally new: their order must not depend on who asks. */
function textOf(past: Past): string {
  const { review: _, reviewedAt: __, recordedAt: ___, ...rest } = past
  return JSON.stringify(rest)
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

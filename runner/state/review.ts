// What a person says of pictures, as entries of the lock. Of the samples of one picture at most one is picked; what was
// said belongs to a picture, not to its place: another picture in that place begins without it.
import { baseOf } from '../manifest/ids.ts'
import { type Lock, type LockEntry, type Review, slotOf } from './lock.ts'

/** The entries to record when `review` is said of a picture, or when what was said is taken back. `at` is epoch ms. */
export function reviewed(
  lock: Lock,
  entry: LockEntry,
  review: Review | undefined,
  at: number,
): { changed: LockEntry[]; instead?: LockEntry } {
  const mark = (marked: LockEntry, say: Review | undefined): LockEntry => {
    const { review: _, ...rest } = marked
    // A clock that was set back must not undo it.
    const reviewedAt = Math.max(at, (marked.reviewedAt ?? 0) + 1)
    return { ...rest, ...(say ? { review: say } : {}), reviewedAt }
  }
  const rival = review === 'picked' ? pickedOf(lock, entry) : undefined
  if (!rival || rival.id === entry.id) return { changed: [mark(entry, review)] }
  return { changed: [mark(rival, undefined), mark(entry, review)], instead: rival }
}

/** The picked one of the samples to which an entry belongs. */
export function pickedOf(
  lock: Lock,
  { id, profile }: Pick<LockEntry, 'id' | 'profile'>,
): LockEntry | undefined {
  return samplesOf(lock, { id, profile }).find((entry) => entry.review === 'picked')
}

/** What the lock holds of all samples of a picture, in their order. */
export function samplesOf(
  lock: Lock,
  { id, profile }: { id: string; profile?: string | undefined },
): LockEntry[] {
  const base = baseOf(id)
  const found: LockEntry[] = []
  for (const entry of lock.values())
    if (entry.profile === profile && baseOf(entry.id) === base) found.push(entry)
  return found.sort((a, b) => sampleOf(a) - sampleOf(b))
}

/** The entry that an id means; `x#1` is `x`. */
export function entryOfId(lock: Lock, id: string, profile: string | undefined): LockEntry | undefined {
  return lock.get(slotOf({ id: id.replace(/#1$/, ''), profile }))
}

function sampleOf({ id }: LockEntry): number {
  return Number(/#(\d+)$/.exec(id)?.[1] ?? 1)
}

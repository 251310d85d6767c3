// What was said of pictures, and what follows from it.
import type { Item } from '../manifest/item.ts'
import type { LockEntry, Review } from '../state/lock.ts'
import { alignRows } from './table.ts'

const MOST_SHOWN = 6

/** What was said just now. `instead`: the sample that was picked before. */
export function reviewLine(
  { id, review: before }: LockEntry,
  review: Review | undefined,
  instead: LockEntry | undefined,
): string {
  if (review === before) return `${review ?? 'no mark on'} ${id}, as before`
  const was = instead ? `, in place of ${instead.id}` : before ? `, no longer ${before}` : ''
  return `${review ?? 'cleared'} ${id}${was}`
}

/** Which items are now made from another picture, and how what was rejected is made again. `moved` are pictures for which
 *  another sample stands now; `command` writes a verb with its flags for the same manifest. */
export function dependentLines(
  moved: readonly string[],
  items: readonly Item[],
  review: Review | undefined,
  command: (verb: string, flags?: Record<string, string | boolean>) => string,
): string[] {
  const lines = moved.flatMap((base) => {
    const users = items.filter((item) => item.references.some((r) => r.kind === 'from' && r.item === base))
    if (users.length === 0) return []
    const shown = users.slice(0, MOST_SHOWN).map(({ id }) => id)
    const more = users.length > MOST_SHOWN ? ` and ${users.length - MOST_SHOWN} more` : ''
    return [`made from ${base}: ${shown.join(', ')}${more}`]
  })
  return [
    ...lines,
    ...(lines.length > 0 ? [`what is to be made again:  ${command('plan')}`] : []),
    ...(review === 'rejected'
      ? [`to buy rejected pictures again:  ${command('run', { '--redo': true, '-s': 'status:rejected' })}`]
      : []),
  ]
}

/** A line per picture: what was said of it, its id, its file and its address. */
export function listLines(
  entries: readonly LockEntry[],
  fileOf: (entry: LockEntry) => string | undefined,
): string[] {
  if (entries.length === 0) return ['there is nothing to choose from: no picture has a second sample']
  const rows = entries.map((entry) => [
    entry.review ?? (entry.status === 'succeeded' ? '' : entry.status),
    entry.id,
    fileOf(entry) ?? (entry.image ? 'not on disk' : ''),
    `${entry.image?.url ?? ''}${entry.emulated ? '  emulated' : ''}`,
  ])
  return alignRows(rows, ['left', 'left', 'left', 'left'])
}

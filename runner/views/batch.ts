// A batch in words and, for programs, as JSON.
import { STATUSES } from '../../core/api.ts'
import type { BatchView } from '../../core/batch.ts'
import type { Stranger } from '../run/follow.ts'
import type { HandedOver } from '../state/batches.ts'
import { listed } from './fold.ts'
import { count } from './format.ts'

/** What is known of a batch when one begins to follow it. */
export function batchLine({ id, status, total, counts }: BatchView, url: string): string {
  const facts = (['waiting', ...STATUSES] as const).flatMap((name) =>
    counts[name] > 0 ? [`${counts[name]} ${name}`] : [],
  )
  return `${id} on ${url}, ${status}: ${count(total, 'picture')}, ${facts.join(', ')}`
}

/** Lines of a batch that are not wanted now: those that are made, and those that never were. */
export function strangerLines(strangers: readonly Stranger[], manifest: string): string[] {
  const namesOf = (isMade: boolean) =>
    strangers.filter((one) => one.isMade === isMade).map(({ item, line }) => item ?? `line ${line}`)
  const [made, lost] = [namesOf(true), namesOf(false)]
  const [are, stay] = made.length === 1 ? ['is', 'stays'] : ['are', 'stay']
  const [have, ask] = lost.length === 1 ? ['has', 'it'] : ['have', 'them']
  return [
    ...(made.length === 0
      ? []
      : [
          `${count(made.length, 'picture')} of the batch ${are} not what ${manifest} asks for now, and ${stay} on the worker: ${listed(made)}`,
        ]),
    ...(lost.length === 0
      ? []
      : [
          `${count(lost.length, 'line')} of the batch ${have} no picture, and ${manifest} does not ask for ${ask} any more: ${listed(lost)}`,
        ]),
  ]
}

/** What was handed over, now or (`isNew` is false) before. `follow` is the command that fetches it. */
export function handedOverLines(
  { batch, worker, keys }: HandedOver,
  follow: string,
  isNew: boolean,
): string[] {
  const pictures = count(keys.length, 'picture')
  return [
    isNew
      ? `${pictures} handed over to ${worker}, which makes them without this machine.`
      : `Nothing was handed over: ${worker} makes these already, in ${batch} (${pictures}).`,
    `To follow and fetch them:  ${follow}`,
  ]
}

/** Batches that were handed over before and are not fetched yet. `follow` is the command that follows them all. */
export function otherBatchLines(others: readonly Pick<HandedOver, 'batch'>[], follow: string): string[] {
  if (others.length === 0) return []
  return [`Not fetched yet, too: ${listed(others.map(({ batch }) => batch))}. To follow them all:  ${follow}`]
}

/** The same as JSON. */
export function handedOverJson({ batch, worker, keys }: HandedOver) {
  return { format: 'proofsheet-batch', version: 1, batch, worker, pictures: keys.length }
}

// What a generation does next: a function of its record and the clock. Repeats only what is known to be free, follows
// the request's own fallbacks, and never guesses about money (promise 1).
import { isEnded, type Status } from '../../core/api.ts'
import type { Verdict } from '../../core/outcome.ts'
import type { FallbackReason } from '../../core/request.ts'
import { LONG_OVERLOAD_MS } from '../providers/pace.ts'
import { type Attempt, type GenerationRecord, hasSucceeded } from './record.ts'

export type Step =
  | { kind: 'send'; route: number }
  | { kind: 'wait'; untilMs: number }
  | { kind: 'end'; status: Status }

/** Tries of one route on free errors that are not a matter of pacing, and on an overload when a fallback could go on. */
const FEW = 3

/** First and longest delay between free tries when the provider names none, in ms. */
const FIRST_DELAY_MS = 1_000
const LONGEST_DELAY_MS = 60_000

/** Least delay before a try, times the tries before: a provider that always says to come back at once is asked ever
 *  less often, and the record of its refusals stays short. */
const LEAST_DELAY_MS = 250

/** The next step of a record without an open attempt. */
export function nextStep(record: GenerationRecord, now: number): Step {
  const last = record.attempts.at(-1)
  const isLate = now >= record.deadlineAt
  if (!last) return isLate ? { kind: 'end', status: 'failed' } : { kind: 'send', route: 0 }
  // Also by a call that was given up before others were sent.
  if (record.attempts.some(hasSucceeded)) return { kind: 'end', status: 'succeeded' }
  const { verdict, endedAt } = last.ending!
  const fallback = fallbackAfter(record, last)
  const instead: Step =
    fallback === undefined || isLate
      ? { kind: 'end', status: statusOf(verdict) }
      : { kind: 'send', route: fallback }
  const sent = record.attempts.filter((a) => a.route === last.route)
  const tries = sent.filter((a) => isOfKind(a, verdict)).length
  if (isLate || !mayRepeat(verdict, tries, fallback !== undefined)) return instead
  const isPaced = verdict.next === 'wait'
  const leastAt = endedAt + LEAST_DELAY_MS * sent.length
  const freeAt = Math.max(endedAt + (verdict.retryAfterMs ?? (isPaced ? 0 : backoffMs(tries))), leastAt)
  // For how long the provider wants nobody to call its gate knows, where this one has its place in the queue: it may be
  // its turn earlier than it was told. What has another way does not wait for that.
  if (freeAt >= record.deadlineAt && (!isPaced || fallback !== undefined)) return instead
  const untilMs = Math.min(isPaced ? leastAt : freeAt, record.deadlineAt)
  return now < untilMs ? { kind: 'wait', untilMs } : { kind: 'send', route: last.route }
}

/** When a record without an open attempt takes its next step, epoch ms; undefined at its end. */
export function stepAt(record: GenerationRecord, now: number): number | undefined {
  if (isEnded(record.status)) return undefined
  const step = nextStep(record, now)
  return step.kind === 'wait' ? step.untilMs : now
}

/** Delay before try `tries + 1`, in ms: doubling, bounded. */
function backoffMs(tries: number): number {
  return Math.min(FIRST_DELAY_MS * 2 ** (tries - 1), LONGEST_DELAY_MS)
}

/** Whether an attempt ended as this one did: a limit says nothing of how often a connection may fail. */
function isOfKind({ ending }: Attempt, { next, outcome }: Verdict): boolean {
  const verdict = ending!.verdict
  return verdict.next === next && (next === 'retry' || verdict.outcome === outcome)
}

function mayRepeat(verdict: Verdict, tries: number, fallback: boolean): boolean {
  switch (verdict.next) {
    case 'stop':
      return false
    case 'retry':
      return tries < FEW
    case 'wait':
      // A rate limit is not a failure; an overload may last, so a fallback that was asked for gets its turn.
      if (verdict.reason === undefined || !fallback) return true
      return tries < FEW && (verdict.retryAfterMs ?? 0) <= LONG_OVERLOAD_MS
  }
}

/** The next route whose `on` names what happened. */
function fallbackAfter(record: GenerationRecord, last: Attempt): number | undefined {
  const reason = last.ending!.verdict.reason
  return reason && fallbackOf(record, last.route, reason)
}

/** Whether there is another way when a route fails for this reason. */
export function hasFallback(record: GenerationRecord, route: number, reason: FallbackReason): boolean {
  return fallbackOf(record, route, reason) !== undefined
}

function fallbackOf(record: GenerationRecord, route: number, reason: FallbackReason): number | undefined {
  const next = record.routes.findIndex(({ on }, index) => index > route && on?.includes(reason))
  return next < 0 ? undefined : next
}

/** How a generation ends that has nothing left to try. */
export function statusOf(verdict: Verdict): Status {
  if (verdict.outcome === 'succeeded') return 'succeeded'
  if (verdict.outcome === 'refused') return 'refused'
  // The model answered: whether the answer was billed may be unknown, what happened is not.
  if (verdict.outcome === 'no_image') return 'failed'
  return verdict.charged === 'unknown' ? 'uncertain' : 'failed'
}

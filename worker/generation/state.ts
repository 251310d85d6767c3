// What a Generation object holds beside its record: what it still has to tell others. Both change together, by the
// functions here, and are stored in one synchronous block: whatever is true of the picture, those who have to know of it
// are told, however often the object dies and whoever is down meanwhile.
import { isEnded, type Status } from '../../core/api.ts'
import { attemptTimeoutMs, DEFAULT_SIZE } from '../../core/models.ts'
import { endRow, isSameRow, type LedgerRow, reserveRow, unsentRow } from '../money/ledger.ts'
import { type PaceReport, reportOf } from '../providers/pace.ts'
import { nextStep, statusOf } from './policy.ts'
import {
  type Attempt,
  type Ending,
  finished,
  type GenerationRecord,
  hasSucceeded,
  openAttempt,
  withDispatch,
  withEnding,
  withNewEnding,
} from './record.ts'

/** A place at a gate: in its queue, or with a lease in a call. */
export type Place = { gate: string; lease?: string }

/** A place that is given back, with how the call went if there was one. */
export type Leaving = Place & { report: PaceReport }

export type Owed = {
  /** Rows that the ledger has not taken. */
  rows: readonly LedgerRow[]
  /** The version of the record that the index has to know. */
  index?: number
  /** The attempt whose reservation the ledger may know, though it is not dispatched. */
  announced?: Attempt
  /** The place that is held now. */
  place?: Place
  /** Places that are to be given back. */
  leaving: readonly Leaving[]
  /** The version of the record at whose cost the token's account is to be settled. */
  account?: number
  /** When to look once more whether an orphaned call ended well; epoch ms. */
  look?: number
  /** The message that the webhook has to get; `dueAt`: not before, epoch ms. */
  webhook?: { id: string; tries: number; dueAt: number }
  /** How often telling failed in a row, and when it is tried again, epoch ms; the webhook counts for itself. */
  failures: number
  retryAt?: number
}

export type State = { record: GenerationRecord; owed: Owed }

/** What a gate is told of a place that no call came of. */
export const UNUSED: PaceReport = { kind: 'unrelated' }

export const OWES_NOTHING: Owed = { rows: [], leaving: [], failures: 0 }

/** How long after the time-out of an orphaned call its commit record may still appear, in ms. */
const LOOK_SLACK_MS = 120_000

/** A generation that begins. */
export function begun(record: GenerationRecord): State {
  return { record, owed: { ...OWES_NOTHING, index: record.version } }
}

/** It waits at a gate. */
export function withPlace(held: State, place: Place): State {
  const { record, owed } = held
  const { place: before, leaving } = owed
  if (before?.gate === place.gate && before.lease === place.lease) return held
  // The provider's key is another one, or the route.
  const left = before && before.gate !== place.gate ? [{ ...before, report: UNUSED }] : []
  return { record, owed: { ...owed, place, leaving: [...leaving, ...left] } }
}

/** Index and ledger are about to be told of an attempt that is not stored as dispatched yet. The version is used up by
 *  what they are told, so that whatever follows instead is newer. */
export function announced({ record, owed }: State, attempt: Attempt): State {
  return {
    record: { ...record, version: record.version + 1 },
    owed: { ...owed, announced: attempt, index: record.version + 1 },
  }
}

/** What index and ledger are told of an attempt that was announced. */
export function withOpen(record: GenerationRecord, attempt: Attempt): GenerationRecord {
  return { ...withDispatch(record, attempt), version: record.version }
}

/** The attempt is dispatched. `isKnown`: index and ledger have taken the announcement. */
export function dispatched({ record, owed }: State, attempt: Attempt, isKnown: boolean): State {
  const { announced: _, index: __, ...rest } = owed
  const open = withDispatch(record, attempt)
  return {
    record: open,
    owed: isKnown
      ? rest
      : { ...rest, index: open.version, rows: withRows(owed.rows, [reserveRow(record, attempt)]) },
  }
}

/** An attempt has ended, or was not allowed to be sent; and with it the generation, if nothing is left to try. */
export function concluded({ record, owed }: State, attempt: Attempt, ending: Ending): State {
  const { announced, place, ...rest } = owed
  const isSent = record.attempts.some(({ number }) => number === attempt.number)
  const ended = withEnding(isSent ? record : withDispatch(record, attempt), attempt.number, ending)
  const rows = isSent ? [endRow(ended, { ...attempt, ending })] : unsentRows(ended, announced, ending.endedAt)
  const next: State = {
    record: ended,
    owed: owing(rest, {
      index: ended.version,
      rows: withRows(rest.rows, rows),
      leaving: place ? [...rest.leaving, { ...place, report: reportOf(ending.verdict) }] : rest.leaving,
      ...(ending.verdict.outcome === 'orphaned' ? { look: lookAt(ended, attempt) } : {}),
    }),
  }
  const step = nextStep(ended, ending.endedAt)
  if (step.kind === 'end') return over(next, step.status, ending.endedAt)
  return ended.unwanted ? over(next, givenUpAs(ending), ending.endedAt) : next
}

/** The generation has ended. */
export function over({ record, owed }: State, status: Status, now: number): State {
  const { announced, place, ...rest } = owed
  const ended = finished(record, status, now)
  return {
    record: ended,
    owed: owing(rest, {
      ...told(ended, `msg_${ended.id}`, now),
      rows: withRows(rest.rows, unsentRows(ended, announced, now)),
      leaving: place ? [...rest.leaving, { ...place, report: UNUSED }] : rest.leaving,
    }),
  }
}

/** A call that was given up has ended after all; what was learnt replaces the ending of its attempt. A picture that it
 *  brought is the picture: none is bought in its place. */
export function adopted({ record, owed }: State, number: number, ending: Ending, now: number): State {
  const changed = withNewEnding(record, number, ending)
  const attempt = changed.attempts.find((a) => a.number === number)!
  const rows = withRows(owed.rows, [endRow(changed, attempt)])
  const next: State = { record: changed, owed: owing(owed, { index: changed.version, rows }) }
  const isMade = changed.attempts.some(hasSucceeded)
  if (!isEnded(record.status))
    // What is open has its own end, and nothing follows it then.
    return isMade && !openAttempt(changed) ? over(next, 'succeeded', now) : next
  const isLast = changed.attempts.at(-1) === attempt
  const status = isMade ? 'succeeded' : isLast ? statusOf(ending.verdict) : record.status
  const ended = { ...changed, status }
  // The first message may have been delivered: this is another event.
  const message = told(ended, `msg_${ended.id}_${ended.version}`, now)
  return { record: ended, owed: { ...next.owed, ...message } }
}

/** Nobody looks for its orphaned calls any more. */
export function lookedFor({ record, owed }: State): State {
  const { look: _, ...rest } = owed
  return { record, owed: rest }
}

/** Its pictures were deleted. */
export function forgotten({ record, owed }: State, now: number): State {
  const gone = { ...record, deletedAt: record.deletedAt ?? now, version: record.version + 1 }
  return { record: gone, owed: owing(owed, { index: gone.version }) }
}

/** When something has to be told, or looked for, next: epoch ms, undefined when nothing has. */
export function owedAt(owed: Owed): number | undefined {
  const isOwing =
    owed.rows.length > 0 || owed.leaving.length > 0 || owed.index !== undefined || owed.account !== undefined
  const times = [
    ...(isOwing ? [owed.retryAt ?? 0] : []),
    ...(owed.webhook ? [owed.webhook.dueAt] : []),
    ...(owed.look === undefined ? [] : [owed.look]),
  ]
  return times.length > 0 ? Math.min(...times) : undefined
}

export function isOrphan({ ending }: Attempt): boolean {
  return ending?.verdict.outcome === 'orphaned'
}

/** How it ends when nobody wants it any more after this ending: what was paid, or may be, keeps its own name. */
function givenUpAs({ verdict }: Ending): Status {
  return verdict.charged === 'no' ? 'cancelled' : statusOf(verdict)
}

/** Who is told of an end: index, account and webhook. */
function told(record: GenerationRecord, message: string, now: number): Partial<Owed> {
  return {
    index: record.version,
    ...(record.budget ? { account: record.version } : {}),
    ...(record.webhook ? { webhook: { id: message, tries: 0, dueAt: now } } : {}),
  }
}

/** What is new is told at once, whatever failed before. */
function owing(owed: Owed, more: Partial<Owed>): Owed {
  const { retryAt: _, ...rest } = owed
  return { ...rest, ...more }
}

function withRows(rows: readonly LedgerRow[], more: readonly LedgerRow[]): readonly LedgerRow[] {
  return [...rows, ...more.filter((row) => !rows.some((each) => isSameRow(each, row)))]
}

/** An attempt of which the ledger may have heard though it was never sent. */
function unsentRows(record: GenerationRecord, attempt: Attempt | undefined, now: number): LedgerRow[] {
  return attempt ? [unsentRow(record, attempt, now)] : []
}

function lookAt({ request }: GenerationRecord, { startedAt }: Attempt): number {
  return startedAt + attemptTimeoutMs(request.size ?? DEFAULT_SIZE) + LOOK_SLACK_MS
}

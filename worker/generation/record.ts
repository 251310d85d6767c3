// What a Generation object remembers, and how it may change. Plain data: it is stored as JSON in the object, copied to
// the index and, per attempt, to a commit record in R2.
import { isEnded, type Status } from '../../core/api.ts'
import type { Quote, Usage } from '../../core/cost.ts'
import type { MicroUsd } from '../../core/money.ts'
import type { Verdict } from '../../core/outcome.ts'
import type { Charged } from '../../core/providers.ts'
import type { FallbackReason, GenerationRequest, ResolvedReference } from '../../core/request.ts'
import type { Budget } from '../money/budget.ts'
import type { StoredPicture } from '../stream/picture.ts'
import type { StoredConversation } from './conversation.ts'

/** An input image and the R2 key of its bytes; a `fileUri` has none. `made`: it stands in a turn of the model, which made
 *  it, and may be longer than what anybody may upload. */
export type Input = ResolvedReference & { key?: string; made?: true }

/** A way to have the picture made. The first has no `on`. */
export type RouteRecord = { provider: string; model: string; on?: readonly FallbackReason[] }

/** What `ensure` is given: everything that was checked and resolved before. */
export type Wish = {
  id: string
  workspace: string
  /** Digest of the request as the caller worded it; equal words are an equal request. */
  asked: string
  /** SHA-256 of the canonical request: the same key with another one is refused. */
  fingerprint: string
  request: Omit<GenerationRequest, 'references'> & { references: readonly ResolvedReference[] }
  inputs: readonly Input[]
  /** The turns of a native call; without them prompt and references are the whole call. */
  conversation?: StoredConversation
  routes: readonly RouteRecord[]
  quote: Quote
  basis: string
  emulated: boolean
  /** Id of the token that asked; `admin` for ADMIN_TOKEN. */
  token: string
  /** Limits of that token: the most it may cost is held in its Account before the wish is taken. */
  budget?: Budget
  batch?: string
  /** Who is told of the end, and where pictures are served from. */
  webhook?: { url: string; imagesUrl: string }
  deadlineAt: number
}

/** How one attempt ended; this is what a commit record holds. */
export type Ending = {
  verdict: Verdict
  /** Whole micro-USD; null when it is not known. 0 when nothing was charged. */
  costMicroUsd: MicroUsd | null
  endedAt: number
  picture?: StoredPicture
  /** The picture is the last one of the thinking: the answer held no other. */
  isThought?: boolean
  /** Further finished pictures of the same answer. */
  others?: readonly StoredPicture[]
  text?: string
  finishReason?: string
  usage?: Usage
  modelVersion?: string
  /** The id that the model's answer bears. */
  responseId?: string
  /** The id that the provider gave the call: a header of its answer. */
  requestId?: string
}

export type Attempt = {
  /** From 1; names the commit record. */
  number: number
  route: number
  startedAt: number
  /** Base name of the pictures that this attempt may store: 128 random bits, known before anything is sent. */
  pictureName: string
  /** Whole micro-USD that the call costs at most; null when it is not known. */
  atMost?: MicroUsd | null
  ending?: Ending
}

export type GenerationRecord = Wish & {
  status: Status
  attempts: readonly Attempt[]
  /** Attempts that cost nothing and were left out of the middle of `attempts`. */
  omitted?: number
  createdAt: number
  finishedAt?: number
  /** It waits, or waited until its end, because the operator had paused the deployment. */
  paused?: boolean
  /** Who wants what was made for a batch: ids of batches, and SOMEBODY for callers of their own. Absent: that batch. */
  wantedBy?: readonly string[]
  /** Nobody wants it any more, and its call is out: it is given up as soon as that is free. */
  unwanted?: true
  /** Epoch ms at which retention deleted its pictures. */
  deletedAt?: number
  /** Grows with every change; the index keeps the highest. */
  version: number
}

/** The attempt that was dispatched and has no ending yet. */
export function openAttempt(record: GenerationRecord): Attempt | undefined {
  return record.attempts.find((attempt) => !attempt.ending)
}

/** The record after a dispatch of `route`. */
export function withDispatch(record: GenerationRecord, attempt: Attempt): GenerationRecord {
  return {
    ...record,
    status: 'running',
    attempts: [...record.attempts, attempt],
    version: record.version + 1,
  }
}

/** The record after its open attempt ended. */
export function withEnding(record: GenerationRecord, number: number, ending: Ending): GenerationRecord {
  const attempts = record.attempts.map((a) => (a.number === number ? { ...a, ending } : a))
  return { ...record, ...short(record, attempts), status: 'queued', version: record.version + 1 }
}

/** The record after more became known of an attempt that had ended. */
export function withNewEnding(record: GenerationRecord, number: number, ending: Ending): GenerationRecord {
  const attempts = record.attempts.map((a) => (a.number === number ? { ...a, ending } : a))
  return { ...record, attempts, version: record.version + 1 }
}

/** Attempts that are kept; the longest wait for a turn makes some hundred. */
const KEPT = 32

/** The list without one that was put off, the nearest to the middle, if it is long: a record must not grow with every
 *  429. What was paid, or may be, stays, and what counts as a try. */
function short(
  record: GenerationRecord,
  attempts: readonly Attempt[],
): Pick<GenerationRecord, 'attempts' | 'omitted'> {
  const offMiddle = (a: Attempt) => Math.abs(attempts.indexOf(a) - KEPT / 2)
  const [least] = attempts
    .slice(0, -1)
    .filter(({ ending }) => ending?.verdict.next === 'wait' && ending.costMicroUsd === 0)
    .sort((a, b) => offMiddle(a) - offMiddle(b))
  if (attempts.length <= KEPT || !least) return { attempts }
  return { attempts: attempts.filter((a) => a !== least), omitted: (record.omitted ?? 0) + 1 }
}

/** A caller who hands no batch over, among those who want a picture. Nothing takes that back but a cancel by name. */
const SOMEBODY = 'somebody'

/** The record after it was asked for again, on behalf of `batch` if any: it is not given up with another one. */
export function joined(record: GenerationRecord, batch = SOMEBODY): GenerationRecord {
  const wantedBy = wanting(record)
  if (isEnded(record.status) || !wantedBy || wantedBy.includes(batch)) return record
  const { unwanted: _, ...wanted } = record
  return { ...wanted, wantedBy: [...wantedBy, batch] }
}

/** The record after a batch that asked for it was cancelled. */
export function left(record: GenerationRecord, batch: string): GenerationRecord {
  const wantedBy = wanting(record)
  if (isEnded(record.status) || !wantedBy?.includes(batch)) return record
  return { ...record, wantedBy: wantedBy.filter((one) => one !== batch) }
}

/** Whether nobody wants it any more. */
export function isUnwanted(record: GenerationRecord): boolean {
  return wanting(record)?.length === 0
}

/** Who wants it; undefined where no batch asked for it first, so that none gives it up. */
function wanting({ batch, wantedBy }: GenerationRecord): readonly string[] | undefined {
  return batch === undefined ? undefined : (wantedBy ?? [batch])
}

/** The attempt whose outcome is that of the generation: the last one that brought the picture, else the last one. */
export function resultOf({ attempts }: Pick<GenerationRecord, 'attempts'>): Attempt | undefined {
  return attempts.findLast(hasSucceeded) ?? attempts.at(-1)
}

export function hasSucceeded({ ending }: Attempt): boolean {
  return ending?.verdict.outcome === 'succeeded'
}

/** The record at its end. */
export function finished(record: GenerationRecord, status: Status, finishedAt: number): GenerationRecord {
  return { ...record, status, finishedAt, version: record.version + 1 }
}

/** Whether the money of an attempt is gone. One that has not ended is unknown. */
export function chargedOf(attempt: Attempt): Charged {
  return attempt.ending?.verdict.charged ?? 'unknown'
}

/** What all attempts cost; null as soon as one is not known. */
export function costOf(record: GenerationRecord): MicroUsd | null {
  let sum = 0
  for (const { ending } of record.attempts) {
    if (!ending || ending.costMicroUsd === null) return null
    sum += ending.costMicroUsd
  }
  return sum
}

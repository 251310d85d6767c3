// One event per line on stderr, for programs. The first line names the format, so that a reader can refuse what it does
// not know. Members may be added to a version; none is removed, and none changes its meaning.
import { unknownExpected } from '../../core/cost.ts'
import { toUsd } from '../../core/money.ts'
import type { RunEvent, StopReason, Summary } from '../run/events.ts'
import type { LockEntry } from '../state/lock.ts'
import type { Progress, ProgressContext } from './context.ts'

/** A line. Money is decimal USD, null where it is not known; `at` is ISO 8601, `ms` how long it took. */
export type JsonEvent = { at: string } & (
  | { type: 'version'; format: 'proofsheet-events'; version: 1; total: number }
  /** What the run is about to make; always the second line. */
  | ({ type: 'plan'; total: number; emulated: boolean; unknown: readonly string[] } & Estimate)
  | { type: 'start'; id: string }
  | ({
      type: 'made'
      id: string
      file: string | null
      shared: boolean
      found: boolean
      ms: number
    } & MadePicture)
  | ({ type: 'failed'; id: string; found: boolean; ms: number } & FailedPicture)
  /** Not started, because `by` has no picture. */
  | { type: 'blocked'; id: string; by: string }
  /** Made before; its file was missing. */
  | { type: 'fetched'; id: string; file: string }
  | { type: 'unfetched'; id: string; message: string }
  /** The worker is out of reach; it is waited for. */
  | { type: 'outage'; message: string }
  | { type: 'stopping'; reason: StopReason; message: string; inFlight: number; elsewhere?: true }
  | ({ type: 'summary' } & SummaryView)
)

type Estimate = { expected: number | null; atMost: number | null; currency: 'USD' }

type MadePicture = {
  url: string
  mimeType: string
  bytes: number
  width: number | null
  height: number | null
  generation: string
  provider: string
  model: string
  emulated: boolean
  cost: number | null
  charged: LockEntry['charged']
}

type FailedPicture = {
  code: string
  status: 'failed' | 'refused' | 'uncertain'
  message: string
  charged: LockEntry['charged']
  cost: number | null
  /** The emulator was asked: nothing was bought. */
  emulated?: true
}

/** How a run ended. `actual` is the sum of what is known; of `unpriced` pictures it is not. */
export type SummaryView = Omit<Summary, 'spent'> & Estimate & { actual: number }

/** Writes events as JSON lines on stderr. */
export function jsonProgress({ stderr, total, quote, emulated, now }: ProgressContext): Progress {
  const write = (event: Unstamped<JsonEvent>) => {
    const { type, ...rest } = event
    stderr.data(`${JSON.stringify({ type, at: new Date(now()).toISOString(), ...rest })}\n`)
  }
  const estimate = estimateOf({ quote })
  write({ type: 'version', format: 'proofsheet-events', version: 1, total })
  write({ type: 'plan', total, ...estimate, unknown: quote.unknown, emulated })
  return {
    event: (event) => write(viewOf(event, { quote })),
    end: () => {},
  }
}

type Unstamped<E> = E extends unknown ? Omit<E, 'at'> : never

function viewOf(event: RunEvent, plan: Pick<ProgressContext, 'quote'>): Unstamped<JsonEvent> {
  switch (event.type) {
    case 'made': {
      const { type, id, file = null, shared = false, found = false, ms } = event
      return { type, id, file, shared, found, ms, ...pictureView(event.entry) }
    }
    case 'failed': {
      const { type, id, found = false, ms, failure } = event
      return { type, id, found, ms, ...failure }
    }
    case 'summary':
      return { type: 'summary', ...summaryView(event.summary, plan) }
    default:
      return event
  }
}

/** What a made picture is and where it lies. */
export function pictureView(entry: LockEntry): MadePicture {
  const { url, mimeType, bytes, width, height } = entry.image!
  const { generation, provider, model, emulated, cost, charged } = entry
  return { url, mimeType, bytes, width, height, generation, provider, model, emulated, cost, charged }
}

/** The summary beside what was expected. */
export function summaryView(summary: Summary, plan: Pick<ProgressContext, 'quote'>): SummaryView {
  const { spent, ...counts } = summary
  return { ...counts, actual: toUsd(spent), ...estimateOf(plan) }
}

function estimateOf({ quote }: Pick<ProgressContext, 'quote'>): Estimate {
  return {
    expected: unknownExpected(quote).length === 0 ? toUsd(quote.expected) : null,
    atMost: quote.unknown.length === 0 ? toUsd(quote.atMost) : null,
    currency: 'USD',
  }
}

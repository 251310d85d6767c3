// What happens during a run, as values. Views turn them into lines; nothing else prints.
import type { LockEntry } from '../state/lock.ts'
import type { Failure } from './make.ts'

export type RunEvent =
  | { type: 'start'; id: string }
  /** `file`: where it was saved; absent when it was not downloaded. `shared`: another item's picture, paid for there. */
  | { type: 'made'; id: string; entry: LockEntry; file?: string; shared?: true; ms: number }
  | { type: 'failed'; id: string; failure: Failure; ms: number }
  /** Not started, because `by` has no picture. */
  | { type: 'blocked'; id: string; by: string }
  /** The end. */
  | { type: 'summary'; summary: Summary }
  /** No further item is started. */
  | { type: 'stopping'; reason: StopReason; message: string; inFlight: number }

export type StopReason = 'interrupted' | 'unauthorised' | 'unavailable'

export type Emit = (event: RunEvent) => void

export type Summary = {
  made: number
  failed: number
  blocked: number
  /** Not started because the run was stopped. */
  left: number
  stopped?: StopReason
}

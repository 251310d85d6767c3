// What happens during a run, as values. Views turn them into lines; nothing else prints.
import type { MicroUsd } from '../../core/money.ts'
import type { LockEntry } from '../state/lock.ts'
import type { Failure } from './make.ts'

export type RunEvent =
  | { type: 'start'; id: string }
  /** `file`: where it was saved; absent when it was not downloaded. `shared`: another item's picture, paid for there.
   *  `found`: another run's. */
  | { type: 'made'; id: string; entry: LockEntry; file?: string; shared?: true; found?: true; ms: number }
  | { type: 'failed'; id: string; failure: Failure; found?: true; ms: number }
  /** Not started, because `by` has no picture. */
  | { type: 'blocked'; id: string; by: string }
  /** A picture that was made before and not on disk. */
  | { type: 'fetched'; id: string; file: string }
  | { type: 'unfetched'; id: string; message: string }
  /** The worker is out of reach; it is waited for. */
  | { type: 'outage'; message: string }
  /** The end. */
  | { type: 'summary'; summary: Summary }
  /** No further item is started. `elsewhere`: all goes on without this run. */
  | { type: 'stopping'; reason: StopReason; message: string; inFlight: number; elsewhere?: true }

/** `unwritable`: the disk does not take what was bought. `model`: nobody knows it. `alike`: one failure after the other, all the same. `token_budget`: the worker's, not this run's. `first_failure`: wanted so. */
export type StopReason =
  | 'interrupted'
  | 'unauthorised'
  | 'unavailable'
  | 'unwritable'
  | 'budget'
  | 'token_budget'
  | 'model'
  | 'alike'
  | 'first_failure'

export type Emit = (event: RunEvent) => void

/** How many items ended in which way; each counts once. */
export type Summary = {
  made: number
  /** Made by another run in the meantime, and not bought by this one. */
  found?: number
  /** Without a picture, for other reasons than the next two; or with one that could not be saved. */
  failed: number
  refused: number
  /** Perhaps charged, and no picture is known. */
  uncertain: number
  blocked: number
  /** Without an ending when the run was stopped. */
  left: number
  /** The sum of what is known. */
  spent: MicroUsd
  /** Attempts of items whose price, or whether they were charged, is not known: missing from `spent`. */
  unpriced: number
  /** Of those that are left: ready, but without a known price under a limit. */
  withheld?: number
  /** Of those that are left: in flight when the run was left. The worker goes on with what it was asked for. */
  held?: number
  /** Why nothing further was started; of a batch that was followed to its end, why a run would have stopped. */
  stopped?: StopReason
}

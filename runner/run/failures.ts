// Failures that happen on this side: the worker is out of reach, a file or the disk is in the way. What the worker and
// the provider say of a picture is read in make.ts.
import { formatUsd } from '../../core/money.ts'
import { WorkerProblem, WorkerUnreachable } from '../client.ts'
import { isSystemError } from '../exit.ts'
import type { LockEntry } from '../state/lock.ts'
import { systemWords } from '../views/system.ts'
import { type Failure, refusalOf, type Tried } from './make.ts'
import { PictureDeleted } from './save.ts'

/** The failure behind an error, or undefined for a bug. */
export function failureOf(error: unknown): Failure | undefined {
  if (error instanceof WorkerProblem) return refusalOf(error)
  if (error instanceof WorkerUnreachable)
    return {
      code: 'unreachable_worker',
      status: 'failed',
      message: error.message,
      charged: 'unknown',
      cost: null,
    }
  // A file that has gone, a full disk: the item's fault, not the program's.
  if (isSystemError(error)) return free('unreadable', systemWords(error))
  return undefined
}

/** It is made and written down; the picture itself could not be saved. */
export function notSaved({ charged, cost }: LockEntry, error: unknown): Failure {
  const words = isSystemError(error) ? systemWords(error) : (error as Error).message
  const message =
    error instanceof PictureDeleted
      ? `it was made before, and ${words}; --redo -s buys it again`
      : `it is made, but could not be saved: ${words}; run again to fetch it`
  return { code: 'not_saved', status: 'failed', message, charged, cost }
}

/** It ended, and the journal did not take the entry: the worker alone knows of it. */
export function notRecorded(id: string, made: Tried, error: Error): Failure {
  const { entry } = made
  const { charged, cost } = made.kind === 'made' ? made.entry : made.failure
  const amount = cost === null ? 'cost not known' : formatUsd(Math.round(cost * 1e6))
  const bought = entry?.emulated ? 'was drawn' : 'was bought'
  const became = made.kind === 'made' ? bought : `ended without a picture (${made.failure.code})`
  const message = `${unwritable(error)}; ${id} ${became} (generation ${entry?.generation}, ${amount}): make room and run again, it is found by its key and not bought again`
  return { code: 'unwritable', status: 'failed', message, charged, cost }
}

/** That it is to be bought again could not be written down, so it was not asked for. */
export function notAsked(id: string, error: Error): Failure {
  return free('unwritable', `${unwritable(error)}; nothing was sent for ${id}: make room and run again`)
}

/** Under a limit. */
export function unpricedMessage(n: number): string {
  const what = n === 1 ? 'the price of 1 picture is not known' : `the prices of ${n} pictures are not known`
  return `${what}, and under a limit nothing is bought blindly: give it in \`prices\` of the manifest`
}

function unwritable(error: NodeJS.ErrnoException): string {
  return `the journal cannot be written: ${systemWords(error)}`
}

function free(code: string, message: string): Failure {
  return { code, status: 'failed', message, charged: 'no', cost: 0 }
}

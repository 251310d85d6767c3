// Exit codes, in one table; `--help` shows it. Errors become codes here and nowhere else.
import { CommanderError } from 'commander'
import { ConfigurationError } from '../core/market.ts'
import { WorkerProblem, WorkerUnreachable } from './client.ts'
import { LocalWorkerError } from './local/failure.ts'
import { UnknownOffer } from './plan/compare.ts'
import { PlanFileError } from './plan/file.ts'
import { SelectionError } from './plan/select.ts'
import { systemAdvice } from './views/system.ts'

export const EXIT = {
  done: 0,
  bug: 1,
  usage: 2,
  incomplete: 3,
  unauthorised: 4,
  budget: 5,
  unavailable: 6,
  toMake: 10,
  interrupted: 130,
} as const
export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

export const EXIT_MEANINGS: readonly [ExitCode, string][] = [
  [EXIT.done, 'done, or nothing to do'],
  [EXIT.bug, 'a bug'],
  [EXIT.usage, 'bad usage or manifest; nothing was sent'],
  [EXIT.incomplete, 'finished, some items failed, were refused or are blocked'],
  [EXIT.unauthorised, 'not authorised'],
  [EXIT.budget, 'stopped by the budget'],
  [EXIT.unavailable, 'quota exhausted or service down, try later'],
  [EXIT.toMake, '`plan --exit-code`: there is something to make'],
  [EXIT.interrupted, 'interrupted; the same command continues'],
]

/** Bad usage. The message says what to do. */
export class UsageError extends Error {
  override name = 'UsageError'
}

/** A limit that does not allow what was asked for. Nothing was sent. */
export class OverBudget extends Error {
  override name = 'OverBudget'
}

/** A manifest that cannot be used. Its problems have been written to stderr. */
export class ManifestRejected extends Error {
  override name = 'ManifestRejected'
}

/** Ctrl-C at a question. */
export class Interrupted extends Error {
  override name = 'Interrupted'
}

/** Errors whose message tells a person what to write instead. */
const USAGE = [UsageError, ConfigurationError, SelectionError, PlanFileError, UnknownOffer]

/** A full disk, a file that may not be written: said by the system, and no bug. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && 'code' in error
}

/** The exit code of an error that ends a command, and its message unless that was written already; undefined for a bug. */
export function exitOf(error: unknown): { code: ExitCode; message?: string } | undefined {
  // Help ends this way too.
  if (error instanceof CommanderError) return { code: error.exitCode === 0 ? EXIT.done : EXIT.usage }
  if (error instanceof ManifestRejected) return { code: EXIT.usage }
  if (USAGE.some((type) => error instanceof type))
    return { code: EXIT.usage, message: (error as Error).message }
  if (error instanceof OverBudget) return { code: EXIT.budget, message: error.message }
  if (error instanceof WorkerProblem) {
    const { code, status } = error.problem
    const message = `the worker says: ${error.message}`
    if (code === 'unauthorised')
      return { code: EXIT.unauthorised, message: `${message} (PROOFSHEET_TOKEN is sent as the token)` }
    if (code === 'forbidden') return { code: EXIT.unauthorised, message }
    if (code === 'budget_exceeded') return { code: EXIT.budget, message }
    if (status >= 500 || status === 429) return { code: EXIT.unavailable, message: `${message} (${status})` }
    return { code: EXIT.usage, message }
  }
  if (error instanceof LocalWorkerError)
    return { code: error.reason === 'start' ? EXIT.unavailable : EXIT.usage, message: error.message }
  if (error instanceof Interrupted) return { code: EXIT.interrupted, message: error.message }
  if (error instanceof WorkerUnreachable) return { code: EXIT.unavailable, message: error.message }
  if (isSystemError(error)) return { code: EXIT.unavailable, message: systemAdvice(error) }
  return undefined
}

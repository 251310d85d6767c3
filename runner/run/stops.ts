// When a failure says that going on makes no sense: everything else would end the same way, or the user wants to look
// at the first one. Knows no plan and no money.
import type { StopReason } from './events.ts'
import type { Failure } from './make.ts'

export type Stop = { reason: StopReason; message: string }

/** Like failures in a row, with no picture before them, after which a run is stopped. */
const ALIKE = 5

/** Codes of which one is enough. */
const AT_ONCE: Record<string, StopReason> = {
  unauthorised: 'unauthorised',
  forbidden: 'unauthorised',
  budget_exceeded: 'token_budget',
  quota_exhausted: 'unavailable',
  unreachable_worker: 'unavailable',
  unwritable: 'unwritable',
  model_gone: 'model',
  unknown_model: 'model',
}

/** Codes that say: later it may work. */
const DOWN = ['unavailable', 'unreachable', 'rate_limited', 'timed_out', 'provider_error', 'internal']

/** Watches how the pictures of a run end. */
export function createWatch({ failFast }: { failFast: boolean }) {
  let hasPicture = false
  let last = ''
  let inRow = 0
  return {
    made(): void {
      hasPicture = true
    },
    /** Why the run stops after this failure, if it does. */
    failed({ code, message }: Failure): Stop | undefined {
      const atOnce = AT_ONCE[code]
      if (atOnce) return { reason: atOnce, message }
      if (failFast) return { reason: 'first_failure', message: 'the first failure, as --fail-fast asks' }
      const words = `${code}: ${message}`
      inRow = words === last ? inRow + 1 : 1
      last = words
      if (hasPicture || inRow < ALIKE) return undefined
      return {
        reason: DOWN.includes(code) ? 'unavailable' : 'alike',
        message: `${ALIKE} pictures in a row ended the same way, and none was made: ${words}`,
      }
    },
  }
}

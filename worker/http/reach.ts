// What is asked before anything is accepted, and may be out of reach for a moment.
import type { Asker } from '../asker.ts'
import { Problem } from './problem.ts'

/** What lists and look-ups by many ids read, as callers are told of it. */
export const INDEX = 'the index of this worker (its D1 database)'

/** When it is worth another try, in ms. */
const RETRY_MS = 5_000

/** The answer of D1 or an object. Throws `unavailable` when there is none: nothing was accepted, so nothing is charged;
 *  and Problems as they are. */
export async function reached<T>(
  { log, requestId }: Pick<Asker, 'log' | 'requestId'>,
  what: string,
  ask: () => Promise<T>,
): Promise<T> {
  try {
    return await ask()
  } catch (cause) {
    if (cause instanceof Problem) throw cause
    log({ event: 'unavailable', what, requestId, error: String(cause) })
    throw new Problem(
      'unavailable',
      `${what} cannot be reached at the moment; nothing was bought by this call, ask again in a few seconds`,
      { retryAfterMs: RETRY_MS, cause },
    )
  }
}

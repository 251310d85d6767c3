// D1 may be down for a while. What needs it to answer says so, and that it is worth another try.
import type { Context } from 'hono'
import type { AppEnv } from '../env.ts'
import { Problem } from './problem.ts'

/** What a caller may wait before it asks again, in ms. */
const RETRY_MS = 5_000

/** What `read` brings out of D1. Throws `unavailable` where that fails, and Problems as they are. */
export async function fromDatabase<T>(c: Pick<Context<AppEnv>, 'var'>, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (cause) {
    if (cause instanceof Problem) throw cause
    c.var.log({ event: 'index_unavailable', requestId: c.var.requestId, error: String(cause) })
    throw new Problem(
      'unavailable',
      'the index of this worker (its D1 database) cannot be read at the moment; what is being made goes on. Ask again',
      { retryAfterMs: RETRY_MS, cause },
    )
  }
}

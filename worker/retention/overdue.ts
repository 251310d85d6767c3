// Generations that should have ended long ago by what the index says: their objects are asked to look at themselves. Each
// sets its own alarm and loses none that we know of; should one sleep all the same, it does not sleep for ever.
import type { Env } from '../env.ts'
import type { Log } from '../log.ts'
import { generationStub } from '../objects.ts'
import type { Allowance } from './allowance.ts'

/** After its deadline a generation that has not ended is looked at, in ms: longer than its last call may take. */
const LATE_MS = 3_600_000

/** Objects that are asked in one run. Of more some are asked by chance, so that those which cannot be helped (their storage
 *  is lost) keep no others waiting. */
const MOST = 50

/** Asks those objects. Resolves with the number that could be asked. */
export async function wakeOverdue(env: Env, now: number, allowance: Allowance, log: Log): Promise<number> {
  if (!allowance.take(1 + MOST)) return 0
  const { results } = await env.DB.prepare(
    `SELECT id FROM generations
     WHERE status IN ('queued', 'running') AND json_extract(record, '$.deadlineAt') < ?1
     ORDER BY random() LIMIT ?2`,
  )
    .bind(now - LATE_MS, MOST)
    .all<{ id: string }>()
  const asked = await Promise.all(results.map(({ id }) => wake(env, id, log)))
  return asked.filter((isAsked) => isAsked).length
}

async function wake(env: Env, id: string, log: Log): Promise<boolean> {
  try {
    await generationStub(env, id).turn()
    return true
  } catch (error) {
    log({ event: 'retention_failed', what: 'overdue', generation: id, error: String(error) })
    return false
  }
}

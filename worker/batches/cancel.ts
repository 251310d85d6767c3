// Giving up what a cancelled batch had begun: where that is free, and where nobody else wants it.
import { isEnded } from '../../core/api.ts'
import type { Env } from '../env.ts'
import type { GenerationRecord } from '../generation/record.ts'
import type { Log } from '../log.ts'
import { generationStub } from '../objects.ts'
import type { Batch } from './register.ts'
import { wantedElsewhere } from './returns.ts'
import {
  acceptedLines,
  CANCELLED,
  endLinesStatement,
  endWaitingStatement,
  endWithoutStatement,
} from './rows.ts'

/** Most generations that are cancelled in one step, all at once. */
const CANCELS = 50

/** Gives up what costs nothing yet, from after a line on; `goesOnAt`: after which line the next step begins, 0 when all
 *  were asked. What is in the queue the consumer ends; what runs gives itself up if its call comes back with nothing. One
 *  that cannot be reached (`hasFailed`) keeps no other from being asked, and is asked again in the next round. */
export async function cancelFrom(
  env: Env,
  batch: Batch,
  after: number,
  log: Log,
): Promise<{ goesOnAt: number; hasFailed: boolean }> {
  const { id, set } = batch
  await endWaitingStatement(env.DB, set, CANCELLED).run()
  const lines = await acceptedLines(env.DB, set, after, CANCELS)
  const generations = lines.map(({ generation }) => generation)
  const wanted = generations.length > 0 ? await wantedElsewhere(env.DB, set, generations) : new Set<string>()
  const asked = await Promise.allSettled(
    lines.map(async ({ line, generation }) => {
      const record = await generationStub(env, generation).cancelWhenFree(id, wanted.has(generation))
      if (!record) return
      if (isEnded(record.status)) await endLinesStatement(env.DB, record).run()
      // One that another request asked for first is not ours to cancel; the line need not wait for it.
      else if (record.batch !== id) await endWithoutStatement(env.DB, set, [{ line, ...CANCELLED }]).run()
    }),
  )
  const failed = asked.filter((one) => one.status === 'rejected')
  for (const { reason } of failed) log({ event: 'batch_cancel_delayed', batch: id, error: String(reason) })
  return { goesOnAt: lines.length < CANCELS ? 0 : lines.at(-1)!.line, hasFailed: failed.length > 0 }
}

/** Gives up a generation that came to be while its batch was cancelled. Returns what it is then. */
export async function giveUp(env: Env, batch: Batch, record: GenerationRecord): Promise<GenerationRecord> {
  const wanted = await wantedElsewhere(env.DB, batch.set, [record.id])
  return (await generationStub(env, record.id).cancelWhenFree(batch.id, wanted.has(record.id))) ?? record
}

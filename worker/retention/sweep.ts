// The cron: deletes what is older than the operator wants to keep and what uploads left behind, and wakes what should have
// ended; a bounded amount in every run, and the next run goes on. D1 says what there is: while it is down nothing is done.
import { CALLS_OF_BROKEN, dropBroken } from '../batches/register.ts'
import type { Env } from '../env.ts'
import type { Log } from '../log.ts'
import { allowanceOf } from './allowance.ts'
import { deleteInputs } from './inputs.ts'
import { wakeOverdue } from './overdue.ts'
import { deletePictures } from './pictures.ts'
import { retentionOf } from './settings.ts'

export type SweepEffects = {
  /** Epoch ms. */
  now: () => number
  log: Log
  /** Calls of other services that it may make. */
  calls?: number
}

/** One run. Never rejects: what fails is logged and tried again in the next one. */
export async function sweep(env: Env, { now, log, calls }: SweepEffects): Promise<void> {
  const begunAt = now()
  const { picturesBefore, inputsBefore, problems } = retentionOf(env, begunAt)
  for (const problem of problems) log({ event: 'retention_misconfigured', error: problem })
  const allowance = allowanceOf(now, calls)
  const tried = async <T>(what: string, work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work()
    } catch (error) {
      log({ event: 'retention_failed', what, error: String(error) })
      return undefined
    }
  }
  // Whether anything is to be kept or not: these are no batches.
  if (allowance.take(CALLS_OF_BROKEN)) await tried('uploads', () => dropBroken(env.DB, begunAt))
  const woken = await tried('overdue', () => wakeOverdue(env, begunAt, allowance, log))
  if (woken) log({ event: 'overdue', woken })
  const inputs =
    inputsBefore === undefined
      ? undefined
      : await tried('references', () => deleteInputs(env, inputsBefore, begunAt, allowance))
  const pictures =
    picturesBefore === undefined
      ? undefined
      : await tried('pictures', () => deletePictures(env, picturesBefore, begunAt, allowance, log))
  if (!inputs && !pictures) return
  log({
    event: 'retention',
    generations: pictures?.generations ?? 0,
    pictures: pictures?.pictures ?? 0,
    references: inputs?.deleted ?? 0,
    isDone: (inputs?.isDone ?? true) && (pictures?.isDone ?? true),
    ms: now() - begunAt,
  })
}

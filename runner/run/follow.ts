// A batch that the worker makes, as it is followed: its results are read as they come, and each is given to whoever waits
// for its key. Asks for no picture.
import { isEnded } from '../../core/api.ts'
import type { BatchResult, BatchView } from '../../core/batch.ts'
import { type Client, WorkerUnreachable } from '../client.ts'
import type { PlanItem } from '../plan/plan.ts'
import { type Made, madeOf, type Terms } from './make.ts'

export type FollowEffects = {
  client: Pick<Client, 'batch' | 'batchResults'>
  sleep: (ms: number, signal?: AbortSignal) => Promise<void>
  now: () => number
  terms: Terms
}

export type Following = {
  /** How a picture of the batch ends; `left` when it is none of it. Rejects when `signal` is aborted, or with what ended
   *  the following. */
  make(planned: PlanItem, signal: AbortSignal): Promise<Made>
  /** Resolves when all results have been read. Throws WorkerProblem, WorkerUnreachable, and the abort. */
  ended: Promise<BatchView>
  /** Results that nobody has asked for. */
  unclaimed(): BatchResult[]
}

/** Seconds of one stream of results; the pause after one that brought nothing, in ms; and how many may break off without
 *  bringing anything. */
const STREAM_S = 50
const PAUSE_MS = 1_000
const BROKEN = 5

/** Begins to read the results of a batch. `keys`: all its keys, where they are known. */
export function follow(
  id: string,
  keys: ReadonlySet<string> | undefined,
  fx: FollowEffects,
  signal: AbortSignal,
): Following {
  const results = new Map<string, BatchResult>()
  const waiting = new Map<string, (result: BatchResult | undefined) => void>()
  let isOver = false

  const take = (result: BatchResult) => {
    const claim = waiting.get(result.key)
    if (!claim) return void results.set(result.key, result)
    waiting.delete(result.key)
    claim(result)
  }

  const read = async (): Promise<BatchView> => {
    let after = 0
    for (let broken = 0; ; ) {
      // Asked before the results: what has ended by then is among them.
      const batch = await fx.client.batch(id, signal)
      const before = after
      const waitS = batch.status === 'ended' ? 0 : STREAM_S
      try {
        for await (const result of fx.client.batchResults(id, { after, waitS }, signal)) {
          after = Math.max(after, result.seq)
          take(result)
        }
        if (batch.status === 'ended') return batch
        broken = 0
      } catch (error) {
        broken = after > before ? 0 : broken + 1
        if (!(error instanceof WorkerUnreachable) || broken === BROKEN) throw error
      }
      if (after === before) await fx.sleep(PAUSE_MS, signal)
    }
  }

  const ended = read().finally(() => {
    isOver = true
    for (const claim of waiting.values()) claim(undefined)
  })
  // Whoever asks for `ended` hears of it.
  ended.catch(() => {})

  const resultOf = (key: string): Promise<BatchResult | undefined> => {
    const known = results.get(key)
    results.delete(key)
    if (known || isOver || (keys && !keys.has(key))) return Promise.resolve(known)
    const { promise, resolve } = Promise.withResolvers<BatchResult | undefined>()
    waiting.set(key, resolve)
    return promise
  }

  return {
    ended,
    unclaimed: () => [...results.values()],
    async make(planned, leave) {
      leave.throwIfAborted()
      const result = await resultOf(planned.key)
      if (result) return madeBy(result, planned, fx)
      leave.throwIfAborted()
      // Throws what cut it short.
      if (isOver) await ended
      return { kind: 'left' }
    },
  }
}

/** What came of a line. */
function madeBy({ generation, error }: BatchResult, planned: PlanItem, { now, terms }: FollowEffects): Made {
  if (generation && isEnded(generation.status)) return madeOf(planned, generation, now(), terms)
  const { code, message } = error ?? { code: 'internal', message: 'the worker does not say how it ended' }
  return { kind: 'failed', failure: { code, status: 'failed', message, charged: 'no', cost: 0 } }
}

// A batch that the worker makes, as it is followed: its results are read as they come, and each is given to whoever waits
// for its key. Asks for no picture.
import { isEnded } from '../../core/api.ts'
import type { BatchResult, BatchView } from '../../core/batch.ts'
import { type Client, WorkerProblem, WorkerUnreachable } from '../client.ts'
import type { PlanItem } from '../plan/plan.ts'
import { type Made, madeOf, type Terms } from './make.ts'

export type FollowEffects = {
  client: Pick<Client, 'batch' | 'batchResults'>
  sleep: (ms: number, signal?: AbortSignal) => Promise<void>
  now: () => number
  terms: Terms
  /** Told when the worker is out of reach and is waited for. */
  onOutage?: (message: string) => void
}

export type Following = {
  /** How a picture of the batch ends; `left` when it is none of it. Rejects when `signal` is aborted, or with what ended
   *  the following. */
  make(planned: PlanItem, signal: AbortSignal): Promise<Made>
  /** Resolves when all results have been read. Throws WorkerProblem, WorkerUnreachable, and the abort. */
  ended: Promise<BatchView>
  /** What ended and nobody waits for. */
  strangers(): readonly Stranger[]
}

/** A line whose picture is none of this plan. `item` is what it was called when it was handed over. */
export type Stranger = { key: string; line: number; isMade: boolean; item?: string }

/** `keys`: all of the batch, where they are known; `claimed`: those that are asked for sooner or later. */
export type Keys = { keys: ReadonlySet<string> | undefined; claimed: ReadonlySet<string> }

/** Seconds of one stream of results, and the pause after one that brought nothing, in ms. */
const STREAM_S = 50
const PAUSE_MS = 1_000

/** While the worker is out of reach the pauses double up to this one; after so much of them it is given up. A batch may
 *  last a day, and a deploy or a laptop that slept must not end the following. */
const LONGEST_PAUSE_MS = 30_000
const PATIENCE_MS = 300_000

/** Begins to read the results of a batch. */
export function follow(
  id: string,
  { keys, claimed }: Keys,
  fx: FollowEffects,
  signal: AbortSignal,
): Following {
  const results = new Map<string, BatchResult>()
  const strangers: Stranger[] = []
  const waiting = new Map<string, (result: BatchResult | undefined) => void>()
  let isOver = false

  const take = (result: BatchResult) => {
    const { key, line, generation } = result
    const claim = waiting.get(key)
    waiting.delete(key)
    if (claim) claim(result)
    else if (claimed.has(key)) results.set(key, result)
    else {
      const item = generation?.metadata.item
      strangers.push({ key, line, isMade: generation?.status === 'succeeded', ...(item ? { item } : {}) })
    }
  }

  const read = async (): Promise<BatchView> => {
    let after = 0
    for (let waitedMs = 0, pauseMs = PAUSE_MS; ; ) {
      const before = after
      try {
        // Asked before the results: what has ended by then is among them.
        const batch = await fx.client.batch(id, signal)
        const waitS = batch.status === 'ended' ? 0 : STREAM_S
        for await (const result of fx.client.batchResults(id, { after, waitS }, signal)) {
          after = Math.max(after, result.seq)
          take(result)
        }
        if (batch.status === 'ended') return batch
        waitedMs = 0
        pauseMs = PAUSE_MS
        if (after === before) await fx.sleep(PAUSE_MS, signal)
      } catch (error) {
        signal.throwIfAborted()
        if (!isOutage(error) || waitedMs >= PATIENCE_MS) throw error
        if (after > before) {
          waitedMs = 0
          pauseMs = PAUSE_MS
          continue
        }
        if (waitedMs === 0) fx.onOutage?.(error.message)
        await fx.sleep(pauseMs, signal)
        waitedMs += pauseMs
        pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)
      }
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
    strangers: () => strangers,
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

/** Whether the worker may be back in a while. */
function isOutage(error: unknown): error is Error {
  return error instanceof WorkerUnreachable || (error instanceof WorkerProblem && error.problem.status >= 500)
}

/** What came of a line. */
function madeBy({ generation, error }: BatchResult, planned: PlanItem, { now, terms }: FollowEffects): Made {
  if (generation && isEnded(generation.status)) return madeOf(planned, generation, now(), terms)
  const { code, message } = error ?? { code: 'internal', message: 'the worker does not say how it ended' }
  return { kind: 'failed', failure: { code, status: 'failed', message, charged: 'no', cost: 0 } }
}

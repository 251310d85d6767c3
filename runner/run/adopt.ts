// What the worker has already made under the keys of these items: after the lock was lost, or on another machine. Buys
// nothing. Asked for in slices, because a catalog may have 100,000 items and a worker takes a call at a time.
import PQueue from 'p-queue'
import type { Client, WireQuestion } from '../client.ts'
import type { PlanItem } from '../plan/plan.ts'
import type { LockEntry } from '../state/lock.ts'
import { entryOf, type Terms } from './make.ts'

export type AdoptOptions = {
  now: () => number
  terms?: Terms
  signal?: AbortSignal
  /** How many keys were asked for, of how many. */
  onProgress?: (asked: number, of: number) => void
}

/** Keys of one call, and calls in flight. */
const SLICE = 1_000
const LOOKUPS = 16

/** The entries of what is known, in the order of the items, ended or still being made; `planned` holds the key that is
 *  asked for. Throws WorkerProblem and WorkerUnreachable. */
export async function adopt(
  planned: readonly PlanItem[],
  client: Client,
  { now, terms, signal, onProgress }: AdoptOptions,
): Promise<LockEntry[]> {
  const queue = new PQueue({ concurrency: LOOKUPS })
  const found: LockEntry[] = []
  for (let from = 0; from < planned.length; from += SLICE) {
    signal?.throwIfAborted()
    const slice = planned.slice(from, from + SLICE)
    const { requests } = await client.estimate(slice.map(questionOf))
    const known = slice.flatMap((p, index) => {
      const id = requests[index]?.existing?.id
      return id ? [async () => entryOf(p, await client.generation(id, 0, signal), now(), terms)] : []
    })
    found.push(...(await queue.addAll(known)))
    onProgress?.(from + slice.length, planned.length)
  }
  return found
}

/** Only the key counts here; a prompt is part of every request. */
function questionOf({ item, provider, key }: PlanItem): WireQuestion {
  return { model: item.model, provider, prompt: '-', key }
}

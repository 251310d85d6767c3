// What the worker makes already: the lines of batches that were handed over from here and go on. A line that ended without
// coming to a generation is none of them: whoever asks for it again buys it.
import { type Client, WorkerProblem } from '../client.ts'
import type { Underway } from '../plan/plan.ts'
import type { HandedOver } from '../state/batches.ts'

/** Pictures by key. A batch that is over, was cancelled or is another token's makes none. Throws WorkerProblem and
 *  WorkerUnreachable. */
export async function underwayIn(
  batches: readonly HandedOver[],
  client: Pick<Client, 'batch' | 'batchResults'>,
): Promise<Map<string, Underway>> {
  const found = new Map<string, Underway>()
  for (const { batch, keys } of batches) {
    const view = await viewOf(client, batch)
    if (view?.status !== 'running') continue
    const lost = new Set<string>()
    // Only these may have ended without a generation.
    if (view.counts.failed + view.counts.cancelled > 0)
      for await (const { key, generation } of client.batchResults(batch, { after: 0, waitS: 0 }))
        if (!generation) lost.add(key)
    for (const key of keys) if (!lost.has(key)) found.set(key, { batch })
  }
  return found
}

async function viewOf(client: Pick<Client, 'batch'>, id: string) {
  try {
    return await client.batch(id)
  } catch (error) {
    if (error instanceof WorkerProblem && error.problem.status === 404) return undefined
    throw error
  }
}

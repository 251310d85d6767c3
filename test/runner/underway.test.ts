// What batches make already, without a worker: what a plan may leave out of its price, and what it may not.
import { describe, expect, test } from 'vitest'
import type { BatchResult, BatchView } from '../../core/batch.ts'
import { WorkerProblem } from '../../runner/client.ts'
import { toBuy, toMake } from '../../runner/plan/plan.ts'
import { underwayIn } from '../../runner/run/underway.ts'
import type { HandedOver } from '../../runner/state/batches.ts'
import { from, item, plan } from './items.ts'

const handed = (batch: string, keys: string[]): HandedOver => ({
  batch,
  worker: 'http://worker',
  set: [],
  var: [],
  refused: false,
  uncertain: false,
  keys,
  items: keys,
  fetched: false,
  digest: 'd',
  number: 1,
})

/** A worker whose batches have this status; `lost` lines ended without a generation. */
function worker(statuses: Record<string, BatchView['status']>, lost: string[] = []) {
  const problem = { status: 404, code: 'not_found', detail: 'there is no such batch' }
  return {
    async batch(id: string) {
      const status = statuses[id]
      if (!status) throw new WorkerProblem(problem as never)
      return { status, counts: { failed: lost.length, cancelled: 0 } } as BatchView
    },
    async *batchResults() {
      yield { key: 'made', generation: {} } as BatchResult
      for (const key of lost) yield { key, generation: null } as BatchResult
    },
  }
}

describe('what is under way', () => {
  test('is what batches hold that go on, and of no other batch', async () => {
    const batches = [handed('a', ['1', '2']), handed('b', ['3']), handed('c', ['4']), handed('d', ['5'])]
    const found = await underwayIn(batches, worker({ a: 'running', b: 'ended', c: 'cancelling' }))
    expect([...found]).toEqual([
      ['1', { batch: 'a' }],
      ['2', { batch: 'a' }],
    ])
  })

  test('is no line that ended without a generation: whoever asks for that buys it', async () => {
    const found = await underwayIn([handed('a', ['made', 'lost'])], worker({ a: 'running' }, ['lost']))
    expect([...found.keys()]).toEqual(['made'])
  })

  test('costs nothing more in a plan, is waited for, and holds up nothing that is made from it', () => {
    const items = [item('a'), item('b', { references: [from('a')] })]
    const [a] = plan(items).items
    const planned = plan(items, new Map(), { underway: new Map([[a!.key, { batch: 'bat_1' }]]) })
    expect(planned.items.map(({ state, reasons }) => [state, reasons])).toEqual([
      ['underway', ['in bat_1, handed over already']],
      ['new', []],
    ])
    expect(planned.quote).toEqual(planned.items[1]!.quote)
    expect(toMake(planned).map(({ item: { id } }) => id)).toEqual(['a', 'b'])
    expect(toBuy(planned).map(({ item: { id } }) => id)).toEqual(['b'])
  })
})

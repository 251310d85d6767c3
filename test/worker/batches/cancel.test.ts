// Cancelling a batch: what is free is given up, what runs is waited for, whatever is under way meanwhile.
import { expect, test, vi } from 'vitest'
import type { BatchView } from '../../../core/batch.ts'
import { ask, callsOf, chargesOf, problemOf, prompt } from '../setup/ask.ts'
import {
  accepted,
  batchOf,
  deliver,
  handOver,
  held,
  objectOf,
  resultsOf,
  sentLines,
  until,
} from '../setup/batch.ts'
import { env } from '../setup/bindings.ts'

vi.setConfig({ testTimeout: 30_000 })

const cancel = async (id: string): Promise<BatchView> =>
  (await ask(`/api/batches/${id}/cancel`, { method: 'POST' })).json()

test('lines that wait are cancelled, what runs is waited for, and the answer stays the same', async () => {
  const [slow, next] = [prompt(), prompt()]
  const key = slow.replaceAll(' ', '-')
  const { id } = await accepted(
    await handOver([
      { prompt: `[[fault:slow ms=2000]] ${slow}`, key },
      { prompt: next, references: [{ key }] },
    ]),
  )
  await vi.waitFor(async () => expect(await callsOf(slow)).toHaveLength(1), 10_000)
  const cancelling = await cancel(id)
  expect(cancelling).toMatchObject({ status: 'cancelling', cancelledAt: expect.any(String) })
  const results = await resultsOf(id)
  expect(results).toMatchObject([
    { line: 2, generation: null, error: { code: 'cancelled' } },
    { line: 1, generation: { status: 'succeeded' } },
  ])
  expect(await batchOf(id)).toMatchObject({
    status: 'ended',
    counts: { succeeded: 1, cancelled: 1 },
    cost: { actual: 0.055 },
  })
  expect((await cancel(id)).cancelledAt).toBe(cancelling.cancelledAt)
  expect(await callsOf(next)).toEqual([])
})

test('lines in the queue are cancelled when their message comes', async () => {
  const words = prompt()
  const { id, sent } = await held([{ prompt: words }])
  await sentLines(sent, 1)
  await cancel(id)
  await deliver(sent)
  expect(await resultsOf(id)).toMatchObject([{ error: { code: 'cancelled' } }])
  expect(await callsOf(words)).toEqual([])
})

test('a queued generation is cancelled by the batch, at no cost', async () => {
  // Throttled: it goes back to its queue and is free to give up.
  const words = prompt()
  const { id } = await accepted(
    await handOver([{ prompt: `[[fault:rate-limited retry=3600]] ${words}`, provider: 'google' }]),
  )
  await vi.waitFor(async () => expect(await callsOf(words)).toHaveLength(1), 10_000)
  await until(id, ({ counts }) => counts.queued === 1)
  await cancel(id)
  const [result] = await resultsOf(id)
  expect(result!.generation).toMatchObject({ status: 'cancelled', cost: { actual: 0 } })
  expect(await batchOf(id)).toMatchObject({ counts: { cancelled: 1 }, cost: { actual: 0 } })
  expect(await chargesOf(words)).toEqual([])
})

/** Delivers a line of a batch that is cancelled after the consumer has read it, and whose line another delivery ends
 *  before the consumer goes on. */
async function cancelledMeanwhile(asked: Record<string, unknown>): Promise<string> {
  const { id, sent } = await held([asked])
  await sentLines(sent, 1)
  let isFirst = true
  const GENERATION = {
    idFromName: (name: string) => env.GENERATION.idFromName(name),
    get: (...args: Parameters<typeof env.GENERATION.get>) => {
      const stub = env.GENERATION.get(...args)
      return {
        read: () => stub.read(),
        cancelWhenFree: (batch: string, isAskedSoon?: boolean) => stub.cancelWhenFree(batch, isAskedSoon),
        ensure: async (wish: Parameters<typeof stub.ensure>[0]) => {
          if (isFirst) {
            isFirst = false
            await cancel(id)
            await deliver(sent)
            expect((await batchOf(id)).counts).toMatchObject({ cancelled: 1 })
          }
          return stub.ensure(wish)
        },
      }
    },
  }
  await deliver(sent, { changes: { GENERATION } })
  return id
}

const statusesOf = async (id: string) => {
  const { results } = await env.DB.prepare('SELECT status FROM generations WHERE batch = ?1').bind(id).all()
  return results.map(({ status }) => status)
}

test('a generation that comes to be while its batch is cancelled is given up where that is free', async () => {
  const words = prompt()
  const throttled = { prompt: `[[fault:rate-limited retry=3600]] ${words}`, provider: 'google' }
  const id = await cancelledMeanwhile(throttled)
  await vi.waitFor(async () => expect(await statusesOf(id)).toEqual(['cancelled']), 15_000)
  expect(await batchOf(id)).toMatchObject({ counts: { cancelled: 1 }, cost: { actual: 0 } })
  expect(await chargesOf(words)).toEqual([])
})

test('a generation that comes to be while its batch is cancelled counts as what it became', async () => {
  const words = prompt()
  const id = await cancelledMeanwhile({ prompt: words })
  await vi.waitFor(async () => {
    const [status] = await statusesOf(id)
    expect(status).toMatch(/^(succeeded|cancelled)$/)
    const charges = (await chargesOf(words)).length
    expect(charges).toBe(status === 'succeeded' ? 1 : 0)
    const { counts, cost } = await batchOf(id)
    expect(counts).toMatchObject({ succeeded: charges, cancelled: 1 - charges })
    expect(cost.actual).toBe(charges * 0.055)
  }, 15_000)
})

test('a batch that has ended cannot be cancelled', async () => {
  const { id } = await accepted(await handOver([{ prompt: prompt() }]))
  await resultsOf(id)
  await batchOf(id)
  expect(await problemOf(await ask(`/api/batches/${id}/cancel`, { method: 'POST' }))).toMatchObject({
    status: 409,
    code: 'not_cancellable',
  })
  await objectOf(id).drive(id)
  expect((await batchOf(id)).status).toBe('ended')
})

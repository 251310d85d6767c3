// How often a batch is sent, without a worker: each sending is up to 64 MiB.
import { expect, test } from 'vitest'
import type { BatchView } from '../../core/batch.ts'
import type { WireLine } from '../../runner/client.ts'
import { makeBatch } from '../../runner/run/detach.ts'

const LINES: WireLine[] = [{ key: 'k', model: 'nano-banana-2', prompt: 'a fern' }]

/** A worker that knows so many batches of the same lines, all of which are over; `sent` are the keys it was sent. */
function worker(over: number) {
  const sent: string[] = []
  const client = {
    url: 'http://worker.test',
    async makeBatch(key: string) {
      sent.push(key)
      const number = Number(/-(\d+)$/.exec(key)?.[1] ?? 1)
      return { id: `bat_${number}`, status: number > over ? 'running' : 'ended' } as BatchView
    },
  }
  return { client, sent }
}

test('what is over is handed over as the next batch of the same lines; its own key does not repeat theirs', async () => {
  const { client, sent } = worker(2)
  const { batch, digest, number } = await makeBatch(client, LINES, undefined)
  expect({ batch, number, sent }).toEqual({
    batch: 'bat_3',
    number: 3,
    sent: [digest, `${digest}-2`, `${digest}-3`],
  })
})

test('a machine that knows the last one does not send the lines for those before it', async () => {
  const { digest } = await makeBatch(worker(0).client, LINES, undefined)
  const last = {
    batch: 'bat_7',
    worker: 'http://worker.test',
    keys: ['k'],
    items: ['fern'],
    digest,
    number: 7,
  }
  const { client, sent } = worker(7)
  expect((await makeBatch(client, LINES, last)).number).toBe(8)
  expect(sent).toEqual([`${digest}-7`, `${digest}-8`])
  const others = [
    { ...last, worker: 'http://other.test' },
    { ...last, digest: 'of other lines' },
  ]
  for (const other of others) expect((await makeBatch(worker(0).client, LINES, other)).number).toBe(1)
})

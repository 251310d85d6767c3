// Following a batch, without a worker: which results reach whom, and what a broken stream changes.
import { describe, expect, test } from 'vitest'
import type { GenerationView } from '../../core/api.ts'
import type { BatchResult, BatchView } from '../../core/batch.ts'
import { WorkerUnreachable } from '../../runner/client.ts'
import { follow } from '../../runner/run/follow.ts'
import { item, plan } from './items.ts'

const [a, b, c] = plan(['a', 'b', 'c'].map((id) => item(id, { provider: 'apiyi' }))).items

const made = (id: string) =>
  ({
    id,
    status: 'succeeded',
    provider: 'apiyi',
    model: 'gemini-3.1-flash-image',
    emulated: false,
    image: null,
    moreImages: [],
    text: null,
    error: null,
    cost: { actual: 0.055 },
    attempts: [{ provider: 'apiyi', model: 'gemini-3.1-flash-image', charged: 'yes', cost: 0.055 }],
    usage: null,
  }) as unknown as GenerationView

const result = (seq: number, key: string, changes: Partial<BatchResult> = {}): BatchResult => ({
  seq,
  line: seq,
  key,
  generation: made(`gen_${seq}`),
  error: null,
  ...changes,
})

/** Streams one after the other: results, and perhaps the error by which one breaks off. The batch has ended when the last
 *  one is asked for. */
function batch(streams: (BatchResult | Error)[][], keys?: string[], claimed = [a!.key, b!.key, c!.key]) {
  const asked: number[] = []
  const slept: number[] = []
  const outages: string[] = []
  const leave = new AbortController()
  const following = follow(
    'bat_1',
    { keys: keys && new Set(keys), claimed: new Set(claimed) },
    {
      client: {
        batch: async () =>
          ({ status: asked.length >= streams.length - 1 ? 'ended' : 'running' }) as unknown as BatchView,
        async *batchResults(_, { after }) {
          asked.push(after)
          for (const one of streams[asked.length - 1] ?? []) {
            if (one instanceof Error) throw one
            yield one
          }
        },
      },
      sleep: async (ms) => void slept.push(ms),
      now: () => 7,
      terms: {},
      onOutage: (message) => void outages.push(message),
    },
    leave.signal,
  )
  return { following, asked, slept, outages, leave, make: (p = a!) => following.make(p, leave.signal) }
}

describe('a batch that is followed', () => {
  test('gives each result to who waits for it, and to who asks later', async () => {
    const { following, make } = batch([[result(1, b!.key)], [result(2, a!.key)]])
    expect(await make(a)).toMatchObject({ kind: 'made', entry: { id: 'a', generation: 'gen_2' } })
    await following.ended
    expect(await make(b)).toMatchObject({ kind: 'made', entry: { id: 'b', generation: 'gen_1' } })
  })

  test('leaves what is not in it, at its end or at once where its keys are known', async () => {
    const unknown = batch([[result(1, a!.key)]])
    expect(await unknown.make(c)).toEqual({ kind: 'left' })
    const known = batch(
      Array.from({ length: 1_000 }, () => []),
      [a!.key],
    )
    expect(await known.make(c)).toEqual({ kind: 'left' })
    expect(known.asked.length).toBeLessThan(1_000)
  })

  test('keeps of a picture that nobody waits for its line and its name only', async () => {
    const named = { ...made('gen_2'), metadata: { item: 'jug' } }
    const results = [result(1, 'k1', { generation: null }), result(2, 'k2', { generation: named })]
    const { following } = batch([results], undefined, [])
    await following.ended
    expect(following.strangers()).toEqual([
      { key: 'k1', line: 1, isMade: false },
      { key: 'k2', line: 2, isMade: true, item: 'jug' },
    ])
  })

  test('tells why a line never came to a generation; that cost nothing', async () => {
    const error = { code: 'reference_not_found', message: 'line 1 ended without a picture' }
    const { make } = batch([[result(1, a!.key, { generation: null, error })]])
    expect(await make()).toEqual({
      kind: 'failed',
      failure: { ...error, status: 'failed', charged: 'no', cost: 0 },
    })
  })

  test('is read on from its last result when a stream breaks off', async () => {
    const { following, asked, slept, make } = batch([
      [result(1, a!.key), new WorkerUnreachable('gone')],
      [new WorkerUnreachable('gone')],
      [result(2, b!.key)],
    ])
    await following.ended
    expect(asked).toEqual([0, 1, 1])
    expect(slept).toEqual([1_000])
    expect(await Promise.all([make(a), make(b)])).toMatchObject([{ kind: 'made' }, { kind: 'made' }])
  })

  test('is waited for while the worker is out of reach, for five minutes of pauses, and then given up', async () => {
    const broken = Array.from({ length: 99 }, () => [new WorkerUnreachable('gone')])
    const { following, slept, outages, make } = batch(broken)
    const waiting = make()
    await expect(following.ended).rejects.toThrow(WorkerUnreachable)
    await expect(waiting).rejects.toThrow('gone')
    expect(slept.slice(0, 7)).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000])
    const sum = slept.reduce((all, ms) => all + ms, 0)
    expect(sum).toBeGreaterThanOrEqual(300_000)
    expect(sum).toBeLessThan(330_000)
    expect(outages).toEqual(['gone'])
  })

  test('is patient anew after each time that the worker was there', async () => {
    const outage = Array.from({ length: 10 }, () => [new WorkerUnreachable('gone')])
    const { following, slept, outages } = batch([...outage, [], ...outage, []])
    await following.ended
    expect(slept.reduce((all, ms) => all + ms, 0)).toBeGreaterThan(300_000)
    expect(outages).toEqual(['gone', 'gone'])
  })

  test('is left at an abort: who waits hears of it', async () => {
    const { leave, make } = batch([[], [], [new Error('never asked for')]])
    leave.abort()
    await expect(make()).rejects.toThrow('abort')
  })
})

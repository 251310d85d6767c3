// What is free is sent again, after the provider's own delay (promise 8), and nothing else is. The clock of the objects is
// put forward where they wait.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { generationId } from '../../worker/generation/name.ts'
import { callsOf, chargesOf, prompt } from './setup/ask.ts'
import { hurry, plant, wish } from './setup/objects.ts'

vi.setConfig({ testTimeout: 30_000 })

// Far ahead, so that no alarm fires by itself.
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2090, 0) }))
afterEach(() => void vi.useRealTimers())

async function run(asked: Record<string, unknown>) {
  const id = generationId('default', crypto.randomUUID())
  await plant(wish(id, asked))
  return hurry(id)
}

const outcomesOf = ({ attempts }: Awaited<ReturnType<typeof run>>['record']) =>
  attempts.map(({ ending }) => [ending!.verdict.outcome, ending!.verdict.charged, ending!.costMicroUsd])

describe('a free answer is asked for again', () => {
  test.for([
    ['an overload, after delays that double', '[[fault:overloaded times=2]]', 'unavailable', [1_000, 2_000]],
    [
      'a rate limit, after the fraction it names',
      '[[fault:rate-limited times=2 retry=0.6005]]',
      'rate_limited',
      [601, 601],
    ],
    [
      'a rate limit that always says at once, ever less often',
      '[[fault:rate-limited times=3 retry=0.05]]',
      'rate_limited',
      [250, 500, 750],
    ],
    [
      'a rate limit, after the minute it names',
      '[[fault:rate-limited times=1 retry=45.837906927]]',
      'rate_limited',
      [45_838],
    ],
    [
      'a rate limit, as often as it takes',
      '[[fault:rate-limited times=7 retry=2]]',
      'rate_limited',
      Array<number>(7).fill(2_000),
    ],
    [
      'an overload, with a bound to the delay',
      '[[fault:overloaded times=8]]',
      'unavailable',
      [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000],
    ],
  ] as const)('%s', async ([, fault, outcome, waits]) => {
    const words = prompt()
    const { record, waitedMs } = await run({ prompt: `${fault} ${words}` })
    expect(record.status).toBe('succeeded')
    expect(waitedMs).toEqual(waits)
    expect(outcomesOf(record)).toEqual([...waits.map(() => [outcome, 'no', 0]), ['succeeded', 'yes', 55_000]])
    expect(await callsOf(words)).toHaveLength(waits.length + 1)
    expect(await chargesOf(words)).toHaveLength(1)
  })
})

test('a 500 that the provider does not charge is asked for three times', async () => {
  const words = prompt()
  const { record, waitedMs } = await run({ prompt: `[[fault:internal]] ${words}`, provider: 'google' })
  expect(record.status).toBe('failed')
  expect(waitedMs).toEqual([1_000, 2_000])
  expect(outcomesOf(record)).toEqual(Array(3).fill(['unavailable', 'no', 0]))
  expect(await callsOf(words)).toHaveLength(3)
})

test('a provider that cannot be reached is tried three times and was not paid', async () => {
  const { record, waitedMs } = await run({ prompt: prompt(), provider: 'silent' })
  expect(record.status).toBe('failed')
  expect(waitedMs).toEqual([1_000, 2_000])
  expect(outcomesOf(record)).toEqual(Array(3).fill(['unreachable', 'no', 0]))
})

test('a throttled generation gives up at its deadline, unpaid', async () => {
  const words = prompt()
  const { record, waitedMs } = await run({
    prompt: `[[fault:rate-limited retry=20]] ${words}`,
    deadline: 50,
  })
  expect(record.status).toBe('failed')
  expect(waitedMs).toEqual([20_000, 20_000])
  expect(outcomesOf(record)).toEqual(Array(3).fill(['rate_limited', 'no', 0]))
  expect(record.finishedAt).toBe(record.deadlineAt)
  expect(await chargesOf(words)).toEqual([])
})

test('a generation that gets its turn only after its deadline sends nothing', async () => {
  const words = prompt()
  const id = generationId('default', crypto.randomUUID())
  await plant(wish(id, { prompt: words, deadline: 50 }))
  vi.setSystemTime(Date.now() + 51_000)
  const { record } = await hurry(id)
  expect(record).toMatchObject({ status: 'failed', attempts: [] })
  expect(await callsOf(words)).toEqual([])
})

describe('what one generation is told, all know', () => {
  const planted = async (asked: Record<string, unknown>) => {
    const id = generationId('default', crypto.randomUUID())
    await plant(wish(id, asked))
    return id
  }

  test('the next one waits until the delay that another was told has passed', async () => {
    const words = prompt()
    const first = await planted({ prompt: `[[fault:rate-limited times=1 retry=30]] ${prompt()}` })
    const { record } = await hurry(first, ({ attempts }) => attempts[0]?.ending !== undefined)
    const toldAt = record.attempts[0]!.ending!.endedAt
    const { record: next } = await run({ prompt: words })
    expect(next).toMatchObject({ status: 'succeeded', attempts: [{ number: 1 }] })
    expect(next.attempts[0]!.startedAt - toldAt).toBeGreaterThanOrEqual(30_000)
    expect(await callsOf(words)).toHaveLength(1)
  })

  test('a used-up quota of the day is not tried again, and the provider’s words say since when', async () => {
    await run({ prompt: `[[fault:daily-quota]] ${prompt()}` })
    const words = prompt()
    const { record } = await run({ prompt: words })
    expect(record.status).toBe('failed')
    expect(outcomesOf(record)).toEqual([['quota_exhausted', 'no', 0]])
    expect(record.attempts[0]!.ending!.verdict.message).toMatch(/quota/)
    expect(await callsOf(words)).toEqual([])
  })

  test('who has a fallback does not wait while others meet nothing but an overload', async () => {
    const first = await planted({ prompt: `[[fault:overloaded times=8]] ${prompt()}` })
    await hurry(first, ({ attempts }) => attempts[2]?.ending !== undefined)
    const words = prompt()
    const fallback = [{ model: 'nano-banana-2', provider: 'google', on: ['unavailable'] }]
    const { record, waitedMs } = await run({ prompt: words, fallback })
    expect(outcomesOf(record)).toMatchObject([
      ['unavailable', 'no', 0],
      ['succeeded', 'yes', expect.any(Number)],
    ])
    expect(waitedMs).toEqual([0])
    expect(await callsOf(words)).toMatchObject([{ provider: 'google' }])
  })

  test('who has a fallback does not wait for a provider that says that it will be overloaded for long', async () => {
    const fallback = [{ model: 'nano-banana-2', provider: 'google', on: ['unavailable'] }]
    const first = await planted({ prompt: `[[fault:status code=503 retry=30]] ${prompt()}` })
    await hurry(first, ({ attempts }) => attempts[0]?.ending !== undefined)
    const words = prompt()
    const { record, waitedMs } = await run({ prompt: words, fallback })
    expect(record.status).toBe('succeeded')
    expect(waitedMs).toEqual([0])
    expect(await callsOf(words)).toMatchObject([{ provider: 'google' }])
  })
})

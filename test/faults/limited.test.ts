// A provider that allows less than is wanted (promise 8): nothing is lost, nothing fails, and next to no time is given away.
// The floor is the least time that any order of calls could take. Under so many calls in any minute the last one is let in
// when all full windows before it have passed, and then needs its own time. Under so many at once it is the time of all
// calls, divided by those.
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { Limits } from '../../emulator/limits.ts'
import { recordOf } from '../worker/setup/objects.ts'
import { simulate } from './limited/pure.ts'
import { limited, makeAll } from './limited/real.ts'

afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})

/** From 8 to 20 s. */
const latencyMs = (call: number) => 8_000 + ((call * 7) % 13) * 1_000
const LONGEST_MS = 20_000

function floorMs(count: number, { perMinute, concurrency }: Limits): number {
  if (perMinute !== undefined) return (Math.ceil(count / perMinute) - 1) * 60_000 + LONGEST_MS
  const sum = Array.from({ length: count }, (_, call) => latencyMs(call)).reduce((a, b) => a + b, 0)
  return sum / concurrency!
}

describe('500 pictures, by the pace alone', () => {
  test.for([
    ['20 calls a minute', { perMinute: 20 }, 1.05, 60],
    ['8 calls at once', { concurrency: 8 }, 1.05, 90],
    ['4 calls at once', { concurrency: 4 }, 1.05, 180],
  ] as const)('a provider that takes %s: all are made, close to the floor', ([, limits, most, refusals]) => {
    const { ms, made, refused } = simulate(500, limits, latencyMs)
    expect(made).toBe(500)
    expect(ms / floorMs(500, limits)).toBeLessThan(most)
    expect(refused).toBeLessThan(refusals)
  })
})

describe('60 pictures, by the objects', () => {
  test.for([
    ['20 calls a minute', { perMinute: 20 }, 1.1],
    ['8 calls at once', { concurrency: 8 }, 1.15],
  ] as const)(
    'a provider that takes %s: none is lost, none fails, none is made twice',
    { timeout: 120_000 },
    async ([, limits, most]) => {
      const provider = limited(limits, latencyMs)
      const { ids, ms } = await makeAll(60, provider)
      const records = await Promise.all(ids.map(recordOf))
      expect(records.map(({ status }) => status)).toEqual(Array(60).fill('succeeded'))
      const outcomes = records.flatMap(({ attempts }) =>
        attempts.map(({ ending }) => ending!.verdict.outcome),
      )
      expect(outcomes.filter((outcome) => outcome === 'rate_limited')).toHaveLength(provider.refused)
      expect(outcomes).toHaveLength(60 + provider.refused)
      expect(provider.made).toBe(60)
      expect(ms / floorMs(60, limits)).toBeLessThan(most)
    },
  )
})

// A provider that allows less than is wanted (promise 8): nothing is lost, nothing fails, and next to no time is given away.
// The floor is the least time that any order of calls could take. Under so many calls in any minute the last one is let in
// when all full windows before it have passed, and then needs its own time. Under so many at once it is the time of all
// calls, divided by those.
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { Limits } from '../../emulator/limits.ts'
import { env } from '../worker/setup/bindings.ts'
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

/** With few, what is learnt of the limit weighs more. */
const isMany = Boolean((env as unknown as { THOROUGH: string }).THOROUGH)
const COUNT = isMany ? 500 : 60

describe(`${COUNT} pictures, by the objects`, () => {
  test.for([
    ['20 calls a minute', { perMinute: 20 }, isMany ? 1.05 : 1.1],
    ['8 calls at once', { concurrency: 8 }, isMany ? 1.05 : 1.15],
  ] as const)(
    'a provider that takes %s: none is lost, none fails, none is made twice',
    { timeout: 900_000 },
    async ([, limits, most]) => {
      const provider = limited(limits, latencyMs)
      const { ids, ms } = await makeAll(COUNT, provider)
      const records = await Promise.all(ids.map(recordOf))
      expect(records.map(({ status }) => status)).toEqual(Array(COUNT).fill('succeeded'))
      const outcomes = records.flatMap(({ attempts }) =>
        attempts.map(({ ending }) => ending!.verdict.outcome),
      )
      expect(outcomes.filter((outcome) => outcome === 'rate_limited')).toHaveLength(provider.refused)
      expect(outcomes).toHaveLength(COUNT + provider.refused)
      expect(provider.made).toBe(COUNT)
      const share = ms / floorMs(COUNT, limits)
      if (isMany) console.info(`${COUNT} pictures take ${share.toFixed(4)} of the floor`)
      expect(share).toBeLessThan(most)
    },
  )
})

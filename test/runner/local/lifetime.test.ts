import { describe, expect, test } from 'vitest'
import { untilNoCalls, untilUnused } from '../../../runner/local/lifetime.ts'

type Moment = { ms: number; leases?: number; ever?: number; unfinished?: boolean; calling?: boolean }

/** Lets time pass by sleeping; what is true now is the last moment that has come. */
function course(moments: readonly Moment[]) {
  let now = 0
  const at = () => moments.findLast(({ ms }) => ms <= now) ?? { ms: 0 }
  return {
    use: {
      leases: () => ({ now: at().leases ?? 0, ever: at().ever ?? at().leases ?? 0 }),
      hasUnfinished: async () => at().unfinished ?? false,
      isCalling: async () => at().calling ?? false,
      sleep: async (ms: number) => {
        now += ms
      },
    },
    nowMs: () => now,
  }
}

describe('a server is not needed any more', () => {
  test.for<[string, Moment[], number]>([
    [
      'a second after its last client',
      [
        { ms: 0, leases: 1 },
        { ms: 5_000, ever: 1 },
      ],
      5_800,
    ],
    ['a second after a client too short to be seen', [{ ms: 0 }, { ms: 3_100, ever: 1 }], 4_200],
    ['ten seconds after a start that nobody came for', [{ ms: 0 }], 10_000],
    [
      'when the last generation has ended, however long ago its client left',
      [
        { ms: 0, leases: 1, unfinished: true },
        { ms: 2_000, ever: 1, unfinished: true },
        { ms: 60_000, ever: 1 },
      ],
      60_000,
    ],
    [
      'not while a new client is there',
      [
        { ms: 0, leases: 1 },
        { ms: 1_000, ever: 1 },
        { ms: 1_500, leases: 1, ever: 2 },
        { ms: 9_000, ever: 2 },
      ],
      9_800,
    ],
    ['after a quarter of an hour in any case', [{ ms: 0, ever: 1, unfinished: true }], 900_000],
  ])('%s', async ([, moments, endsMs]) => {
    const { use, nowMs } = course(moments)
    await untilUnused(use)
    expect(nowMs()).toBe(endsMs)
  })
})

test.for<[string, Moment[], number]>([
  ['no call is waited for when there is none', [{ ms: 0, unfinished: true }], 0],
  ['a call under way is waited for', [{ ms: 0, calling: true }, { ms: 90_000 }], 90_000],
  ['a call is waited for as long as it may take, and no longer', [{ ms: 0, calling: true }], 660_000],
])('%s', async ([, moments, endsMs]) => {
  const { use, nowMs } = course(moments)
  await untilNoCalls(use)
  expect(nowMs()).toBe(endsMs)
})

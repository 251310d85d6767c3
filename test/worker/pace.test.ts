// How many calls a provider is sent, as a function of how the last ones went.
import { describe, expect, test } from 'vitest'
import {
  capacityOf,
  freshPace,
  opensAt,
  overloadOf,
  type Pace,
  type PaceReport,
  paceAfter,
  quotaOf,
  reportOf,
  underRules,
  windowOf,
} from '../../worker/providers/pace.ts'

const RULES = { concurrency: 64 }
const DONE: PaceReport = { kind: 'done' }
const told = (retryAfterMs: number): PaceReport => ({ kind: 'throttled', retryAfterMs })
const UNTOLD: PaceReport = { kind: 'throttled' }
const OVERLOAD: PaceReport = { kind: 'throttled', isOverload: true, message: 'overloaded' }

/** One call after another, each sent and ended at the instant that is given with it. */
function run(calls: readonly (readonly [number, PaceReport])[], pace: Pace = freshPace(RULES)): Pace {
  return calls.reduce(
    (held, [at, report]) => paceAfter(held, report, { sentAt: at, others: 0, isUsed: true }, at),
    pace,
  )
}

describe('growth', () => {
  test('it begins with 16 calls at once, or with fewer where the operator says so', () => {
    expect(capacityOf(freshPace(RULES), RULES, 0)).toBe(16)
    expect(capacityOf(freshPace({ concurrency: 3 }), { concurrency: 3 }, 0)).toBe(3)
  })

  test('each good call adds one until the first congestion; then as many as there are at once add one', () => {
    const grown = run([
      [1, DONE],
      [2, DONE],
    ])
    expect(capacityOf(grown, RULES, 3)).toBe(18)
    const cut = run([[3, told(10)]], grown)
    expect(cut.limit).toBeCloseTo(16.2)
    const later = run(
      Array.from({ length: 16 }, (_, i) => [10_000 + i, DONE] as const),
      cut,
    )
    expect(later.limit).toBeCloseTo(17.2, 1)
  })

  test('a limit that is not in use does not grow', () => {
    expect(paceAfter(freshPace(RULES), DONE, { sentAt: 0, others: 0, isUsed: false }, 1).limit).toBe(16)
  })

  test('calls that say nothing of the pace change nothing', () => {
    const pace = run([[1, UNTOLD]])
    expect(run([[9_000, { kind: 'unrelated' }]], pace)).toBe(pace)
  })
})

describe('congestion', () => {
  test('calls that were sent before the cut do not cut again, and can only make the pause longer', () => {
    const first = paceAfter(freshPace(RULES), told(5_000), { sentAt: 20, others: 15, isUsed: true }, 100)
    const last = [14, 13, 12].reduce(
      (pace, others) => paceAfter(pace, told(5_000), { sentAt: 50, others, isUsed: true }, 200),
      first,
    )
    expect([first.limit, last.limit]).toEqual([15, 14.4])
    expect([first.strikes, last.strikes]).toEqual([1, 1])
    expect([first.pausedUntil, last.pausedUntil]).toEqual([5_100, 5_200])
    const shorter = paceAfter(last, told(10), { sentAt: 60, others: 9, isUsed: true }, 300)
    expect(shorter.pausedUntil).toBe(5_200)
  })

  test('without a delay of the provider’s own the limit goes down to what it took on, by half at most', () => {
    const cutTo = (accepted: number) => {
      let pace = freshPace(RULES)
      for (let others = 15; others >= accepted; others--)
        pace = paceAfter(pace, UNTOLD, { sentAt: 20, others, isUsed: true }, 100)
      return pace.limit
    }
    expect([cutTo(12), cutTo(8), cutTo(2)]).toEqual([12, 8, 8])
  })

  test('nothing is sent before the provider’s own delay has passed', () => {
    const pace = run([[1_000, told(45_838)]])
    expect(opensAt(pace)).toBe(46_838)
    expect([capacityOf(pace, RULES, 46_837), capacityOf(pace, RULES, 46_838)]).toEqual([0, 14])
  })

  test.for([
    ['without one the pause doubles up to a minute', UNTOLD, [1, 2, 4, 8, 16, 32, 60, 60]],
    ['one that says at once is asked ever less often', told(0), [0.25, 0.5, 0.75, 1, 1.25, 1.5]],
    ['one of a day is believed for an hour', told(86_400_000), [3_600]],
  ] as const)('%s', ([, report, seconds]) => {
    let [pace, now] = [freshPace(RULES), 0]
    for (const pause of seconds) {
      pace = run([[now + 1, report]], pace)
      expect(opensAt(pace) - now - 1).toBe(pause * 1_000)
      now = opensAt(pace)
    }
  })

  test('until a call goes well ever fewer find out whether it is over, and the limit is what it was after', () => {
    const pace = run([
      [1, UNTOLD],
      [2_000, UNTOLD],
      [9_000, UNTOLD],
    ])
    expect(pace.limit).toBe(8)
    expect(capacityOf(pace, RULES, 20_000)).toBe(2)
    expect(capacityOf(run([[20_000, DONE]], pace), RULES, 20_001)).toBe(8)
    expect(
      opensAt(
        run(
          [
            [20_000, DONE],
            [20_001, UNTOLD],
          ],
          pace,
        ),
      ),
    ).toBe(21_001)
  })
})

describe('overload and quota', () => {
  test('three 503s without a good call between are an overload for as long as it pauses', () => {
    const two = run([
      [1, OVERLOAD],
      [2_000, OVERLOAD],
    ])
    expect(overloadOf(two, 2_001)).toBeUndefined()
    const three = run([[9_000, OVERLOAD]], two)
    expect(overloadOf(three, 9_001)).toEqual({ message: 'overloaded', since: 1 })
    expect(overloadOf(three, opensAt(three))).toBeUndefined()
    expect(
      overloadOf(
        run(
          [
            [13_000, DONE],
            [13_001, OVERLOAD],
          ],
          three,
        ),
        13_002,
      ),
    ).toBeUndefined()
  })

  test('one 503 that names more than ten seconds is an overload for so long, whatever else is met', () => {
    const told = (retryAfterMs: number): PaceReport => ({ ...OVERLOAD, retryAfterMs }) as PaceReport
    expect(overloadOf(run([[1, told(10_000)]]), 2)).toBeUndefined()
    const since = { message: 'overloaded', since: 1 }
    expect(overloadOf(run([[1, told(10_001)]]), 10_001)).toEqual(since)
    expect(overloadOf(run([[1, told(10_001)]]), 10_002)).toBeUndefined()
    const limited = run([[5_000, { kind: 'throttled', retryAfterMs: 600_000 }]], run([[1, told(10_001)]]))
    expect(overloadOf(limited, 10_001)).toEqual(since)
    expect(overloadOf(limited, 10_002)).toBeUndefined()
    const met = run([[1, { kind: 'throttled', retryAfterMs: 600_000 }]])
    const both = paceAfter(met, told(10_001), { sentAt: 1, others: 0, isUsed: true }, 2)
    expect(overloadOf(both, 10_002)).toEqual({ ...since, since: 2 })
    expect(overloadOf(both, 10_003)).toBeUndefined()
    const late = paceAfter(run([[1, OVERLOAD]]), told(10_001), { sentAt: 1, others: 0, isUsed: true }, 2)
    expect(overloadOf(late, 3)).toEqual(since)
  })

  test('a used-up quota is believed for as long as it says, or ten minutes; then one call asks', () => {
    const pace = run([[5, { kind: 'quota', message: 'per day' }]])
    expect(quotaOf(pace, 600_004)).toEqual({ message: 'per day', since: 5, until: 600_005 })
    expect([capacityOf(pace, RULES, 600_004), capacityOf(pace, RULES, 600_005)]).toEqual([0, 1])
    expect(capacityOf(run([[600_005, DONE]], pace), RULES, 600_006)).toBe(17)
    const longer = run([[5, { kind: 'quota', message: '', retryAfterMs: 3_600_000 }]])
    expect(longer.quota?.until).toBe(3_600_005)
  })
})

test('calls per minute are those of any window, with a second for the way', () => {
  expect(windowOf({ concurrency: 1 })).toBeUndefined()
  expect(windowOf({ concurrency: 1, perMinute: 20 })).toEqual({ calls: 20, windowMs: 61_000 })
  expect(windowOf({ concurrency: 1, perMinute: 0.5 })).toEqual({ calls: 1, windowMs: 121_000 })
  expect(windowOf({ concurrency: 1, perMinute: 2.5 })).toEqual({ calls: 2, windowMs: 49_000 })
})

test('whatever is reported, the limit stays between one and what the operator allows, and is cut once per event', () => {
  let state = 7
  const random = (below: number) => {
    state = (state * 48_271) % 2_147_483_647
    return state % below
  }
  for (let round = 0; round < 200; round++) {
    const rules = { concurrency: 1 + random(100) }
    let [pace, now] = [freshPace(rules), 1_000]
    for (let step = 0; step < 200; step++) {
      now += random(3_000)
      const report = [DONE, DONE, UNTOLD, told(random(90_000)), OVERLOAD, { kind: 'unrelated' } as const][
        random(6)
      ]!
      const ended = { sentAt: now - random(5_000), others: random(100), isUsed: random(2) === 0 }
      const next = underRules(paceAfter(pace, report, ended, now), rules)
      expect(next.limit).toBeGreaterThanOrEqual(1)
      expect(next.limit).toBeLessThanOrEqual(rules.concurrency)
      expect(capacityOf(next, rules, now + 4_000_000)).toBeLessThanOrEqual(rules.concurrency)
      expect(capacityOf(next, rules, now + 4_000_000)).toBeGreaterThanOrEqual(1)
      if (report.kind === 'throttled') {
        expect(next.limit).toBeGreaterThanOrEqual(Math.min(pace.limit, Math.max(1, pace.limit / 2)))
        if (ended.sentAt <= pace.cutAt)
          expect(next.limit).toBeGreaterThanOrEqual(Math.min(pace.limit, pace.leastLimit))
        expect(opensAt(next)).toBeGreaterThanOrEqual(now + (report.retryAfterMs ?? 0))
      }
      pace = next
    }
    // It recovers: good calls alone bring it back to what is allowed.
    for (let step = 0; step < 6_000; step++)
      pace = underRules(paceAfter(pace, DONE, { sentAt: ++now, others: 0, isUsed: true }, now), rules)
    expect(Math.floor(pace.limit)).toBe(rules.concurrency)
  }
})

test.for([
  ['succeeded', 'yes', 'stop', 'done'],
  ['refused', 'unknown', 'stop', 'done'],
  ['no_image', 'unknown', 'stop', 'done'],
  ['rate_limited', 'no', 'wait', 'throttled'],
  ['unavailable', 'no', 'wait', 'throttled'],
  ['unavailable', 'no', 'retry', 'unrelated'],
  ['quota_exhausted', 'no', 'stop', 'quota'],
  ['timed_out', 'unknown', 'stop', 'unrelated'],
  ['unauthorised', 'no', 'stop', 'unrelated'],
] as const)('%s, charged %s, then %s: for the pace it is %s', ([outcome, charged, next, kind]) => {
  const report = reportOf({ outcome, charged, next, message: 'words' })
  expect(report.kind).toBe(kind)
  if (report.kind === 'throttled') expect(report.isOverload).toBe(outcome === 'unavailable')
})

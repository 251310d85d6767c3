// What a generation does next, and what is kept of what it did: functions of its record.
import { describe, expect, test } from 'vitest'
import type { Verdict } from '../../core/outcome.ts'
import { nextStep } from '../../worker/generation/policy.ts'
import {
  type Attempt,
  type Ending,
  type GenerationRecord,
  withDispatch,
  withEnding,
} from '../../worker/generation/record.ts'
import { adopted, concluded, OWES_NOTHING } from '../../worker/generation/state.ts'
import { viewOf } from '../../worker/generation/view.ts'
import { wish } from './setup/objects.ts'

const NOW = Date.UTC(2026, 10, 30, 8)
const HOUR_MS = 3_600_000

const LIMIT: Verdict = { outcome: 'rate_limited', charged: 'no', next: 'wait', message: 'slow down' }
const OVERLOAD: Verdict = {
  outcome: 'unavailable',
  charged: 'no',
  next: 'wait',
  reason: 'unavailable',
  message: 'overloaded',
}
const UNREACHABLE: Verdict = { ...OVERLOAD, outcome: 'unreachable', next: 'retry', message: 'refused' }
const REJECTED: Verdict = {
  outcome: 'rejected',
  charged: 'no',
  next: 'stop',
  reason: 'failed',
  message: 'wrong',
}
const NO_IMAGE: Verdict = {
  outcome: 'no_image',
  charged: 'yes',
  next: 'stop',
  reason: 'no_image',
  message: 'no',
}
const ORPHAN: Verdict = {
  outcome: 'orphaned',
  charged: 'unknown',
  next: 'stop',
  reason: 'uncertain',
  message: 'it died',
}
const MADE: Verdict = { outcome: 'succeeded', charged: 'yes', next: 'stop', message: '' }

const FALLBACK = [
  { model: 'nano-banana-2', provider: 'google', on: ['uncertain', 'unavailable', 'no_image'] },
]

const COSTS = { no: 0, yes: 55_000, unknown: null } as const

function endingOf(verdict: Verdict, name = 'picture'): Ending {
  const picture = {
    key: `pictures/${name}.png`,
    mimeType: 'image/png',
    bytes: 100,
    width: 1,
    height: 1,
    sha256: name,
  }
  const ending = { verdict, costMicroUsd: COSTS[verdict.charged], endedAt: NOW }
  return verdict === MADE ? { ...ending, picture: picture as NonNullable<Ending['picture']> } : ending
}

const attempt = (number: number, route: number, verdict?: Verdict): Attempt => ({
  number,
  route,
  startedAt: NOW - 1_000,
  pictureName: `name-${number}`,
  atMost: 55_000,
  ...(verdict ? { ending: endingOf(verdict, `made-${number}`) } : {}),
})

/** A record with these attempts, all of the first route unless told otherwise; its deadline is in an hour. */
function recordOf(verdicts: readonly (Verdict | [number, Verdict])[], more: Partial<GenerationRecord> = {}) {
  const attempts = verdicts.map((each, index) =>
    Array.isArray(each) ? attempt(index + 1, each[0], each[1]) : attempt(index + 1, 0, each as Verdict),
  )
  const asked = wish('gen_next', { prompt: 'a cup', fallback: FALLBACK })
  const record: GenerationRecord = {
    ...asked,
    deadlineAt: NOW + HOUR_MS,
    status: 'queued',
    attempts,
    createdAt: NOW,
    version: 5,
    ...more,
  }
  return record
}

/** The same without another way. */
const alone = (verdicts: readonly Verdict[]) => {
  const record = recordOf(verdicts)
  return { ...record, routes: record.routes.slice(0, 1) }
}

describe('the next step', () => {
  test('limits that were met before take no try away from a connection that fails', () => {
    expect(nextStep(alone([LIMIT, LIMIT, UNREACHABLE]), NOW)).toEqual({ kind: 'wait', untilMs: NOW + 1_000 })
    expect(nextStep(alone([LIMIT, UNREACHABLE, LIMIT, UNREACHABLE]), NOW)).toEqual({
      kind: 'wait',
      untilMs: NOW + 2_000,
    })
    expect(nextStep(alone([UNREACHABLE, UNREACHABLE, LIMIT, UNREACHABLE]), NOW)).toEqual({
      kind: 'end',
      status: 'failed',
    })
  })

  test('limits that were met before are no overload: three overloads lead to the fallback', () => {
    expect(nextStep(recordOf([LIMIT, LIMIT, OVERLOAD]), NOW)).toMatchObject({ kind: 'wait' })
    expect(nextStep(recordOf([OVERLOAD, LIMIT, OVERLOAD, OVERLOAD]), NOW)).toEqual({ kind: 'send', route: 1 })
  })

  test('an overload that shall last longer than three tries take leads to the fallback at once; a limit does not', () => {
    const told = (verdict: Verdict, retryAfterMs: number) => recordOf([{ ...verdict, retryAfterMs }])
    expect(nextStep(told(OVERLOAD, 10_001), NOW)).toEqual({ kind: 'send', route: 1 })
    expect(nextStep(told(OVERLOAD, 10_000), NOW)).toMatchObject({ kind: 'wait' })
    expect(nextStep(told(LIMIT, 10_001), NOW)).toMatchObject({ kind: 'wait' })
    expect(nextStep(alone([{ ...OVERLOAD, retryAfterMs: 10_001 }]), NOW)).toMatchObject({ kind: 'wait' })
  })

  test('a limit that shall last beyond the deadline is waited for: it may be lifted before', () => {
    const told = { ...LIMIT, retryAfterMs: HOUR_MS }
    expect(nextStep(alone([told]), NOW)).toEqual({ kind: 'wait', untilMs: NOW + 250 })
    expect(nextStep(alone([told]), NOW + 250)).toEqual({ kind: 'send', route: 0 })
    expect(nextStep(alone([told]), NOW + HOUR_MS)).toEqual({ kind: 'end', status: 'failed' })
  })

  test('nobody waits beyond the deadline before the next look', () => {
    const record = { ...alone([LIMIT]), deadlineAt: NOW + 100 }
    expect(nextStep(record, NOW)).toEqual({ kind: 'wait', untilMs: NOW + 100 })
  })

  test.for([
    ['an overload', OVERLOAD],
    ['a provider that cannot be reached', UNREACHABLE],
  ] as const)('%s that shall last beyond the deadline leads to the fallback at once', ([, verdict]) => {
    const told = { ...verdict, retryAfterMs: HOUR_MS }
    expect(nextStep(recordOf([told]), NOW)).toEqual({ kind: 'send', route: 1 })
    expect(nextStep(recordOf([told]), NOW + HOUR_MS)).toEqual({ kind: 'end', status: 'failed' })
  })

  test('nothing follows a picture, whichever call brought it', () => {
    expect(nextStep(recordOf([MADE, [1, LIMIT]]), NOW)).toEqual({ kind: 'end', status: 'succeeded' })
    expect(nextStep(recordOf([MADE, [1, ORPHAN]]), NOW)).toEqual({ kind: 'end', status: 'succeeded' })
  })
})

describe('a call that was given up and brought the picture after all', () => {
  const adopt = (record: GenerationRecord) =>
    adopted({ record, owed: OWES_NOTHING }, 1, endingOf(MADE, 'late'), NOW)

  test('ends a generation that waits for its fallback', () => {
    const { record, owed } = adopt(recordOf([ORPHAN, [1, LIMIT]]))
    expect(record).toMatchObject({ status: 'succeeded', finishedAt: NOW })
    expect(owed.rows).toMatchObject([{ attempt: 1, kind: 'settle', micro_usd: 55_000 }])
    expect(owed.index).toBe(record.version)
  })

  test('makes a generation whose fallback failed succeeded, with that picture and its provider', () => {
    const failed = recordOf([ORPHAN, [1, REJECTED]], { status: 'failed', finishedAt: NOW - 1 })
    const { record } = adopt(failed)
    expect(record).toMatchObject({ status: 'succeeded', finishedAt: NOW - 1 })
    expect(viewOf(record, 'https://pictures.example', NOW)).toMatchObject({
      status: 'succeeded',
      provider: 'apiyi',
      image: { sha256: 'late' },
      moreImages: [],
      error: null,
    })
  })

  test('leaves the picture that was delivered where it is, and stands beside it', () => {
    const made = recordOf([ORPHAN, [1, MADE]], { status: 'succeeded', finishedAt: NOW - 1 })
    expect(viewOf(adopt(made).record, 'https://pictures.example', NOW)).toMatchObject({
      status: 'succeeded',
      provider: 'google',
      image: { sha256: 'made-2' },
      moreImages: [{ sha256: 'late' }],
    })
  })

  test('does not end a call that is out; its end is the last', () => {
    const dispatched = recordOf([ORPHAN], { status: 'running' })
    const open = attempt(2, 1)
    const { record, owed } = adopt({ ...dispatched, attempts: [...dispatched.attempts, open] })
    expect(record.status).toBe('running')
    const ended = concluded({ record, owed }, open, endingOf(ORPHAN)).record
    expect(ended).toMatchObject({ status: 'succeeded' })
  })

  test('stays succeeded whatever is learnt of the others', () => {
    const { record } = adopt(recordOf([ORPHAN, [1, ORPHAN]], { status: 'uncertain' }))
    const later = adopted({ record, owed: OWES_NOTHING }, 2, endingOf(NO_IMAGE), NOW)
    expect(later.record.status).toBe('succeeded')
  })
})

describe('what nobody wants any more', () => {
  const conclude = (verdict: Verdict) => {
    const open = attempt(1, 0)
    const record = recordOf([], { status: 'running', attempts: [open], unwanted: true })
    return concluded({ record, owed: OWES_NOTHING }, open, endingOf(verdict)).record
  }

  test.for([
    ['a free answer gives it up', LIMIT, 'cancelled'],
    ['a free failure does not lead to the fallback', UNREACHABLE, 'cancelled'],
    ['what was paid without a picture keeps its name, and no fallback follows', NO_IMAGE, 'failed'],
    ['what may have been paid keeps its name', ORPHAN, 'uncertain'],
    ['a picture is a picture', MADE, 'succeeded'],
  ] as const)('%s', ([, verdict, status]) => {
    expect(conclude(verdict).status).toBe(status)
  })
})

describe('the list of attempts', () => {
  const grown = (special: Record<number, Verdict>) => {
    let record = recordOf([])
    for (let number = 1; number <= 200; number++) {
      const { ending, ...open } = attempt(number, 0, special[number] ?? LIMIT)
      record = withEnding(withDispatch(record, open), number, ending!)
    }
    return record
  }
  const numbersOf = ({ attempts }: GenerationRecord) => attempts.map(({ number }) => number)

  test('stays short however many were put off, and keeps what was paid, may be, or counts as a try', () => {
    const record = grown({ 16: NO_IMAGE, 17: ORPHAN, 18: UNREACHABLE, 19: MADE })
    expect(record.attempts).toHaveLength(32)
    expect(record.omitted).toBe(168)
    expect(numbersOf(record)).toEqual(expect.arrayContaining([1, 16, 17, 18, 19, 199, 200]))
  })

  test('never loses its last one, by which the next is counted', () => {
    const paid = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [index + 1, NO_IMAGE]))
    expect(numbersOf(grown(paid)).at(-1)).toBe(200)
  })
})

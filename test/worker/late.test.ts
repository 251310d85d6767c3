// Whose fault it was that a generation ended without a picture: its own deadline is told before a provider's last words.
import { expect, test } from 'vitest'
import type { Verdict } from '../../core/outcome.ts'
import { endedError } from '../../worker/gemini/errors.ts'
import type { Attempt, GenerationRecord } from '../../worker/generation/record.ts'
import { viewOf } from '../../worker/generation/view.ts'
import { wish } from './setup/objects.ts'

const START = Date.UTC(2026, 10, 21)
const SLOW = 'Please retry in 60s.'

const attempt = (number: number, changes: Partial<Verdict>): Attempt => ({
  number,
  route: 0,
  startedAt: START,
  pictureName: 'x',
  ending: {
    verdict: { outcome: 'rate_limited', charged: 'no', next: 'wait', message: SLOW, ...changes },
    costMicroUsd: 0,
    endedAt: START + 500,
  },
})

/** A generation that failed four seconds after it was asked for, which was its deadline. */
const failed = (attempts: Attempt[], more: Partial<GenerationRecord> = {}): GenerationRecord => ({
  ...wish('gen_00000000000000000000000001', { prompt: 'x' }),
  status: 'failed',
  attempts,
  createdAt: START,
  deadlineAt: START + 4_000,
  finishedAt: START + 4_000,
  version: 2,
  ...more,
})

const LATE = 'its deadline of 4 s passed before a provider took it; ask again with a later `deadline`'

test.for<[string, GenerationRecord, string, string]>([
  [
    'throttled until its deadline',
    failed([attempt(1, {})]),
    'rate_limited',
    `${LATE}. The provider said last: ${SLOW}`,
  ],
  [
    'throttled for longer than its deadline, which it did not wait for',
    failed([attempt(1, { retryAfterMs: 60_000 })], { finishedAt: START + 500 }),
    'rate_limited',
    `${LATE}. The provider said last: ${SLOW}`,
  ],
  ['throttled without a word', failed([attempt(1, { message: '' })]), 'rate_limited', LATE],
  [
    'late for its fallback',
    failed([attempt(1, { outcome: 'unavailable', next: 'stop', reason: 'unavailable', message: 'Busy' })], {
      routes: [
        { provider: 'apiyi', model: 'gemini-3.1-flash-image' },
        { provider: 'google', model: 'gemini-3.1-flash-image', on: ['unavailable'] },
      ],
    }),
    'unavailable',
    `${LATE}. The provider said last: Busy`,
  ],
  [
    'throttled and then paused',
    failed([attempt(1, {})], { paused: true }),
    'rate_limited',
    `its deadline of 4 s passed while this worker was paused by its operator, so that nothing could be sent; ask again once /healthz says that it is not \`paused\` any more. The provider said last: ${SLOW}`,
  ],
  [
    'rejected, which no later deadline would change',
    failed([attempt(1, { outcome: 'rejected', next: 'stop', message: 'Bad' })]),
    'rejected',
    'Bad',
  ],
  [
    'out of free tries',
    failed([1, 2, 3].map((n) => attempt(n, { outcome: 'unreachable', next: 'retry', message: 'No route' }))),
    'unreachable',
    'No route',
  ],
])('%s', ([, record, code, message]) => {
  expect(viewOf(record, '', START).error).toEqual({ code, message })
  expect(endedError(record)!.message).toContain(message)
})

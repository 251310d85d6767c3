// What a 200 without a picture, and what silence came to: how sure it is that money was spent, and what may follow.
import { describe, expect, test } from 'vitest'
import { readAnswer } from '../../core/answer.ts'
import { classifyAnswer, classifySilence, type Verdict } from '../../core/outcome.ts'
import { blankProvider, PROVIDERS, type Provider } from '../../core/providers.ts'

const at = (id: string): Provider => PROVIDERS.find((p) => p.id === id) ?? blankProvider(id)
const ids = ['google', 'apiyi', 'tokaify', 'third']

type Shape = [outcome: string, charged: string, next: string, reason: string | undefined]
const shape = ({ outcome, charged, next, reason }: Verdict): Shape => [outcome, charged, next, reason]

describe('a 200', () => {
  const candidate = (
    finishReason: string | undefined,
    parts: unknown,
    usage?: object,
    more: object = {},
  ) => ({
    candidates: [{ content: { parts }, finishReason, ...more }],
    usageMetadata: usage,
  })
  const zero = { promptTokenCount: 271, candidatesTokenCount: 0, totalTokenCount: 271 }
  const words = [{ text: 'I cannot draw that.' }]

  // What it is, and the message.
  test.for<[string, unknown, 'refused' | 'no_image', string]>([
    [
      'a blocked prompt',
      { promptFeedback: { blockReason: 'PROHIBITED_CONTENT' } },
      'refused',
      'PROHIBITED_CONTENT: the answer holds no picture and no explanation',
    ],
    [
      'a safety reason with its explanation',
      candidate('IMAGE_SAFETY', null, undefined, { finishMessage: 'Unable to show the image.' }),
      'refused',
      'IMAGE_SAFETY: Unable to show the image.',
    ],
    ...[
      'SAFETY',
      'RECITATION',
      'BLOCKLIST',
      'PROHIBITED_CONTENT',
      'SPII',
      'IMAGE_PROHIBITED_CONTENT',
      'IMAGE_RECITATION',
    ].map((reason): [string, unknown, 'refused', string] => [
      `the reason ${reason}`,
      { candidates: [{ finishReason: reason }] },
      'refused',
      `${reason}: the answer holds no picture and no explanation`,
    ]),
    [
      'STOP, no parts and no tokens',
      candidate('STOP', [], zero),
      'refused',
      'the answer holds no picture and no explanation',
    ],
    [
      'STOP, parts that are null and no tokens',
      candidate('STOP', null, zero),
      'refused',
      'the answer holds no picture and no explanation',
    ],
    [
      'candidates that are null, with usage',
      { candidates: null, usageMetadata: zero },
      'refused',
      'the answer holds no picture and no explanation',
    ],
    [
      'STOP and text only',
      candidate('STOP', words, { candidatesTokenCount: 9 }),
      'no_image',
      'I cannot draw that.',
    ],
    [
      'STOP and nothing, though tokens were written',
      candidate('STOP', [], { candidatesTokenCount: 9 }),
      'no_image',
      'the answer holds no picture and no explanation',
    ],
    [
      'NO_IMAGE',
      candidate('NO_IMAGE', null),
      'no_image',
      'NO_IMAGE: the answer holds no picture and no explanation',
    ],
    [
      'NO_IMAGE for which no token was written',
      candidate('NO_IMAGE', null, zero),
      'no_image',
      'NO_IMAGE: the answer holds no picture and no explanation',
    ],
    [
      'IMAGE_OTHER',
      candidate('IMAGE_OTHER', null, undefined, { finishMessage: 'Could not.' }),
      'refused',
      'IMAGE_OTHER: Could not.',
    ],
    ['MAX_TOKENS', candidate('MAX_TOKENS', words), 'no_image', 'MAX_TOKENS: I cannot draw that.'],
    [
      'a reason that is new',
      candidate('MOON_PHASE', []),
      'no_image',
      'MOON_PHASE: the answer holds no picture and no explanation',
    ],
    ['nothing at all', {}, 'no_image', 'the answer holds no picture and no explanation'],
  ])('without a picture is a purchase as the row says: %s', ([, json, outcome, message]) => {
    const charges = { google: 'unknown', apiyi: 'yes', tokaify: 'unknown', third: 'unknown' } as const
    for (const [id, charged] of Object.entries(charges)) {
      const verdict = classifyAnswer(readAnswer(json), false, 0, at(id))
      expect(verdict, id).toEqual({ outcome, charged, next: 'stop', reason: outcome, message })
    }
    const free = { ...at('third'), chargesOnRefusal: 'no' as const }
    expect(classifyAnswer(readAnswer(json), false, 0, free)).toMatchObject({ charged: 'no', next: 'stop' })
  })

  test('with bytes that are no picture is uncertain: the provider has delivered by its own count', () => {
    const json = candidate('STOP', [{ inlineData: { data: 0 } }])
    for (const id of ids)
      expect(shape(classifyAnswer(readAnswer(json), false, 1, at(id)))).toEqual([
        'malformed',
        'unknown',
        'stop',
        'uncertain',
      ])
  })

  test.for<[string, unknown]>([
    ['with its reason', candidate('STOP', [{ inlineData: { data: 0 } }])],
    ['with another reason', candidate('IMAGE_SAFETY', [{ inlineData: { data: 0 } }])],
    ['and an error beside it', { ...candidate('STOP', []), error: { message: 'late' } }],
  ])('with a stored picture was paid and is delivered: %s', ([, json]) => {
    for (const id of ids)
      expect(shape(classifyAnswer(readAnswer(json), true, 0, at(id)))).toEqual([
        'succeeded',
        'yes',
        'stop',
        undefined,
      ])
  })

  test.for<[string, unknown, string]>([
    ['with words', { error: { code: 500, message: 'upstream lost' } }, 'upstream lost'],
    ['without', { error: {} }, 'the answer holds an error instead of a picture'],
  ])('that holds an error is unknown, and not repeated: %s', ([, json, message]) => {
    for (const id of ids)
      expect(classifyAnswer(readAnswer(json), false, 0, at(id))).toEqual({
        outcome: 'provider_error',
        charged: 'unknown',
        next: 'stop',
        reason: 'uncertain',
        message,
      })
  })
})

describe('silence', () => {
  test.for<[Parameters<typeof classifySilence>[0], boolean, Shape]>([
    ['lost', false, ['unreachable', 'no', 'retry', 'unavailable']],
    ['lost', true, ['cut_off', 'unknown', 'stop', 'uncertain']],
    ['timed_out', true, ['timed_out', 'unknown', 'stop', 'uncertain']],
    ['cut_off', true, ['cut_off', 'unknown', 'stop', 'uncertain']],
    ['malformed', true, ['malformed', 'unknown', 'stop', 'uncertain']],
    ['orphaned', true, ['orphaned', 'unknown', 'stop', 'uncertain']],
    ['not_stored', true, ['not_stored', 'yes', 'stop', undefined]],
  ])('%s, sent whole: %s', ([what, sent, expected]) => {
    const verdict = classifySilence(what, sent, 'why')
    expect(shape(verdict)).toEqual(expected)
    expect(verdict.message).toBe('why')
  })
})

// What a status other than 200 came to: whether it was charged, may be repeated, and who may be asked next.
import { describe, expect, test } from 'vitest'
import { classifyStatus, type Verdict, withoutKey } from '../../core/outcome.ts'
import { blankProvider, PROVIDERS, type Provider } from '../../core/providers.ts'

const at = (id: string): Provider => PROVIDERS.find((p) => p.id === id) ?? blankProvider(id)
const ids = ['google', 'apiyi', 'tokaify', 'third']

const rpc = (code: number, status: string, message: string, details: object[] = []) =>
  JSON.stringify({ error: { code, status, message, details } })
const retryIn = (retryDelay: unknown) => ({ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay })
const quota = (quotaId: string) => ({
  '@type': 'type.googleapis.com/google.rpc.QuotaFailure',
  violations: [{ quotaId }],
})

/** Half a minute before the date of a header below. */
const NOW = Date.UTC(2026, 10, 21, 7, 27, 30)

type Shape = [outcome: string, charged: string, next: string, reason: string | undefined]
const shape = ({ outcome, charged, next, reason }: Verdict): Shape => [outcome, charged, next, reason]

const UNAVAILABLE: Shape = ['unavailable', 'no', 'retry', 'unavailable']
const UNKNOWN: Shape = ['provider_error', 'unknown', 'stop', 'uncertain']
const REJECTED: Shape = ['rejected', 'no', 'stop', 'failed']
const KEY: Shape = ['unauthorised', 'no', 'stop', 'unavailable']

describe('a status', () => {
  test.for<[number, Shape, Partial<Record<string, Shape>>?]>([
    [400, REJECTED],
    [413, REJECTED],
    [415, REJECTED],
    [422, REJECTED],
    [401, KEY],
    // The key has no money left: another provider may have.
    [402, KEY],
    [403, KEY],
    [404, ['model_gone', 'no', 'stop', 'unavailable']],
    [429, ['rate_limited', 'no', 'wait', undefined]],
    [503, ['unavailable', 'no', 'wait', 'unavailable']],
    // Only Google says that a 500 is free; at a relay its front end may have made it up.
    [500, UNKNOWN, { google: UNAVAILABLE }],
    // "Never reached", says Cloudflare; a relay may say it too after it passed the call on.
    [521, UNKNOWN],
    [522, UNKNOWN],
    [525, UNKNOWN],
    [502, UNKNOWN],
    [504, UNKNOWN],
    [520, UNKNOWN],
    [523, UNKNOWN],
    [524, UNKNOWN],
    [529, UNKNOWN],
    [526, UNKNOWN],
    [530, UNKNOWN],
    [501, UNKNOWN],
    [408, UNKNOWN],
    [409, UNKNOWN],
    [425, UNKNOWN],
    [499, UNKNOWN],
    [204, UNKNOWN],
    [302, UNKNOWN],
  ])('%s means the same at every provider, or as its row says', ([status, everywhere, own = {}]) => {
    for (const id of ids)
      expect(shape(classifyStatus(status, '', null, at(id), NOW)), id).toEqual(own[id] ?? everywhere)
  })

  test.for<[string, number, number[], Shape]>([
    ['500 that is free may be repeated', 500, [500], UNAVAILABLE],
    ['503 that is not listed is unknown', 503, [429], UNKNOWN],
    ['429 that is not listed is unknown', 429, [], UNKNOWN],
    ['502 that is free may be repeated', 502, [502], UNAVAILABLE],
    // Cloudflare says of these that it never reached the server behind it.
    ...[521, 522, 523, 525].map((status): [string, number, number[], Shape] => [
      `${status} that is free may be repeated`,
      status,
      [429, 503, status],
      UNAVAILABLE,
    ]),
  ])("the operator's row decides: %s", ([, status, freeStatuses, expected]) => {
    expect(shape(classifyStatus(status, '', null, { ...at('third'), freeStatuses }, NOW))).toEqual(expected)
  })
})

describe('a 429', () => {
  const google = at('google')
  const prose = 'You exceeded your current quota, please check your plan.'

  test.for<[string, object[], Shape]>([
    [
      'per minute waits',
      [quota('GenerateRequestsPerMinutePerProjectPerModel')],
      ['rate_limited', 'no', 'wait', undefined],
    ],
    [
      'per day is final',
      [quota('GenerateRequestsPerDayPerProjectPerModel-FreeTier')],
      ['quota_exhausted', 'no', 'stop', 'unavailable'],
    ],
    [
      'per day is final, though it names a delay',
      [quota('RequestsPerDay'), retryIn('3s')],
      ['quota_exhausted', 'no', 'stop', 'unavailable'],
    ],
    [
      'per day in another spelling is final',
      [quota('requests_per_day')],
      ['quota_exhausted', 'no', 'stop', 'unavailable'],
    ],
    ['without details waits, whatever its prose', [], ['rate_limited', 'no', 'wait', undefined]],
    [
      'with details that say nothing waits',
      [{ violations: [null, {}, 7] }],
      ['rate_limited', 'no', 'wait', undefined],
    ],
  ])('%s', ([, details, expected]) => {
    const verdict = classifyStatus(429, rpc(429, 'RESOURCE_EXHAUSTED', prose, details), null, google, NOW)
    expect(shape(verdict)).toEqual(expected)
    expect(verdict.message).toBe(prose)
  })

  test('per day where a 429 is not known to be free leads to no fallback', () => {
    const body = rpc(429, 'RESOURCE_EXHAUSTED', prose, [quota('PerDay')])
    const verdict = classifyStatus(429, body, null, { ...at('third'), freeStatuses: [] }, NOW)
    expect(shape(verdict)).toEqual(['quota_exhausted', 'unknown', 'stop', 'uncertain'])
  })
})

describe('the delay', () => {
  const body = (details: object[]) => rpc(429, 'RESOURCE_EXHAUSTED', 'slow down', details)

  test.for<[string, string, string | null, number | undefined]>([
    ['of RetryInfo is fractional seconds, rounded up', body([retryIn('45.837906927s')]), null, 45_838],
    ['of RetryInfo may be whole', body([retryIn('7s')]), null, 7_000],
    ['of RetryInfo may be less than a second', body([retryIn('0.25s')]), null, 250],
    ['of RetryInfo goes before the header', body([retryIn('45.5s')]), '3', 45_500],
    ['of the header is whole seconds', body([]), '12', 12_000],
    ['of the header counts without a body too', '', ' 12 ', 12_000],
    [
      'is found behind other details',
      body([quota('PerMinute'), { '@type': 'x' }, retryIn('1s')]),
      null,
      1_000,
    ],
    ['in a list of one error is found', `[${body([retryIn('2.5s')])}]`, null, 2_500],
    ['of the header may be a date', body([]), 'Sat, 21 Nov 2026 07:28:00 GMT', 30_000],
    ['of a date that has passed is none', '', 'Sat, 21 Nov 2026 07:27:00 GMT', 0],
    ['of RetryInfo goes before a date', body([retryIn('2s')]), 'Sat, 21 Nov 2026 07:28:00 GMT', 2_000],
    ['is not guessed from a date in another form', body([]), '2026-11-21T07:28:00Z', undefined],
    ['is not guessed from a date that is none', body([]), 'Sat, 41 Nov 2026 07:28:00 GMT', undefined],
    ['is not guessed from a negative one', body([retryIn('-1s')]), '-1', undefined],
    ['is not guessed from another unit', body([retryIn('200ms')]), null, undefined],
    ['is not guessed from a number', body([retryIn(45)]), null, undefined],
    ['is not guessed from prose', rpc(429, 'X', 'Please retry in 45s.'), null, undefined],
    ['is absent when nobody names one', '', null, undefined],
  ])('%s', ([, text, header, retryAfterMs]) => {
    expect(classifyStatus(429, text, header, at('google'), NOW).retryAfterMs).toBe(retryAfterMs)
    expect(classifyStatus(503, text, header, at('apiyi'), NOW).retryAfterMs).toBe(retryAfterMs)
  })

  test('is kept for other free statuses, and for no others', () => {
    const text = rpc(500, 'INTERNAL', 'oops', [retryIn('2s')])
    expect(classifyStatus(500, text, null, at('google'), NOW).retryAfterMs).toBe(2_000)
    expect(classifyStatus(500, text, null, at('apiyi'), NOW)).not.toHaveProperty('retryAfterMs')
  })
})

describe('the key', () => {
  const invalid = { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID' }

  test.for<[string, number, string, Shape]>([
    ['that is bad comes as a 400', 400, rpc(400, 'INVALID_ARGUMENT', 'API key not valid.', [invalid]), KEY],
    ['is not blamed for any other 400', 400, rpc(400, 'INVALID_ARGUMENT', 'API key field unknown'), REJECTED],
    [
      'is not blamed for the place of the caller',
      400,
      rpc(400, 'FAILED_PRECONDITION', 'User location is not supported'),
      REJECTED,
    ],
    ['that may not do this comes as a 403', 403, rpc(403, 'PERMISSION_DENIED', 'no'), KEY],
  ])('%s', ([, status, body, expected]) => {
    expect(shape(classifyStatus(status, body, null, at('google'), NOW))).toEqual(expected)
  })
})

describe('what people are told', () => {
  test.for<[string, string, string]>([
    ["the provider's words", rpc(503, 'UNAVAILABLE', 'The model is overloaded.'), 'The model is overloaded.'],
    ['the words in a list', `[${rpc(503, 'UNAVAILABLE', 'Overloaded.')}]`, 'Overloaded.'],
    ['an error that is text', '{"error":"no credit"}', 'no credit'],
    [
      'the text of a page',
      '<html><head><title>502</title></head><body>Bad  gateway\n</body></html>',
      'apiyi answered 503: 502 Bad gateway',
    ],
    ['plain text', 'write_response_body_failed', 'apiyi answered 503: write_response_body_failed'],
    ['JSON without an error', '{"detail":"x"}', 'apiyi answered 503: {"detail":"x"}'],
    ['the status where there is no body', '', 'apiyi answered 503'],
    ['the start of a long page', 'y'.repeat(5_000), `apiyi answered 503: ${'y'.repeat(200)}…`],
    ['a body that was cut', '{"error":{"message":"The mo', 'apiyi answered 503: {"error":{"message":"The mo'],
  ])('%s', ([, body, message]) =>
    expect(classifyStatus(503, body, null, at('apiyi'), NOW).message).toBe(message),
  )
})

test.for([
  ['as it is', 'wrong key: sk-12 3456', 'wrong key: (the provider key)'],
  ['in an address', 'no such page: /?key=sk-12%203456&x=1', 'no such page: /?key=(the provider key)&x=1'],
  [
    'as often as it stands there',
    'sk-12 3456 is not sk-12 3456',
    '(the provider key) is not (the provider key)',
  ],
  ['and nothing else', 'wrong key: sk-****', 'wrong key: sk-****'],
] as const)('words lose the key that they repeat: %s', ([, words, shown]) =>
  expect(withoutKey(words, 'sk-12 3456')).toBe(shown),
)

test('what is too short for a key is not looked for', () => {
  expect(withoutKey('a bad request', '')).toBe('a bad request')
  expect(withoutKey('a bad request', 'bad')).toBe('a bad request')
})

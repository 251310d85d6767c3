// Every failure on the paths of the Gemini surface: a google.rpc error, the money told, and no second call.
import { afterEach, describe, expect, test, vi } from 'vitest'
import { endedError } from '../../../worker/gemini/errors.ts'
import { generationId } from '../../../worker/generation/name.ts'
import type { GenerationRecord } from '../../../worker/generation/record.ts'
import { ask, askAs, callsOf, chargesOf, logged, prompt, stored } from '../setup/ask.ts'
import { env } from '../setup/bindings.ts'
import { plant, recordOf, wish } from '../setup/objects.ts'
import { freshRelay } from '../setup/relay.ts'
import { makeToken } from '../setup/tokens.ts'
import { send, wanting } from './native.ts'

afterEach(() => vi.restoreAllMocks())

type Detail = { '@type': string; [key: string]: unknown }
type RpcBody = { error: { code: number; message: string; status: string; details?: Detail[] } }

async function errorOf(response: Response): Promise<RpcBody['error']> {
  expect(response.headers.get('content-type')).toBe('application/json; charset=UTF-8')
  expect(response.headers.get('x-request-id')).toMatch(/./)
  const { error } = (await response.json()) as RpcBody
  expect(error.code).toBe(response.status)
  return error
}

const detail = ({ details = [] }: RpcBody['error'], type: string) =>
  details.find((each) => each['@type'] === `type.googleapis.com/google.rpc.${type}`)

describe('a generation that ended without an answer to show', () => {
  const doubtful =
    /\(generation gen_\w{26}: it is not known whether it was charged\. The same request again within a minute gets this answer again and buys nothing; with the header x-proofsheet-shield: off it buys anew\)$/
  test.concurrent.for<[string, string, string, number, string, string, string, RegExp]>([
    [
      'a quota of the day',
      '[[fault:daily-quota]]',
      freshRelay(),
      429,
      'RESOURCE_EXHAUSTED',
      'QUOTA_EXHAUSTED',
      'no',
      /^You exceeded your current quota/,
    ],
    ['an error page', '[[fault:html]]', 'apiyi', 500, 'INTERNAL', 'PROVIDER_ERROR', 'unknown', doubtful],
    ['an answer that is cut off', '[[fault:cut]]', 'apiyi', 500, 'INTERNAL', 'CUT_OFF', 'unknown', doubtful],
    ['a lost connection', '[[fault:reset]]', 'apiyi', 500, 'INTERNAL', 'CUT_OFF', 'unknown', doubtful],
    ['a file of three bytes', '[[fault:tiny]]', 'apiyi', 500, 'INTERNAL', 'MALFORMED', 'unknown', doubtful],
    [
      'a provider that does not take our key',
      '',
      'locked',
      400,
      'FAILED_PRECONDITION',
      'UNAUTHORISED',
      'no',
      /worker's key for it.*: API key not valid/,
    ],
  ])('%s', async ([, fault, provider, code, status, reason, charged, message]) => {
    const words = prompt()
    const response = await send({ body: wanting(`${fault} ${words}`), model: `${provider}/nano-banana-2` })
    const error = await errorOf(response)
    expect(error).toMatchObject({ code, status, message: expect.stringMatching(message) })
    const id = response.headers.get('x-proofsheet-generation')
    expect(detail(error, 'ErrorInfo')).toEqual({
      '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
      reason,
      domain: 'proofsheet',
      metadata: { generation: id, charged },
    })
    expect(response.headers.get('x-proofsheet-charged')).toBe(charged)
    expect((await callsOf(words)).length).toBe(provider === 'locked' ? 0 : 1)
  })

  test('a quota of the day is named, so that no client waits for it', async () => {
    const body = wanting(`[[fault:daily-quota]] ${prompt()}`)
    const response = await send({ body, model: `${freshRelay()}/nano-banana-2` })
    const error = await errorOf(response)
    expect(detail(error, 'QuotaFailure')).toMatchObject({
      violations: [{ quotaId: expect.stringContaining('PerDay') }],
    })
    expect(detail(error, 'RetryInfo')).toBeUndefined()
  })

  test('a provider that cannot be reached was not charged', async () => {
    vi.spyOn(globalThis, 'fetch').mockRejectedValue(new Error('no such host'))
    const response = await send({ body: wanting(prompt()) })
    expect(await errorOf(response)).toMatchObject({ status: 'UNAVAILABLE' })
    expect(response.headers.get('x-proofsheet-charged')).toBe('no')
  })

  test('no answer in time is a 504 after one call', async () => {
    const { timeout } = AbortSignal
    vi.spyOn(AbortSignal, 'timeout').mockImplementation(() => timeout.call(AbortSignal, 300))
    const words = prompt()
    const response = await send({ body: wanting(`[[fault:hang]] ${words}`) })
    expect(await errorOf(response)).toMatchObject({
      code: 504,
      status: 'DEADLINE_EXCEEDED',
      message: expect.stringMatching(doubtful),
    })
    expect(await callsOf(words)).toHaveLength(1)
  })
})

test('a rate limit that passes is waited for, and the picture is bought once', async () => {
  const words = prompt()
  const response = await send({ body: wanting(`[[fault:rate-limited times=1 retry=0.05]] ${words}`) })
  expect(response.status).toBe(200)
  await response.body!.cancel()
  expect(await callsOf(words)).toHaveLength(2)
  expect(await chargesOf(words)).toHaveLength(1)
})

describe('the record of a generation says which error it is', () => {
  const base = async (changes: Partial<GenerationRecord>): Promise<GenerationRecord> => {
    const id = generationId('default', crypto.randomUUID())
    await plant(wish(id, { prompt: prompt() }))
    return { ...(await recordOf(id)), ...changes }
  }
  test('one that goes on names itself and where to ask for it', async () => {
    const record = await base({})
    const error = endedError(record)!
    expect([error.code, error.status]).toEqual([504, 'DEADLINE_EXCEEDED'])
    expect(error.message).toBe(
      `the picture is not ready yet and goes on being made; ask for it at /api/generations/${record.id}`,
    )
  })
  test('one that was cancelled is CANCELLED', async () => {
    expect(endedError(await base({ status: 'cancelled' }))).toMatchObject({ code: 499, status: 'CANCELLED' })
  })
  test('one that was throttled until its deadline is a 429 that says so, and when to come back', async () => {
    const verdict = { outcome: 'rate_limited', charged: 'no', next: 'wait', message: 'Slow down.' } as const
    const now = Date.now()
    const ending = { verdict: { ...verdict, retryAfterMs: 400_500 }, costMicroUsd: 0, endedAt: now }
    const attempts = [{ number: 1, route: 0, startedAt: now, pictureName: 'x', ending }]
    const record = await base({
      status: 'failed',
      attempts,
      deadlineAt: now + 4_000,
      finishedAt: now + 4_000,
    })
    const error = endedError({ ...record, createdAt: now })!
    expect([error.code, error.status]).toEqual([429, 'RESOURCE_EXHAUSTED'])
    expect(error.message).toMatch(/^its deadline of 4 s passed .* The provider said last: Slow down\.$/)
    expect(detail(error.body.error as RpcBody['error'], 'ErrorInfo')).toMatchObject({
      reason: 'RATE_LIMITED',
      metadata: { generation: record.id, charged: 'no' },
    })
    expect(detail(error.body.error as RpcBody['error'], 'RetryInfo')).toMatchObject({ retryDelay: '400.5s' })
  })
  test('one that was never sent is UNAVAILABLE', async () => {
    expect(endedError(await base({ status: 'failed' }))).toMatchObject({ code: 503, status: 'UNAVAILABLE' })
  })
})

describe('a call that is refused buys nothing', () => {
  const words = prompt('never')
  afterEach(async () => expect(await callsOf(words)).toEqual([]))

  test.for<[string, Parameters<typeof send>[0], number, string, RegExp]>([
    ['truncated JSON', { body: '{"contents":[' }, 400, 'INVALID_ARGUMENT', /JSON/],
    ['an unknown field', { body: wanting(words, {}, { speed: 1 }) }, 400, 'INVALID_ARGUMENT', /"speed"/],
    [
      'a size that the model has not',
      { body: wanting(words, { imageConfig: { imageSize: '512' } }), model: 'nano-banana-pro' },
      400,
      'INVALID_ARGUMENT',
      /^generation_config\.image_config\.image_size: /,
    ],
    [
      'several candidates',
      { body: wanting(words, { candidateCount: 2 }) },
      400,
      'INVALID_ARGUMENT',
      /candidates/,
    ],
    ['a model that nobody knows', { body: wanting(words), model: 'gemini-9' }, 404, 'NOT_FOUND', /gemini-9/],
    [
      'a model that the provider does not sell',
      { body: wanting(words), model: 'tokaify/nano-banana-2' },
      404,
      'NOT_FOUND',
      /tokaify/,
    ],
    [
      'a method of other models',
      { body: {}, method: 'predict' },
      404,
      'NOT_FOUND',
      /:generateContent.*Imagen/,
    ],
    ['a batch', { body: {}, method: 'batchGenerateContent' }, 404, 'NOT_FOUND', /one :generateContent call/],
    [
      'a method that nobody knows',
      { body: {}, method: 'constructor' },
      404,
      'NOT_FOUND',
      /for constructor\. Call/,
    ],
    [
      'a bad Idempotency-Key',
      { body: wanting(words), headers: { 'idempotency-key': 'two words' } },
      400,
      'INVALID_ARGUMENT',
      /visible ASCII/,
    ],
  ])('%s', async ([, call, code, status, message]) => {
    const response = await send(call)
    expect(await errorOf(response)).toMatchObject({ code, status, message: expect.stringMatching(message) })
    expect(response.headers.has('x-proofsheet-generation')).toBe(false)
  })

  test('a field at fault stands in BadRequest as Google writes it', async () => {
    const body = wanting(words, { imageConfig: { imageSize: '512' } })
    const error = await errorOf(await send({ body, model: 'nano-banana-pro' }))
    expect(detail(error, 'BadRequest')).toMatchObject({
      fieldViolations: [
        { field: 'generation_config.image_config.image_size', description: expect.any(String) },
      ],
    })
  })

  test('the key of another request is ALREADY_EXISTS', async () => {
    const headers = { 'idempotency-key': crypto.randomUUID() }
    await (await send({ body: wanting(prompt()), headers })).body!.cancel()
    const error = await errorOf(await send({ body: wanting(words), headers }))
    expect(error).toMatchObject({ code: 409, status: 'ALREADY_EXISTS' })
    expect(detail(error, 'ErrorInfo')).toMatchObject({ reason: 'KEY_REUSED', domain: 'proofsheet' })
  })

  test('a bug tells nothing but where to find it, and is logged', async () => {
    const broken = { ...env.BUCKET, put: () => Promise.reject(new Error('secret words')) }
    const response = await ask(
      '/v1beta/models/nano-banana-2:generateContent',
      { method: 'POST', body: JSON.stringify(wanting(words)) },
      { BUCKET: broken },
    )
    const error = await errorOf(response)
    expect(error).toMatchObject({ code: 500, status: 'INTERNAL' })
    expect(error.message).toContain(response.headers.get('x-request-id'))
    expect(JSON.stringify(error)).not.toContain('secret words')
    expect(JSON.stringify(logged)).toContain('secret words')
  })

  test('a worker that is not set up says so', async () => {
    const response = await ask('/v1beta/models', {}, { PROVIDERS: '{' })
    expect(await errorOf(response)).toMatchObject({ code: 400, status: 'FAILED_PRECONDITION' })
  })
})

describe('the key', () => {
  const path = '/v1beta/models/nano-banana-2'
  test.for<[string, string, Record<string, string>]>([
    ['Authorization', path, { authorization: 'Bearer admin-token' }],
    ['x-goog-api-key', path, { 'x-goog-api-key': 'admin-token' }],
    ['?key=', `${path}?key=admin-token`, {}],
  ])('is taken from %s', async ([, where, headers]) => {
    expect((await askAs(where, { headers })).status).toBe(200)
  })

  test('that is missing is PERMISSION_DENIED', async () => {
    expect(await errorOf(await askAs(path))).toMatchObject({ code: 403, status: 'PERMISSION_DENIED' })
  })

  test('that is not known is answered as Google does', async () => {
    const error = await errorOf(await askAs(path, { headers: { 'x-goog-api-key': 'wrong' } }))
    expect(error).toMatchObject({ code: 400, status: 'INVALID_ARGUMENT' })
    expect(error.message).toBe('API key not valid. Please pass a valid API key. (this token is not known)')
    expect(detail(error, 'ErrorInfo')).toMatchObject({ reason: 'API_KEY_INVALID' })
  })

  test('that was revoked or has expired says so, in the words by which Google’s clients know it', async () => {
    const revoked = await makeToken({ name: 'for a while' })
    await ask(`/api/tokens/${revoked.id}`, { method: 'DELETE' })
    const error = await errorOf(await askAs(path, { headers: { 'x-goog-api-key': revoked.token } }))
    expect(error.message).toMatch(/^API key not valid\. .*this token was revoked; ask for another/)
    expect(detail(error, 'ErrorInfo')).toMatchObject({ reason: 'API_KEY_INVALID' })
  })

  test('is in no line of the log and in no message', async () => {
    const response = await askAs('/v1beta/nothing?key=admin-token')
    expect(await response.text()).not.toContain('admin-token')
    await askAs(`${path}:generateContent?key=wrong-token`, { method: 'POST', body: '{}' })
    expect(JSON.stringify(logged)).not.toMatch(/admin-token|wrong-token/)
  })
})

describe('what is not offered says what to use instead', () => {
  test.for<[string, string, number, RegExp]>([
    ['POST', '/v1beta/interactions', 501, /:generateContent/],
    ['GET', '/v1/interactions/abc', 501, /:generateContent/],
    ['POST', '/upload/v1beta/files', 501, /inlineData/],
    ['POST', '/upload/v1/files', 501, /inlineData/],
    ['GET', '/v1beta/files/abc', 501, /inlineData/],
    ['GET', '/v1beta/batches', 501, /:generateContent/],
    ['POST', '/v1beta/cachedContents', 501, /contents/],
    ['POST', '/v1beta/tunedModels/x:generateContent', 501, /models/],
    ['POST', '/v1beta/openai/images/generations', 501, /\/openai\/v1/],
    ['GET', '/v1beta', 404, /:generateContent/],
    ['GET', '/v1beta/nothing', 404, /:generateContent/],
    ['POST', '/v1beta/models', 404, /POST \/models here/],
    ['POST', '/v1beta/models/nano-banana-2', 404, /:generateContent/],
    ['GET', '/v1beta/models/nano-banana-2:generateContent', 404, /There is no GET/],
    ['PUT', '/v1beta/models/nano-banana-2', 404, /There is no PUT/],
  ])('%s %s', async ([method, path, code, message]) => {
    const error = await errorOf(await ask(path, { method }))
    expect(error).toMatchObject({
      code,
      status: code === 501 ? 'UNIMPLEMENTED' : 'NOT_FOUND',
      message: expect.stringMatching(message),
    })
  })
})

test('nothing of a refused call stays in the bucket', async () => {
  const before = await stored('pictures/')
  await send({ body: wanting(prompt(), { candidateCount: 2 }) })
  expect(await stored('pictures/')).toEqual(before)
})

// Errors in OpenAI's shape: what is refused before anything is bought, and how each ending of a generation reads.
import { describe, expect, test } from 'vitest'
import type { GenerationView } from '../../../core/api.ts'
import { OUTCOMES } from '../../../core/outcome.ts'
import { generationError } from '../../../worker/openai/errors.ts'
import { ask, askAs, callsOf, chargesOf, logged, prompt } from '../setup/ask.ts'
import { env } from '../setup/bindings.ts'
import { freshRelay } from '../setup/relay.ts'
import { errorOf, generate, send } from './ask.ts'

describe('a body that cannot be read', () => {
  const long = JSON.stringify({ prompt: 'x'.repeat(2_000_000) })
  test.for<[string, string, Record<string, unknown>]>([
    ['nothing', '', { code: 'invalid_json' }],
    ['cut off', '{"prompt": "an ott', { code: 'invalid_json' }],
    ['no JSON', 'prompt=otter', { code: 'invalid_json' }],
    ['two values', '{"prompt":"a"} {"prompt":"b"}', { code: 'invalid_json' }],
    ['a list', '["otter"]', { code: 'invalid_request' }],
    ['null', 'null', { code: 'invalid_request' }],
    ['a number', '7', { code: 'invalid_request' }],
    ['nested without end', '['.repeat(1_000), { code: 'invalid_json' }],
    ['too long without its images', long, { status: 413, code: 'payload_too_large' }],
  ])('%s', async ([, body, expected]) => {
    const error = await errorOf(await send('/images/generations', body))
    expect(error).toMatchObject({ status: 400, type: 'invalid_request_error', ...expected })
  })
})

describe('a field that cannot be used is named', () => {
  test.for<[string, Record<string, unknown>, Record<string, unknown>]>([
    ['no prompt', { prompt: undefined }, { param: 'prompt' }],
    ['an empty prompt', { prompt: '' }, { param: 'prompt' }],
    ['a prompt that is a list', { prompt: ['otter'] }, { param: 'prompt' }],
    ['a prompt over its bound', { prompt: 'x'.repeat(131_073) }, { param: 'prompt' }],
    ['n of 0', { n: 0 }, { param: 'n' }],
    ['n of 11', { n: 11 }, { param: 'n' }],
    ['n of a half', { n: 1.5 }, { param: 'n' }],
    ['n as a text', { n: '2' }, { param: 'n' }],
    ['a size of nowhere', { size: '100x900' }, { param: 'size', code: 'invalid_size' }],
    ['a quality of nowhere', { quality: 'best' }, { param: 'quality' }],
    ['a response format', { response_format: 'hex' }, { param: 'response_format' }],
    ['svg', { output_format: 'svg' }, { param: 'output_format' }],
    ['gif', { output_format: 'gif' }, { param: 'output_format' }],
    ['a transparent background', { background: 'transparent' }, { param: 'background' }],
    ['a mask', { mask: 'data:image/png;base64,QUJD' }, { param: 'mask', code: 'mask_not_supported' }],
    [
      'a mask of a megabyte and more',
      { mask: `data:image/png;base64,${'A'.repeat(2_000_000)}` },
      { param: 'mask' },
    ],
    ['a mask that is no image', { mask: 7 }, { param: 'mask' }],
    ['stream as a text', { stream: 'yes' }, { param: 'stream' }],
    ['a model that is a number', { model: 7 }, { param: 'model' }],
  ])('%s', async ([, fields, expected]) => {
    const response = await generate({ prompt: 'an otter', ...fields })
    expect(response.headers.get('x-should-retry')).toBeNull()
    const error = await errorOf(response)
    expect(error).toMatchObject({ status: 400, type: 'invalid_request_error', ...expected })
    expect(error.message).toMatch(/\w/)
  })

  test.for<[string, Record<string, unknown>]>([
    [
      'null',
      {
        n: null,
        size: null,
        quality: null,
        background: null,
        response_format: null,
        stream: null,
        mask: null,
      },
    ],
    ['unknown', { foo: { bar: 1 }, safety_identifier: 'x', complexity: 3, frame_count: 2 }],
    [
      'of OpenAI’s own models',
      {
        user: 'me',
        moderation: 'low',
        style: 'vivid',
        input_fidelity: 'high',
        output_compression: 50,
        partial_images: 3,
      },
    ],
    [
      'asking for what is done anyway',
      { output_format: 'webp', background: 'opaque', response_format: 'b64_json' },
    ],
  ])('a field that changes nothing is ignored: %s', async ([, fields]) => {
    const response = await generate({ prompt: prompt(), ...fields })
    expect(response.status).toBe(200)
    await response.body?.cancel()
  })
})

describe('how a generation without a picture reads', () => {
  test.for<[string, Record<string, unknown>, string, number]>([
    ['refused', { status: 400, type: 'image_generation_user_error', code: 'moderation_blocked' }, 'yes', 1],
    [
      'blocked-prompt',
      { status: 400, type: 'image_generation_user_error', code: 'moderation_blocked' },
      'yes',
      1,
    ],
    ['no-image', { status: 422, code: 'no_image' }, 'yes', 1],
    ['text-only', { status: 422, code: 'no_image' }, 'yes', 1],
    ['daily-quota', { status: 429, type: 'insufficient_quota', code: 'insufficient_quota' }, 'no', 1],
    ['html', { status: 500, type: 'server_error', code: 'provider_error' }, 'unknown', 1],
    ['error-in-200', { status: 500, code: 'provider_error' }, 'unknown', 1],
    ['cut', { status: 500, code: 'cut_off' }, 'unknown', 1],
    ['reset', { status: 500, code: 'cut_off' }, 'unknown', 1],
    ['tiny', { status: 500, code: 'malformed' }, 'unknown', 1],
  ])('%s', async ([fault, expected, charged, calls]) => {
    const wanted = prompt()
    const provider = fault === 'daily-quota' ? freshRelay() : 'apiyi'
    const response = await generate({
      prompt: `[[fault:${fault}]] ${wanted}`,
      model: `${provider}/nano-banana-2`,
    })
    expect(response.headers.get('x-should-retry')).toBe('false')
    expect(response.headers.get('x-proofsheet-charged')).toBe(charged)
    const id = response.headers.get('x-proofsheet-generation')!
    const { message, ...error } = await errorOf(response)
    expect(error).toMatchObject({ param: null, ...expected })
    if (charged === 'unknown') {
      expect(message).toContain(id)
      expect(message).toContain('x-proofsheet-shield: off')
    }
    expect(await callsOf(wanted)).toHaveLength(calls)
    expect((await chargesOf(wanted)).length).toBeLessThanOrEqual(1)
  })

  test('a key of the operator’s that is refused', async () => {
    const response = await generate({ prompt: prompt(), model: 'locked/nano-banana-2' })
    expect(response.headers.get('x-should-retry')).toBe('false')
    const error = await errorOf(response)
    expect(error).toMatchObject({ status: 400, code: 'provider_key_refused' })
    expect(error.message).toContain('worker')
    expect(error.message).not.toContain('bad-key')
  })

  const view = (status: string, outcome: string | undefined, charged?: 'no' | 'yes' | 'unknown') =>
    ({
      id: 'gen_0',
      status,
      error: outcome ? { code: outcome, message: 'why' } : null,
      attempts: charged ? [{ charged }] : [],
    }) as unknown as GenerationView

  test('every outcome has a status of its own kind', () => {
    const statuses = OUTCOMES.map((outcome) => {
      const { facts } = generationError(view('failed', outcome, 'no'), {})
      return [outcome, facts.status, facts.code]
    })
    expect(statuses).toEqual([
      ['succeeded', 410, 'picture_gone'],
      ['refused', 400, 'moderation_blocked'],
      ['no_image', 422, 'no_image'],
      ['rate_limited', 429, 'rate_limit_exceeded'],
      ['quota_exhausted', 429, 'insufficient_quota'],
      ['unavailable', 503, 'unavailable'],
      ['unreachable', 503, 'unreachable'],
      ['unauthorised', 400, 'provider_key_refused'],
      ['model_gone', 404, 'model_not_found'],
      ['rejected', 400, 'rejected'],
      ['provider_error', 500, 'provider_error'],
      ['timed_out', 504, 'timed_out'],
      ['cut_off', 500, 'cut_off'],
      ['malformed', 500, 'malformed'],
      ['not_stored', 500, 'not_stored'],
      ['orphaned', 500, 'orphaned'],
      ['expired', 503, 'expired'],
      ['cancelled', 409, 'cancelled'],
    ])
  })

  test('one that is not ready says where to ask for it', () => {
    const error = generationError(view('running', undefined, 'unknown'), { 'x-should-retry': 'false' })
    expect(error.facts).toMatchObject({ status: 504, code: 'timeout' })
    expect(error.message).toContain('/api/generations/gen_0')
    expect(error.headers).toEqual({ 'x-should-retry': 'false' })
  })

  test('only what may be on the bill is told to be in doubt', () => {
    expect(generationError(view('failed', 'rejected', 'no'), {}).message).not.toContain('charged')
    expect(generationError(view('uncertain', 'orphaned', 'unknown'), {}).message).toContain(
      'not known whether',
    )
  })
})

describe('who may ask', () => {
  test.for([
    ['without a token', {}],
    ['with an unknown token', { authorization: 'Bearer sk-other' }],
  ] as const)('not one %s', async ([, headers]) => {
    for (const path of ['/models', '/images/generations', '/nowhere']) {
      const response = await askAs(`/openai/v1${path}`, { headers })
      expect(response.headers.get('www-authenticate')).toBe('Bearer')
      expect(await errorOf(response)).toMatchObject({
        status: 401,
        type: 'invalid_request_error',
        code: 'invalid_api_key',
      })
    }
  })
})

describe('what is not offered', () => {
  test.for([
    ['POST', '/images/variations', '/images/edits'],
    ['POST', '/responses', '/chat/completions'],
    ['POST', '/embeddings', 'POST /openai/v1/images/generations'],
    ['GET', '/files', 'multipart'],
    ['GET', '', 'GET /openai/v1/models'],
  ] as const)('%s %s is a 404 that says what there is', async ([method, path, hint]) => {
    const body = method === 'POST' ? { body: '{}' } : {}
    const error = await errorOf(await ask(`/openai/v1${path}`, { method, ...body }))
    expect(error).toMatchObject({ status: 404, type: 'invalid_request_error', code: 'unknown_url' })
    expect(error.message).toContain(hint)
  })

  test.for([
    ['GET', '/images/generations', 'POST'],
    ['PUT', '/images/edits', 'POST'],
    ['GET', '/chat/completions', 'POST'],
    ['DELETE', '/models/nano-banana-2', 'GET'],
    ['POST', '/models', 'GET'],
  ] as const)('%s %s is a 405 that says what it takes', async ([method, path, allow]) => {
    const response = await ask(`/openai/v1${path}`, { method })
    expect(response.headers.get('allow')).toBe(allow)
    expect(await errorOf(response)).toMatchObject({ status: 405, code: 'method_not_allowed' })
  })
})

test('a bug tells nothing but where to find it, and is not repeated', async () => {
  const before = logged.length
  const BUCKET = new Proxy(env.BUCKET, {
    get() {
      throw new Error('the secret of the bucket')
    },
  })
  const headers = { 'content-type': 'application/json', 'x-request-id': 'my-request' }
  const body = JSON.stringify({ prompt: 'x', image: 'data:image/png;base64,iVBORw0KGgo=' })
  const response = await ask('/openai/v1/images/edits', { method: 'POST', body, headers }, { BUCKET })
  expect(response.headers.get('x-should-retry')).toBe('false')
  const error = await errorOf(response)
  expect(error).toMatchObject({ status: 500, type: 'server_error', code: 'internal' })
  expect(error.message).not.toContain('secret')
  expect(error.message).toContain('my-request')
  expect(logged.slice(before)).toContainEqual({
    event: 'bug',
    requestId: 'my-request',
    error: expect.stringContaining('the secret of the bucket'),
  })
})

test('a worker that is not set up says so', async () => {
  const response = await ask('/openai/v1/models', {}, { PROVIDERS: '{' })
  expect(await errorOf(response)).toMatchObject({ status: 500, code: 'misconfigured' })
})

// POST /images/generations, as clients of the OpenAI API know it.
import { describe, expect, test } from 'vitest'
import type { GenerationView } from '../../../core/api.ts'
import { DROP_IN_DEADLINE_S } from '../../../worker/http/dropin.ts'
import { ask, callsOf, chargesOf, prompt } from '../setup/ask.ts'
import { env } from '../setup/bindings.ts'
import { sha256 } from '../setup/pictures.ts'
import { errorOf, eventsOf, generate, imagesOf } from './ask.ts'

const bytesAt = async (url: string) => new Uint8Array(await (await ask(new URL(url).pathname)).arrayBuffer())

describe('a prompt becomes a picture', () => {
  test('with the answer that clients expect, its true size and type, and the provider’s usage', async () => {
    const wanted = prompt()
    const response = await generate({ prompt: wanted, n: 1, user: 'me', moderation: 'low', style: 'vivid' })
    expect(response.headers.get('content-type')).toBe('application/json')
    expect(response.headers.get('x-request-id')).toBeTruthy()
    expect(response.headers.get('x-should-retry')).toBe('false')
    expect(response.headers.get('x-proofsheet-generation')).toMatch(/^gen_/)
    expect(response.headers.get('x-proofsheet-cost')).toBe('0.055')
    expect(response.headers.get('x-proofsheet-charged')).toBe('yes')
    const { created, data, ...rest } = await imagesOf(response)
    expect(Math.abs(created - Date.now() / 1_000)).toBeLessThan(60)
    expect(rest).toEqual({
      background: 'opaque',
      output_format: 'jpeg',
      size: '512x512',
      quality: 'auto',
      usage: {
        total_tokens: expect.any(Number),
        input_tokens: expect.any(Number),
        output_tokens: expect.any(Number),
        input_tokens_details: { text_tokens: expect.any(Number), image_tokens: 0 },
        output_tokens_details: { text_tokens: expect.any(Number), image_tokens: 747 },
      },
    })
    const usage = rest.usage as Record<string, number>
    expect(usage.total_tokens).toBe(usage.input_tokens! + usage.output_tokens!)
    expect(data).toHaveLength(1)
    expect(sha256(Uint8Array.fromBase64(data[0]!.b64_json!))).toBe(sha256(await bytesAt(data[0]!.url)))
    expect(await chargesOf(wanted)).toHaveLength(1)
  })

  test.for([
    ['by its address alone', { response_format: 'url' }, {}, false],
    ['by its address, as proofsheet’s own header asks', {}, { 'x-proofsheet-delivery': 'url' }, false],
    ['as Base64 too', { response_format: 'b64_json' }, {}, true],
  ] as const)('%s', async ([, fields, headers, isInline]) => {
    const { data } = await imagesOf(await generate({ prompt: prompt(), ...fields }, headers))
    expect(data[0]!.url).toMatch(/^https:\/\/proofsheet\.test\/images\/[0-9a-z]+\.jpg$/)
    expect('b64_json' in data[0]!).toBe(isInline)
  })

  test('a large one arrives whole', async () => {
    const response = await generate({ prompt: `[[fault:big bytes=8000000]] ${prompt()}` })
    expect(Number(response.headers.get('content-length'))).toBeGreaterThan(8_000_000)
    const { data } = await imagesOf(response)
    expect(sha256(Uint8Array.fromBase64(data[0]!.b64_json!))).toBe(sha256(await bytesAt(data[0]!.url)))
  })

  test('several finished pictures of one answer are all in data, the result first', async () => {
    const wanted = prompt()
    const response = await generate({ prompt: `[[fault:storyboard]] ${wanted}` })
    const [main] = response.headers.get('x-proofsheet-image')!.split(', ')
    const { data } = await imagesOf(response)
    expect(data).toHaveLength(3)
    expect(data[0]!.url).toBe(main)
    for (const { b64_json, url } of data)
      expect(sha256(Uint8Array.fromBase64(b64_json!))).toBe(sha256(await bytesAt(url)))
    expect(new Set(data.map(({ b64_json }) => b64_json)).size).toBe(3)
    expect(await callsOf(wanted)).toHaveLength(1)
  })

  test('without a model it is the first of the preferred ones that is sold', async () => {
    const wanted = prompt()
    const response = await generate({ prompt: wanted, model: undefined, size: 'auto' })
    expect(response.status).toBe(200)
    await response.body?.cancel()
    expect(await callsOf(wanted)).toMatchObject([{ provider: 'google', model: 'gemini-nano-banana-2.1' }])
  })

  test('the same Idempotency-Key is answered with the same pictures', async () => {
    const wanted = prompt()
    const headers = { 'idempotency-key': crypto.randomUUID() }
    const first = await generate({ prompt: wanted, n: 2 }, headers)
    const again = await generate({ prompt: wanted, n: 2 }, headers)
    expect(first.headers.get('idempotent-replayed')).toBeNull()
    expect(again.headers.get('idempotent-replayed')).toBe('true')
    expect((await imagesOf(again)).data).toEqual((await imagesOf(first)).data)
    expect(await callsOf(wanted)).toHaveLength(2)
    const other = await errorOf(await generate({ prompt: prompt(), n: 2 }, headers))
    expect(other).toMatchObject({ status: 422, code: 'key_reused', param: 'Idempotency-Key' })
  })
})

describe('n pictures are n generations', () => {
  test('side by side, each in data', async () => {
    const wanted = prompt()
    const response = await generate({ prompt: wanted, n: 3 })
    const ids = response.headers.get('x-proofsheet-generation')!.split(', ')
    expect(new Set(ids).size).toBe(3)
    expect(response.headers.get('x-proofsheet-cost')).toBe('0.165')
    const { data, usage, proofsheet } = await imagesOf(response)
    expect(new Set(data.map(({ url }) => url)).size).toBe(3)
    expect(proofsheet).toBeUndefined()
    expect(usage).toMatchObject({ output_tokens_details: { image_tokens: 3 * 747 } })
    const tokens = usage as Record<string, number>
    expect(tokens.total_tokens).toBe(tokens.input_tokens! + tokens.output_tokens!)
    const view = (await (await ask(`/api/generations/${ids[2]}`)).json()) as GenerationView
    // Nobody pays for a picture after having left: its turn comes soon or never.
    expect(view.request.deadline).toBe(DROP_IN_DEADLINE_S)
    expect(await callsOf(wanted)).toHaveLength(3)
    expect(await chargesOf(wanted)).toHaveLength(3)
  })

  test('what was made is answered, and what was not is named', async () => {
    const wanted = prompt()
    const response = await generate({ prompt: `[[fault:refused times=1]] ${wanted}`, n: 3 })
    expect(response.headers.get('x-should-retry')).toBe('false')
    const { data, proofsheet } = await imagesOf(response)
    expect(data).toHaveLength(2)
    expect(proofsheet).toEqual({
      failed: [
        {
          generation: expect.stringMatching(/^gen_/),
          code: 'moderation_blocked',
          message: expect.stringContaining('safety'),
          charged: 'yes',
        },
      ],
    })
    const failed = `${proofsheet!.failed[0]!.generation} moderation_blocked`
    expect(response.headers.get('x-proofsheet-failed')).toBe(failed)
    expect(response.headers.get('x-proofsheet-generation')!.split(', ')).toHaveLength(3)
    expect(await callsOf(wanted)).toHaveLength(3)
  })

  test('none made is the first one’s error, and every one is named', async () => {
    const wanted = prompt()
    const response = await generate({ prompt: `[[fault:refused]] ${wanted}`, n: 2 })
    expect(response.headers.get('x-proofsheet-generation')!.split(', ')).toHaveLength(2)
    expect(response.headers.get('x-should-retry')).toBe('false')
    expect(await errorOf(response)).toMatchObject({ status: 400, code: 'moderation_blocked' })
    expect(await callsOf(wanted)).toHaveLength(2)
  })
})

describe('a stream', () => {
  test('sends each picture as a completed event', async () => {
    const wanted = prompt()
    const response = await generate({ prompt: wanted, stream: true, partial_images: 2, n: 2 })
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    expect(response.headers.get('x-request-id')).toBeTruthy()
    expect(response.headers.get('x-should-retry')).toBe('false')
    // Not known yet.
    expect(response.headers.has('x-proofsheet-charged')).toBe(false)
    const events = await eventsOf(response)
    expect(events.map(({ event }) => event)).toEqual(Array(2).fill('image_generation.completed'))
    for (const { data } of events) {
      const { b64_json: base64, url, ...rest } = data as { b64_json: string; url: string }
      expect(rest).toEqual({
        type: 'image_generation.completed',
        created_at: expect.any(Number),
        size: '512x512',
        quality: 'auto',
        background: 'opaque',
        output_format: 'jpeg',
        usage: expect.objectContaining({ total_tokens: expect.any(Number) }),
      })
      expect(sha256(Uint8Array.fromBase64(base64))).toBe(sha256(await bytesAt(url)))
    }
    expect(await callsOf(wanted)).toHaveLength(2)
  })

  test('names what is missing beside what was made', async () => {
    const response = await generate({ prompt: `[[fault:refused times=1]] ${prompt()}`, stream: true, n: 2 })
    const events = await eventsOf(response)
    expect(events.map(({ event }) => event)).toEqual([
      'image_generation.completed',
      'image_generation.failed',
    ])
    expect(events[1]!.data).toMatchObject({ code: 'moderation_blocked', charged: 'yes' })
    expect(events[1]!.data).not.toHaveProperty('error')
  })

  test('ends in an error when nothing was made', async () => {
    const response = await generate({ prompt: `[[fault:refused]] ${prompt()}`, stream: true })
    expect(response.status).toBe(200)
    expect(await eventsOf(response)).toMatchObject([
      {
        event: 'error',
        data: { error: { code: 'moderation_blocked', type: 'image_generation_user_error' } },
      },
    ])
  })

  test('is not begun for a call that is refused', async () => {
    const error = await errorOf(await generate({ prompt: prompt(), stream: true, n: 99 }))
    expect(error).toMatchObject({ status: 400, param: 'n' })
  })
})

test('a picture that R2 has lost is an error, not half an answer', async () => {
  const wanted = prompt()
  const headers = { 'idempotency-key': crypto.randomUUID() }
  const first = await imagesOf(await generate({ prompt: wanted }, headers))
  await env.BUCKET.delete(`pictures/${first.data[0]!.url.split('/').at(-1)}`)
  const again = await generate({ prompt: wanted }, headers)
  expect(again.headers.get('x-should-retry')).toBe('false')
  expect(await errorOf(again)).toMatchObject({ status: 410, code: 'picture_gone' })
  expect(await callsOf(wanted)).toHaveLength(1)
})

// Webhooks as a receiver sees them: the message, its signature by the receivers' own library, what its answer means, and
// when it is tried again.
import { Webhook } from 'standardwebhooks'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { Env } from '../../worker/env.ts'
import { Problem } from '../../worker/http/problem.ts'
import {
  checkWebhook,
  type Message,
  sendWebhook,
  tryWebhook,
  webhookDelayMs,
} from '../../worker/webhooks/send.ts'
import { callsOf, make, post, problemOf, prompt } from './setup/ask.ts'
import { env } from './setup/bindings.ts'
import { alarmOf, wake } from './setup/objects.ts'

const SECRET = String(env.WEBHOOK_SECRET)
const OTHER = `whsec_${new Uint8Array(32).fill(7).toBase64()}`

const message: Message = {
  id: 'msg_1',
  url: 'https://shop.example.com/hooks/proofsheet',
  timestamp: Date.UTC(2026, 10, 21, 9),
  type: 'generation.succeeded',
  data: { id: 'gen_1', words: 'a fern. “in a pot”' },
}

const withSecret = (WEBHOOK_SECRET: string | undefined) => ({ ...env, WEBHOOK_SECRET }) as Env

/** What is sent for a message, and how the receiver's answer is understood. */
async function deliver(answer: () => Response | Promise<Response>, secret = SECRET, changes = {}) {
  const seen: { url: string; init: RequestInit; headers: Record<string, string>; body: string }[] = []
  const result = await sendWebhook(
    withSecret(secret),
    { ...message, ...changes },
    {
      now: Date.now,
      fetch: async (url, init) => {
        seen.push({
          url,
          init,
          headers: init.headers as Record<string, string>,
          body: String(init.body),
        })
        return answer()
      },
    },
  )
  return { result, seen }
}
const ok = () => new Response(null, { status: 204 })

describe('a message', () => {
  test('is a POST of type, time and data that the receivers’ library takes for genuine', async () => {
    const { result, seen } = await deliver(ok)
    expect(result).toEqual({ kind: 'taken' })
    expect(seen).toHaveLength(1)
    const [{ url, init, headers, body }] = seen as [(typeof seen)[0]]
    expect([url, init.method, init.redirect]).toEqual([message.url, 'POST', 'manual'])
    expect(init.signal).toBeInstanceOf(AbortSignal)
    expect(headers).toMatchObject({ 'content-type': 'application/json', 'webhook-id': 'msg_1' })
    expect(new Webhook(SECRET).verify(body, headers)).toEqual({
      type: 'generation.succeeded',
      timestamp: '2026-11-21T09:00:00.000Z',
      data: message.data,
    })
  })

  test.for([
    ['with another secret', OTHER, (body: string) => body],
    ['when a byte was changed', SECRET, (body: string) => body.replace('gen_1', 'gen_2')],
  ] as const)('is refused by that library %s', async ([, secret, change]) => {
    const { seen } = await deliver(ok)
    expect(() => new Webhook(secret).verify(change(seen[0]!.body), seen[0]!.headers)).toThrow(
      'No matching signature',
    )
  })

  test('bears the time of its try, not that of the event: a late try is not taken for a replay', async () => {
    const { seen } = await deliver(ok)
    const age = Date.now() / 1_000 - Number(seen[0]!.headers['webhook-timestamp'])
    expect(age).toBeGreaterThanOrEqual(0)
    expect(age).toBeLessThan(60)
  })

  test('is signed with both secrets while they are being changed', async () => {
    const { seen } = await deliver(ok, `${SECRET} ${OTHER}`)
    const [{ headers, body }] = seen as [(typeof seen)[0]]
    for (const secret of [SECRET, OTHER]) expect(new Webhook(secret).verify(body, headers)).toBeDefined()
  })
})

describe('the answer', () => {
  test.for([
    ['200', 200, 'taken'],
    ['202', 202, 'taken'],
    ['410', 410, 'gone'],
    ['404', 404, 'failed'],
    ['429', 429, 'failed'],
    ['500', 500, 'failed'],
  ] as const)('%s means', async ([, status, expected]) => {
    const cancelled = vi.fn()
    const body = new ReadableStream({ cancel: cancelled })
    const { result } = await deliver(() => new Response(body, { status }))
    const why = expected === 'failed' ? { why: `the receiver answered ${status}` } : {}
    expect(result).toEqual({ kind: expected, ...why })
    expect(cancelled).toHaveBeenCalledOnce()
  })

  test('that sends elsewhere is a failure: nobody else is told', async () => {
    const { result, seen } = await deliver(
      () => new Response(null, { status: 307, headers: { location: 'https://other.example.com/' } }),
    )
    expect([result.kind, seen.length]).toEqual(['failed', 1])
  })

  test('that does not come is a failure', async () => {
    const { result } = await deliver(() => Promise.reject(new Error('timed out')))
    expect(result).toEqual({ kind: 'failed', why: 'Error: timed out' })
  })
})

describe('nothing is sent', () => {
  test.for([
    ['to a private address', SECRET, { url: 'https://10.0.0.1/hook' }, '10.0.0.1 is not a public host name'],
    ['to a name of a private network', SECRET, { url: 'https://db.internal/hook' }, 'db.internal is not'],
    ['in the clear', SECRET, { url: 'http://shop.example.com/hook' }, 'only https'],
    ['without a secret', '', {}, 'WEBHOOK_SECRET is not set'],
  ] as const)('%s', async ([, secret, changes, why]) => {
    const { result, seen } = await deliver(ok, secret, changes)
    expect([result, seen]).toEqual([{ kind: 'failed', why: expect.stringContaining(why) }, []])
  })
})

describe('a try is logged', () => {
  /** The lines of try `tries`, and when the next one is due. */
  async function logOf(answer: () => Response | Promise<Response>, tries: number) {
    const lines: unknown[] = []
    const fx = { fetch: async () => answer(), now: Date.now, log: (line: object) => void lines.push(line) }
    const delayMs = await tryWebhook(withSecret(SECRET), message, tries, fx)
    return { lines, delayMs }
  }
  const failed = () => new Response(null, { status: 503 })
  const line = { event: 'webhook_failed', message: 'msg_1', why: 'the receiver answered 503' }

  test('unless the receiver took the message', async () => {
    expect(await logOf(ok, 1)).toEqual({ lines: [], delayMs: undefined })
  })

  test('with its cause and whether there will be another', async () => {
    expect(await logOf(failed, 2)).toEqual({
      lines: [{ ...line, tries: 2, again: true }],
      delayMs: expect.any(Number),
    })
  })

  test('when it was the last one, or the receiver wants no more', async () => {
    expect(await logOf(failed, 10)).toEqual({
      lines: [{ ...line, tries: 10, again: false }],
      delayMs: undefined,
    })
    const why = 'the receiver does not want it any more (410)'
    expect(await logOf(() => new Response(null, { status: 410 }), 1)).toEqual({
      lines: [{ ...line, why, tries: 1, again: false }],
      delayMs: undefined,
    })
  })
})

describe('a request that wants a webhook', () => {
  const refusal = (secret: string | undefined, url: string | undefined = message.url) => {
    try {
      checkWebhook(withSecret(secret), url)
    } catch (error) {
      if (error instanceof Problem) return [error.code, error.message]
      throw error
    }
    return undefined
  }

  test('is taken where there is a secret, and no other request asks for one', () => {
    expect(refusal(SECRET)).toBeUndefined()
    expect(refusal(`${SECRET} ${OTHER}`)).toBeUndefined()
    expect(() => checkWebhook(withSecret(undefined), undefined)).not.toThrow()
  })

  test.for<[string, string | undefined, string, string, RegExp]>([
    [
      'the worker has no secret',
      undefined,
      message.url,
      'not_configured',
      /wrangler secret put WEBHOOK_SECRET/,
    ],
    [
      'the secret is no secret',
      'hush',
      message.url,
      'misconfigured',
      /whsec_ and the Base64 of 24 to 64 bytes/,
    ],
    ['the secret is too short', 'whsec_aHVzaA==', message.url, 'misconfigured', /24 to 64 bytes/],
    ['one of two secrets is none', `${SECRET} x`, message.url, 'misconfigured', /24 to 64 bytes/],
    ['the address is not https', SECRET, 'http://shop.example.com/', 'invalid_request', /only https/],
    ['the address is private', SECRET, 'https://127.0.0.1/', 'invalid_request', /not a public host name/],
    ['the address is none', SECRET, 'shop', 'invalid_request', /no URL/],
  ])('is refused when %s', ([, secret, url, code, says]) => {
    expect(refusal(secret, url)).toEqual([code, expect.stringMatching(says)])
  })
})

test('a failed message is tried ten times over three days, ever less often, never quite at the same time', () => {
  const delays = Array.from({ length: 10 }, (_, tries) => webhookDelayMs(tries + 1))
  const least = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400].map((s) => s * 1_000)
  expect(delays.at(-1)).toBeUndefined()
  for (const [index, ms] of least.entries()) {
    expect(delays[index]).toBeGreaterThanOrEqual(ms)
    expect(delays[index]).toBeLessThanOrEqual(ms * 1.1)
  }
  expect(new Set(Array.from({ length: 20 }, () => webhookDelayMs(4))).size).toBeGreaterThan(1)
})

describe('a generation that has a webhook', () => {
  afterEach(() => {
    vi.restoreAllMocks()
    vi.useRealTimers()
  })

  /** How long a busy machine may take for what comes at once, in ms. */
  const SOON = { timeout: 10_000 }

  type Told = { headers: Record<string, string>; body: string }

  /** Answers the receiver's address; the rest goes to the emulator. */
  function receive(...answers: (() => Response)[]): Told[] {
    const told: Told[] = []
    const platformFetch = globalThis.fetch
    vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
      if (String(input) !== message.url) return platformFetch(input, init)
      told.push({ headers: init!.headers as unknown as Record<string, string>, body: String(init!.body) })
      return (answers.shift() ?? ok)()
    })
    return told
  }

  test.for([
    ['succeeded', ''],
    ['refused', '[[fault:refused]] '],
    ['uncertain', '[[fault:reset]] '],
  ] as const)('tells once that it has %s, with what a reader of it would see', async ([status, fault]) => {
    const told = receive()
    const view = await make({ prompt: fault + prompt(), webhook: message.url })
    await vi.waitFor(() => expect(told).toHaveLength(1), SOON)
    const { type, data } = new Webhook(SECRET).verify(told[0]!.body, told[0]!.headers) as {
      type: string
      data: unknown
    }
    expect(type).toBe(`generation.${status}`)
    expect(data).toEqual(view)
  })

  test('tells it again, under the same id, until it is taken, and buys nothing for it', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    const words = prompt()
    const told = receive(
      () => new Response('later', { status: 500 }),
      () => new Response('later', { status: 503 }),
    )
    const { id } = await make({ prompt: words, webhook: message.url })
    await vi.waitFor(() => expect(told).toHaveLength(1), SOON)
    for (const tries of [2, 3]) {
      const alarm = await vi.waitFor(async () => (await alarmOf(id)) ?? expect.fail('no alarm'), SOON)
      vi.setSystemTime(alarm)
      await wake(id)
      await vi.waitFor(() => expect(told).toHaveLength(tries), SOON)
    }
    expect(new Set(told.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
    for (const { headers, body } of told.slice(-1)) new Webhook(SECRET).verify(body, headers)
    await vi.waitFor(async () => expect(await alarmOf(id)).toBeNull(), SOON)
    expect(await callsOf(words)).toHaveLength(1)
  })

  test('is not told again once it says that it is gone', async () => {
    const told = receive(() => new Response(null, { status: 410 }))
    const { id } = await make({ prompt: prompt(), webhook: message.url })
    await vi.waitFor(() => expect(told).toHaveLength(1), SOON)
    await vi.waitFor(async () => expect(await alarmOf(id)).toBeNull(), SOON)
  })

  test.for([
    ['without a secret here', { WEBHOOK_SECRET: undefined }, message.url, 'not_configured'],
    ['to a private address', {}, 'https://192.168.0.1/hook', 'invalid_request'],
  ] as const)('is refused %s, and nothing is bought', async ([, changes, webhook, code]) => {
    const words = prompt()
    expect(await problemOf(await post({ prompt: words, webhook }, {}, changes))).toMatchObject({
      code,
      charged: 'no',
    })
    expect(await callsOf(words)).toEqual([])
  })
})

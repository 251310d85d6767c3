// What a generation says of every way in which a provider gives no picture: its status, the money, what the ledger holds, and
// that nothing is left in the bucket. Calls and charges are counted at the emulator.
import { describe, expect, test, vi } from 'vitest'
import type { GenerationView } from '../../core/api.ts'
import { generationId } from '../../worker/generation/name.ts'
import { callsOf, chargesOf, make, picturesOf, prompt } from './setup/ask.ts'
import { env } from './setup/bindings.ts'
import { plant, recordOf, stub, wake, wish } from './setup/objects.ts'
import { freshRelay } from './setup/relay.ts'

const NO_PICTURE = { image: null, moreImages: [] }

type Expected = {
  status: GenerationView['status']
  code: NonNullable<GenerationView['error']>['code']
  charged: 'no' | 'yes' | 'unknown'
  actual: number | null
  message: RegExp
}
const paid = { charged: 'yes', actual: 0.055 } as const
const unknown = { status: 'uncertain', charged: 'unknown', actual: null } as const
const free = { status: 'failed', charged: 'no', actual: 0 } as const
const malformed = { ...unknown, code: 'malformed', message: / / } as const

/** What the ledger says at the end of an attempt. */
const KIND = { yes: 'settle', no: 'release', unknown: 'orphan' } as const

/** The rows of a generation as `attempt kind amount`, without those of calls that are about to be sent. */
async function ledgerOf(id: string) {
  const { results } = await env.DB.prepare(
    "SELECT attempt, kind, micro_usd, request_id FROM ledger WHERE generation = ? AND kind <> 'reserve' ORDER BY attempt",
  )
    .bind(id)
    .all<{ attempt: number; kind: string; micro_usd: number | null; request_id: string | null }>()
  return results
}

describe('an answer without a picture ends the generation after one call, and says what became of the money', () => {
  const rows: [string, string, { provider?: string }, Expected][] = [
    [
      'refused',
      '[[fault:refused]]',
      {},
      { status: 'refused', code: 'refused', ...paid, message: /^IMAGE_SAFETY: Unable to show/ },
    ],
    [
      'blocked',
      '[[fault:blocked-prompt]]',
      {},
      { status: 'refused', code: 'refused', ...paid, message: /^PROHIBITED_CONTENT: / },
    ],
    [
      'nothing drawn',
      '[[fault:no-image]]',
      {},
      { status: 'failed', code: 'no_image', ...paid, message: /^NO_IMAGE: Unable to show/ },
    ],
    [
      'words',
      '[[fault:text-only]]',
      {},
      { status: 'failed', code: 'no_image', ...paid, message: /^I cannot draw that/ },
    ],
    [
      'refused by a provider that does not say whether it charges',
      '[[fault:refused]]',
      { provider: 'google' },
      { status: 'refused', code: 'refused', charged: 'unknown', actual: null, message: /^IMAGE_SAFETY/ },
    ],
    ['cut off', '[[fault:cut]]', {}, { ...unknown, code: 'cut_off', message: /broke off|ended after/ }],
    [
      'connection lost',
      '[[fault:reset]]',
      {},
      { ...unknown, code: 'cut_off', message: /^the connection to apiyi broke/ },
    ],
    [
      'an error page',
      '[[fault:html]]',
      {},
      { ...unknown, code: 'provider_error', message: /^apiyi answered 502: 502 Bad Gateway/ },
    ],
    [
      'a 500 of a relay',
      '[[fault:internal]]',
      {},
      { ...unknown, code: 'provider_error', message: /^An internal error/ },
    ],
    [
      'an error inside a 200',
      '[[fault:error-in-200]]',
      {},
      { ...unknown, code: 'provider_error', message: /overloaded/ },
    ],
    [
      'a quota of the day',
      '[[fault:daily-quota]]',
      { provider: freshRelay() },
      {
        status: 'failed',
        code: 'quota_exhausted',
        charged: 'no',
        actual: 0,
        message: /^You exceeded your current quota/,
      },
    ],
    ...[
      ['a request time-out of a front end', 'code=408'],
      ['a conflict', 'code=409'],
      ['a client that is said to have left', 'code=499'],
      ['a gateway that got no answer', 'code=504'],
      ['a front end whose server said something odd', 'code=520 body=html'],
      ['a front end that did not reach its server', 'code=521 body=html'],
      ['a front end whose server was too slow to connect', 'code=522 body=empty'],
      ['a front end that lost the way', 'code=523'],
      ['a front end that waited too long', 'code=524 body=html'],
      ['a front end without TLS', 'code=525'],
      ['a status of nobody', 'code=529'],
    ].flatMap(([what, parameters]) =>
      ['yes', 'no'].map((charged): (typeof rows)[0] => [
        `${what}, ${charged === 'yes' ? 'charged' : 'not charged'}`,
        `[[fault:status ${parameters} charged=${charged}]]`,
        {},
        { ...unknown, code: 'provider_error', message: / / },
      ]),
    ),
    [
      'an error inside a 200 that was charged',
      '[[fault:error-in-200 charged=yes]]',
      {},
      { ...unknown, code: 'provider_error', message: /overloaded/ },
    ],
    ['a page with status 200', '[[fault:status code=200 body=html charged=yes]]', {}, malformed],
    ['an empty 200', '[[fault:empty]]', {}, { ...unknown, code: 'cut_off', message: /ended after 0 bytes/ }],
    [
      'a redirect, which is not followed',
      '[[fault:redirect]]',
      {},
      { ...unknown, code: 'provider_error', message: /^apiyi answered 307/ },
    ],
    [
      'silently moderated',
      '[[fault:moderated]]',
      {},
      { status: 'refused', code: 'refused', ...paid, message: /no picture and no explanation/ },
    ],
    [
      'a model that is gone',
      '[[fault:model-gone]]',
      {},
      { ...free, code: 'model_gone', message: /is not found for API version/ },
    ],
    [
      'a key that is bad',
      '[[fault:bad-key]]',
      {},
      { ...free, code: 'unauthorised', message: /^API key not valid/ },
    ],
    [
      'a key without money',
      '[[fault:status code=402]]',
      {},
      { ...free, code: 'unauthorised', message: /402/ },
    ],
    [
      'a request that the provider does not take',
      '[[fault:status code=413 body=html]]',
      {},
      { ...free, code: 'rejected', message: /^apiyi answered 413/ },
    ],
    [
      'a key that is refused',
      '',
      { provider: 'locked' },
      { status: 'failed', code: 'unauthorised', charged: 'no', actual: 0, message: /^API key not valid/ },
    ],
  ]
  test.concurrent.for(rows)('%s', async ([, fault, asked, expected]) => {
    const words = prompt()
    const view = await make({ prompt: `${fault} ${words}`, ...asked })
    const { status, code, charged, actual, message } = expected
    expect(view).toMatchObject({ status, ...NO_PICTURE, cost: { actual } })
    expect(view.error).toEqual({ code, message: expect.stringMatching(message) })
    expect(view.attempts).toMatchObject([{ outcome: code, charged, cost: actual }])
    expect(view.finishedAt).not.toBeNull()
    expect(await picturesOf(view.id)).toEqual([])
    // A key that is refused is refused before the prompt is read.
    const calls = await callsOf(words)
    expect(calls).toHaveLength(asked.provider === 'locked' ? 0 : 1)
    const charges = await chargesOf(words)
    // What we say is true, or says that we do not know.
    if (charged !== 'unknown') expect(charges).toHaveLength(charged === 'yes' ? 1 : 0)
    const rows = await vi.waitFor(async () => {
      const found = await ledgerOf(view.id)
      expect(found).toHaveLength(1)
      return found
    }, 10_000)
    expect(rows[0]).toMatchObject({ attempt: 1, kind: KIND[charged] })
    if (charged !== 'unknown') expect(rows[0]!.micro_usd).toBe(charges[0]?.costMicroUsd ?? 0)
    // No answer, no id: then only time and amount lead from our row to the provider's.
    if (calls[0]?.status) expect(rows[0]!.request_id).toBe(calls[0].id)
  })

  test('three bytes are no picture, though the provider will hardly take them back', async () => {
    const view = await make({ prompt: `[[fault:tiny]] ${prompt()}` })
    expect(view).toMatchObject({ status: 'uncertain', ...NO_PICTURE, error: { code: 'malformed' } })
    expect(view.attempts).toMatchObject([{ charged: 'unknown', cost: null }])
    expect(await picturesOf(view.id)).toEqual([])
  })

  test('cut off after a picture that arrived whole it keeps that picture, and is uncertain all the same', async () => {
    const words = prompt()
    const view = await make({ prompt: `[[fault:drafts]] [[fault:cut at=0.8]] ${words}` })
    expect(view).toMatchObject({ status: 'uncertain', error: { code: 'cut_off' }, cost: { actual: null } })
    expect(view.image).toMatchObject({ width: 512, height: 512 })
    expect(view.moreImages).toHaveLength(1)
    expect(await picturesOf(view.id)).toHaveLength(2)
    expect(await callsOf(words)).toHaveLength(1)
  })

  test.for([
    ['no answer', 'hang'],
    ['half an answer, and then nothing,', 'stall'],
    ['an answer byte by byte that does not end', 'trickle bytes=64 ms=20'],
  ] as const)('%s in time may have been charged, and is not asked for again', async ([, fault]) => {
    const { timeout } = AbortSignal
    const asked = vi.spyOn(AbortSignal, 'timeout').mockImplementation(() => timeout.call(AbortSignal, 700))
    try {
      const words = prompt()
      const view = await make({ prompt: `[[fault:${fault}]] ${words}` })
      expect(view).toMatchObject({ status: 'uncertain', ...NO_PICTURE, error: { code: 'timed_out' } })
      expect(view.attempts).toMatchObject([{ charged: 'unknown', cost: null }])
      expect(asked).toHaveBeenCalledWith(300_000)
      expect(await callsOf(words)).toHaveLength(1)
      expect(await chargesOf(words)).toHaveLength(1)
      expect(await picturesOf(view.id)).toEqual([])
    } finally {
      asked.mockRestore()
    }
  })

  test('a lone picture of the thinking is delivered, and said to be one', async () => {
    const words = prompt()
    const view = await make({ prompt: `[[fault:lone-thought]] ${words}` })
    expect(view).toMatchObject({ status: 'succeeded', image: { thought: true }, cost: { actual: 0.055 } })
    expect(await chargesOf(words)).toHaveLength(1)
  })
})

describe('what has changed since the request was accepted is found before anything is sent', () => {
  const gone = '0'.repeat(64)
  const input = { sha256: gone, mimeType: 'image/png', bytes: 9, key: `references/default/${gone}` } as const
  test.for([
    [
      'a reference that was deleted',
      { inputs: [input] },
      `reference ${gone} is not stored any more; upload it again`,
    ],
    [
      'a provider that was taken away',
      { routes: [{ provider: 'acme', model: 'gemini-3.1-flash-image' }] },
      'acme does not sell gemini-3.1-flash-image here any more',
    ],
  ] as const)('%s', async ([, changes, message]) => {
    const id = generationId('default', crypto.randomUUID())
    const words = prompt()
    await plant({ ...wish(id, { prompt: words }), ...changes })
    await wake(id)
    const record = await recordOf(id)
    expect(record.status).toBe('failed')
    expect(record.attempts).toMatchObject([
      { ending: { verdict: { outcome: 'rejected', charged: 'no', message }, costMicroUsd: 0 } },
    ])
    expect(await callsOf(words)).toEqual([])
  })
})

describe('a provider that repeats the key does not have it shown', () => {
  const key = 'apiyi-key'
  const rpc = (message: string) =>
    JSON.stringify({ error: { code: 401, message, status: 'UNAUTHENTICATED' } })
  test.for<[string, () => Response, RegExp]>([
    [
      'in its words',
      () => new Response(rpc(`Incorrect API key provided: ${key}.`), { status: 401 }),
      /^Incorrect API key provided: \(the provider key\)\.$/,
    ],
    [
      'where a long page is cut',
      () => new Response(`${'x'.repeat(195)}${key} and more`, { status: 403 }),
      /x\(the …$/,
    ],
    ['in an error inside a 200', () => new Response(rpc(`bad key ${key}`)), /^bad key \(the provider key\)$/],
    [
      'in the address that could not be reached',
      () => {
        throw new TypeError(`no route to https://relay.example/?key=${key}`)
      },
      /\?key=\(the provider key\)$/,
    ],
  ])('%s', async ([, answer, message]) => {
    const id = generationId('default', crypto.randomUUID())
    await plant(wish(id, { prompt: prompt(), deadline: 5 }))
    const platformFetch = globalThis.fetch
    const mocked = vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
      if (!String(input).includes('/apiyi/')) return platformFetch(input, init)
      await new Response(init?.body ?? null).text()
      return answer()
    })
    try {
      await wake(id)
    } finally {
      mocked.mockRestore()
    }
    const record = await recordOf(id)
    expect(record.attempts[0]!.ending!.verdict.message).toMatch(message)
    expect(JSON.stringify(record)).not.toContain(key)
    await stub(id).cancel()
  })
})

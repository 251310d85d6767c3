// Budgets: nobody overspends, however many race for the last picture; what was free comes back, what may have been charged
// does not. Charges are counted at the emulator.
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { EstimateView, GenerationView } from '../../core/api.ts'
import { fromUsd } from '../../core/money.ts'
import { generationId } from '../../worker/generation/name.ts'
import { Account } from '../../worker/money/account.ts'
import { ask, askAs, callsOf, chargesOf, problemOf, prompt } from './setup/ask.ts'
import { env } from './setup/bindings.ts'
import { plant, stub, wish } from './setup/objects.ts'
import { askWith, listed, makeToken, postWith } from './setup/tokens.ts'

afterEach(() => vi.restoreAllMocks())

/** The most that a small picture may cost, in micro-USD. */
async function atMost(provider: string, words: string): Promise<number> {
  const body = JSON.stringify({ model: 'nano-banana-2', provider, size: '512', prompt: words })
  const { atMost } = (await (await ask('/api/estimate', { method: 'POST', body })).json()) as EstimateView
  return fromUsd(atMost!)!
}

const usd = (microUsd: number) => microUsd / 1_000_000

/** What is spent or held of a token's whole budget, in micro-USD. */
const committedOf = async (id: string) => fromUsd((await listed(id)).budget.total!.committed)!

/** Once all that has ended is settled. */
const settled = (id: string, microUsd: number) =>
  vi.waitFor(async () => expect(await committedOf(id)).toBe(microUsd), { timeout: 10_000 })

const bill = async (words: string) =>
  (await chargesOf(words)).reduce((sum, { costMicroUsd }) => sum + (costMicroUsd ?? 0), 0)

describe('two clients that race for a budget of ten pictures get exactly ten', () => {
  // Google bills tokens: what it costs in the end is less than what has to be held meanwhile.
  test.for(['apiyi', 'google'])('at %s', { timeout: 60_000 }, async (provider) => {
    const words = `[[fault:slow ms=3000]] ${prompt()}`
    const each = await atMost(provider, words)
    const { id, token } = await makeToken({ budget: { total: usd(10 * each) } })
    const client = () =>
      Array.from({ length: 15 }, () =>
        postWith(
          token,
          { prompt: words, provider },
          { prefer: 'respond-async', 'idempotency-key': crypto.randomUUID() },
        ),
      )
    const responses = await Promise.all([...client(), ...client()])
    const accepted = responses.filter(({ status }) => status === 202)
    expect(accepted).toHaveLength(10)
    for (const refused of responses.filter(({ status }) => status !== 202))
      expect(await problemOf(refused)).toMatchObject({
        code: 'budget_exceeded',
        status: 402,
        charged: 'no',
        budget: { period: 'total', limit: usd(10 * each), committed: usd(10 * each), remaining: 0 },
      })
    const views = await Promise.all(
      accepted.map(async (response) => {
        const { id: generation } = (await response.json()) as GenerationView
        const read = await askWith(token, `/api/generations/${generation}?wait=60`)
        return (await read.json()) as GenerationView
      }),
    )
    for (const view of views) expect(view).toMatchObject({ status: 'succeeded', token: id })
    const charges = await chargesOf(words)
    expect(charges).toHaveLength(10)
    // What was held and not spent is there again.
    await settled(id, await bill(words))
    expect(await bill(words)).toBeLessThanOrEqual(10 * each)
  })

  test('when they ask the objects themselves, each a generation of its own', {
    timeout: 60_000,
  }, async () => {
    const words = prompt()
    const each = await atMost('apiyi', words)
    const { id: token } = await makeToken({ budget: { total: usd(10 * each) } })
    const budget = { total: 10 * each }
    const wishes = Array.from({ length: 40 }, () => ({
      ...wish(generationId('default', crypto.randomUUID()), { prompt: words }),
      token,
      budget,
    }))
    const kinds = await Promise.all(wishes.map(async (one) => (await stub(one.id).ensure(one)).kind))
    expect(kinds.filter((kind) => kind === 'created')).toHaveLength(10)
    expect(kinds.filter((kind) => kind === 'over_budget')).toHaveLength(30)
    await Promise.all(
      wishes.flatMap(({ id }, index) => (kinds[index] === 'created' ? [stub(id).wait(30_000)] : [])),
    )
    expect(await callsOf(words)).toHaveLength(10)
    for (const [index, { id }] of wishes.entries())
      if (kinds[index] === 'over_budget') expect(await stub(id).read()).toBeUndefined()
  })

  test('one after the other, through every surface', { timeout: 60_000 }, async () => {
    const { id, token } = await makeToken({ budget: { total: usd(10 * 55_000) } })
    const words = prompt()
    const json = { method: 'POST', headers: { 'content-type': 'application/json' } }
    const gemini = {
      ...json,
      body: JSON.stringify({
        contents: [{ parts: [{ text: words }] }],
        generationConfig: { imageConfig: { imageSize: '512' } },
      }),
    }
    const openai = { ...json, body: JSON.stringify({ model: 'apiyi/nano-banana-2', prompt: words }) }
    const surfaces = [
      () => postWith(token, { prompt: words }),
      () => askWith(token, '/v1beta/models/apiyi%2Fnano-banana-2:generateContent', gemini),
      () => askWith(token, '/openai/v1/images/generations', openai),
    ]
    const statuses: number[] = []
    for (let n = 0; n < 12; n++) {
      const response = await surfaces[n % 3]!()
      await response.body?.cancel()
      statuses.push(response.status)
    }
    expect(statuses.filter((status) => status < 300)).toHaveLength(10)
    expect(statuses.slice(10)).toEqual([402, 402])
    expect(await callsOf(words)).toHaveLength(10)
    await settled(id, 550_000)
  })
})

describe('a picture that is not there', () => {
  const each = 55_000

  test.for<[string, string, string, string, number]>([
    ['comes back when it was free', '[[fault:model-gone]]', 'failed', 'no', 0],
    ['stays spent when its refusal was charged', '[[fault:refused]]', 'refused', 'yes', each],
    ['counts as spent when nobody can say', '[[fault:cut]]', 'uncertain', 'unknown', each],
  ])('%s', async ([, fault, status, charged, spent]) => {
    const { id, token } = await makeToken({ budget: { total: usd(each) } })
    const response = await postWith(token, { prompt: `${fault} ${prompt()}` })
    expect(await response.json()).toMatchObject({ status, attempts: [{ charged }] })
    await settled(id, spent)
    const next = await postWith(token, { prompt: prompt() })
    expect(next.status).toBe(spent === 0 ? 201 : 402)
  })

  test('that was cancelled comes back', async () => {
    const { id, token } = await makeToken({ budget: { total: usd(each) } })
    const wanted = wish(generationId('default', crypto.randomUUID()), { prompt: prompt() })
    await plant({ ...wanted, token: id, budget: { total: each } })
    expect(await committedOf(id)).toBe(each)
    const cancelled = await askWith(token, `/api/generations/${wanted.id}/cancel`, { method: 'POST' })
    expect(cancelled.status).toBe(200)
    await settled(id, 0)
  })

  test('is held only once under one key, and given again when nothing is left', async () => {
    const { id, token } = await makeToken({ budget: { total: usd(each) } })
    const asked = { prompt: prompt() }
    const key = { 'idempotency-key': crypto.randomUUID() }
    const responses = await Promise.all(Array.from({ length: 8 }, () => postWith(token, asked, key)))
    expect(responses.map(({ status }) => status)).toEqual(Array(8).fill(201))
    await settled(id, each)
    const again = await postWith(token, asked, key)
    expect(again.status).toBe(201)
    expect(again.headers.get('idempotent-replayed')).toBe('true')
    expect((await postWith(token, { prompt: prompt() })).status).toBe(402)
    expect(await callsOf(asked.prompt)).toHaveLength(1)
  })
})

test('what a fallback may cost besides is held as well', async () => {
  const fallback = [{ model: 'nano-banana-pro', provider: 'apiyi', on: ['refused'] }]
  const { token } = await makeToken({ budget: { total: usd(55_000) } })
  const refused = await problemOf(await postWith(token, { prompt: prompt(), size: '1K', fallback }))
  expect(refused).toMatchObject({ code: 'budget_exceeded', budget: { committed: 0, remaining: 0.055 } })
})

test('the limit that lasts longest is told', async () => {
  const { token } = await makeToken({ budget: { day: 0.05, month: 0.05, total: 5 } })
  const refused = await problemOf(await postWith(token, { prompt: prompt() }))
  expect(refused).toMatchObject({ budget: { period: 'month', limit: 0.05, committed: 0, remaining: 0.05 } })
  expect(refused.detail).toBe(
    'this token may spend $0.05 a month; $0.00 are spent or held, and $0.05 are not enough for the most that this picture may cost; ask again next month (UTC), or ask for a cheaper picture or for a token with a larger budget',
  )
})

test('a picture whose price is not known is not made under a budget, and is without one', async () => {
  const relay = {
    baseUrl: `${env.EMULATOR}/locked`,
    wire: { 'nano-banana-2': 'x' },
    keyVariable: 'ANY_KEY',
  }
  const PROVIDERS = JSON.stringify({ unpriced: relay })
  const body = JSON.stringify({ model: 'nano-banana-2', provider: 'unpriced', prompt: prompt() })
  const init = { method: 'POST', body, headers: { prefer: 'respond-async' } }
  const { token } = await makeToken({ budget: { total: 1_000 } })
  const refused = await problemOf(await askWith(token, '/api/generations', init, { PROVIDERS }))
  expect(refused).toMatchObject({ code: 'budget_exceeded', status: 402, charged: 'no' })
  expect(refused.detail).toContain('it is not known what this picture may cost')
  expect(refused.budget).toBeUndefined()
  const free = await makeToken()
  expect((await askWith(free.token, '/api/generations', init, { PROVIDERS })).status).toBe(202)
})

describe('a budget that is used up is told so that no client repeats by itself', () => {
  const native = JSON.stringify({ contents: [{ parts: [{ text: prompt() }] }] })
  const openai = JSON.stringify({ model: 'nano-banana-2', prompt: prompt() })
  const chat = JSON.stringify({ model: 'nano-banana-2', messages: [{ role: 'user', content: prompt() }] })
  const google = {
    error: {
      code: 402,
      status: 'RESOURCE_EXHAUSTED',
      message: expect.stringContaining('this token may spend $0.001 in all'),
      details: [
        {
          '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
          reason: 'BUDGET_EXCEEDED',
          domain: 'proofsheet',
          metadata: { charged: 'no', period: 'total', limit: '0.001', committed: '0', remaining: '0.001' },
        },
      ],
    },
  }
  const other = {
    error: {
      type: 'insufficient_quota',
      code: 'budget_exceeded',
      param: null,
      message: expect.stringContaining('this token may spend $0.001 in all'),
      budget: { period: 'total', limit: 0.001, committed: 0, remaining: 0.001 },
    },
  }

  test.for<[string, string, unknown]>([
    ['/v1beta/models/gemini-3.1-flash-image:generateContent', native, google],
    ['/v1beta/models/gemini-3.1-flash-image:streamGenerateContent?alt=sse', native, google],
    ['/v1beta/models/gemini-3.1-flash-image:streamGenerateContent', native, [google]],
    ['/openai/v1/images/generations', openai, other],
    ['/openai/v1/chat/completions', chat, other],
  ])('%s', async ([path, body, expected]) => {
    const { token } = await makeToken({ budget: { total: 0.001 } })
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` }
    const response = await askAs(path, { method: 'POST', body, headers })
    expect(response.status).toBe(402)
    if (path.startsWith('/openai')) expect(response.headers.get('x-should-retry')).toBe('false')
    expect(response.headers.get('retry-after')).toBeNull()
    expect(await response.json()).toEqual(expected)
  })
})

test('an account that cannot be reached accepts nothing', async () => {
  const reserve = vi
    .spyOn(Account.prototype, 'reserve')
    .mockRejectedValue(new Error('Network connection lost.'))
  const { id, token } = await makeToken({ budget: { total: 1 } })
  const asked = { prompt: prompt() }
  const key = { 'idempotency-key': crypto.randomUUID() }
  const refused = await problemOf(await postWith(token, asked, key))
  expect(refused).toMatchObject({ code: 'unavailable', status: 503, charged: 'no' })
  expect(reserve).toHaveBeenCalled()
  expect(await callsOf(asked.prompt)).toEqual([])
  // The same key again, once it is there.
  reserve.mockRestore()
  expect((await postWith(token, asked, key)).status).toBe(201)
  expect(await callsOf(asked.prompt)).toHaveLength(1)
  await settled(id, 55_000)
})

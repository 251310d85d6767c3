// Tokens beside ADMIN_TOKEN: made, told once, listed, expired, revoked; and what opens nothing.
import { describe, expect, test } from 'vitest'
import { NewTokenSchema, TokenListSchema, TokenSchema } from '../../core/accounts.ts'
import { createApp } from '../../worker/app.ts'
import { ask, askAs, problemOf } from './setup/ask.ts'
import { env } from './setup/bindings.ts'
import { askWith, listed, makeToken } from './setup/tokens.ts'

const make = (body: unknown, token: string = env.ADMIN_TOKEN) =>
  askWith(token, '/api/tokens', { method: 'POST', body: JSON.stringify(body) })
const revoke = (id: string, token: string = env.ADMIN_TOKEN) =>
  askWith(token, `/api/tokens/${id}`, { method: 'DELETE' })

describe('a new token', () => {
  test('is what was asked for, and opens the API at once', async () => {
    const response = await make({
      name: 'shop',
      workspace: 'shop-2',
      scopes: ['read'],
      budget: { day: 1.5, total: 100.000001 },
      perMinute: 60,
      expiresAt: '2099-01-01T00:00:00Z',
    })
    expect(response.status).toBe(201)
    const made = NewTokenSchema.parse(await response.json())
    expect(made).toMatchObject({
      name: 'shop',
      workspace: 'shop-2',
      scopes: ['read'],
      budget: {
        day: { limit: 1.5, committed: 0, remaining: 1.5 },
        total: { limit: 100.000001, committed: 0, remaining: 100.000001 },
      },
      perMinute: 60,
      expiresAt: '2099-01-01T00:00:00.000Z',
      revokedAt: null,
    })
    expect(made.budget).not.toHaveProperty('month')
    expect((await askWith(made.token, '/api/models')).status).toBe(200)
  })

  test('of which only the name is said makes and reads in the workspace of who asks, without limits', async () => {
    expect(await makeToken({ name: 'plain' })).toMatchObject({
      workspace: 'default',
      scopes: ['generate', 'read'],
      budget: {},
      perMinute: null,
      expiresAt: null,
    })
  })

  test('holds 256 random bits, and is stored as their digest alone', async () => {
    const { id, token } = await makeToken()
    expect(token).toMatch(/^ps_[0-9a-z]{10}_[0-9a-z]{52}$/)
    expect(id).toBe(`tok_${token.split('_')[1]}`)
    const secret = token.split('_')[2]!
    expect(secret.slice(0, 26)).not.toBe(secret.slice(26))
    const { results } = await env.DB.prepare('SELECT * FROM tokens WHERE id = ?').bind(id).all()
    expect(JSON.stringify(results)).not.toContain(secret)
    expect(results[0]!.hash).toMatch(/^[0-9a-f]{64}$/)
    expect(JSON.stringify(await listed(id))).not.toContain(secret)
  })

  test.for<[string, Record<string, unknown>, string, string?]>([
    ['without a name', {}, 'name'],
    ['with an unknown field', { name: 'x', spend: 1 }, 'spend'],
    ['with a workspace that is none', { name: 'x', workspace: 'default.emulated' }, 'workspace'],
    ['with an unknown scope', { name: 'x', scopes: ['write'] }, 'scopes[0]'],
    ['without a scope', { name: 'x', scopes: [] }, 'scopes', 'must not be empty'],
    [
      'with a budget that limits nothing',
      { name: 'x', budget: {} },
      'budget',
      'give day, month or total; without `budget` it is unlimited',
    ],
    [
      'with an expiry that is no instant',
      { name: 'x', expiresAt: 'tomorrow' },
      'expiresAt',
      'must be an instant of UTC, such as 2026-11-21T09:30:00Z',
    ],
    ['with a budget of nothing', { name: 'x', budget: { day: 0 } }, 'budget.day'],
    ['with a budget finer than a micro-dollar', { name: 'x', budget: { day: 0.0000001 } }, 'budget.day'],
    ['with an expiry in the past', { name: 'x', expiresAt: '2020-01-01T00:00:00Z' }, 'expiresAt'],
    ['with calls that are no number of calls', { name: 'x', perMinute: 0.5 }, 'perMinute'],
  ])('is refused %s', async ([, body, path, message]) => {
    const problem = await problemOf(await make(body))
    expect(problem).toMatchObject({
      code: 'invalid_request',
      errors: [{ path, ...(message ? { message } : {}) }],
    })
  })
})

describe('the list of tokens', () => {
  test('tells each with its budget, the newest first, and revoked ones stay in it', async () => {
    const first = await makeToken({ name: 'first' })
    await revoke(first.id)
    const second = await makeToken({ name: 'second', budget: { month: 3 } })
    const { tokens } = TokenListSchema.parse(await (await ask('/api/tokens')).json())
    const [one, other] = tokens.filter(({ id }) => [first.id, second.id].includes(id))
    expect(one).toMatchObject({ id: second.id, budget: { month: { limit: 3, committed: 0, remaining: 3 } } })
    expect(other).toMatchObject({ id: first.id, name: 'first', revokedAt: expect.any(String) })
  })
})

describe('the list of tokens in pages', () => {
  test('tells every token once, and asks only for the accounts of its page', async () => {
    const admin = await makeToken({ workspace: 'paged', scopes: ['admin'] })
    const made = [admin.id]
    for (const name of ['a', 'b', 'c', 'd'])
      made.push((await makeToken({ name, workspace: 'paged', budget: { total: 1 } })).id)
    let asked = 0
    const ACCOUNT = {
      idFromName: (name: string) => env.ACCOUNT.idFromName(name),
      get: (...args: Parameters<typeof env.ACCOUNT.get>) => {
        asked++
        return env.ACCOUNT.get(...args)
      },
    }
    const page = async (query: string) =>
      TokenListSchema.parse(
        await (await askWith(admin.token, `/api/tokens?limit=2${query}`, {}, { ACCOUNT })).json(),
      )
    const first = await page('')
    expect([first.tokens.length, asked]).toEqual([2, 2])
    const second = await page(`&cursor=${first.cursor}`)
    const third = await page(`&cursor=${second.cursor}`)
    const seen = [...first.tokens, ...second.tokens, ...third.tokens].map(({ id }) => id)
    expect([seen.toSorted(), third.cursor]).toEqual([made.toSorted(), null])
  })

  test.for(['cursor=1', 'cursor=1.gen_00000000000000000000000001', 'limit=0', 'limit=101'])(
    '?%s is refused',
    async (query) => {
      expect(await problemOf(await ask(`/api/tokens?${query}`))).toMatchObject({ code: 'invalid_request' })
    },
  )
})

describe('a token with the scope admin', () => {
  test('makes, lists and revokes those of its own workspace', async () => {
    const admin = await makeToken({ workspace: 'a', scopes: ['admin'] })
    const response = await make({ name: 'of a' }, admin.token)
    const made = NewTokenSchema.parse(await response.json())
    expect(made.workspace).toBe('a')
    const { tokens } = TokenListSchema.parse(await (await askWith(admin.token, '/api/tokens')).json())
    expect(tokens.map(({ id }) => id).sort()).toEqual([admin.id, made.id].sort())
    expect(TokenSchema.parse(await (await revoke(made.id, admin.token)).json()).revokedAt).not.toBeNull()
  })

  test('neither sees nor touches those of another', async () => {
    const admin = await makeToken({ workspace: 'b', scopes: ['admin'] })
    const other = await makeToken({ workspace: 'c' })
    expect(await problemOf(await make({ name: 'x', workspace: 'c' }, admin.token))).toMatchObject({
      code: 'forbidden',
      charged: 'no',
    })
    const unknown = await problemOf(await revoke('tok_none', admin.token))
    const foreign = await problemOf(await revoke(other.id, admin.token))
    expect(foreign).toMatchObject({ code: 'not_found', detail: `there is no token ${other.id}` })
    expect(unknown).toMatchObject({ code: 'not_found', detail: 'there is no token tok_none' })
    expect((await askWith(other.token, '/api/models')).status).toBe(200)
  })
})

describe('a token opens nothing', () => {
  test('from the next call on after it was revoked, however often that is asked for', async () => {
    const { id, token } = await makeToken()
    expect((await askWith(token, '/api/models')).status).toBe(200)
    const first = TokenSchema.parse(await (await revoke(id)).json())
    expect(TokenSchema.parse(await (await revoke(id)).json()).revokedAt).toBe(first.revokedAt)
    const problem = await problemOf(await askWith(token, '/api/models'))
    expect(problem).toMatchObject({ code: 'unauthorised', detail: 'this token was revoked; ask for another' })
  })

  test('once it has expired, to the millisecond', async () => {
    const expiresAt = '2098-05-01T12:00:00.000Z'
    const { token } = await makeToken({ expiresAt })
    const at = (now: number) => {
      const app = createApp(
        () => {},
        () => now,
      )
      const headers = { authorization: `Bearer ${token}` }
      return app.fetch(new Request('https://proofsheet.test/api/models', { headers }), env)
    }
    expect((await at(Date.parse(expiresAt) - 1)).status).toBe(200)
    const problem = await problemOf(await at(Date.parse(expiresAt)))
    expect(problem).toMatchObject({ code: 'unauthorised', detail: expect.stringContaining(expiresAt) })
  })

  test('with another secret, another id or in another spelling, and every refusal says the same', async () => {
    const { token } = await makeToken()
    const other = await makeToken()
    const [, id, secret] = token.split('_')
    const wrong = [
      `ps_${id}_${'0'.repeat(52)}`,
      `ps_${id}_${other.token.split('_')[2]}`,
      `ps_0000000000_${secret}`,
      `ps_${id}_${secret!.toUpperCase()}`,
      `ps_${id}_${secret!.slice(0, -1)}`,
      `ps_${id}_`,
      `ps_${id}`,
      `tok_${id}`,
      secret!,
      `${token}x`,
      'admin',
    ]
    const answers = await Promise.all(
      wrong.map(async (sent) => {
        const response = await askWith(sent, '/api/models')
        const { requestId: _, ...problem } = await problemOf(response)
        return [response.status, problem]
      }),
    )
    for (const answer of answers) expect(answer).toEqual(answers[0])
    expect(answers[0]).toMatchObject([401, { code: 'unauthorised', detail: 'this token is not known' }])
  })
})

describe('a token comes in each of the three ways, on every surface', () => {
  test.for(['/api/models', '/v1beta/models', '/v1/models', '/openai/v1/models'])('%s', async (path) => {
    const { token } = await makeToken({ scopes: ['read'] })
    const ways: [string, Record<string, string>][] = [
      [path, { authorization: `Bearer ${token}` }],
      [path, { 'x-goog-api-key': token }],
      [`${path}?key=${token}`, {}],
    ]
    for (const [address, headers] of ways) expect((await askAs(address, { headers })).status).toBe(200)
  })
})

describe('while D1 is down', () => {
  const down = {
    DB: {
      prepare() {
        throw new Error('D1_ERROR: no connection')
      },
    },
  }

  test('ADMIN_TOKEN opens the API all the same', async () => {
    expect((await ask('/api/models', {}, down)).status).toBe(200)
  })

  test.for<[string, string, number, unknown]>([
    ['the API', '/api/models', 503, { code: 'unavailable', charged: 'no', retryAfterMs: 5_000 }],
    ['the Gemini drop-in', '/v1beta/models', 503, { error: { code: 503, status: 'UNAVAILABLE' } }],
    [
      'the OpenAI drop-in',
      '/openai/v1/models',
      503,
      { error: { code: 'unavailable', type: 'server_error' } },
    ],
  ])('%s tells other tokens that it is not available', async ([, path, status, body]) => {
    const { token } = await makeToken()
    const response = await askWith(token, path, {}, down)
    expect(response.status).toBe(status)
    expect(await response.json()).toMatchObject(body as object)
  })

  test('tokens cannot be made, listed or revoked, and that is said', async () => {
    const body = JSON.stringify({ name: 'x' })
    for (const [path, init] of [
      ['/api/tokens', { method: 'POST', body }],
      ['/api/tokens', {}],
      ['/api/tokens/tok_1', { method: 'DELETE' }],
    ] as const)
      expect(await problemOf(await ask(path, init, down))).toMatchObject({ code: 'unavailable' })
  })
})

test('without ADMIN_TOKEN a token opens nothing', async () => {
  const { token } = await makeToken()
  const response = await askWith(token, '/api/models', {}, { ADMIN_TOKEN: '' })
  expect(await problemOf(response)).toMatchObject({ code: 'misconfigured' })
})

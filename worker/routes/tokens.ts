// /api/tokens: who else may call, what they may do, and how much they may spend. ADMIN_TOKEN acts for every workspace, a
// token with the scope admin for its own.
import type { Context } from 'hono'
import { TokenRequestSchema, type TokenView } from '../../core/accounts.ts'
import { BUDGET_PERIODS } from '../../core/api.ts'
import { CONTRACT } from '../../core/contract.ts'
import { fromUsd, toUsd } from '../../core/money.ts'
import { NEW_TOKEN, TOKEN } from '../description/examples.ts'
import type { AppEnv } from '../env.ts'
import { ADMIN } from '../http/auth.ts'
import { declare, routes } from '../http/declare.ts'
import { parse, readJson } from '../http/input.ts'
import { pageWishOf } from '../http/page.ts'
import { fieldProblem, Problem } from '../http/problem.ts'
import { reached } from '../http/reach.ts'
import type { Budget } from '../money/budget.ts'
import { listTokens, makeToken, revokeToken, type TokenRow } from '../money/tokens.ts'
import { accountName, accountStub } from '../objects.ts'

const MAX_BODY_BYTES = 64 * 1024

const create = declare(CONTRACT.makeToken, {
  summary: 'Make a token',
  description:
    'The answer tells the token, this once: only its hash is stored. A token with the scope `admin` makes tokens of its own workspace, with any budget; ADMIN_TOKEN makes them for every workspace.',
  tag: 'Tokens',
  answers: { 201: { description: 'It may be used at once.', example: NEW_TOKEN } },
  problems: ['invalid_json', 'invalid_request', 'payload_too_large'],
})

const list = declare(CONTRACT.listTokens, {
  summary: 'The tokens of the workspace, and how their budgets stand',
  description: 'Newest first; with ADMIN_TOKEN those of every workspace. Revoked ones stay in it.',
  tag: 'Tokens',
  answers: { 200: { description: 'A page of tokens.', example: { tokens: [TOKEN], cursor: null } } },
  problems: ['invalid_request'],
})

const revoke = declare(CONTRACT.revokeToken, {
  summary: 'Revoke a token',
  description:
    'From the next call on it opens nothing. Generations that it asked for go on being made; lines of its batches that have not begun are not bought. Asked again it says the same.',
  tag: 'Tokens',
  answers: {
    200: { description: 'It is revoked.', example: { ...TOKEN, revokedAt: '2026-11-21T10:00:00.000Z' } },
  },
  problems: ['not_found'],
})

export const tokens = routes()
  .openapi(create, async (c) => {
    const { caller, now } = c.var
    const wanted = parse(TokenRequestSchema, await readJson(c.req.raw, MAX_BODY_BYTES))
    const workspace = wanted.workspace ?? caller.workspace
    if (caller.token !== ADMIN.token && workspace !== caller.workspace)
      throw new Problem(
        'forbidden',
        `workspace: this token makes tokens of the workspace ${caller.workspace} only; leave \`workspace\` out, or use ADMIN_TOKEN`,
      )
    const createdAt = now()
    const expiresAt = wanted.expiresAt === undefined ? undefined : Date.parse(wanted.expiresAt)
    if (expiresAt !== undefined && expiresAt <= createdAt)
      throw fieldProblem('expiresAt', 'must be in the future')
    const row = {
      name: wanted.name,
      workspace,
      scopes: wanted.scopes ?? (['generate', 'read'] as const),
      budget: budgetOf(wanted.budget),
      ...(wanted.perMinute === undefined ? {} : { perMinute: wanted.perMinute }),
      createdAt,
      ...(expiresAt === undefined ? {} : { expiresAt }),
    }
    const made = await reached(c.var, 'the list of tokens', () => makeToken(c.env.DB, row))
    return c.json({ ...(await viewOf(c, made.row)), token: made.token }, 201)
  })
  .openapi(list, async (c) => {
    const wish = pageWishOf(c.req.valid('query'), 'tok')
    const { rows, cursor } = await reached(c.var, 'the list of tokens', () =>
      listTokens(c.env.DB, wish, reachOf(c)),
    )
    return c.json({ tokens: await Promise.all(rows.map((row) => viewOf(c, row))), cursor }, 200)
  })
  .openapi(revoke, async (c) => {
    const { id } = c.req.valid('param')
    const row = await reached(c.var, 'the list of tokens', () =>
      revokeToken(c.env.DB, id, c.var.now(), reachOf(c)),
    )
    if (!row) throw new Problem('not_found', `there is no token ${id}`)
    return c.json(await viewOf(c, row), 200)
  })

/** The workspace whose tokens the caller administers; undefined: all. */
function reachOf(c: Context<AppEnv>): string | undefined {
  const { caller } = c.var
  return caller.token === ADMIN.token ? undefined : caller.workspace
}

function budgetOf(budget: ReturnType<typeof TokenRequestSchema.parse>['budget'] = {}): Budget {
  const limits = BUDGET_PERIODS.flatMap((period) => {
    const usd = budget[period]
    if (usd === undefined) return []
    const limit = fromUsd(usd)
    if (limit === undefined) throw fieldProblem(`budget.${period}`, 'USD with at most six decimals')
    return [[period, limit] as const]
  })
  return Object.fromEntries(limits)
}

async function viewOf(c: Context<AppEnv>, row: TokenRow): Promise<TokenView> {
  const { id, budget } = row
  const hasBudget = Object.keys(budget).length > 0
  const account = accountName({ token: id, emulated: c.var.market.emulated })
  const standing = hasBudget
    ? await reached(c.var, 'the account of a token', () => accountStub(c.env, account).standing(budget))
    : {}
  const stands = BUDGET_PERIODS.flatMap((period) => {
    const limit = standing[period]
    if (!limit) return []
    const { limit: most, committed, remaining } = limit
    return [
      [period, { limit: toUsd(most), committed: toUsd(committed), remaining: toUsd(remaining) }] as const,
    ]
  })
  return {
    id,
    name: row.name,
    workspace: row.workspace,
    scopes: [...row.scopes],
    budget: Object.fromEntries(stands),
    perMinute: row.perMinute ?? null,
    createdAt: instant(row.createdAt)!,
    expiresAt: instant(row.expiresAt),
    revokedAt: instant(row.revokedAt),
  }
}

function instant(at: number | undefined): string | null {
  return at === undefined ? null : new Date(at).toISOString()
}

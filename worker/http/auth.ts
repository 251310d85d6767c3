// Who is calling. A token comes as `Authorization: Bearer`, `x-goog-api-key` or `?key=`, because Google's clients and
// the relays' examples each know only one of these. Without ADMIN_TOKEN every call is refused. ADMIN_TOKEN needs no
// database; any other token is looked up at every call.
import type { Context, MiddlewareHandler } from 'hono'
import { SCOPES, type Scope } from '../../core/accounts.ts'
import type { Market } from '../../core/market.ts'
import type { AppEnv } from '../env.ts'
import { sha256 } from '../generation/name.ts'
import type { Budget } from '../money/budget.ts'
import { equalDigests, findToken, type TokenRow } from '../money/tokens.ts'
import { Problem } from './problem.ts'
import { countCall } from './rate.ts'
import { reached } from './reach.ts'

/** Who is calling. */
export type Caller = {
  /** Id of the token; `admin` for ADMIN_TOKEN. */
  token: string
  name: string
  workspace: string
  scopes: readonly Scope[]
  /** Absent: unlimited. */
  budget?: Budget
  /** Calls of the API in a minute; absent: unlimited. */
  perMinute?: number
}

/** Whose ADMIN_TOKEN is: it acts in this workspace, and may make tokens of any. */
export const ADMIN: Caller = { token: 'admin', name: 'ADMIN_TOKEN', workspace: 'default', scopes: SCOPES }

/** Requires a token, counts the call and sets `caller` and `workspace`. Throws `unauthorised`, `too_many_requests` and,
 *  when a token cannot be looked up, `unavailable`. */
export const authenticate: MiddlewareHandler<AppEnv> = async function authenticate(c, next) {
  const admin = c.env.ADMIN_TOKEN
  if (!admin)
    throw new Problem('misconfigured', 'ADMIN_TOKEN is not set: run `wrangler secret put ADMIN_TOKEN`')
  const token = tokenOf(c)
  if (!token)
    throw new Problem(
      'unauthorised',
      'send the token as `Authorization: Bearer <token>`, `x-goog-api-key` or `?key=`',
    )
  // Over digests, so that neither length nor prefix shows in the time taken.
  const caller = equalDigests(sha256(token), sha256(admin)) ? ADMIN : await callerOf(c, token)
  c.set('caller', caller)
  c.set('workspace', storedAs(c.var.market, caller.workspace))
  await countCall(c)
  await next()
}

/** The name under which what belongs to a workspace is stored. What the emulator drew is kept apart, so that it never
 *  passes for a bought picture. */
export function storedAs({ emulated }: Pick<Market, 'emulated'>, workspace: string): string {
  return emulated ? `${workspace}.emulated` : workspace
}

/** The token of a call, however it came; undefined when none did. */
export function tokenOf(c: Context<AppEnv>): string | undefined {
  const bearer = /^Bearer +(.+)$/i.exec(c.req.header('authorization') ?? '')?.[1]
  return bearer ?? c.req.header('x-goog-api-key') ?? c.req.query('key')
}

async function callerOf(c: Context<AppEnv>, token: string): Promise<Caller> {
  const row = await reached(c.var, 'the list of tokens', () => findToken(c.env.DB, token))
  if (!row) throw new Problem('unauthorised', 'this token is not known')
  // Whoever has the secret may know what became of it.
  if (row.revokedAt !== undefined)
    throw new Problem('unauthorised', 'this token was revoked; ask for another')
  if (row.expiresAt !== undefined && row.expiresAt <= c.var.now())
    throw new Problem(
      'unauthorised',
      `this token expired at ${new Date(row.expiresAt).toISOString()}; ask for another`,
    )
  return ofRow(row)
}

function ofRow({ id, name, workspace, scopes, budget, perMinute }: TokenRow): Caller {
  return {
    token: id,
    name,
    workspace,
    scopes,
    ...(Object.keys(budget).length > 0 ? { budget } : {}),
    ...(perMinute === undefined ? {} : { perMinute }),
  }
}

// Who is calling. A token comes as `Authorization: Bearer`, `x-goog-api-key` or `?key=`, because Google's clients and
// the relays' examples each know only one of these. Without ADMIN_TOKEN every call is refused.
import { createHash } from 'node:crypto'
import type { Context, MiddlewareHandler } from 'hono'
import type { Scope } from '../../core/accounts.ts'
import type { AppEnv } from '../env.ts'
import type { Budget } from '../money/budget.ts'
import { Problem } from './problem.ts'

/** Who is calling. */
export type Caller = {
  /** Id of the token; `admin` for ADMIN_TOKEN. */
  token: string
  name: string
  workspace: string
  scopes: readonly Scope[]
  /** Absent: unlimited. */
  budget?: Budget
}

const ADMIN: Caller = {
  token: 'admin',
  name: 'ADMIN_TOKEN',
  workspace: 'default',
  scopes: ['generate', 'read', 'admin'],
}

/** Requires a token and sets `workspace`. Throws `unauthorised`. */
export const authenticate: MiddlewareHandler<AppEnv> = async function authenticate(c, next) {
  const expected = c.env.ADMIN_TOKEN
  if (!expected)
    throw new Problem('misconfigured', 'ADMIN_TOKEN is not set: run `wrangler secret put ADMIN_TOKEN`')
  const token = tokenOf(c)
  if (!token)
    throw new Problem(
      'unauthorised',
      'send the token as `Authorization: Bearer <token>`, `x-goog-api-key` or `?key=`',
    )
  if (!equal(token, expected)) throw new Problem('unauthorised', 'this token is not known')
  // What the emulator drew is kept apart, so that it never passes for a bought picture.
  c.set('caller', ADMIN)
  c.set('workspace', c.var.market.emulated ? `${ADMIN.workspace}.emulated` : ADMIN.workspace)
  await next()
}

/** The token of a call, however it came; undefined when none did. */
export function tokenOf(c: Context<AppEnv>): string | undefined {
  const bearer = /^Bearer +(.+)$/i.exec(c.req.header('authorization') ?? '')?.[1]
  return bearer ?? c.req.header('x-goog-api-key') ?? c.req.query('key')
}

/** Compares over digests, so that neither length nor prefix shows in the time taken. */
function equal(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return crypto.subtle.timingSafeEqual(digest(a), digest(b))
}

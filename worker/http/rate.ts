// How many calls a token may make, as its caller is told: `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-
// headers-10, structured fields) on every answer to a token that has a limit, and `Retry-After` once it is reached.
import type { Context, MiddlewareHandler } from 'hono'
import type { AppEnv } from '../env.ts'
import { type RateStanding, WINDOW_MS } from '../money/rate.ts'
import { accountStub } from '../objects.ts'
import { Problem } from './problem.ts'
import { reached } from './reach.ts'

/** Writes the headers, whatever surface has answered, and however. */
export const rateHeaders: MiddlewareHandler<AppEnv> = async function rateHeaders(c, next) {
  await next()
  const { rate } = c.var
  if (!rate) return
  const seconds = Math.ceil(rate.resetMs / 1_000)
  c.header('ratelimit-policy', `"minute";q=${rate.limit};w=${WINDOW_MS / 1_000}`)
  c.header('ratelimit', `"minute";r=${rate.remaining};t=${seconds}`)
  if (!rate.isAdmitted) c.header('retry-after', String(seconds))
}

/** Counts a call of the caller's token. Throws `too_many_requests`, and `unavailable` when nobody can say. */
export async function countCall(c: Context<AppEnv>): Promise<void> {
  const { caller, now } = c.var
  const { perMinute } = caller
  if (perMinute === undefined) return
  const rate: RateStanding = await reached(c.var, 'the count of your calls', () =>
    accountStub(c.env, caller.token).admit(perMinute, now()),
  )
  c.set('rate', rate)
  if (rate.isAdmitted) return
  const seconds = Math.ceil(rate.resetMs / 1_000)
  throw new Problem(
    'too_many_requests',
    `this token may make ${perMinute} ${perMinute === 1 ? 'call' : 'calls'} a minute; the next one is taken in ${seconds} s`,
    { retryAfterMs: rate.resetMs },
  )
}

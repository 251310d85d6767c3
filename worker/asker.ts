// On whose behalf something is asked for, and with what: an HTTP call, or a batch where there is none.
import type { Context } from 'hono'
import type { Market } from '../core/market.ts'
import type { AppEnv, Env } from './env.ts'
import type { Caller } from './http/auth.ts'
import type { Log } from './log.ts'

export type Asker = {
  env: Env
  market: Market
  caller: Caller
  /** Whose generations and references the call sees: the caller's, apart from what the emulator drew. */
  workspace: string
  /** Where pictures are served from, no trailing slash. */
  imagesUrl: string
  requestId: string
  log: Log
  /** The clock, in epoch ms. */
  now: () => number
  /** When the call reached the worker, epoch ms. */
  arrivedAt: number
}

export function askerOf(c: Context<AppEnv>): Asker {
  return { env: c.env, ...c.var }
}

// On whose behalf something is asked for, and with what: an HTTP call, or a batch where there is none.
import type { Context } from 'hono'
import type { AppEnv, Env } from './env.ts'

export type Asker = Omit<AppEnv['Variables'], 'rate'> & { env: Env }

export function askerOf(c: Context<AppEnv>): Asker {
  return { env: c.env, ...c.var }
}

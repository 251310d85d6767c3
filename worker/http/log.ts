// One JSON line per request and one per attempt, each from here. Never prompts, keys, tokens or query strings.
import type { MiddlewareHandler } from 'hono'
import type { AppEnv } from '../env.ts'

/** Writes a line of the log. */
export type Log = (line: { event: string; [field: string]: string | number | boolean | null }) => void

/** The log of a deployed worker: lines of JSON on the console. */
export const consoleLog: Log = (line) => console.log(JSON.stringify(line))

/** Logs every request when it is answered. */
export function requestLog(log: Log, now: () => number): MiddlewareHandler<AppEnv> {
  return async function requestLogger(c, next) {
    const startedAt = now()
    await next()
    log({
      event: 'request',
      requestId: c.var.requestId,
      method: c.req.method,
      path: c.req.path.replace(/^\/images\/.+/, '/images/*'),
      status: c.res.status,
      ms: now() - startedAt,
    })
  }
}

// One line of the log per request. Never a query string: it may hold a token.
import type { MiddlewareHandler } from 'hono'
import type { AppEnv } from '../env.ts'
import type { Log } from '../log.ts'

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

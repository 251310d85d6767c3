// One line of the log per request, and one per bug. Never a query string: it may hold a token.
import type { MiddlewareHandler } from 'hono'
import type { Asker } from '../asker.ts'
import type { AppEnv } from '../env.ts'
import type { Log } from '../log.ts'

/** Logs every request when it is answered; sets `log` and `now`. */
export function requestLog(log: Log, now: () => number): MiddlewareHandler<AppEnv> {
  return async function requestLogger(c, next) {
    c.set('log', log)
    c.set('now', now)
    const startedAt = now()
    c.set('arrivedAt', startedAt)
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

/** Logs what nobody foresaw, for every surface's own error writer. */
export function logBug({ log, requestId }: Pick<Asker, 'log' | 'requestId'>, error: unknown): void {
  const text = error instanceof Error ? error.stack : undefined
  log({ event: 'bug', requestId, error: text ?? String(error) })
}

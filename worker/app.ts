// The Hono application: what every request passes through, and which resource answers where.
import { OpenAPIHono } from '@hono/zod-openapi'
import { methodNotAllowed } from 'hono/method-not-allowed'
import { requestId } from 'hono/request-id'
import { ConfigurationError, marketOf } from '../core/market.ts'
import type { AppEnv } from './env.ts'
import { authenticate } from './http/auth.ts'
import { requestLog } from './http/log.ts'
import { market } from './http/market.ts'
import { Problem, problemResponse } from './http/problem.ts'
import type { Log } from './log.ts'
import { estimate } from './routes/estimate.ts'
import { gemini } from './routes/gemini.ts'
import { generations } from './routes/generations.ts'
import { images } from './routes/images.ts'
import { models } from './routes/models.ts'
import { openai } from './routes/openai.ts'
import { references } from './routes/references.ts'

/** The application. `log` and `now` are its only effects beside the bindings. */
export function createApp(log: Log, now: () => number) {
  const app = new OpenAPIHono<AppEnv>()
  app.use(requestId(), requestLog(log, now))
  app.use(
    methodNotAllowed({
      app,
      onMethodNotAllowed(c, methods) {
        const allow = methods.join(', ')
        const problem = new Problem('method_not_allowed', `${c.req.path} takes ${allow}, not ${c.req.method}`)
        const response = problemResponse(problem, c.var.requestId)
        response.headers.set('allow', allow)
        return response
      },
    }),
  )
  app.get('/healthz', (c) => c.json({ ok: true, emulated: marketOf(c.env).emulated }))
  app.route('/images', images)
  app.use('/api/*', market, authenticate)
  app.route('/api/generations', generations)
  app.route('/api/references', references)
  app.route('/api/estimate', estimate)
  app.route('/api/models', models)
  app.route('/v1beta', gemini)
  app.route('/v1', gemini)
  app.route('/openai/v1', openai)

  app.notFound((c) =>
    problemResponse(new Problem('not_found', `there is nothing at ${c.req.path}`), c.var.requestId),
  )
  app.onError((error, c) => {
    if (error instanceof Problem) return problemResponse(error, c.var.requestId)
    if (error instanceof ConfigurationError)
      return problemResponse(new Problem('misconfigured', error.message), c.var.requestId)
    log({ event: 'bug', requestId: c.var.requestId, error: error.stack ?? String(error) })
    return problemResponse(
      new Problem('internal', 'something went wrong; the request id finds it'),
      c.var.requestId,
    )
  })
  return app
}

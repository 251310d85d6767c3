// The Hono application: what every request passes through, and which resource answers where.
import { OpenAPIHono } from '@hono/zod-openapi'
import { methodNotAllowed } from 'hono/method-not-allowed'
import { requestId } from 'hono/request-id'
import { CONTRACT } from '../core/contract.ts'
import { ConfigurationError } from '../core/market.ts'
import type { AppEnv } from './env.ts'
import { authenticate } from './http/auth.ts'
import { browsers } from './http/browsers.ts'
import { logBug, requestLog } from './http/log.ts'
import { market } from './http/market.ts'
import { Problem, problemResponse } from './http/problem.ts'
import { rateHeaders } from './http/rate.ts'
import type { Log } from './log.ts'
import { batches } from './routes/batches.ts'
import { description } from './routes/description.ts'
import { estimate } from './routes/estimate.ts'
import { gemini, geminiUploads } from './routes/gemini.ts'
import { generations } from './routes/generations.ts'
import { health } from './routes/health.ts'
import { images } from './routes/images.ts'
import { models } from './routes/models.ts'
import { openai } from './routes/openai.ts'
import { references } from './routes/references.ts'
import { tokens } from './routes/tokens.ts'
import { usage } from './routes/usage.ts'

/** What may have accepted a generation before a bug: the drop-ins tell their own errors. */
const BUYING = [CONTRACT.makeGeneration.path, CONTRACT.makeBatch.path]

/** The application. `log` and `now` are its only effects beside the bindings. */
export function createApp(log: Log, now: () => number) {
  const app = new OpenAPIHono<AppEnv>()
  app.use(requestId(), requestLog(log, now), browsers, rateHeaders)
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
  app.route('/', health)
  app.route('/', images)
  app.use('/api/*', market, authenticate)
  for (const resource of [generations, batches, references, estimate, models, usage, tokens])
    app.route('/', resource)
  app.route('/', description(app))
  app.route('/v1beta', gemini)
  app.route('/v1', gemini)
  app.route('/upload', geminiUploads)
  app.route('/openai/v1', openai)

  app.notFound((c) =>
    problemResponse(new Problem('not_found', `there is nothing at ${c.req.path}`), c.var.requestId),
  )
  app.onError((error, c) => {
    if (error instanceof Problem) return problemResponse(error, c.var.requestId)
    if (error instanceof ConfigurationError)
      return problemResponse(new Problem('misconfigured', error.message), c.var.requestId)
    logBug(c.var, error)
    return problemResponse(
      new Problem('internal', 'something went wrong; the request id finds it', {
        mayBeCharged: c.req.method === 'POST' && BUYING.some((path) => path === c.req.path),
      }),
      c.var.requestId,
    )
  })
  return app
}

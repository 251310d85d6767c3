// What this deployment sells, read from its variables once per request.
import type { MiddlewareHandler } from 'hono'
import { marketOf } from '../../core/market.ts'
import type { AppEnv } from '../env.ts'

/** Sets `market` and `imagesUrl`. Throws ConfigurationError. */
export const market: MiddlewareHandler<AppEnv> = async function market(c, next) {
  c.set('market', marketOf(c.env))
  c.set('imagesUrl', (c.env.PUBLIC_BASE_URL ?? `${new URL(c.req.url).origin}/images`).replace(/\/+$/, ''))
  await next()
}

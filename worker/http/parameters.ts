// What may stand behind the `?` of a call. A misspelt name would be left out silently, and the answer be that to another
// question.
import type { MiddlewareHandler } from 'hono'
import type { Endpoint } from '../../core/contract.ts'
import type { AppEnv } from '../env.ts'
import { Problem } from './problem.ts'

/** The token may come there (auth.ts). */
const TOKEN = 'key'

/** Refuses parameters that the call does not have. Throws `invalid_request`. */
export function knownParameters({ request }: Endpoint): MiddlewareHandler<AppEnv> {
  const known = Object.keys(request?.query?.shape ?? {})
  const hint = known.length > 0 ? `there are ${known.join(', ')}` : 'this call takes none'
  return async function refuseUnknown(c, next) {
    const unknown = Object.keys(c.req.queries()).filter((name) => name !== TOKEN && !known.includes(name))
    if (unknown.length > 0)
      throw new Problem('invalid_request', `unknown parameter ${unknown.join(', ')}: ${hint}`, {
        errors: unknown.map((path) => ({ path, message: 'unknown parameter' })),
      })
    await next()
  }
}

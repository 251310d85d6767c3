// What a token needs for each call: the one table of it. `generate` is for whatever may buy or store, `read` for whatever
// only tells, `admin` for tokens; `admin` holds the others. What needs no token is not in it.
import type { MiddlewareHandler } from 'hono'
import type { Scope } from '../../core/accounts.ts'
import type { CONTRACT } from '../../core/contract.ts'
import type { AppEnv } from '../env.ts'
import { Problem } from './problem.ts'

/** The names of the calls that want a token. */
type Guarded = {
  [Name in keyof typeof CONTRACT]: (typeof CONTRACT)[Name] extends { open: true } ? never : Name
}[keyof typeof CONTRACT]

/** The scope of each call of the API. */
export const SCOPE_OF: Readonly<Record<Guarded, Scope>> = {
  makeGeneration: 'generate',
  listGenerations: 'read',
  readGeneration: 'read',
  cancelGeneration: 'generate',
  makeBatch: 'generate',
  listBatches: 'read',
  readBatch: 'read',
  batchResults: 'read',
  cancelBatch: 'generate',
  usage: 'read',
  makeToken: 'admin',
  listTokens: 'admin',
  revokeToken: 'admin',
  storeReference: 'generate',
  putReference: 'generate',
  readReference: 'read',
  estimate: 'read',
  models: 'read',
}

/** What `generate`, `read` and `admin` open, in words. */
const OPENS: Record<Scope, string> = {
  generate: 'make pictures and store references',
  read: 'read what can be made, what was made and what it costs',
  admin: 'make, list and revoke tokens',
}

/** Requires a scope of the caller's token. Throws `forbidden`. */
export function requires(scope: Scope): MiddlewareHandler<AppEnv> {
  return async function requiresScope(c, next) {
    checkScope(c.var.caller.scopes, scope)
    await next()
  }
}

/** The same for the drop-ins: a GET and the counting of tokens tell something, any other call may buy. */
export const requiresDropIn: MiddlewareHandler<AppEnv> = async function requiresDropIn(c, next) {
  const tells = c.req.method === 'GET' || c.req.method === 'HEAD' || /(?::|%3a)countTokens$/i.test(c.req.path)
  checkScope(c.var.caller.scopes, tells ? 'read' : 'generate')
  await next()
}

function checkScope(scopes: readonly Scope[], needed: Scope): void {
  if (scopes.includes(needed) || scopes.includes('admin')) return
  throw new Problem(
    'forbidden',
    `this token may not ${OPENS[needed]}: it lacks the scope \`${needed}\` and has ${scopes.join(', ')}; use a token that has it, or have one made at /api/tokens`,
  )
}

// From a valid request to a wish that a Generation object can carry out: routes, inputs, limits and price are settled
// here, while a refusal still costs nothing.
import { type Draft, total } from '../../core/cost.ts'
import type { Market } from '../../core/market.ts'
import { DEFAULT_SIZE } from '../../core/models.ts'
import { formatUsd, fromUsd } from '../../core/money.ts'
import { fingerprint, type GenerationRequest, limitsOf, stableJson } from '../../core/request.ts'
import type { Route } from '../../core/routes.ts'
import { basisOf, quoteRoutes, type Routes, routesOf } from '../../core/routes.ts'
import type { Caller } from '../http/auth.ts'
import { checkPriced } from '../http/budget.ts'
import { fieldProblem, Problem } from '../http/problem.ts'
import { publicReference } from '../references/resolve.ts'
import type { StoredConversation } from './conversation.ts'
import { sha256 } from './name.ts'
import type { Input, Wish } from './record.ts'

/** Seconds a throttled generation waits for its turn when the request says nothing. */
const DEFAULT_DEADLINE_S = 3_600

/** The routes of a request. Throws `unknown_model`, `unknown_provider`, `not_sold` or `not_configured`. */
export function findRoutes(
  market: Market,
  request: Pick<GenerationRequest, 'model' | 'provider' | 'fallback'>,
): Routes {
  const routes = routesOf(market, request)
  if (!('problem' in routes)) return routes
  const { problem, message, path } = routes
  throw fieldProblem(path, message, problem)
}

/** What a quote needs to know of a request. */
export function draftOf(request: GenerationRequest, conversation?: StoredConversation): Draft {
  const bytes = (text: string) => new TextEncoder().encode(text).byteLength
  return {
    size: request.size ?? DEFAULT_SIZE,
    promptBytes: (conversation?.textBytes ?? bytes(request.prompt)) + bytes(request.system ?? ''),
    references: request.references?.length ?? 0,
    ...(conversation?.isGrounded ? { isGrounded: true } : {}),
  }
}

/** Refuses what one of the routes cannot make. `inputs` may be references that are not resolved yet. Throws
 *  `unsupported` or `payload_too_large` with every limit that is passed. */
export function checkLimits(
  request: GenerationRequest,
  inputs: Parameters<typeof limitsOf>[1],
  routes: Routes,
): void {
  const check = ({ model, seller }: Route) => limitsOf(request, inputs, model, seller)
  const found = [routes.first, ...routes.fallbacks].flatMap(check)
  if (found.length === 0) return
  const errors = found.map(({ path, message }) => ({ path, message }))
  throw new Problem(found[0]!.code, errors.map((e) => `${e.path}: ${e.message}`).join('; '), { errors })
}

/** What a request asks for in the caller's own words, as a digest: a repeated request is known by it before its
 *  references are fetched and its limits checked again. `conversation`: the digest of a native call's turns. */
export function askedOf(request: GenerationRequest, conversation?: string): string {
  // Where the bytes of an image lie says nothing of it: a long one has a new place each time.
  const references = (request.references ?? []).map((r) => stableJson({ ...r, key: undefined }))
  return fingerprint({ ...request, references, conversation }, sha256)
}

/** What a wish is made of. */
export type Wished = {
  id: string
  workspace: string
  request: GenerationRequest
  inputs: readonly Input[]
  conversation?: StoredConversation | undefined
  market: Market
  caller: Pick<Caller, 'token' | 'budget'>
  batch?: string | undefined
  /** Where pictures are served from, for a webhook. */
  imagesUrl: string
  /** Epoch ms. */
  now: number
}

/** The wish of a request whose references are resolved. Throws what the checks above throw, `max_cost_exceeded`, and
 *  `budget_exceeded` where a budget cannot be kept because a price is not known. */
export function wishOf(wished: Wished): Wish {
  const { id, workspace, request, inputs, conversation, market, caller, batch, imagesUrl, now } = wished
  const routes = findRoutes(market, request)
  checkLimits(request, inputs, routes)
  const quote = total([quoteRoutes(routes, draftOf(request, conversation))])
  checkMaxCost(request, quote)
  checkPriced(caller.budget, quote)
  const references = inputs.map(publicReference)
  const { model } = routes.first
  const names = references.map((r) => ('fileUri' in r ? `uri:${r.fileUri}` : `sha256:${r.sha256}`))
  return {
    id,
    workspace,
    asked: askedOf(request, conversation?.sha256),
    fingerprint: fingerprint({ ...request, references: names, conversation: conversation?.sha256 }, sha256),
    request: { ...request, model: model.id, provider: routes.first.seller.id, references },
    inputs,
    ...(conversation ? { conversation } : {}),
    routes: [
      { provider: routes.first.seller.id, model: model.id },
      ...routes.fallbacks.map((f) => ({ provider: f.seller.id, model: f.model.id, on: f.on })),
    ],
    quote,
    basis: basisOf(routes.first),
    emulated: market.emulated,
    token: caller.token,
    ...(caller.budget ? { budget: caller.budget } : {}),
    ...(batch === undefined ? {} : { batch }),
    ...(request.webhook === undefined ? {} : { webhook: { url: request.webhook, imagesUrl } }),
    deadlineAt: now + (request.deadline ?? DEFAULT_DEADLINE_S) * 1_000,
  }
}

/** Throws `max_cost_exceeded`. */
export function checkMaxCost({ maxCost }: GenerationRequest, quote: Wish['quote']): void {
  if (maxCost === undefined) return
  const limit = fromUsd(maxCost)
  if (limit === undefined) throw new Problem('invalid_request', 'maxCost: USD with at most six decimals')
  if (quote.unknown.length > 0)
    throw new Problem(
      'max_cost_exceeded',
      `maxCost cannot be promised: not known is ${quote.unknown.join(', ')}`,
    )
  if (quote.atMost > limit)
    throw new Problem(
      'max_cost_exceeded',
      `it may cost up to ${formatUsd(quote.atMost)}, over your maxCost of ${formatUsd(limit)}`,
    )
}

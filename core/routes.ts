// From a wish to the ways of having it made, in order, and what that costs: used by the worker before it sends and by
// the runner before it asks, so that both show the same price.
import { type Draft, type Quote, quote } from './cost.ts'
import type { Market, Seller } from './market.ts'
import { findModel, MODELS, type Model } from './models.ts'
import { CHARGED_REASONS, FALLBACK_REASONS, type FallbackReason } from './request.ts'

/** Who would make this picture: a seller and the model. */
export type Route = { seller: Seller; model: Model }

/** Why no route was found. */
export type NoRoute = { problem: 'unknown_provider' | 'not_sold' | 'not_configured'; message: string }

/** The seller of a model: the named one; else the default one, where it sells the model; else the first configured one
 *  that does. */
export function routeOf(market: Market, model: Model, provider?: string): Route | NoRoute {
  const sells = (s: Seller) => s.wire[model.id] !== undefined
  const configured = market.sellers.filter((s) => s.configured)
  const names = (sellers: readonly Seller[]) => sellers.map((s) => s.id).join(', ') || 'none'
  if (provider === undefined) {
    const able = configured.filter(sells)
    const seller = able.find((s) => s.id === market.defaultProvider) ?? able[0]
    if (seller) return { seller, model }
    const sold = names(market.sellers.filter(sells))
    return {
      problem: 'not_configured',
      message: `no configured provider sells ${model.short}; it is sold by ${sold}, configured: ${names(configured)}`,
    }
  }
  const seller = market.sellers.find((s) => s.id === provider)
  if (!seller)
    return {
      problem: 'unknown_provider',
      message: `unknown provider ${provider}; known: ${names(market.sellers)}`,
    }
  if (!sells(seller))
    return {
      problem: 'not_sold',
      message: `${provider} does not sell ${model.short}; it is sold by ${names(market.sellers.filter(sells))}`,
    }
  if (!seller.configured)
    return {
      problem: 'not_configured',
      message: `there is no key for provider ${provider}; configured: ${names(configured)}`,
    }
  return { seller, model }
}

export type Fallback = Route & { on: readonly FallbackReason[] }

export type Routes = { first: Route; fallbacks: readonly Fallback[] }

/** Why there is no way; `path` is the request field at fault. */
export type NoRoutes = { path: string; problem: NoRoute['problem'] | 'unknown_model'; message: string }

type Wish = { model: string; provider?: string | undefined }

/** The first route and the fallbacks of a request. A fallback equal to the first route is dropped: it is no other way. */
export function routesOf(
  market: Market,
  wish: Wish & { fallback?: readonly (Wish & { on: readonly FallbackReason[] })[] | undefined },
): Routes | NoRoutes {
  const first = find(market, wish, '')
  if ('problem' in first) return first
  const fallbacks: Fallback[] = []
  for (const [index, fallback] of (wish.fallback ?? []).entries()) {
    const route = find(market, stayingWith(first.seller, fallback), `fallback[${index}].`)
    if ('problem' in route) return route
    const same = route.seller.id === first.seller.id && route.model.id === first.model.id
    if (!same) fallbacks.push({ ...route, on: fallback.on })
  }
  return { first, fallbacks }
}

/** A fallback that names no provider stays with the first one where that sells its model too. */
function stayingWith<W extends Wish>(seller: Seller, wish: W): W {
  const model = findModel(wish.model)
  const sells = model !== undefined && seller.wire[model.id] !== undefined
  return wish.provider === undefined && sells ? { ...wish, provider: seller.id } : wish
}

/** The quote of a picture by these routes. */
export function quoteRoutes({ first, fallbacks }: Routes, draft: Draft): Quote {
  const priced = ({ seller, model }: Route) => ({ provider: seller.id, model, row: seller.prices[model.id] })
  const isFree = (reason: FallbackReason) => !CHARGED_REASONS.includes(reason)
  return quote(
    draft,
    priced(first),
    fallbacks.map((fallback) => ({
      ...priced(fallback),
      afterCharged: fallback.on.some((reason) => !isFree(reason)),
      afterFree: FALLBACK_REASONS.some((reason) => isFree(reason) && fallback.on.includes(reason)),
    })),
  )
}

/** What a quote is based on, for people: who, how, and as of when. */
export function basisOf({ seller, model }: Route): string {
  const row = seller.prices[model.id]
  if (!row) return `no price of ${model.short} at ${seller.id} is known`
  return `${seller.id} per ${row.unit}: ${row.source}, ${row.checkedOn ? `checked ${row.checkedOn}` : 'undated'}`
}

function find(market: Market, { model: name, provider }: Wish, prefix: string): Route | NoRoutes {
  const model = findModel(name)
  if (!model) {
    const known = MODELS.map((m) => m.short).join(', ')
    return {
      path: `${prefix}model`,
      problem: 'unknown_model',
      message: `unknown model ${name}; known: ${known}`,
    }
  }
  const route = routeOf(market, model, provider)
  return 'problem' in route ? { path: `${prefix}${provider ? 'provider' : 'model'}`, ...route } : route
}

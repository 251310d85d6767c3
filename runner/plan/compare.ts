// What the same plan would cost on other models and at other providers, with a key or without. Fallbacks are left out:
// the question is what each one asks for the pictures, not what happens when it fails.
import { type Quote, quote, total } from '../../core/cost.ts'
import type { Market, Seller } from '../../core/market.ts'
import { findModel, MODELS, type Model, type Size } from '../../core/models.ts'
import { limitsOf } from '../../core/request.ts'
import type { Item } from '../manifest/item.ts'
import { didYouMean } from '../manifest/near.ts'
import { promptBytes } from './inputs.ts'
import { type Plan, type PlanItem, toBuy } from './plan.ts'

/** A model or provider that there is not. The message says what there is. */
export class UnknownOffer extends Error {
  override name = 'UnknownOffer'
}

/** One model at one provider. */
export type Compared = {
  provider: string
  /** Canonical id. */
  model: string
  /** Whether there is a key. */
  configured: boolean
  /** Pictures of the plan that it can make, and that it cannot. */
  possible: number
  impossible: number
  /** Why it cannot make the first of those. */
  obstacle?: string
  /** Of the possible ones. */
  quote: Quote
}

/** What is to be made, priced by every offer: those that can make all of it first, the cheapest before the others, what
 *  has no price, or makes nothing of it, last. `names`: models, `model@provider` for one seller of it; none: all models. Throws UnknownOffer. */
export function compare(plan: Plan, market: Market, names: readonly string[]): Compared[] {
  const pictures = toBuy(plan)
  const offers =
    names.length === 0
      ? MODELS.flatMap((model) => offersOf(model, market))
      : names.flatMap((name) => named(name, market))
  const seen = new Set<string>()
  const rows = offers.flatMap(({ model, seller }) => {
    const id = `${model.id}@${seller.id}`
    if (seen.has(id)) return []
    seen.add(id)
    return [rowOf(model, seller, pictures)]
  })
  const rank = ({ possible, impossible, quote: { unknown } }: Compared) =>
    possible === 0 ? 3 : unknown.length > 0 ? 2 : impossible > 0 ? 1 : 0
  return rows.sort(
    (a, b) => rank(a) - rank(b) || a.impossible - b.impossible || a.quote.expected - b.quote.expected,
  )
}

type Offer = { model: Model; seller: Seller }

function offersOf(model: Model, market: Market): Offer[] {
  return market.sellers
    .filter((seller) => seller.wire[model.id] !== undefined)
    .map((seller) => ({ model, seller }))
}

function named(name: string, market: Market): Offer[] {
  const [modelName = '', provider] = name.split('@')
  const model = findModel(modelName)
  if (!model) {
    const names = MODELS.flatMap((m) => [m.short, m.id, ...m.aliases])
    const hint = didYouMean(modelName, names) ?? `models: ${MODELS.map((m) => m.short).join(', ')}`
    throw new UnknownOffer(`--compare ${name}: there is no model \`${modelName}\`; ${hint}`)
  }
  const offers = offersOf(model, market)
  const found = provider === undefined ? offers : offers.filter(({ seller }) => seller.id === provider)
  if (found.length > 0) return found
  const sellers = offers.map(({ seller }) => seller.id).join(', ') || 'nobody'
  throw new UnknownOffer(`--compare ${name}: ${model.short} is sold by ${sellers}`)
}

function rowOf(model: Model, seller: Seller, pictures: readonly PlanItem[]): Compared {
  const row = seller.prices[model.id]
  const quotes: Quote[] = []
  let obstacle: string | undefined
  for (const { item, size } of pictures) {
    const [limit] = limitsOf(wishOf(item, size), item.references.map(claimOf), model, seller)
    if (limit) obstacle ??= `${item.id}: ${limit.message}`
    else
      quotes.push(
        quote(
          { size, promptBytes: promptBytes(item), references: item.references.length },
          { provider: seller.id, model, row },
        ),
      )
  }
  return {
    provider: seller.id,
    model: model.id,
    configured: seller.configured,
    possible: quotes.length,
    impossible: pictures.length - quotes.length,
    ...(obstacle === undefined ? {} : { obstacle }),
    quote: total(quotes),
  }
}

function wishOf({ aspect, parameters }: Item, size: Size): Parameters<typeof limitsOf>[0] {
  return { ...parameters, size, ...(aspect ? { aspect } : {}) }
}

function claimOf(reference: Item['references'][number]) {
  return reference.kind === 'file' ? { mimeType: reference.mimeType, bytes: reference.bytes } : {}
}

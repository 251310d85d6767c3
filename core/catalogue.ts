// The models of a market with limits, lifecycle and prices, as `GET /api/models` and `proofsheet models` show them.
import type { ModelsView } from './api.ts'
import { quote } from './cost.ts'
import type { Market, Seller } from './market.ts'
import { MAX_REFERENCE_BYTES, MODELS, type Model } from './models.ts'
import { fromUsd, toUsd } from './money.ts'
import { PRICE_TABLE_VERSION, type PriceRow } from './prices.ts'
import { blankProvider, PROVIDERS } from './providers.ts'

/** UTF-8 bytes of the prompt that the prices per picture assume. */
const TYPICAL_PROMPT_BYTES = 400

type Offer = ModelsView['models'][number]['providers'][number]

/** The catalogue of a market. */
export function catalogueOf(market: Market): ModelsView {
  return {
    emulated: market.emulated,
    defaultProvider: market.defaultProvider ?? null,
    pricesAsOf: PRICE_TABLE_VERSION,
    providers: market.sellers.map((seller) => ({
      id: seller.id,
      name: seller.name,
      configured: seller.configured,
      fileUri: seller.fileUri,
      maxTemperature: seller.maxTemperature,
      maxRequestBytes: seller.maxRequestBytes,
      thinkingModels: seller.thinkingModels ? [...seller.thinkingModels] : null,
    })),
    models: MODELS.map((model) => ({
      id: model.id,
      short: model.short,
      name: model.name,
      aliases: [...model.aliases],
      lifecycle: { ...model.lifecycle },
      sizes: [...model.sizes],
      aspects: [...model.aspects],
      references: { ...model.references, types: [...model.referenceTypes], maxBytes: MAX_REFERENCE_BYTES },
      providers: market.sellers.filter((s) => s.wire[model.id]).map((seller) => offerOf(model, seller)),
    })),
  }
}

function offerOf(model: Model, seller: Seller): Offer {
  const row = seller.prices[model.id]
  return {
    id: seller.id,
    wireId: seller.wire[model.id]!,
    price: row ? priceOf(row) : null,
    perPicture: Object.fromEntries(
      model.sizes.map((size) => {
        const draft = { size, promptBytes: TYPICAL_PROMPT_BYTES, references: 0 }
        const { expected, unknown } = quote(draft, { provider: seller.id, model, row })
        return [size, unknown.length === 0 ? toUsd(expected) : null]
      }),
    ),
    source: row?.source ?? null,
    checkedOn: row?.checkedOn ?? null,
  }
}

function priceOf(row: PriceRow): Offer['price'] {
  if (row.unit === 'request') return { unit: 'request', usd: toUsd(row.microUsd) }
  return {
    unit: 'token',
    inputPerMillionUsd: toUsd(row.inputPerMillion),
    textPerMillionUsd: toUsd(row.textPerMillion),
    imagePerMillionUsd: toUsd(row.imagePerMillion),
  }
}

/** The market behind a catalogue: what a client needs to find routes, check limits and quote as that worker does. */
export function marketOfCatalogue(view: ModelsView): Market {
  return {
    emulated: view.emulated,
    ...(view.defaultProvider ? { defaultProvider: view.defaultProvider } : {}),
    sellers: view.providers.map(({ thinkingModels, ...provider }): Seller => {
      const offers = view.models.flatMap((model) =>
        model.providers.filter((o) => o.id === provider.id).map((offer) => ({ model: model.id, offer })),
      )
      const rows = offers.flatMap(({ model, offer }) => rowOf(provider.id, model, offer) ?? [])
      return {
        ...(PROVIDERS.find((p) => p.id === provider.id) ?? blankProvider(provider.id)),
        ...provider,
        ...(thinkingModels ? { thinkingModels } : {}),
        wire: Object.fromEntries(offers.map(({ model, offer }) => [model, offer.wireId])),
        prices: Object.fromEntries(rows.map((row) => [row.model, row])),
      }
    }),
  }
}

function rowOf(provider: string, model: string, { price, source, checkedOn }: Offer): PriceRow | undefined {
  if (!price) return undefined
  const about = { provider, model, source: source ?? '', ...(checkedOn ? { checkedOn } : {}) }
  if (price.unit === 'request') return { ...about, unit: 'request', microUsd: fromUsd(price.usd)! }
  return {
    ...about,
    unit: 'token',
    inputPerMillion: fromUsd(price.inputPerMillionUsd)!,
    textPerMillion: fromUsd(price.textPerMillionUsd)!,
    imagePerMillion: fromUsd(price.imagePerMillionUsd)!,
  }
}

// The catalogue carries enough of a market to route and price as its worker does.
import { describe, expect, test } from 'vitest'
import { ModelsSchema } from '../../core/api.ts'
import { catalogueOf, marketOfCatalogue } from '../../core/catalogue.ts'
import { type Market, type MarketVariables, marketOf } from '../../core/market.ts'
import { MODELS } from '../../core/models.ts'
import { quoteRoutes, routeOf } from '../../core/routes.ts'

const PROVIDERS = JSON.stringify({
  // The first sells less than the second: the order of sellers must survive that.
  small: {
    baseUrl: 'https://small.example',
    wire: { 'nano-banana-2': 'nb2' },
    prices: { 'nano-banana-2': { perRequest: 0.05 } },
  },
  large: {
    baseUrl: 'https://large.example',
    wire: Object.fromEntries(MODELS.map((m) => [m.short, m.short])),
    prices: {
      'nano-banana-pro': { inputPerMillion: 0.88, textPerMillion: 52.8, imagePerMillion: 52.8 },
      'nano-banana-2': { perRequest: 0.061 },
    },
  },
  apiyi: { prices: { 'nano-banana': { perRequest: 0.028 } } },
})

const MARKETS: [string, MarketVariables][] = [
  ['no key', {}],
  ['one key', { APIYI_API_KEY: 'k' }],
  ['all built-in keys', { GOOGLE_API_KEY: 'k', APIYI_API_KEY: 'k', TOKAIFY_API_KEY: 'k' }],
  ['a default provider', { GOOGLE_API_KEY: 'k', APIYI_API_KEY: 'k', DEFAULT_PROVIDER: 'apiyi' }],
  ['the emulator', { EMULATOR_URL: 'http://127.0.0.1:4000' }],
  ['relays of the operator', { PROVIDERS, SMALL_API_KEY: 'k', LARGE_API_KEY: 'k', TOKAIFY_API_KEY: 'k' }],
  ['relays and a default', { PROVIDERS, SMALL_API_KEY: 'k', LARGE_API_KEY: 'k', DEFAULT_PROVIDER: 'large' }],
]

/** The route and quote of every model, size and provider, the unnamed one included. */
function offersOf(market: Market, ids: readonly string[]) {
  return MODELS.flatMap((model) =>
    [undefined, ...ids].flatMap((provider) => {
      const route = routeOf(market, model, provider)
      if ('problem' in route) return [[model.id, provider, route.problem]]
      return model.sizes.flatMap((size) =>
        [0, 3].map((references) => {
          const routes = { first: route, fallbacks: [] }
          const quote = quoteRoutes(routes, { size, promptBytes: 900, references })
          return [model.id, provider, size, references, route.seller.id, route.seller.wire[model.id], quote]
        }),
      )
    }),
  )
}

test.for(MARKETS)('a client finds the same routes and prices as the worker: %s', ([, variables]) => {
  const market = marketOf(variables)
  const client = marketOfCatalogue(ModelsSchema.parse(JSON.parse(JSON.stringify(catalogueOf(market)))))
  const ids = market.sellers.map((s) => s.id)
  expect(offersOf(client, ids)).toEqual(offersOf(market, ids))
  expect([client.emulated, client.defaultProvider]).toEqual([market.emulated, market.defaultProvider])
})

describe('what it shows', () => {
  const view = catalogueOf(marketOf({ ...MARKETS[5]![1] }))
  const offer = (model: string, provider: string) =>
    view.models.find((m) => m.short === model)!.providers.find((p) => p.id === provider)!

  test('every model, with limits and lifecycle', () => {
    expect(view.models.map((m) => m.short)).toEqual(MODELS.map((m) => m.short))
    expect(view.models[1]).toMatchObject({
      id: 'gemini-3.1-flash-image',
      aliases: ['gemini-3.1-flash-image-preview'],
      lifecycle: { status: 'deprecated', successor: 'gemini-nano-banana-2.1' },
      sizes: ['512', '1K', '2K', '4K'],
      references: { max: 14, objects: 10, people: 4, maxBytes: 7_340_032 },
    })
  })

  test('a flat price is the same at every size', () => {
    expect(offer('nano-banana-2', 'small')).toMatchObject({
      wireId: 'nb2',
      price: { unit: 'request', usd: 0.05 },
      perPicture: { '512': 0.05, '1K': 0.05, '2K': 0.05, '4K': 0.05 },
      checkedOn: null,
    })
  })

  test('rates are shown in USD per million, with what a picture of each size is expected to cost', () => {
    expect(offer('nano-banana-pro', 'google')).toMatchObject({
      price: { unit: 'token', inputPerMillionUsd: 2, textPerMillionUsd: 12, imagePerMillionUsd: 120 },
      perPicture: { '1K': 0.13844, '2K': 0.13844, '4K': 0.24404 },
      checkedOn: '2026-10-07',
    })
  })

  test('what has no price is null, never 0', () => {
    expect(offer('nano-banana-pro', 'tokaify')).toMatchObject({
      price: null,
      perPicture: { '1K': null, '2K': null, '4K': null },
      source: null,
    })
  })

  test('a provider stands only beside what it sells', () => {
    expect(view.models.map((m) => m.providers.map((p) => p.id).join(' '))).toEqual([
      'google apiyi tokaify large',
      'google apiyi small large',
      'google large',
      'google apiyi large',
      'google apiyi large',
    ])
  })
})

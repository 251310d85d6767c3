// /api/estimate: the price before the picture. Buys nothing and stores nothing.
import { EstimateRequestSchema, type EstimateView, type Status } from '../../core/api.ts'
import { CONTRACT } from '../../core/contract.ts'
import { total } from '../../core/cost.ts'
import { toUsd } from '../../core/money.ts'
import { PRICE_TABLE_VERSION } from '../../core/prices.ts'
import type { ReferenceInput } from '../../core/request.ts'
import { quoteRoutes } from '../../core/routes.ts'
import { ESTIMATE } from '../description/examples.ts'
import { statusesOf } from '../generation/listing.ts'
import { generationId } from '../generation/name.ts'
import { checkLimits, draftOf, findRoutes } from '../generation/wish.ts'
import { declare, routes } from '../http/declare.ts'
import { parse, readJson } from '../http/input.ts'
import { INDEX, reached } from '../http/reach.ts'

const MAX_BODY_BYTES = 8 * 1024 * 1024

const route = declare(CONTRACT.estimate, {
  summary: 'What one or many requests would cost',
  description:
    'Buys nothing and stores nothing. A request may carry `key`, the Idempotency-Key it would be sent with: `existing` then names the generation that has it already, and the sum leaves it out. A sum with a part that has no price is null.',
  tag: 'Prices',
  answers: { 200: { description: 'The quote.', example: ESTIMATE } },
  problems: [
    'invalid_json',
    'invalid_request',
    'payload_too_large',
    'unknown_model',
    'unknown_provider',
    'not_sold',
    'not_configured',
    'unsupported',
    'unavailable',
  ],
})

export const estimate = routes().openapi(route, async (c) => {
  const { market, workspace } = c.var
  const input = parse(EstimateRequestSchema, await readJson(c.req.raw, MAX_BODY_BYTES))
  const requests = 'requests' in input ? input.requests : [input]
  const ids = requests.map(({ key }) => (key === undefined ? undefined : generationId(workspace, key)))
  const known = ids.filter((id) => id !== undefined)
  const statuses =
    known.length > 0
      ? await reached(c.var, INDEX, () => statusesOf(c.env.DB, workspace, known))
      : new Map<string, Status>()
  const quotes = requests.map((request, index) => {
    const found = findRoutes(market, request)
    checkLimits(request, (request.references ?? []).map(claimOf), found)
    const id = ids[index]
    const status = id ? statuses.get(id) : undefined
    return {
      route: found.first,
      quote: quoteRoutes(found, draftOf(request)),
      existing: id && status ? { id, status } : null,
    }
  })
  const sum = total(quotes.filter((q) => !q.existing).map((q) => q.quote))
  const view: EstimateView = {
    ...moneyOf(sum),
    currency: 'USD',
    requests: quotes.map(({ route, quote, existing }) => ({
      provider: route.seller.id,
      model: route.model.id,
      ...moneyOf(quote),
      existing,
    })),
    emulated: market.emulated,
    pricesAsOf: PRICE_TABLE_VERSION,
  }
  return c.json(view, 200)
})

/** What a reference says of itself before it is fetched. */
function claimOf(reference: ReferenceInput) {
  return 'mimeType' in reference && !('data' in reference) ? reference : {}
}

/** A sum with a part that has no price is not a price: it is null, and `unknown` says what is missing. */
function moneyOf({ expected, atMost, unknown }: ReturnType<typeof total>) {
  const known = unknown.length === 0
  return {
    expected: known ? toUsd(expected) : null,
    atMost: known ? toUsd(atMost) : null,
    unknown: [...unknown],
  }
}

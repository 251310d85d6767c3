// `budget` and `prices`: what a run may spend, and prices that hold in place of the built-in ones.
import type { Market } from '../../core/market.ts'
import { findModel } from '../../core/models.ts'
import { fromUsd } from '../../core/money.ts'
import { type PriceRow, PriceSchema } from '../../core/prices.ts'
import type { Budget } from './item.ts'
import { fieldsOf, isBroken, plain, type Sourced, textOf } from './merge.ts'
import { noModel, noProvider } from './nobody.ts'
import type { Findings } from './problems.ts'

/** The budget; fields with a problem are left out. */
export function budgetOf(budget: Sourced | undefined): Budget {
  const fields = fieldsOf(budget)
  const micro = (key: string) => {
    const text = textOf(fields.get(key))
    return text === undefined ? undefined : fromUsd(Number(text))
  }
  const [max, perImage, confirmAbove] = [micro('max'), micro('per_image'), micro('confirm_above')]
  return {
    ...(max === undefined ? {} : { max }),
    ...(perImage === undefined ? {} : { perImage }),
    ...(confirmAbove === undefined ? {} : { confirmAbove }),
  }
}

/** The prices of the manifest, by provider and canonical model id. */
export function pricesOf(
  prices: Sourced | undefined,
  market: Market,
  findings: Findings,
): Record<string, Record<string, PriceRow>> {
  const rows: Record<string, Record<string, PriceRow>> = {}
  for (const [provider, models] of fieldsOf(prices)) {
    if (!market.sellers.some(({ id }) => id === provider)) {
      findings.add({ at: models.at, part: 'key', ...noProvider(provider, market) })
      continue
    }
    const own: Record<string, PriceRow> = {}
    const seen = new Set<string>()
    for (const [name, price] of fieldsOf(models)) {
      const model = findModel(name)
      if (!model) {
        findings.add({ at: price.at, part: 'key', ...noModel(name) })
        continue
      }
      const rate = isBroken(price) ? undefined : PriceSchema.safeParse(plain(price)).data
      if (seen.has(model.id)) {
        const message = `${model.short} has a second price at ${provider}`
        findings.add({ at: price.at, part: 'key', message, hint: 'its names are one model' })
      } else if (rate)
        own[model.id] = { provider, model: model.id, source: 'prices in the manifest', ...rate }
      seen.add(model.id)
    }
    rows[provider] = own
  }
  return rows
}

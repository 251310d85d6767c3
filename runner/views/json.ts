// The plan for programs.
import { type Quote, unknownExpected } from '../../core/cost.ts'
import { toUsd } from '../../core/money.ts'
import { PRICE_TABLE_VERSION } from '../../core/prices.ts'
import { fitOf } from '../plan/budget.ts'
import type { Compared } from '../plan/compare.ts'
import { durationOf } from '../plan/duration.ts'
import { type Plan, toBuy, toMake } from '../plan/plan.ts'
import type { PriceContext } from './prices.ts'

/** The plan as JSON. Money is decimal USD, null where it is not known. */
export function planJson(plan: Plan, worker: string, { limit, inFlight }: PriceContext = {}) {
  const seconds = inFlight === undefined ? undefined : durationOf(plan, inFlight)
  return {
    format: 'proofsheet-plan',
    version: 1,
    worker,
    emulated: plan.emulated,
    profile: plan.profile ?? null,
    pricesAsOf: PRICE_TABLE_VERSION,
    toMake: toMake(plan).length,
    ...moneyOf(plan.quote),
    currency: 'USD',
    budget: limit === undefined ? null : { limit: toUsd(limit), fit: fitOf(plan.quote, limit) },
    seconds: seconds === undefined ? null : Math.round(seconds),
    items: plan.items.map((p) => ({
      id: p.item.id,
      selected: p.selected,
      state: p.state,
      reasons: p.reasons,
      provider: p.provider,
      model: p.item.model,
      size: p.size,
      aspect: p.item.aspect ?? null,
      tags: p.item.tags,
      fingerprint: p.fingerprint,
      key: p.key,
      review: p.entry?.review ?? null,
      ...moneyOf(p.quote),
    })),
    orphans: plan.orphans.map((entry) => entry.id),
  }
}

/** What the plan would cost elsewhere, as JSON. */
export function compareJson(plan: Plan, offers: readonly Compared[]) {
  return {
    format: 'proofsheet-compare',
    version: 1,
    pricesAsOf: PRICE_TABLE_VERSION,
    currency: 'USD',
    plan: { pictures: toBuy(plan).length, ...moneyOf(plan.quote) },
    offers: offers.map(({ quote, obstacle, ...offer }) => ({
      ...offer,
      obstacle: obstacle ?? null,
      ...moneyOf(quote),
    })),
  }
}

function moneyOf(quote: Quote) {
  return {
    expected: unknownExpected(quote).length === 0 ? toUsd(quote.expected) : null,
    atMost: quote.unknown.length === 0 ? toUsd(quote.atMost) : null,
    unknown: quote.unknown,
  }
}

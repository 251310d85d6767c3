// The question before a purchase. Knows no pictures, only what they cost.
import { formatUsd, type MicroUsd } from '../../core/money.ts'
import { UsageError } from '../exit.ts'
import type { Io } from '../io.ts'
import type { Budget } from '../manifest/item.ts'
import { type Plan, toBuy, toMake } from '../plan/plan.ts'
import { count, quotedAtMost, quotedExpected } from '../views/format.ts'

export type Offer = {
  plan: Plan
  /** Pictures. */
  wanted: number
  /** Where the run stops. */
  limit: MicroUsd | undefined
  budget: Budget
  /** It was accepted beforehand. */
  yes: boolean
}

/** Whether the price is accepted. An emulated run costs nothing; on a terminal a price up to `confirm_above` is taken as
 *  agreed, and every other one is asked for. Throws UsageError where nobody can be asked. */
export async function accepted({ plan, wanted, limit, budget, yes }: Offer, io: Io): Promise<boolean> {
  const { quote } = plan
  const most = Math.min(quote.atMost, limit ?? Number.POSITIVE_INFINITY)
  const isSmall = io.interactive && quote.unknown.length === 0 && most <= (budget.confirmAbove ?? 0)
  // What is under way was agreed to when it was handed over.
  const fresh = toBuy(plan).length
  if (plan.emulated || yes || isSmall || fresh === 0) return true
  const bought = wanted - (toMake(plan).length - fresh)
  const isCapped = limit !== undefined && (quote.unknown.length > 0 || quote.atMost > limit)
  const stopping = isCapped ? `, stopping at ${formatUsd(limit)}` : ''
  const price = `${quotedExpected(quote)} expected, ${quotedAtMost(quote)} at most${stopping}`
  if (!io.interactive)
    throw new UsageError(
      `this buys ${count(bought, 'picture')} for ${price}; add --yes to buy without being asked. Nothing was sent.`,
    )
  const yesSaid = await io.confirm(`Buy ${count(bought, 'picture')} for ${price}?`)
  if (!yesSaid) io.stderr.write('Nothing was sent.\n')
  return yesSaid
}

// A budget that has no room for a picture, as its caller is told.
import type { BudgetPeriod } from '../../core/api.ts'
import type { Quote } from '../../core/cost.ts'
import { formatUsd, toUsd } from '../../core/money.ts'
import type { Budget, OverBudget } from '../money/budget.ts'
import { Problem } from './problem.ts'

const OTHERWISE = 'ask for a cheaper picture or for a token with a larger budget'

const ONCE_ENDED = 'ask again once the pictures under way have ended, or '

const WHAT_TO_DO: Record<BudgetPeriod, string> = {
  day: `ask again after midnight (UTC), or ${OTHERWISE}`,
  month: `ask again next month (UTC), or ${OTHERWISE}`,
  total: OTHERWISE,
}

/** When it is worth asking again for what may find room as soon as pictures under way have ended, in ms. */
const RETRY_AFTER_MS = 30_000

/** The problem of a picture that a budget has no room for. With `retryAfterMs` it may have room later: what it is full of
 *  is held for pictures under way. */
export function overBudget(
  { period, limit, committed, remaining, mayFit }: OverBudget,
  picture = 'this picture',
): Problem {
  const span = period === 'total' ? 'in all' : `a ${period}`
  return new Problem(
    'budget_exceeded',
    `this token may spend ${formatUsd(limit)} ${span}; ${formatUsd(committed)} are spent or held, and ${formatUsd(remaining)} are not enough for the most that ${picture} may cost; ${mayFit ? ONCE_ENDED : ''}${WHAT_TO_DO[period]}`,
    {
      budget: { period, limit: toUsd(limit), committed: toUsd(committed), remaining: toUsd(remaining) },
      ...(mayFit ? { retryAfterMs: RETRY_AFTER_MS } : {}),
    },
  )
}

/** Refuses a picture whose price is not known to a token that has a budget: nobody could say that it fits. Throws
 *  `budget_exceeded`. */
export function checkPriced(budget: Budget | undefined, { unknown }: Pick<Quote, 'unknown'>): void {
  if (!budget || unknown.length === 0) return
  throw new Problem(
    'budget_exceeded',
    `this token has a budget, and it is not known what this picture may cost: not known is ${unknown.join(', ')}; choose a provider and a model that have a price, or have the price set in PROVIDERS`,
  )
}

// A limit of a token that is reached, as its caller is told.
import { formatUsd, toUsd } from '../../core/money.ts'
import type { OverBudget } from '../money/budget.ts'
import { Problem } from './problem.ts'

/** The problem of a picture that a budget has no room for. */
export function overBudget({ period, limit, committed, remaining }: OverBudget): Problem {
  const span = period === 'total' ? 'in all' : `a ${period}`
  return new Problem(
    'budget_exceeded',
    `this token may spend ${formatUsd(limit)} ${span}; ${formatUsd(committed)} are spent or held, and ${formatUsd(remaining)} are not enough for this picture`,
    { budget: { period, limit: toUsd(limit), committed: toUsd(committed), remaining: toUsd(remaining) } },
  )
}

// What the worker says of a call that it did not accept, in words.
import type { ProblemView } from '../../core/api.ts'
import { usdOf } from './format.ts'

const PERIODS = { day: 'a day', month: 'a month', total: 'in all' } as const

/** What the worker says of a request that it did not accept, with the figures of the token's budget where that is why. */
export function refusalWords({ detail, budget }: ProblemView): string {
  if (!budget) return detail
  const [limit, committed, remaining] = [budget.limit, budget.committed, budget.remaining].map(usdOf)
  return `the budget of this token is ${limit} ${PERIODS[budget.period]}, ${committed} of it is spent or held and ${remaining} left: ${detail}`
}

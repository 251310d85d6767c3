// What a token may spend, and whether one more picture fits. Pure: amounts are whole micro-USD, instants are epoch ms.
import { BUDGET_PERIODS, type BudgetPeriod } from '../../core/api.ts'
import type { MicroUsd } from '../../core/money.ts'

/** Limits of a token, in whole micro-USD; absent is unlimited. Days and months are those of UTC. */
export type Budget = { readonly [period in BudgetPeriod]?: MicroUsd }

/** How a limit stands. `remaining` is never below 0. */
export type Standing = {
  limit: MicroUsd
  /** Spent, or held for pictures under way. */
  committed: MicroUsd
  remaining: MicroUsd
}

/** A limit that is reached. `mayFit`: there would be room if nothing were held for pictures under way. */
export type OverBudget = { period: BudgetPeriod; mayFit: boolean } & Standing

/** Sums by period: what is spent or held. */
export type Committed = { readonly [period in BudgetPeriod]: MicroUsd }

/** The day, the month and the whole that an instant falls into, by the names of their sums. */
export function spansAt(at: number): { [period in BudgetPeriod]: string } {
  const day = new Date(at).toISOString().slice(0, 10)
  return { day: `day ${day}`, month: `month ${day.slice(0, 7)}`, total: 'total' }
}

/** How the limits of a budget stand. */
export function standingOf(budget: Budget, committed: Committed): { [period in BudgetPeriod]?: Standing } {
  const limits = BUDGET_PERIODS.flatMap((period) => {
    const limit = budget[period]
    if (limit === undefined) return []
    const standing = {
      limit,
      committed: committed[period],
      remaining: Math.max(0, limit - committed[period]),
    }
    return [[period, standing] as const]
  })
  return Object.fromEntries(limits)
}

/** Whether `amount` fits as soon as nothing is held any more for the pictures that are under way. */
export function fitsWithout(
  held: Committed,
  budget: Budget,
  committed: Committed,
  amount: MicroUsd,
): boolean {
  return BUDGET_PERIODS.every((period) => {
    const limit = budget[period]
    return limit === undefined || committed[period] - held[period] + amount <= limit
  })
}

/** The limit that `amount` would pass; of several the one that lasts longest, because waiting helps least there. */
export function overBy(
  budget: Budget,
  committed: Committed,
  amount: MicroUsd,
): ({ period: BudgetPeriod } & Standing) | undefined {
  const standing = standingOf(budget, committed)
  for (const period of [...BUDGET_PERIODS].reverse()) {
    const limit = standing[period]
    if (limit && limit.committed + amount > limit.limit) return { period, ...limit }
  }
  return undefined
}

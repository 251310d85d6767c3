// What a token may spend, and whether one more picture fits. Pure: amounts are whole micro-USD, instants are epoch ms.
import type { BudgetPeriod } from '../../core/api.ts'
import type { MicroUsd } from '../../core/money.ts'

/** Limits of a token, in whole micro-USD; absent is unlimited. Days and months are those of UTC. */
export type Budget = { readonly [period in BudgetPeriod]?: MicroUsd }

/** A limit that is reached. `remaining` is never below 0. */
export type OverBudget = {
  period: BudgetPeriod
  limit: MicroUsd
  /** Spent, or held for pictures under way. */
  committed: MicroUsd
  remaining: MicroUsd
}

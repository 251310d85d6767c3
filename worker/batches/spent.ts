// What is left of the budget of whoever hands a batch over. A batch may go on for longer than a day, so it is not held
// against that as a whole: what finds no room when its turn comes ends as `budget_exceeded`, line by line.
import type { BudgetPeriod } from '../../core/api.ts'
import { type MicroUsd, toUsd } from '../../core/money.ts'
import type { Asker } from '../asker.ts'
import { PATIENCE_MS, within } from '../generation/within.ts'
import { overBudget } from '../http/budget.ts'
import { Problem } from '../http/problem.ts'
import type { OverBudget } from '../money/budget.ts'
import { accountName, accountStub } from '../objects.ts'

/** The problem of a batch of which so much is spent that not even the picture at `least`, its cheapest new one, would be
 *  made; undefined when it would. What is only held may come free while lines wait, and an account that cannot be asked now
 *  is asked again for each of them. */
export async function whySpent(asker: Asker, least: MicroUsd | null): Promise<Problem | undefined> {
  const { budget } = asker.caller
  if (!budget || least === null) return undefined
  const over = await within<OverBudget | undefined>(PATIENCE_MS, async () =>
    accountOf(asker).limitPassedBy(least, budget),
  ).catch(() => undefined)
  return over && !over.mayFit ? overBudget(over, 'the cheapest of these pictures') : undefined
}

/** A budget that could never hold a line, with how it stands; without that when its account cannot be asked. */
export async function withStanding(asker: Asker, problem: Problem): Promise<Problem> {
  const { budget } = asker.caller
  if (problem.code !== 'budget_exceeded' || !budget) return problem
  const stands = await accountOf(asker)
    .standing(budget)
    .catch(() => undefined)
  const least = Object.entries(stands ?? {}).sort(([, a], [, b]) => a.limit - b.limit)[0]
  if (!least) return problem
  const [period, { limit, committed, remaining }] = least
  const told = { limit: toUsd(limit), committed: toUsd(committed), remaining: toUsd(remaining) }
  return new Problem(problem.code, problem.message, {
    errors: problem.errors ?? [],
    budget: { period: period as BudgetPeriod, ...told },
  })
}

function accountOf({ env, caller: { token }, market: { emulated } }: Asker) {
  return accountStub(env, accountName({ token, emulated }))
}

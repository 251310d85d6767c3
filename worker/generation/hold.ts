// What a picture may cost is held at the account of its token before it is accepted. Should the object die between the two,
// the account finds out that there is no such generation, and lets go by itself (money/account.ts).
import type { Reserved } from '../money/account.ts'
import type { OverBudget } from '../money/budget.ts'
import { accountName, accountStub } from '../objects.ts'
import type { Wish } from './record.ts'
import type { Rim } from './store.ts'
import { PATIENCE_MS, within } from './within.ts'

/** Why a wish is not accepted. */
export type NotHeld = ({ kind: 'over_budget' } & OverBudget) | { kind: 'unavailable' }

/** Holds what a wish may cost at most, if its token has a budget. Returns why it is not accepted. */
export async function hold({ env, log }: Pick<Rim, 'env' | 'log'>, wish: Wish): Promise<NotHeld | undefined> {
  const { id, budget, quote } = wish
  if (!budget) return undefined
  try {
    const reserved = await within<Reserved>(PATIENCE_MS, async () =>
      accountStub(env, accountName(wish)).reserve(id, quote.atMost, budget),
    )
    return reserved.kind === 'reserved' ? undefined : reserved
  } catch (error) {
    log({ event: 'account_unavailable', generation: id, error: String(error) })
    return { kind: 'unavailable' }
  }
}

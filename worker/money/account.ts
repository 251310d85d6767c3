// Account: what one token has spent and holds, strongly consistent, so that callers who race for the last picture of a
// budget cannot both have it.
import { DurableObject } from 'cloudflare:workers'
import type { MicroUsd } from '../../core/money.ts'
import type { Env } from '../env.ts'
import type { Budget, OverBudget } from './budget.ts'

export type Reserved = { kind: 'reserved' } | ({ kind: 'over_budget' } & OverBudget)

export class Account extends DurableObject<Env> {
  /** Holds `amount` for a generation, or says which limit it would pass. Asked again for the same generation it says the
   *  same and holds nothing more. */
  async reserve(_generation: string, _amount: MicroUsd, _budget: Budget): Promise<Reserved> {
    return { kind: 'reserved' }
  }

  /** What a generation cost in the end; null when it is not known: then what was held counts as spent. Repeatable. */
  async settle(_generation: string, _cost: MicroUsd | null): Promise<void> {}
}

// What a run may spend. The ceiling of a picture is reserved before it is asked for and settled when it has ended, so that
// pictures in flight together never spend more than was allowed. Pure: each step gives a new purse.
import type { MicroUsd } from '../../core/money.ts'

export type Purse = {
  /** Absent: as much as it takes. */
  readonly limit?: MicroUsd
  readonly spent: MicroUsd
  /** Ceilings of what is in flight. */
  readonly reserved: MicroUsd
}

/** A purse from which nothing was taken yet. */
export function openPurse(limit?: MicroUsd): Purse {
  return { spent: 0, reserved: 0, ...(limit === undefined ? {} : { limit }) }
}

/** Whether a ceiling can be reserved. What costs nothing always fits, even when more was spent than allowed; `later` when only what is in flight is in the way and may cost less in the end,
 *  `never` when it is over what is left whatever that costs. */
export function room({ limit, spent, reserved }: Purse, ceiling: MicroUsd): 'now' | 'later' | 'never' {
  if (limit === undefined || ceiling === 0 || spent + reserved + ceiling <= limit) return 'now'
  return spent + ceiling <= limit ? 'later' : 'never'
}

export function reserve(purse: Purse, ceiling: MicroUsd): Purse {
  return { ...purse, reserved: purse.reserved + ceiling }
}

/** Replaces a reserved ceiling by what it did cost; by itself where that is not known (`null`). */
export function settleReserved(purse: Purse, ceiling: MicroUsd, actual: MicroUsd | null): Purse {
  return { ...purse, reserved: purse.reserved - ceiling, spent: purse.spent + (actual ?? ceiling) }
}

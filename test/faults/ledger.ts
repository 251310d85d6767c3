// Our side of the bill against the provider's: the ledger's rows against what the emulator was asked and what it charged.
import type { LedgerRow } from '../../worker/money/ledger.ts'
import type { SeenCall, SeenCharge } from '../worker/setup/witness.ts'

/** What does not add up, a sentence each; empty: ledger = bill. An attempt counts by what is known of it last: its settle
 *  before its orphan. An orphan stands for one call that may have been charged, and for no more. */
export function compare(
  rows: readonly LedgerRow[],
  bill: readonly SeenCharge[],
  calls: readonly SeenCall[],
): string[] {
  const attempts = [...Map.groupBy(rows, ({ generation, attempt }) => `${generation}/${attempt}`)]
  const ended = attempts.map(([name, own]) => {
    const known = own.find(({ kind }) => kind === 'settle' || kind === 'release')
    return { name, row: known ?? own.find(({ kind }) => kind === 'orphan') }
  })
  const settled = ended.filter(({ row }) => row?.kind === 'settle')
  const released = ended.filter(({ row }) => row?.kind === 'release')
  const orphans = ended.filter(({ row }) => row?.kind === 'orphan')
  const chargeOf = (id: string | null | undefined) => bill.find(({ call }) => call === id)

  const unended = ended.filter(({ row }) => !row).map(({ name }) => `${name} was reserved and never ended`)
  const wrong = settled.flatMap(({ name, row }) => {
    const { request_id: id, micro_usd } = row!
    const charge = chargeOf(id)
    if (!charge) return [`${name} is settled, but ${id} is not on the bill`]
    // Where one side has no price, there is nothing to compare.
    const isEqual = micro_usd === null || charge.costMicroUsd === null || micro_usd === charge.costMicroUsd
    return isEqual ? [] : [`${name} is settled at ${micro_usd}, and ${id} was charged ${charge.costMicroUsd}`]
  })
  const taken = settled.map(({ row }) => row!.request_id)
  const twice = taken.filter((id, index) => taken.indexOf(id) !== index).map((id) => `${id} is settled twice`)
  const free = released.flatMap(({ name, row }) =>
    chargeOf(row!.request_id) ? [`${name} is released, and ${row!.request_id} was charged`] : [],
  )

  // Orphans whose call is known stand for it; the others for any of their provider that nothing else stands for.
  const named = orphans.map(({ row }) => row!.request_id).filter((id) => id !== null)
  const nameless = orphans.filter(({ row }) => row!.request_id === null)
  const providerOf = (charge: SeenCharge) => calls.find(({ id }) => id === charge.call)?.provider
  const left = bill.filter(({ call }) => !taken.includes(call) && !named.includes(call))
  const missing = left.filter((charge) => {
    const index = nameless.findIndex(({ row }) => row!.provider === providerOf(charge))
    if (index >= 0) nameless.splice(index, 1)
    return index < 0
  })
  return [
    ...unended,
    ...wrong,
    ...twice,
    ...free,
    ...missing.map(({ call }) => `${call} was charged, and the ledger does not know of it`),
    ...(calls.length > attempts.length
      ? [`${calls.length} calls came of ${attempts.length} attempts of the ledger`]
      : []),
  ]
}

/** All rows of the ledger, or those of one generation. */
export async function ledgerOf(db: D1Database, generation?: string): Promise<LedgerRow[]> {
  const { results } = await db
    .prepare('SELECT * FROM ledger WHERE ?1 IS NULL OR generation = ?1 ORDER BY generation, attempt, at')
    .bind(generation ?? null)
    .all<LedgerRow>()
  return results
}

// The money of a soak: the ledger against the provider's bill, call by call, and budgets.
import { costOf, type GenerationRecord } from '../../../worker/generation/record.ts'
import type { LedgerRow } from '../../../worker/money/ledger.ts'
import { listed } from '../../worker/setup/tokens.ts'
import { WHO } from './demand.ts'
import type { Facts } from './facts.ts'

export const usd = (microUsd: number) => microUsd / 1_000_000

/** What the ledger says of one call: charged before free before unknown, as readers of the ledger count it. */
export type Entry = { generation: string; attempt: number; last: LedgerRow; reserve: LedgerRow | undefined }

export function entriesOf(ledger: readonly LedgerRow[]): Entry[] {
  const rows = new Map<string, LedgerRow[]>()
  for (const row of ledger) {
    const name = `${row.generation} ${row.attempt}`
    rows.set(name, [...(rows.get(name) ?? []), row])
  }
  return [...rows.values()].map((own) => {
    const of = (kind: LedgerRow['kind']) => own.find((row) => row.kind === kind)
    const last = of('settle') ?? of('release') ?? of('orphan') ?? own[0]!
    return { generation: last.generation, attempt: last.attempt, last, reserve: of('reserve') }
  })
}

/** Settled, and charged though nobody here can know it; whole micro-USD. */
export type Sums = { settled: number; orphanedCharges: number; billed: number }

/** Ledger = bill: every charge is settled by the same amount, or stands under a call whose end nobody here can know; nothing
 *  else is settled. Calls are matched by the provider's own id, and an orphaned call without one by its generation. */
export function compareWithBill(facts: Facts): { findings: string[]; sums: Sums } {
  const findings: string[] = []
  const entries = entriesOf(facts.ledger)
  const byCall = new Map<string, Entry>()
  const nameless = new Map<string, Entry[]>()
  for (const entry of entries) {
    const { generation, attempt, last } = entry
    const what = `${generation} attempt ${attempt}`
    if (last.kind === 'reserve') findings.push(`${what} is reserved and never ended in the ledger`)
    if (last.request_id !== null) {
      if (byCall.has(last.request_id))
        findings.push(`${what} names a call that another names: ${last.request_id}`)
      byCall.set(last.request_id, entry)
    } else if (last.kind === 'settle') findings.push(`${what} is settled without the id of a call`)
    else if (last.kind === 'orphan') nameless.set(generation, [...(nameless.get(generation) ?? []), entry])
  }
  const generationOf = new Map(facts.records.map((record) => [wordsOf(record.request.prompt), record.id]))
  const calls = new Map(facts.calls.map((call) => [call.id, call]))
  const charged = new Set<string>()
  const sums: Sums = { settled: 0, orphanedCharges: 0, billed: 0 }

  for (const { call: id, costMicroUsd } of facts.bill) {
    charged.add(id)
    sums.billed += costMicroUsd ?? 0
    const { prompt } = calls.get(id)!
    // A call of which no answer came is nameless: one of its generation's orphans stands for it.
    const entry = byCall.get(id) ?? nameless.get(generationOf.get(prompt) ?? '')?.shift()
    const what = `${id} (${prompt}), charged ${costMicroUsd},`
    if (!entry) findings.push(`${what} is nowhere in the ledger`)
    else if (entry.last.kind === 'orphan') sums.orphanedCharges += costMicroUsd ?? 0
    else if (entry.last.kind !== 'settle') findings.push(`${what} is ${entry.last.kind} in the ledger`)
    else if (entry.last.micro_usd !== costMicroUsd)
      findings.push(`${what} is settled as ${entry.last.micro_usd}`)
  }
  for (const { last, generation, attempt } of entries) {
    if (last.kind !== 'settle') continue
    sums.settled += last.micro_usd ?? 0
    if (!charged.has(last.request_id ?? ''))
      findings.push(`${generation} attempt ${attempt} is settled, and ${last.request_id} is not on the bill`)
  }
  if (sums.settled + sums.orphanedCharges !== sums.billed)
    findings.push(`sums differ: ${JSON.stringify(sums)}`)
  return { findings, sums }
}

/** No call that its caller did not ask for: not two of one attempt, and after one that may have been charged only a
 *  fallback that names what happened. */
export function findDoubles(facts: Facts): string[] {
  const findings: string[] = []
  const attempts = new Map<string, number>()
  for (const { generation } of facts.ledger.filter(({ kind }) => kind === 'reserve'))
    attempts.set(generation, (attempts.get(generation) ?? 0) + 1)
  const calls = new Map<string, number>()
  for (const { prompt } of facts.calls) calls.set(prompt, (calls.get(prompt) ?? 0) + 1)
  const known = new Set<string>()
  for (const record of facts.records) {
    const words = wordsOf(record.request.prompt)
    if (known.has(words)) findings.push(`${words} is two generations`)
    known.add(words)
    const sent = calls.get(words) ?? 0
    if (sent > (attempts.get(record.id) ?? 0))
      findings.push(
        `${record.id} (${words}) was sent ${sent} times in ${attempts.get(record.id) ?? 0} attempts`,
      )
    record.attempts.forEach(({ ending, number }, at) => {
      const next = record.attempts[at + 1]
      if (!next || !ending || ending.verdict.charged === 'no') return
      const { reason, outcome } = ending.verdict
      const why = reason ?? (ending.verdict.charged === 'unknown' ? 'uncertain' : outcome)
      const before = record.attempts[at]!
      const isAskedFor =
        next.route > before.route && record.routes[next.route]!.on?.some((on) => on === why) === true
      if (!isAskedFor)
        findings.push(
          `${record.id} (${words}): attempt ${number} was ${outcome}, may be charged, and was followed`,
        )
    })
  }
  // One whose body broke off was understood by nobody, and is not on the bill.
  for (const words of calls.keys())
    if (words !== '' && !known.has(words)) findings.push(`${words} was sent for no generation`)
  return findings
}

/** No budget was passed, by our own count and by the provider's; and the account knows what its generations cost. */
export async function findOverspent({ tokens, records, calls, bill }: Facts): Promise<string[]> {
  const findings: string[] = []
  const costs = new Map(bill.map(({ call, costMicroUsd }) => [call, costMicroUsd ?? 0]))
  for (const [who, { id }] of tokens.entries()) {
    const wanted = WHO[who]!
    if (!('budget' in wanted)) continue
    const own = records.filter(({ token }) => token === id)
    const words = new Set(own.map(({ request }) => wordsOf(request.prompt)))
    const billed = calls.reduce(
      (sum, each) => sum + (words.has(each.prompt) ? (costs.get(each.id) ?? 0) : 0),
      0,
    )
    const counted = own.reduce((sum, record) => sum + countedOf(record), 0)
    for (const [period, standing] of Object.entries((await listed(id)).budget)) {
      const { limit, committed } = standing!
      if (usd(billed) > limit) findings.push(`${wanted.name}: billed ${usd(billed)} of ${limit} (${period})`)
      if (committed > limit)
        findings.push(`${wanted.name}: ${committed} of ${limit} (${period}) is committed`)
      if (committed !== usd(counted))
        findings.push(
          `${wanted.name}: ${committed} is committed (${period}), its generations count ${usd(counted)}`,
        )
    }
  }
  return findings
}

/** What a generation counts for in a budget: its cost, or what was held where that is not known. */
function countedOf(record: GenerationRecord): number {
  return costOf(record) ?? record.quote.atMost
}

/** A prompt without what it orders of the emulator. */
export function wordsOf(prompt: string): string {
  return prompt.replace(/\[\[fault:[^\]]*\]\]\s?/g, '').trim()
}

// What must be true at the end of a soak. Each check returns what it found wrong, in words; here are those of the records
// themselves.
import { isEnded } from '../../../core/api.ts'
import { generationId } from '../../../worker/generation/name.ts'
import { owedAt } from '../../../worker/generation/state.ts'
import { compare } from '../ledger.ts'
import type { Call } from './clients.ts'
import { RECEIVER, WHO } from './demand.ts'
import type { Facts } from './facts.ts'
import { compareWithBill, entriesOf, findDoubles, findOverspent, usd } from './money.ts'
import { findLost, findUnserved } from './pictures.ts'
import { findMiscounted, findRebought, findUnlisted, findUnreported } from './reports.ts'
import { WEATHER } from './weather.ts'

/** All that is wrong, and figures of what happened. */
export async function findingsOf(facts: Facts, call: Call) {
  const { findings: unbalanced, sums } = compareWithBill(facts)
  const findings = [
    ...unbalanced,
    ...compare(facts.ledger, facts.bill, facts.calls),
    ...findDoubles(facts),
    ...findUnfinished(facts),
    ...findStale(facts),
    ...findBroken(facts),
    ...findLost(facts),
    ...findUndelivered(facts),
    ...facts.left,
    ...(await findUnserved(facts, call)),
    ...(await findUnlisted(facts, call)),
    ...(await findOverspent(facts)),
    ...(await findMiscounted(facts, call)),
    ...(await findUnreported(facts, call)),
    // Last, because it asks for everything once more.
    ...(await findRebought(facts, call)),
  ]
  const statuses: Record<string, number> = {}
  for (const { status } of facts.records) statuses[status] = (statuses[status] ?? 0) + 1
  const outcomes: Record<string, number> = {}
  for (const { ending } of facts.records.flatMap(({ attempts }) => attempts)) {
    const outcome = ending?.verdict.outcome ?? 'open'
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
  }
  const figures = {
    generations: facts.records.length,
    statuses,
    outcomes,
    batches: facts.toldOfBatches.filter(({ batch }) => batch).length,
    notAccepted: facts.told.filter(({ problem }) => problem).length,
    calls: facts.calls.length,
    charges: facts.bill.length,
    orphans: entriesOf(facts.ledger).filter(({ last }) => last.kind === 'orphan').length,
    settledUsd: usd(sums.settled),
    orphanedUsd: usd(sums.orphanedCharges),
    billedUsd: usd(sums.billed),
    webhooks: facts.received.length,
  }
  return { findings, figures }
}

/** Everything ended and owes nothing. */
function findUnfinished({ records, owed }: Facts): string[] {
  return records.flatMap(({ id, status }) => [
    ...(isEnded(status) ? [] : [`${id} is ${status}`]),
    ...(owedAt(owed.get(id)!) === undefined ? [] : [`${id} owes ${JSON.stringify(owed.get(id))}`]),
  ])
}

/** The index holds every record as it is. */
function findStale({ records, index }: Facts): string[] {
  const rows = new Map(index.map((row) => [row.id, row]))
  return records.flatMap(({ id, status, version }) => {
    const row = rows.get(id)
    return row?.status === status && row.version === version
      ? []
      : [`${id}, ${status} in version ${version}, is ${JSON.stringify(row)} in the index`]
  })
}

/** Nothing went wrong by itself, and what clients were told is true still. */
function findBroken({ lines, told, records }: Facts): string[] {
  const bugs = lines.filter(
    (line) => /"event":"bug"/.test(line) && !line.includes(WEATHER) && !isRestart(line),
  )
  const byId = new Map(records.map((record) => [record.id, record]))
  const untrue = told.flatMap(({ wish, view, problem, isCancelled }) => {
    const id = view?.id ?? (wish.key && generationId(WHO[wish.who]!.workspace, wish.key))
    const record = id ? byId.get(id) : undefined
    const is = `${wish.words} (${id}) is ${record?.status}`
    if (view && !record) return [`${is}, and its client was told ${view.status}`]
    if (view && record!.status !== view.status && view.status !== 'uncertain')
      return [`${is}, and its client was told ${view.status}`]
    if (isCancelled && record?.status !== 'cancelled') return [`${is} after its cancel was confirmed`]
    if (problem && problem.code !== 'budget_exceeded' && problem.code !== 'not_sold')
      return [`${wish.words} met ${problem.code}: ${problem.detail}`]
    return []
  })
  return [...bugs, ...untrue]
}

/** Restarts break off what runs, and whoever is called learns of it so. */
function isRestart(line: string): boolean {
  return /reset|abort|restart|broken|canceled|disconnected/i.test(line)
}

/** Every message was taken in the end, or given up after ten tries. */
function findUndelivered({ records, received }: Facts): string[] {
  return records.flatMap(({ id, webhook }) => {
    if (!webhook) return []
    const own = received.filter(
      (message) => message.id === `msg_${id}` || message.id.startsWith(`msg_${id}_`),
    )
    return own.some(({ isTaken, path }) => isTaken && `${RECEIVER}${path}` === webhook.url) ||
      own.length >= 10
      ? []
      : [`the webhook of ${id} has ${own.length} tries and was not taken`]
  })
}

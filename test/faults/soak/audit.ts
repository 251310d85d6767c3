// What must be true at the end of a soak. Each check returns what it found wrong, in words; money.ts has those of the
// money.
import { createHash } from 'node:crypto'
import { type GenerationView, isEnded } from '../../../core/api.ts'
import type { BatchResult, BatchView } from '../../../core/batch.ts'
import type { UsageReport } from '../../../core/usage.ts'
import { generationId } from '../../../worker/generation/name.ts'
import type { GenerationRecord } from '../../../worker/generation/record.ts'
import { costOf } from '../../../worker/generation/record.ts'
import { owedAt } from '../../../worker/generation/state.ts'
import { env } from '../../worker/setup/bindings.ts'
import { listed } from '../../worker/setup/tokens.ts'
import { compare } from '../ledger.ts'
import { RECEIVER, WHO } from './demand.ts'
import type { Facts } from './facts.ts'
import { compareWithBill, entriesOf, findDoubles, wordsOf } from './money.ts'
import { WEATHER } from './weather.ts'

/** Calls the worker for one of WHO. */
type Call = (who: number, path: string, init?: RequestInit) => Promise<Response>

const usd = (microUsd: number) => microUsd / 1_000_000

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

/** What was delivered whole and paid is there, unless our own storage refused it or the object died before it had it; and
 *  what is stored is shown. */
function findLost({ records, calls, bill, ledger, pictures }: Facts): string[] {
  const whole = new Set(bill.filter(({ delivered }) => delivered).map(({ call }) => call))
  const drawn = new Set(
    calls.filter(({ id, outcome }) => whole.has(id) && isPicture(outcome)).map(({ id }) => id),
  )
  const attempts = new Map(
    records.flatMap((record) =>
      record.attempts.map((each) => [`${record.id} ${each.number}`, each] as const),
    ),
  )
  const missing = entriesOf(ledger).flatMap(({ generation, attempt, last }) => {
    if (!drawn.has(last.request_id ?? '')) return []
    const ending = attempts.get(`${generation} ${attempt}`)?.ending
    if (ending?.picture) return []
    const outcome = ending?.verdict.outcome
    return outcome === 'not_stored' || outcome === 'cut_off' || outcome === 'timed_out'
      ? []
      : [`${generation} attempt ${attempt}: ${last.request_id} brought a picture, and it is ${outcome}`]
  })
  const forgotten = records.flatMap(({ id, attempts: own }) =>
    own.flatMap(({ pictureName, ending, number }) => {
      const stored = [...pictures].filter((key) => key.startsWith(`pictures/${pictureName}`))
      return stored.length > 0 && !ending?.picture
        ? [`${id} attempt ${number}, ${ending?.verdict.outcome}, does not show ${stored}`]
        : []
    }),
  )
  const gone = records.flatMap(({ id, attempts: own }) =>
    own.flatMap(({ ending }) =>
      [...(ending?.picture ? [ending.picture] : []), ...(ending?.others ?? [])]
        .filter(({ key }) => !pictures.has(key))
        .map(({ key }) => `${id} names ${key}, which is not stored`),
    ),
  )
  return [...missing, ...forgotten, ...gone]
}

const PICTURES =
  /^(picture|slow|big|thoughts|lone-thought|drafts|storyboard|mime-first|data-first|escaped|mislabelled|trickle)$/

function isPicture(outcome: string): boolean {
  return PICTURES.test(outcome)
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

/** Pictures are served, byte for byte. */
async function findUnserved({ records }: Facts, call: Call): Promise<string[]> {
  const findings: string[] = []
  for (const { id, workspace } of records) {
    const who = WHO.findIndex((each) => each.workspace === workspace)
    const view = await (await call(who, `/api/generations/${id}`)).json<GenerationView>()
    for (const image of [...(view.image ? [view.image] : []), ...view.moreImages]) {
      const response = await call(who, new URL(image.url).pathname)
      const bytes = new Uint8Array(await response.arrayBuffer())
      const sha256 = createHash('sha256').update(bytes).digest('hex')
      if (
        response.status !== 200 ||
        bytes.length !== image.bytes ||
        (image.sha256 && sha256 !== image.sha256)
      )
        findings.push(`${id}: ${image.url} is ${response.status} with ${bytes.length} bytes`)
    }
  }
  return findings
}

/** Uncertain ones are listed. */
async function findUnlisted({ records }: Facts, call: Call): Promise<string[]> {
  const found = new Set<string>()
  for (const who of [0, WHO.findIndex(({ workspace }) => workspace === 'other')]) {
    let cursor: string | null = ''
    while (cursor !== null) {
      const path: string = `/api/generations?status=uncertain&limit=50${cursor ? `&cursor=${cursor}` : ''}`
      const page = await (await call(who, path)).json<{
        generations: GenerationView[]
        cursor: string | null
      }>()
      for (const { id } of page.generations) found.add(id)
      cursor = page.cursor
    }
  }
  const uncertain = records.filter(({ status }) => status === 'uncertain').map(({ id }) => id)
  return [
    ...uncertain.filter((id) => !found.has(id)).map((id) => `${id} is uncertain and not listed so`),
    ...[...found]
      .filter((id) => !uncertain.includes(id))
      .map((id) => `${id} is listed as uncertain and is not`),
  ]
}

/** No budget was passed, by our own count and by the provider's; and the account knows what its generations cost. */
async function findOverspent({ tokens, records, calls, bill }: Facts): Promise<string[]> {
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

/** Batches have ended; their counts, results and cost are those of their generations. */
async function findMiscounted({ toldOfBatches, records, ledger }: Facts, call: Call): Promise<string[]> {
  const findings: string[] = []
  const byId = new Map(records.map((record) => [record.id, record]))
  for (const { wish, batch, problem } of toldOfBatches) {
    if (!batch) {
      if (problem && problem.code !== 'budget_exceeded')
        findings.push(`${wish.key} met ${problem.code}: ${problem.detail}`)
      continue
    }
    const view = await (await call(wish.who, `/api/batches/${batch.id}`)).json<BatchView>()
    const text = await (await call(wish.who, `/api/batches/${batch.id}/results`)).text()
    const results = text
      .split('\n')
      .filter((row) => row !== '')
      .map((row) => JSON.parse(row) as BatchResult)
    const what = `${wish.key} (${batch.id})`
    if (view.status !== 'ended') findings.push(`${what} is ${JSON.stringify(view)}`)
    if (String(results.map(({ seq }) => seq)) !== String(wish.lines.map((_, line) => line + 1)))
      findings.push(`${what}: ${wish.lines.length} lines, results ${results.map(({ seq }) => seq)}`)
    if (new Set(results.map(({ line }) => line)).size !== wish.lines.length)
      findings.push(`${what}: lines are missing or doubled in its results`)
    const counts: Record<string, number> = {}
    for (const { generation, error } of results) {
      const status = generation
        ? byId.get(generation.id)!.status
        : error?.code === 'cancelled'
          ? 'cancelled'
          : 'failed'
      if (generation && generation.status !== status)
        findings.push(`${what}: ${generation.id} is given as ${generation.status}`)
      counts[status] = (counts[status] ?? 0) + 1
    }
    for (const [status, count] of Object.entries(view.counts))
      if ((counts[status] ?? 0) !== count)
        findings.push(`${what}: ${count} ${status}, results say ${counts[status] ?? 0}`)
    const paid = entriesOf(ledger.filter((row) => row.batch === batch.id))
    const settled = paid.reduce(
      (sum, { last }) => sum + (last.kind === 'settle' ? (last.micro_usd ?? 0) : 0),
      0,
    )
    if (view.cost.actual !== usd(settled))
      findings.push(`${what} cost ${view.cost.actual}, the ledger says ${usd(settled)}`)
  }
  return findings
}

/** The usage report is the ledger, whatever it is summed by. */
async function findUnreported({ ledger }: Facts, call: Call): Promise<string[]> {
  const findings: string[] = []
  for (const workspace of ['default', 'other']) {
    const who = WHO.findIndex((each) => each.workspace === workspace)
    const entries = entriesOf(ledger.filter((row) => row.workspace === workspace))
    const settled = entries.filter(({ last }) => last.kind === 'settle')
    const expected = {
      attempts: entries.length,
      cost: usd(settled.reduce((sum, { last }) => sum + (last.micro_usd ?? 0), 0)),
      uncertain: entries.filter(({ last }) => last.kind === 'orphan').length,
      running: 0,
    }
    for (const by of ['day', 'model', 'provider', 'token', 'batch']) {
      const { rows, total } = await (await call(who, `/api/usage?by=${by}`)).json<UsageReport>()
      const cost = usd(rows.reduce((sum, row) => sum + Math.round(row.cost * 1_000_000), 0))
      const { attempts, uncertain, running } = total
      const reported = { attempts, cost: total.cost, uncertain, running }
      if (JSON.stringify(reported) !== JSON.stringify(expected) || cost !== total.cost)
        findings.push(`usage of ${workspace} by ${by}: ${JSON.stringify({ reported, cost, expected })}`)
    }
  }
  return findings
}

/** Whoever asks again by the same key, whatever became of it, buys nothing. */
async function findRebought({ told, calls, records }: Facts, call: Call): Promise<string[]> {
  const { length } = calls
  const known = new Set(records.map(({ id }) => id))
  const findings: string[] = []
  for (const { wish } of told) {
    const id = wish.key && generationId(WHO[wish.who]!.workspace, wish.key)
    if (!id || !known.has(id)) continue
    const headers = { 'idempotency-key': wish.key!, prefer: 'wait=5' }
    const body = JSON.stringify(wish.request)
    // By a token whose calls are not limited: it is the workspace that bought it.
    const who = WHO.findIndex(({ workspace }) => workspace === WHO[wish.who]!.workspace)
    const response = await call(who, '/api/generations', { method: 'POST', headers, body })
    const view = await response.json<GenerationView>()
    if (response.status !== 201 || view.id !== id || response.headers.get('idempotent-replayed') !== 'true')
      findings.push(`${wish.words} asked again: ${response.status} ${JSON.stringify(view).slice(0, 300)}`)
  }
  const after = (await (await fetch(`${env.EMULATOR}/calls`)).json()) as { calls: unknown[] }
  if (after.calls.length !== length)
    findings.push(`${after.calls.length - length} calls more after asking again`)
  return findings
}

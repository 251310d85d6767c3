// What the API says at the end of a soak, against what happened: lists, batches, usage, and what is asked for again.
import type { GenerationView } from '../../../core/api.ts'
import type { BatchResult, BatchView } from '../../../core/batch.ts'
import type { UsageReport } from '../../../core/usage.ts'
import { generationId } from '../../../worker/generation/name.ts'
import { env } from '../../worker/setup/bindings.ts'
import type { Call } from './clients.ts'
import { WHO } from './demand.ts'
import type { Facts } from './facts.ts'
import { entriesOf, usd } from './money.ts'

/** Uncertain ones are listed. */
export async function findUnlisted({ records }: Facts, call: Call): Promise<string[]> {
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

/** Batches have ended; their counts, results and cost are those of their generations. */
export async function findMiscounted(
  { toldOfBatches, records, ledger }: Facts,
  call: Call,
): Promise<string[]> {
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
export async function findUnreported({ ledger }: Facts, call: Call): Promise<string[]> {
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
export async function findRebought({ told, calls, records }: Facts, call: Call): Promise<string[]> {
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

// How far batches are and what they cost, counted in D1, and a batch as callers see it.
import { STATUSES, type Status } from '../../core/api.ts'
import type { BatchView } from '../../core/batch.ts'
import { type MicroUsd, toUsd } from '../../core/money.ts'
import type { Batch } from './register.ts'

export type Counts = BatchView['counts']

type Spent = {
  spent: MicroUsd
  /** Calls of which nobody can say whether they were charged, or for how much. */
  uncertain: number
}

/** Lines by status, of each of these sets of lines. */
export async function countsOf(db: D1Database, sets: readonly string[]): Promise<Map<string, Counts>> {
  const ended = `SELECT line_set, status, COUNT(*) AS count FROM batch_lines
    WHERE line_set IN (SELECT value FROM json_each(?1)) AND ended_seq IS NOT NULL AND status IS NOT NULL GROUP BY line_set, status`
  // What has left for the queue is on its way to a queued generation. One that has ended by its index row while its line
  // has not is ending at this moment.
  const open = `SELECT own.line_set, CASE
      WHEN own.state = 'waiting' THEN 'waiting'
      WHEN own.state = 'handed_over' OR made.status IS NULL OR made.status = 'queued' THEN 'queued'
      ELSE 'running' END AS status, COUNT(*) AS count
    FROM batch_lines own INDEXED BY batch_lines_open LEFT JOIN generations made ON made.id = own.generation
    WHERE own.line_set IN (SELECT value FROM json_each(?1)) AND own.state <> 'ended' GROUP BY 1, 2`
  // One statement: a line that ends between two would be counted in both or in neither.
  const { results } = await db
    .prepare(`${ended} UNION ALL ${open}`)
    .bind(JSON.stringify(sets))
    .all<{ line_set: string; status: Status | 'waiting'; count: number }>()
  const counts = new Map(sets.map((set) => [set, noLines()]))
  for (const { line_set, status, count } of results) counts.get(line_set)![status] += count
  return counts
}

function noLines(): Counts {
  return Object.fromEntries(['waiting', ...STATUSES].map((name) => [name, 0])) as Counts
}

/** Lines that have not ended. */
export function openOf(counts: Counts): number {
  return counts.waiting + counts.queued + counts.running
}

/** What the ledger holds of batches. A call counts as `ledger_calls` says (migrations/0002). */
async function spentOf(db: D1Database, ids: readonly string[]): Promise<Map<string, Spent>> {
  const { results } = await db
    .prepare(
      `SELECT batch, COALESCE(SUM(CASE WHEN kind = 'settle' THEN micro_usd END), 0) AS spent,
         COUNT(CASE WHEN kind = 'orphan' OR (kind = 'settle' AND micro_usd IS NULL) THEN 1 END) AS uncertain
       FROM ledger_calls WHERE batch IN (SELECT value FROM json_each(?1)) GROUP BY batch`,
    )
    .bind(JSON.stringify(ids))
    .all<{ batch: string } & Spent>()
  return new Map(results.map(({ batch, spent, uncertain }) => [batch, { spent, uncertain }]))
}

/** Batches as callers see them. */
export async function viewsOf(db: D1Database, batches: readonly Batch[]): Promise<BatchView[]> {
  if (batches.length === 0) return []
  const [counts, spent] = await Promise.all([
    countsOf(
      db,
      batches.map(({ set }) => set),
    ),
    spentOf(
      db,
      batches.map(({ id }) => id),
    ),
  ])
  return batches.map((batch) => viewOf(batch, counts.get(batch.set)!, spent.get(batch.id)))
}

function viewOf(batch: Batch, counts: Counts, spent: Spent = { spent: 0, uncertain: 0 }): BatchView {
  const { id, total, terms, metadata, createdAt, cancelledAt, finishedAt } = batch
  const usd = (amount: MicroUsd | null) => (amount === null ? null : toUsd(amount))
  const unfinished = cancelledAt === null ? 'running' : 'cancelling'
  return {
    id,
    status: finishedAt === null ? unfinished : 'ended',
    total,
    counts,
    cost: {
      estimated: usd(terms.expected),
      atMost: usd(terms.atMost),
      actual: toUsd(spent.spent),
      uncertain: spent.uncertain,
      currency: 'USD',
    },
    metadata,
    createdAt: new Date(createdAt).toISOString(),
    cancelledAt: instant(cancelledAt),
    finishedAt: instant(finishedAt),
  }
}

function instant(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString()
}

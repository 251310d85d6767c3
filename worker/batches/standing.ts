// How far batches are and what they cost, counted in D1, and a batch as callers see it.
import { STATUSES, type Status } from '../../core/api.ts'
import type { BatchView } from '../../core/batch.ts'
import { type MicroUsd, toUsd } from '../../core/money.ts'
import type { Batch } from './register.ts'

export type Counts = BatchView['counts']

export type Spent = {
  spent: MicroUsd
  /** Calls of which nobody can say whether they were charged, or for how much. */
  uncertain: number
}

/** Lines by status, of each of these sets of items. */
export async function countsOf(db: D1Database, sets: readonly string[]): Promise<Map<string, Counts>> {
  const ended = `SELECT batch, status, COUNT(*) AS count FROM batch_items
    WHERE batch IN (SELECT value FROM json_each(?1)) AND ended_seq IS NOT NULL GROUP BY batch, status`
  // What has left for the queue is on its way to a queued generation. One that has ended by its index row while its item
  // has not is ending at this moment.
  const open = `SELECT item.batch, CASE
      WHEN item.state = 'waiting' THEN 'waiting'
      WHEN item.state = 'handed_over' OR made.status IS NULL OR made.status = 'queued' THEN 'queued'
      ELSE 'running' END AS status, COUNT(*) AS count
    FROM batch_items item INDEXED BY batch_items_open LEFT JOIN generations made ON made.id = item.generation
    WHERE item.batch IN (SELECT value FROM json_each(?1)) AND item.state <> 'ended' GROUP BY 1, 2`
  // One statement: a line that ends between two would be counted in both or in neither.
  const { results } = await db
    .prepare(`${ended} UNION ALL ${open}`)
    .bind(JSON.stringify(sets))
    .all<{ batch: string; status: Status | 'waiting'; count: number }>()
  const counts = new Map(sets.map((set) => [set, noLines()]))
  for (const { batch, status, count } of results) counts.get(batch)![status] += count
  return counts
}

function noLines(): Counts {
  return Object.fromEntries(['waiting', ...STATUSES].map((name) => [name, 0])) as Counts
}

/** Lines that have not ended. */
export function openOf(counts: Counts): number {
  return counts.waiting + counts.queued + counts.running
}

/** What the ledger holds of batches. An attempt that was thought lost and then found counts as what it was found to
 *  be. */
export async function spentOf(db: D1Database, ids: readonly string[]): Promise<Map<string, Spent>> {
  const { results } = await db
    .prepare(
      `SELECT batch, SUM(CASE WHEN settled THEN COALESCE(paid, 0) ELSE 0 END) AS spent,
         SUM(CASE WHEN settled THEN paid IS NULL ELSE orphaned END) AS uncertain
       FROM (
         SELECT batch, MAX(kind = 'settle') AS settled, MAX(kind = 'orphan') AS orphaned,
           SUM(CASE WHEN kind = 'settle' THEN micro_usd END) AS paid
         FROM ledger WHERE batch IN (SELECT value FROM json_each(?1)) GROUP BY batch, generation, attempt
       ) GROUP BY batch`,
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
      batches.map(({ items }) => items),
    ),
    spentOf(
      db,
      batches.map(({ id }) => id),
    ),
  ])
  return batches.map((batch) => viewOf(batch, counts.get(batch.items)!, spent.get(batch.id)))
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

// The items of batches in D1, and what may become of one: waiting → handed_over → accepted → ended. Each is numbered as it
// ends; D1 carries out one statement after the other, so that whoever reads in the order of the numbers misses none.
// Conditions that seem to say a thing twice are those of the partial indexes (migrations/0004): SQLite wants them word for
// word.
import type { Status } from '../../core/api.ts'
import type { BatchLine } from '../../core/batch.ts'
import type { GenerationRecord } from '../generation/record.ts'

/** What is stored of a line. */
export type NewItem = {
  /** From 1. */
  line: number
  key: string
  generation: string
  /** Lines whose pictures it is made from; absent when there are none. */
  needs?: readonly number[]
  request: Omit<BatchLine, 'key'>
}

export type Item = {
  line: number
  key: string
  generation: string
  state: 'waiting' | 'handed_over' | 'accepted' | 'ended'
  request: Omit<BatchLine, 'key'>
}

/** Why an item has no generation; `code` is that of a problem or of an outcome. */
export type ItemError = { code: string; message: string }

/** An item that ends without a generation. */
export type Without = { line: number; status: Status; error: ItemError }

/** How an item ends that is cancelled before it came to a generation. */
export const CANCELLED: Omit<Without, 'line'> = {
  status: 'cancelled',
  error: { code: 'cancelled', message: 'the batch was cancelled before its turn came' },
}

/** Stores items that wait. `items` is the name of the set; at most 2 MB of JSON. */
export async function storeItems(db: D1Database, items: string, json: string): Promise<void> {
  await db
    .prepare(
      `INSERT INTO batch_items (batch, line, key, generation, state, needs, request)
       SELECT ?1, value ->> '$.line', value ->> '$.key', value ->> '$.generation', 'waiting', value -> '$.needs',
         value -> '$.request'
       FROM json_each(?2)`,
    )
    .bind(items, json)
    .run()
}

/** These lines, in their order. */
export async function readItems(db: D1Database, items: string, lines: readonly number[]): Promise<Item[]> {
  const { results } = await db
    .prepare(
      `SELECT line, key, generation, state, request FROM batch_items
       WHERE batch = ?1 AND line IN (SELECT value FROM json_each(?2)) ORDER BY line`,
    )
    .bind(items, JSON.stringify(lines))
    .all<Omit<Item, 'request'> & { request: string }>()
  return results.map((row) => ({ ...row, request: JSON.parse(row.request) as Item['request'] }))
}

/** Lines that may be handed over: waiting, and all that they need has its picture. */
export async function readyLines(db: D1Database, items: string, limit: number): Promise<number[]> {
  const { results } = await db
    .prepare(
      `SELECT line FROM batch_items own
       WHERE own.batch = ?1 AND own.state = 'waiting' AND own.state <> 'ended' AND (own.needs IS NULL OR NOT EXISTS (
         SELECT 1 FROM json_each(own.needs) need CROSS JOIN batch_items other
         WHERE other.batch = own.batch AND other.line = need.value AND other.status IS NOT 'succeeded'))
       ORDER BY line LIMIT ?2`,
    )
    .bind(items, limit)
    .all<{ line: number }>()
  return results.map(({ line }) => line)
}

/** Waiting lines that need the picture of one which ended without. */
export async function doomedLines(
  db: D1Database,
  items: string,
  limit: number,
): Promise<{ line: number; need: number; key: string; status: Status }[]> {
  // CROSS JOIN is SQLite's word for this order: what is waiting, what it needs, the line that was to bring it.
  const { results } = await db
    .prepare(
      `SELECT own.line, other.line AS need, other.key, other.status
       FROM batch_items own CROSS JOIN json_each(own.needs) need CROSS JOIN batch_items other
       WHERE own.batch = ?1 AND own.state = 'waiting' AND own.state <> 'ended' AND own.needs IS NOT NULL
         AND other.batch = ?1 AND other.line = need.value
         AND other.state = 'ended' AND other.status <> 'succeeded'
       GROUP BY own.line ORDER BY own.line LIMIT ?2`,
    )
    .bind(items, limit)
    .all<{ line: number; need: number; key: string; status: Status }>()
  return results
}

/** Lines in the queue that were sent there before `before`, in epoch ms: their message may be lost. */
export async function overdueLines(
  db: D1Database,
  items: string,
  before: number,
  limit: number,
): Promise<number[]> {
  const { results } = await db
    .prepare(
      `SELECT line FROM batch_items WHERE batch = ?1 AND state = 'handed_over' AND state <> 'ended' AND handed_at < ?2
       ORDER BY line LIMIT ?3`,
    )
    .bind(items, before, limit)
    .all<{ line: number }>()
  return results.map(({ line }) => line)
}

/** Lines whose generation exists and has not ended, from after `after` on. */
export async function acceptedLines(
  db: D1Database,
  items: string,
  after: number,
  limit: number,
): Promise<{ line: number; generation: string }[]> {
  const { results } = await db
    .prepare(
      `SELECT line, generation FROM batch_items WHERE batch = ?1 AND state = 'accepted' AND state <> 'ended' AND line > ?2
       ORDER BY line LIMIT ?3`,
    )
    .bind(items, after, limit)
    .all<{ line: number; generation: string }>()
  return results
}

/** Marks lines as sent to the queue. Those that went further meanwhile stay as they are. */
export async function markHandedOver(
  db: D1Database,
  items: string,
  lines: readonly number[],
  now: number,
): Promise<void> {
  await db
    .prepare(
      `UPDATE batch_items SET state = 'handed_over', handed_at = ?3
       WHERE batch = ?1 AND line IN (SELECT value FROM json_each(?2)) AND state IN ('waiting', 'handed_over')`,
    )
    .bind(items, JSON.stringify(lines), now)
    .run()
}

/** Marks lines whose generation exists. */
export function acceptedStatement(
  db: D1Database,
  items: string,
  lines: readonly number[],
): D1PreparedStatement {
  return db
    .prepare(
      `UPDATE batch_items SET state = 'accepted'
       WHERE batch = ?1 AND line IN (SELECT value FROM json_each(?2)) AND state IN ('waiting', 'handed_over')`,
    )
    .bind(items, JSON.stringify(lines))
}

/** Ends the items of a generation that has ended; to be written together with its index row. What they ended as before
 *  is corrected: an uncertain picture may be found after all. An item of another batch with the same key counts only once
 *  the generation was found to be the one it asks for; until then its request may be another one. */
export function endItemsStatement(
  db: D1Database,
  { id, batch, status }: Pick<GenerationRecord, 'id' | 'batch' | 'status'>,
): D1PreparedStatement {
  return db
    .prepare(
      `UPDATE batch_items
       SET state = 'ended', status = ?2, error = NULL, ended_seq = COALESCE(ended_seq, next.seq)
       FROM (
         SELECT own.rowid AS item,
           (SELECT COALESCE(MAX(other.ended_seq), 0) FROM batch_items other
             WHERE other.batch = own.batch AND other.ended_seq IS NOT NULL)
             + ROW_NUMBER() OVER (PARTITION BY own.batch, own.ended_seq IS NULL ORDER BY own.line) AS seq
         FROM batch_items own
         WHERE own.generation = ?1 AND (own.status IS NOT ?2 OR own.error IS NOT NULL) AND (
           (own.state IN ('accepted', 'ended') AND own.error IS NULL)
           OR own.batch = (SELECT items FROM batches WHERE id = ?3))
       ) next
       WHERE batch_items.rowid = next.item`,
    )
    .bind(id, status, batch ?? null)
}

/** Ends items that have no generation. Those that have ended before stay as they are. */
export function endWithoutStatement(
  db: D1Database,
  items: string,
  ends: readonly Without[],
): D1PreparedStatement {
  return db
    .prepare(
      `UPDATE batch_items SET state = 'ended', status = next.status, error = next.error, ended_seq = next.seq
       FROM (
         SELECT own.rowid AS item, told.value ->> '$.status' AS status, told.value -> '$.error' AS error,
           (SELECT COALESCE(MAX(other.ended_seq), 0) FROM batch_items other
             WHERE other.batch = ?1 AND other.ended_seq IS NOT NULL)
             + ROW_NUMBER() OVER (ORDER BY own.line) AS seq
         FROM json_each(?2) told CROSS JOIN batch_items own
         WHERE own.batch = ?1 AND own.line = told.value ->> '$.line' AND own.state <> 'ended'
       ) next
       WHERE batch_items.rowid = next.item`,
    )
    .bind(items, JSON.stringify(ends))
}

/** Ends everything that waits, for good. */
export function endWaitingStatement(
  db: D1Database,
  items: string,
  { status, error }: Omit<Without, 'line'>,
): D1PreparedStatement {
  return db
    .prepare(
      `UPDATE batch_items SET state = 'ended', status = ?2, error = ?3, ended_seq = next.seq
       FROM (
         SELECT own.rowid AS item,
           (SELECT COALESCE(MAX(other.ended_seq), 0) FROM batch_items other
             WHERE other.batch = ?1 AND other.ended_seq IS NOT NULL)
             + ROW_NUMBER() OVER (ORDER BY own.line) AS seq
         FROM batch_items own
         WHERE own.batch = ?1 AND own.state = 'waiting' AND own.state <> 'ended'
       ) next
       WHERE batch_items.rowid = next.item`,
    )
    .bind(items, status, JSON.stringify(error))
}

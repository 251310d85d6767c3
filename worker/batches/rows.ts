// The lines of batches in D1, and what may become of one: waiting → handed_over → accepted → ended (what goes back:
// returns.ts). Each is numbered as it ends; D1 carries out one statement after the other, so that whoever reads in the order
// of the numbers misses none. Conditions that seem to say a thing twice are those of the partial indexes (migrations/0004):
// SQLite wants them word for word.
import type { Status } from '../../core/api.ts'
import type { BatchLine } from '../../core/batch.ts'
import type { GenerationRecord } from '../generation/record.ts'

/** What is stored of a line. */
export type NewLine = {
  /** From 1. */
  line: number
  key: string
  generation: string
  /** Lines whose pictures it is made from; absent when there are none. */
  needs?: readonly number[]
  request: Omit<BatchLine, 'key'>
}

export type StoredLine = {
  line: number
  key: string
  generation: string
  state: 'waiting' | 'handed_over' | 'accepted' | 'ended'
  request: Omit<BatchLine, 'key'>
}

/** Why a line has no generation; `code` is that of a problem or of an outcome. */
export type LineError = { code: string; message: string }

/** A line that ends without a generation. */
export type Without = { line: number; status: Status; error: LineError }

/** How a line ends that is cancelled before it came to a generation. */
export const CANCELLED: Omit<Without, 'line'> = {
  status: 'cancelled',
  error: { code: 'cancelled', message: 'the batch was cancelled before its turn came' },
}

/** Stores lines that wait. `set` is the name of their set; at most 2 MB of JSON. */
export async function storeLines(db: D1Database, set: string, json: string): Promise<void> {
  await db
    .prepare(
      `INSERT INTO batch_lines (line_set, line, key, generation, state, needs, request)
       SELECT ?1, value ->> '$.line', value ->> '$.key', value ->> '$.generation', 'waiting', value -> '$.needs',
         value -> '$.request'
       FROM json_each(?2)`,
    )
    .bind(set, json)
    .run()
}

/** These lines, in their order. */
export async function readLines(
  db: D1Database,
  set: string,
  lines: readonly number[],
): Promise<StoredLine[]> {
  const { results } = await db
    .prepare(
      `SELECT line, key, generation, state, request FROM batch_lines
       WHERE line_set = ?1 AND line IN (SELECT value FROM json_each(?2)) ORDER BY line`,
    )
    .bind(set, JSON.stringify(lines))
    .all<Omit<StoredLine, 'request'> & { request: string }>()
  return results.map((row) => ({ ...row, request: JSON.parse(row.request) as StoredLine['request'] }))
}

/** Lines that may be handed over for the first time: waiting, and all that they need has its picture. */
export async function readyLines(db: D1Database, set: string, limit: number): Promise<number[]> {
  const { results } = await db
    .prepare(
      `SELECT line FROM batch_lines own
       WHERE own.line_set = ?1 AND own.state = 'waiting' AND own.state <> 'ended' AND own.handed_at IS NULL
         AND (own.needs IS NULL OR NOT EXISTS (
         SELECT 1 FROM json_each(own.needs) need CROSS JOIN batch_lines other
         WHERE other.line_set = own.line_set AND other.line = need.value AND other.status IS NOT 'succeeded'))
       ORDER BY line LIMIT ?2`,
    )
    .bind(set, limit)
    .all<{ line: number }>()
  return results.map(({ line }) => line)
}

/** Waiting lines that need the picture of one which ended without. */
export async function doomedLines(
  db: D1Database,
  set: string,
  limit: number,
): Promise<{ line: number; need: number; key: string; status: Status }[]> {
  // CROSS JOIN is SQLite's word for this order: what is waiting, what it needs, the line that was to bring it.
  const { results } = await db
    .prepare(
      `SELECT own.line, other.line AS need, other.key, other.status
       FROM batch_lines own CROSS JOIN json_each(own.needs) need CROSS JOIN batch_lines other
       WHERE own.line_set = ?1 AND own.state = 'waiting' AND own.state <> 'ended' AND own.needs IS NOT NULL
         AND other.line_set = ?1 AND other.line = need.value
         AND other.state = 'ended' AND other.status <> 'succeeded'
       GROUP BY own.line ORDER BY own.line LIMIT ?2`,
    )
    .bind(set, limit)
    .all<{ line: number; need: number; key: string; status: Status }>()
  return results
}

/** Lines in the queue that were sent there before `before`, in epoch ms: their message may be lost. */
export async function overdueLines(
  db: D1Database,
  set: string,
  before: number,
  limit: number,
): Promise<number[]> {
  const { results } = await db
    .prepare(
      `SELECT line FROM batch_lines WHERE line_set = ?1 AND state = 'handed_over' AND state <> 'ended' AND handed_at < ?2
       ORDER BY line LIMIT ?3`,
    )
    .bind(set, before, limit)
    .all<{ line: number }>()
  return results.map(({ line }) => line)
}

/** Lines whose generation exists and has not ended, from after `after` on. */
export async function acceptedLines(
  db: D1Database,
  set: string,
  after: number,
  limit: number,
): Promise<{ line: number; generation: string }[]> {
  const { results } = await db
    .prepare(
      `SELECT line, generation FROM batch_lines WHERE line_set = ?1 AND state = 'accepted' AND state <> 'ended' AND line > ?2
       ORDER BY line LIMIT ?3`,
    )
    .bind(set, after, limit)
    .all<{ line: number; generation: string }>()
  return results
}

/** Marks lines as sent to the queue at `now`. Those that went further or were put back since stay as they are. */
export async function markHandedOver(
  db: D1Database,
  set: string,
  lines: readonly number[],
  now: number,
): Promise<void> {
  await db
    .prepare(
      `UPDATE batch_lines SET state = 'handed_over', handed_at = ?3
       WHERE line_set = ?1 AND line IN (SELECT value FROM json_each(?2)) AND state IN ('waiting', 'handed_over')
         AND (handed_at IS NULL OR handed_at < ?3)`,
    )
    .bind(set, JSON.stringify(lines), now)
    .run()
}

/** Marks lines whose generation exists. */
export function acceptedStatement(
  db: D1Database,
  set: string,
  lines: readonly number[],
): D1PreparedStatement {
  return db
    .prepare(
      `UPDATE batch_lines SET state = 'accepted'
       WHERE line_set = ?1 AND line IN (SELECT value FROM json_each(?2)) AND state IN ('waiting', 'handed_over')`,
    )
    .bind(set, JSON.stringify(lines))
}

/** Ends the lines of a generation that has ended; to be written together with its index row. What they ended as before
 *  is corrected, and numbered anew, so that whoever reads on is told: an uncertain picture may be found after all. A line of another batch with the same key counts only once
 *  the generation was found to be the one it asks for; until then its request may be another one. */
export function endLinesStatement(
  db: D1Database,
  { id, batch, status }: Pick<GenerationRecord, 'id' | 'batch' | 'status'>,
): D1PreparedStatement {
  return db
    .prepare(
      `UPDATE batch_lines
       SET state = 'ended', status = ?2, error = NULL, ended_seq = next.seq
       FROM (
         SELECT own.rowid AS ended,
           (SELECT COALESCE(MAX(other.ended_seq), 0) FROM batch_lines other
             WHERE other.line_set = own.line_set AND other.ended_seq IS NOT NULL)
             + ROW_NUMBER() OVER (PARTITION BY own.line_set ORDER BY own.line) AS seq
         FROM batch_lines own
         WHERE own.generation = ?1 AND (own.status IS NOT ?2 OR own.error IS NOT NULL) AND (
           (own.state IN ('accepted', 'ended') AND own.error IS NULL)
           OR own.line_set = (SELECT line_set FROM batches WHERE id = ?3))
       ) next
       WHERE batch_lines.rowid = next.ended`,
    )
    .bind(id, status, batch ?? null)
}

/** Ends lines that have no generation. Those that have ended before stay as they are. */
export function endWithoutStatement(
  db: D1Database,
  set: string,
  ends: readonly Without[],
): D1PreparedStatement {
  return db
    .prepare(
      `UPDATE batch_lines SET state = 'ended', status = next.status, error = next.error, ended_seq = next.seq
       FROM (
         SELECT own.rowid AS ended, told.value ->> '$.status' AS status, told.value -> '$.error' AS error,
           (SELECT COALESCE(MAX(other.ended_seq), 0) FROM batch_lines other
             WHERE other.line_set = ?1 AND other.ended_seq IS NOT NULL)
             + ROW_NUMBER() OVER (ORDER BY own.line) AS seq
         FROM json_each(?2) told CROSS JOIN batch_lines own
         WHERE own.line_set = ?1 AND own.line = told.value ->> '$.line' AND own.state <> 'ended'
       ) next
       WHERE batch_lines.rowid = next.ended`,
    )
    .bind(set, JSON.stringify(ends))
}

/** Ends everything that waits, for good. */
export function endWaitingStatement(
  db: D1Database,
  set: string,
  { status, error }: Omit<Without, 'line'>,
): D1PreparedStatement {
  return db
    .prepare(
      `UPDATE batch_lines SET state = 'ended', status = ?2, error = ?3, ended_seq = next.seq
       FROM (
         SELECT own.rowid AS ended,
           (SELECT COALESCE(MAX(other.ended_seq), 0) FROM batch_lines other
             WHERE other.line_set = ?1 AND other.ended_seq IS NOT NULL)
             + ROW_NUMBER() OVER (ORDER BY own.line) AS seq
         FROM batch_lines own
         WHERE own.line_set = ?1 AND own.state = 'waiting' AND own.state <> 'ended'
       ) next
       WHERE batch_lines.rowid = next.ended`,
    )
    .bind(set, status, JSON.stringify(error))
}

// Lines that go back a step, and who else waits for what a line waits for. The numbers of lines never go back.

/** Takes back that lines ended without a generation: there is one after all. Their numbers stay used up. Those of a batch
 *  that has ended are corrected when their generation ends. */
export function reopenedStatement(
  db: D1Database,
  set: string,
  lines: readonly number[],
): D1PreparedStatement {
  return db
    .prepare(
      `UPDATE batch_lines SET state = 'accepted', status = NULL, error = NULL
       WHERE line_set = ?1 AND line IN (SELECT value FROM json_each(?2)) AND state = 'ended' AND error IS NOT NULL
         AND EXISTS (SELECT 1 FROM batches WHERE batches.line_set = ?1 AND finished_at IS NULL)`,
    )
    .bind(set, JSON.stringify(lines))
}

/** Puts lines back that the budget has no room for now. `handed_at` of a waiting line is when that was. */
export function postponedStatement(
  db: D1Database,
  set: string,
  lines: readonly number[],
  now: number,
): D1PreparedStatement {
  return db
    .prepare(
      `UPDATE batch_lines SET state = 'waiting', handed_at = ?3
       WHERE line_set = ?1 AND line IN (SELECT value FROM json_each(?2)) AND state IN ('waiting', 'handed_over')`,
    )
    .bind(set, JSON.stringify(lines), now)
}

/** Lines that were put back, those first that have waited longest; `at`: when, in epoch ms. */
export async function postponedLines(
  db: D1Database,
  set: string,
  limit: number,
): Promise<{ line: number; at: number }[]> {
  const { results } = await db
    .prepare(
      `SELECT line, handed_at AS at FROM batch_lines
       WHERE line_set = ?1 AND state = 'waiting' AND state <> 'ended' AND handed_at IS NOT NULL
       ORDER BY handed_at, line LIMIT ?2`,
    )
    .bind(set, limit)
    .all<{ line: number; at: number }>()
  return results
}

/** Those of these generations that a line of another batch waits for, one that is not cancelled. */
export async function wantedElsewhere(
  db: D1Database,
  set: string,
  generations: readonly string[],
): Promise<Set<string>> {
  const { results } = await db
    .prepare(
      `SELECT DISTINCT other.generation FROM json_each(?2) asked
       CROSS JOIN batch_lines other INDEXED BY batch_lines_by_generation
       JOIN batches ON batches.line_set = other.line_set
       WHERE other.generation = asked.value AND other.line_set <> ?1 AND other.state <> 'ended'
         AND batches.state = 'accepted' AND batches.cancelled_at IS NULL`,
    )
    .bind(set, JSON.stringify(generations))
    .all<{ generation: string }>()
  return new Set(results.map(({ generation }) => generation))
}

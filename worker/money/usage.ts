// What was spent, summed from the ledger in D1. A call counts once: as charged when it was settled, else as free when it
// was released, else as uncertain when it was orphaned, else as under way. It belongs to the instant of its earliest row,
// when it was sent, so that spans which follow one another hold every call once.
import { toUsd } from '../../core/money.ts'
import type { UsageBy, UsageReport } from '../../core/usage.ts'
import type { Span } from '../http/span.ts'

/** What a row is named by. */
const NAMES: Record<UsageBy, string> = {
  day: "strftime('%Y-%m-%d', at / 1000, 'unixepoch')",
  model: 'model',
  provider: 'provider',
  token: 'token',
  batch: 'batch',
}

/** One row per call: its earliest row in the ledger, joined with how it ended. */
const CALLS = `
  SELECT l.generation, l.at, l.token, l.batch, l.provider, l.model,
    CASE WHEN s.kind IS NOT NULL THEN 'settle' WHEN f.kind IS NOT NULL THEN 'release'
      WHEN o.kind IS NOT NULL THEN 'orphan' ELSE 'reserve' END AS kind,
    CASE WHEN s.kind IS NOT NULL THEN s.micro_usd WHEN f.kind IS NOT NULL THEN 0
      WHEN o.kind IS NOT NULL THEN o.micro_usd ELSE l.micro_usd END AS micro_usd,
    COALESCE(s.has_picture, f.has_picture, o.has_picture, 0) AS has_picture
  FROM ledger l
  LEFT JOIN ledger s ON s.generation = l.generation AND s.attempt = l.attempt AND s.kind = 'settle'
  LEFT JOIN ledger f ON f.generation = l.generation AND f.attempt = l.attempt AND f.kind = 'release'
  LEFT JOIN ledger o ON o.generation = l.generation AND o.attempt = l.attempt AND o.kind = 'orphan'
  WHERE l.workspace = ?1 AND l.at >= ?2 AND l.at < ?3
    AND NOT EXISTS (
      SELECT 1 FROM ledger e WHERE e.generation = l.generation AND e.attempt = l.attempt
        AND (e.at, e.kind) < (l.at, l.kind))`

const SUMS = `
  COUNT(DISTINCT generation) AS generations,
  COUNT(*) AS attempts,
  COALESCE(SUM(has_picture), 0) AS pictures,
  COALESCE(SUM(CASE WHEN kind = 'settle' THEN micro_usd END), 0) AS cost,
  COUNT(CASE WHEN kind = 'settle' AND micro_usd IS NULL THEN 1 END) AS unpriced,
  COUNT(CASE WHEN kind = 'orphan' THEN 1 END) AS uncertain,
  COALESCE(SUM(CASE WHEN kind = 'orphan' THEN micro_usd END), 0) AS uncertain_at_most,
  COUNT(CASE WHEN kind = 'reserve' THEN 1 END) AS running,
  COALESCE(SUM(CASE WHEN kind = 'reserve' THEN micro_usd END), 0) AS running_at_most`

/** Counts, and whole micro-USD. */
type SumsRow = {
  generations: number
  attempts: number
  pictures: number
  cost: number
  unpriced: number
  uncertain: number
  uncertain_at_most: number
  running: number
  running_at_most: number
}

/** What a workspace spent in a span, by row and in all. Rejects when D1 does. */
export async function usageOf(
  db: D1Database,
  workspace: string,
  { from, before }: Span,
  by: UsageBy,
): Promise<UsageReport> {
  const bounds = [workspace, from ?? 0, before ?? Number.MAX_SAFE_INTEGER]
  const name = NAMES[by]
  // In one transaction, or the rows would not add up to the total.
  const [rows, totals] = await db.batch([
    db
      .prepare(`SELECT ${name} AS name, ${SUMS} FROM (${CALLS}) GROUP BY 1 ORDER BY name IS NULL, name`)
      .bind(...bounds),
    db.prepare(`SELECT ${SUMS} FROM (${CALLS})`).bind(...bounds),
  ])
  return {
    by,
    from: isoOf(from),
    to: isoOf(before),
    currency: 'USD',
    rows: (rows!.results as (SumsRow & { name: string | null })[]).map((row) => ({
      name: row.name,
      ...sumsOf(row),
    })),
    total: sumsOf(totals!.results[0] as SumsRow),
  }
}

function sumsOf(row: SumsRow): UsageReport['total'] {
  const { generations, attempts, pictures, unpriced, uncertain, running } = row
  return {
    generations,
    attempts,
    pictures,
    cost: toUsd(row.cost),
    unpriced,
    uncertain,
    uncertainAtMost: toUsd(row.uncertain_at_most),
    running,
    runningAtMost: toUsd(row.running_at_most),
  }
}

function isoOf(instant: number | undefined): string | null {
  return instant === undefined ? null : new Date(instant).toISOString()
}

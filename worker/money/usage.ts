// What was spent, summed from the ledger in D1. A call counts once, as `ledger_calls` says (migrations/0002), at the
// instant of its earliest row, when it was sent: spans that follow one another hold every call once.
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

const CALLS = 'ledger_calls WHERE workspace = ?1 AND at >= ?2 AND at < ?3'

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

/** Rows of a page. */
const PAGE = 1_000

/** What a workspace spent in a span: a page of rows after the one named `after`, and the total of all. Rejects when D1
 *  does. */
export async function usageOf(
  db: D1Database,
  workspace: string,
  { from, before }: Span,
  by: UsageBy,
  after?: string,
): Promise<Omit<UsageReport, 'emulated'>> {
  const bounds = [workspace, from ?? 0, before ?? Number.MAX_SAFE_INTEGER]
  const name = NAMES[by]
  // In one transaction, or the rows would not add up to the total.
  const [page, totals] = await db.batch([
    db
      .prepare(
        `SELECT ${name} AS name, ${SUMS} FROM ${CALLS} AND (?4 IS NULL OR ${name} IS NULL OR ${name} > ?4)
         GROUP BY 1 ORDER BY name IS NULL, name LIMIT ?5`,
      )
      .bind(...bounds, after ?? null, PAGE + 1),
    db.prepare(`SELECT ${SUMS} FROM ${CALLS}`).bind(...bounds),
  ])
  const found = page!.results as (SumsRow & { name: string | null })[]
  const rows = found.slice(0, PAGE)
  return {
    by,
    from: isoOf(from),
    to: isoOf(before),
    currency: 'USD',
    rows: rows.map((row) => ({ name: row.name, ...sumsOf(row) })),
    total: sumsOf(totals!.results[0] as SumsRow),
    // The row without a name is the last one of all.
    cursor: found.length > PAGE ? rows.at(-1)!.name : null,
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

// The book of one Account: what each generation holds or has cost, and the sums of it by day, month and in all. Tables and
// not one value, because a token may make 100,000 pictures. Every change of a row changes its sums in the same transaction,
// in the periods in which the generation was reserved, whenever its cost becomes known. Amounts are whole micro-USD.
import { BUDGET_PERIODS, type BudgetPeriod } from '../../core/api.ts'
import type { MicroUsd } from '../../core/money.ts'
import { type Committed, spansAt } from './budget.ts'

/** `open`: held, not ended. `unknown`: ended, its cost is not known: what was held counts. `known`: ended. */
type State = 'open' | 'unknown' | 'known'

/** What a generation counts for in the sums, and since when. */
export type Hold = { generation: string; state: State; counted: MicroUsd; reservedAt: number }

type Row = { generation: string; state: State; counted: number; reserved_at: number }

export class Holds {
  readonly #storage: DurableObjectStorage

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage
    storage.sql.exec(`
      CREATE TABLE IF NOT EXISTS holds (
        generation TEXT PRIMARY KEY,
        state TEXT NOT NULL,
        counted INTEGER NOT NULL,
        reserved_at INTEGER NOT NULL,
        -- When an open one is looked at: its generation may never have come to be.
        look_at INTEGER
      ) WITHOUT ROWID;
      CREATE INDEX IF NOT EXISTS holds_to_look_at ON holds (look_at) WHERE look_at IS NOT NULL;
      CREATE TABLE IF NOT EXISTS sums (span TEXT PRIMARY KEY, committed INTEGER NOT NULL) WITHOUT ROWID;
    `)
  }

  find(generation: string): Hold | undefined {
    const [row] = this.#storage.sql
      .exec<Row>('SELECT generation, state, counted, reserved_at FROM holds WHERE generation = ?', generation)
      .toArray()
    return row && { generation, state: row.state, counted: row.counted, reservedAt: row.reserved_at }
  }

  /** What is spent or held in the periods of an instant. */
  committedAt(at: number): Committed {
    const spans = spansAt(at)
    const sums = new Map(
      this.#storage.sql
        .exec<{ span: string; committed: number }>(
          'SELECT span, committed FROM sums WHERE span IN (?, ?, ?)',
          spans.day,
          spans.month,
          spans.total,
        )
        .toArray()
        .map(({ span, committed }) => [span, committed]),
    )
    const sumOf = (period: BudgetPeriod) => sums.get(spans[period]) ?? 0
    return { day: sumOf('day'), month: sumOf('month'), total: sumOf('total') }
  }

  /** What of that is held for pictures under way. */
  heldAt(at: number): Committed {
    const day = new Date(at).toISOString().slice(0, 10)
    const since = (from: string) => Date.parse(`${from}T00:00:00Z`)
    const { today, month, total } = this.#storage.sql
      .exec<{ today: number; month: number; total: number }>(
        `SELECT COALESCE(SUM(CASE WHEN reserved_at >= ?1 THEN counted END), 0) AS today,
           COALESCE(SUM(CASE WHEN reserved_at >= ?2 THEN counted END), 0) AS month,
           COALESCE(SUM(counted), 0) AS total
         FROM holds WHERE look_at IS NOT NULL`,
        since(day),
        since(`${day.slice(0, 7)}-01`),
      )
      .one()
    return { day: today, month, total }
  }

  /** Writes a row and moves its sums by the difference. `lookAt`: for an open one. */
  put(hold: Hold, lookAt: number | null): void {
    const { generation, state, counted, reservedAt } = hold
    this.#storage.transactionSync(() => {
      this.#add(reservedAt, counted - (this.find(generation)?.counted ?? 0))
      this.#storage.sql.exec(
        `INSERT INTO holds (generation, state, counted, reserved_at, look_at) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (generation) DO UPDATE SET state = excluded.state, counted = excluded.counted,
           look_at = excluded.look_at`,
        generation,
        state,
        counted,
        reservedAt,
        lookAt,
      )
    })
  }

  /** Forgets a hold as if it had never been. */
  release({ generation, counted, reservedAt }: Hold): void {
    this.#storage.transactionSync(() => {
      this.#add(reservedAt, -counted)
      this.#storage.sql.exec('DELETE FROM holds WHERE generation = ?', generation)
    })
  }

  /** Open holds that are to be looked at by now, the longest waiting first. */
  due(now: number, limit: number): string[] {
    return this.#storage.sql
      .exec<{ generation: string }>(
        'SELECT generation FROM holds WHERE look_at <= ? ORDER BY look_at LIMIT ?',
        now,
        limit,
      )
      .toArray()
      .map(({ generation }) => generation)
  }

  /** When the next one is to be looked at; null when none is. */
  nextLookAt(): number | null {
    return this.#storage.sql
      .exec<{ at: number | null }>('SELECT MIN(look_at) AS at FROM holds WHERE look_at IS NOT NULL')
      .one().at
  }

  /** Whether a hold is open and still due: nobody has asked for its generation again meanwhile. */
  isDue(generation: string, now: number): boolean {
    const sql = 'SELECT 1 FROM holds WHERE generation = ? AND look_at <= ?'
    return this.#storage.sql.exec(sql, generation, now).toArray().length > 0
  }

  #add(at: number, amount: MicroUsd): void {
    if (amount === 0) return
    const spans = spansAt(at)
    for (const period of BUDGET_PERIODS)
      this.#storage.sql.exec(
        `INSERT INTO sums (span, committed) VALUES (?, ?)
         ON CONFLICT (span) DO UPDATE SET committed = committed + excluded.committed`,
        spans[period],
        amount,
      )
  }
}

// The ledger: what became of the money of every provider call, as rows that are only ever added. A Generation object keeps
// its rows until D1 has taken them (generation/debts.ts), so the ledger is complete however long D1 was down.
import type { MicroUsd } from '../../core/money.ts'
import { PRICE_TABLE_VERSION } from '../../core/prices.ts'
import type { Attempt, GenerationRecord } from '../generation/record.ts'

export type LedgerKind = 'reserve' | 'settle' | 'release' | 'orphan'

/** A row as the table has it (migrations/0002_ledger.sql). Unique by generation, attempt and kind. */
export type LedgerRow = {
  generation: string
  attempt: number
  kind: LedgerKind
  workspace: string
  token: string
  batch: string | null
  provider: string
  model: string
  /** Whole micro-USD; null when it is not known. */
  micro_usd: MicroUsd | null
  /** 1: the attempt brought a picture. */
  has_picture: 0 | 1
  /** Version of the price table. */
  prices: string
  /** The provider's own id of the call. */
  request_id: string | null
  /** Epoch ms. */
  at: number
}

/** The row of an attempt that is about to be sent. */
export function reserveRow(record: GenerationRecord, attempt: Attempt): LedgerRow {
  return rowOf(record, attempt, 'reserve', attempt.atMost ?? null, attempt.startedAt)
}

/** The row of an attempt that has ended. */
export function endRow(record: GenerationRecord, attempt: Attempt): LedgerRow {
  const { verdict, costMicroUsd, endedAt } = attempt.ending!
  switch (verdict.charged) {
    case 'yes':
      return rowOf(record, attempt, 'settle', costMicroUsd, endedAt)
    case 'no':
      return rowOf(record, attempt, 'release', 0, endedAt)
    case 'unknown':
      return rowOf(record, attempt, 'orphan', attempt.atMost ?? null, endedAt)
  }
}

/** The row of an attempt that was announced and then not sent at all. */
export function unsentRow(record: GenerationRecord, attempt: Attempt, at: number): LedgerRow {
  return rowOf(record, attempt, 'release', 0, at)
}

function rowOf(
  record: GenerationRecord,
  { number, route, ending }: Attempt,
  kind: LedgerKind,
  micro_usd: MicroUsd | null,
  at: number,
): LedgerRow {
  const { provider, model } = record.routes[route]!
  return {
    generation: record.id,
    attempt: number,
    kind,
    workspace: record.workspace,
    // Records of before there were tokens have none.
    token: record.token ?? 'admin',
    batch: record.batch ?? null,
    provider,
    model,
    micro_usd,
    has_picture: ending?.picture ? 1 : 0,
    prices: PRICE_TABLE_VERSION,
    request_id: ending?.requestId ?? null,
    at,
  }
}

/** Whether two rows are the same entry. */
export function isSameRow(a: LedgerRow, b: LedgerRow): boolean {
  return a.generation === b.generation && a.attempt === b.attempt && a.kind === b.kind
}

/** Adds rows; those that are there already stay as they are. */
export function ledgerStatement(db: D1Database, rows: readonly LedgerRow[]): D1PreparedStatement {
  const columns = [
    'generation',
    'attempt',
    'kind',
    'workspace',
    'token',
    'batch',
    'provider',
    'model',
    'micro_usd',
    'has_picture',
    'prices',
    'request_id',
    'at',
  ] satisfies (keyof LedgerRow)[]
  const values = columns.map((column) => `value ->> '${column}'`).join(', ')
  // `WHERE true`: SQLite would take ON CONFLICT for the constraint of a join.
  return db
    .prepare(
      `INSERT INTO ledger (${columns.join(', ')}) SELECT ${values} FROM json_each(?1) WHERE true
       ON CONFLICT DO NOTHING`,
    )
    .bind(JSON.stringify(rows))
}

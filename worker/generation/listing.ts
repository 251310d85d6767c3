// The index of generations in D1: what lists and look-ups by many ids read. The objects are the truth; this follows.
import type { Status } from '../../core/api.ts'
import { type PageWish, pageOf } from '../http/page.ts'
import { type GenerationRecord, resultOf } from './record.ts'

/** Inserts or replaces a record; an older version never overwrites a newer one. */
export function indexStatement(db: D1Database, record: GenerationRecord): D1PreparedStatement {
  const { provider, model } = record.routes[resultOf(record)?.route ?? 0]!
  return db
    .prepare(
      `INSERT INTO generations (id, workspace, status, provider, model, created_at, finished_at, version, record,
         token, batch, deleted_at)
       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
       ON CONFLICT (id) DO UPDATE SET status = excluded.status, provider = excluded.provider,
         model = excluded.model, finished_at = excluded.finished_at, version = excluded.version,
         record = excluded.record, deleted_at = excluded.deleted_at
       WHERE excluded.version > version`,
    )
    .bind(
      record.id,
      record.workspace,
      record.status,
      provider,
      model,
      record.createdAt,
      record.finishedAt ?? null,
      record.version,
      JSON.stringify(record),
      // Records of before there were tokens have none.
      record.token ?? null,
      record.batch ?? null,
      record.deletedAt ?? null,
    )
}

export type ListFilter = PageWish & {
  status?: readonly Status[] | undefined
  model?: string | undefined
  provider?: string | undefined
  /** Ids. */
  token?: string | undefined
  batch?: string | undefined
  /** When it was asked for, in epoch ms: from this on, and before this. */
  from?: number | undefined
  before?: number | undefined
}

/** The newest generations of a workspace, and the cursor of the next page. */
export async function listGenerations(
  db: D1Database,
  workspace: string,
  filter: ListFilter,
): Promise<{ records: GenerationRecord[]; cursor: string | null }> {
  const { results } = await db
    .prepare(
      `SELECT record, created_at, id FROM generations
       WHERE workspace = ?1
         AND (?2 IS NULL OR status IN (SELECT value FROM json_each(?2)))
         AND (?3 IS NULL OR model = ?3)
         AND (?4 IS NULL OR provider = ?4)
         AND (?5 IS NULL OR (created_at, id) < (?5, ?6))
         AND (?7 IS NULL OR token = ?7)
         AND (?8 IS NULL OR batch = ?8)
         AND (?9 IS NULL OR created_at >= ?9)
         AND (?10 IS NULL OR created_at < ?10)
       ORDER BY created_at DESC, id DESC LIMIT ?11`,
    )
    .bind(
      workspace,
      filter.status ? JSON.stringify(filter.status) : null,
      filter.model ?? null,
      filter.provider ?? null,
      filter.after?.createdAt ?? null,
      filter.after?.id ?? null,
      filter.token ?? null,
      filter.batch ?? null,
      filter.from ?? null,
      filter.before ?? null,
      filter.limit + 1,
    )
    .all<{ record: string; created_at: number; id: string }>()
  const { page, cursor } = pageOf(results, filter.limit, (row) => ({ createdAt: row.created_at, id: row.id }))
  return { records: page.map((row) => JSON.parse(row.record) as GenerationRecord), cursor }
}

/** Which of these generations exist, with the fingerprint of what was asked for. */
export async function fingerprintsOf(
  db: D1Database,
  workspace: string,
  ids: readonly string[],
): Promise<Map<string, string>> {
  const { results } = await db
    .prepare(
      `SELECT id, record ->> '$.fingerprint' AS fingerprint FROM generations
       WHERE workspace = ?1 AND id IN (SELECT value FROM json_each(?2))`,
    )
    .bind(workspace, JSON.stringify(ids))
    .all<{ id: string; fingerprint: string }>()
  return new Map(results.map((row) => [row.id, row.fingerprint]))
}

/** Which of these generations exist, with their status. One statement for any number of ids. */
export async function statusesOf(
  db: D1Database,
  workspace: string,
  ids: readonly string[],
): Promise<Map<string, Status>> {
  const { results } = await db
    .prepare(
      'SELECT id, status FROM generations WHERE workspace = ?1 AND id IN (SELECT value FROM json_each(?2))',
    )
    .bind(workspace, JSON.stringify(ids))
    .all<{ id: string; status: Status }>()
  return new Map(results.map((row) => [row.id, row.status]))
}

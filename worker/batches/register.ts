// The batches in D1: one row each, from the upload of its lines to its end.
import type { MicroUsd } from '../../core/money.ts'
import type { Caller } from '../http/auth.ts'
import { type PageWish, pageOf } from '../http/page.ts'

/** How things were when a batch was accepted, and stay for it. */
export type Terms = {
  caller: Caller
  /** Where its pictures are served from. */
  imagesUrl: string
  /** The emulator stood in for the providers: its lines must not be bought when keys are there. */
  emulated: boolean
  /** Sums over the lines that were not made before; null when a price is not known. */
  expected: MicroUsd | null
  atMost: MicroUsd | null
  webhook?: string
}

export type Batch = {
  id: string
  /** Name of its set of lines. */
  set: string
  workspace: string
  digest: string
  total: number
  terms: Terms
  metadata: Record<string, string>
  createdAt: number
  cancelledAt: number | null
  finishedAt: number | null
  /** The token that handed it over was revoked since, or expires then (epoch ms): nothing more may be bought with it. */
  isRevoked: boolean
  expiresAt: number | null
}

type Row = {
  id: string
  line_set: string
  workspace: string
  digest: string
  total: number
  terms: string
  metadata: string | null
  created_at: number
  cancelled_at: number | null
  finished_at: number | null
  revoked_at: number | null
  expires_at: number | null
}

const COLUMNS = `id, line_set, workspace, digest, total, terms, metadata, created_at, cancelled_at, finished_at,
  (SELECT revoked_at FROM tokens WHERE tokens.id = batches.token) AS revoked_at,
  (SELECT expires_at FROM tokens WHERE tokens.id = batches.token) AS expires_at`

function batchOf(row: Row): Batch {
  return {
    id: row.id,
    set: row.line_set,
    workspace: row.workspace,
    digest: row.digest,
    total: row.total,
    terms: JSON.parse(row.terms) as Terms,
    metadata: row.metadata === null ? {} : (JSON.parse(row.metadata) as Record<string, string>),
    createdAt: row.created_at,
    cancelledAt: row.cancelled_at,
    finishedAt: row.finished_at,
    isRevoked: row.revoked_at !== null,
    expiresAt: row.expires_at,
  }
}

/** Notes that an upload has begun, so that what it leaves behind when it breaks off can be found. */
export async function beginUpload(
  db: D1Database,
  { set, workspace, token, now }: { set: string; workspace: string; token: string; now: number },
): Promise<void> {
  await db
    .prepare(
      `INSERT INTO batches (id, line_set, workspace, token, digest, state, total, terms, created_at)
       VALUES (?1, ?1, ?2, ?3, '', 'receiving', 0, '{}', ?4)`,
    )
    .bind(set, workspace, token, now)
    .run()
}

/** Makes an upload the batch `id`. False: there is such a batch already, or the upload was given up. */
export async function acceptUpload(
  db: D1Database,
  batch: Pick<Batch, 'id' | 'set' | 'digest' | 'total' | 'terms' | 'metadata'>,
  now: number,
): Promise<boolean> {
  const { id, set, digest, total, terms, metadata } = batch
  const { meta } = await db
    .prepare(
      `UPDATE OR IGNORE batches
       SET id = ?2, digest = ?3, state = 'accepted', total = ?4, terms = ?5, metadata = ?6, created_at = ?7
       WHERE line_set = ?1 AND state = 'receiving'`,
    )
    .bind(set, id, digest, total, JSON.stringify(terms), JSON.stringify(metadata), now)
    .run()
  return meta.changes > 0
}

/** Removes an upload that did not become a batch. */
export async function dropUpload(db: D1Database, set: string): Promise<void> {
  const unless = `(SELECT 1 FROM batches WHERE line_set = ?1 AND state = 'accepted')`
  await db.batch([
    db.prepare(`DELETE FROM batch_lines WHERE line_set = ?1 AND NOT EXISTS ${unless}`).bind(set),
    db.prepare(`DELETE FROM batches WHERE line_set = ?1 AND state = 'receiving'`).bind(set),
  ])
}

/** Longest that an upload may take, in ms: what is older was broken off. */
const UPLOAD_MS = 6 * 3_600_000

/** Broken uploads that are removed at a time. */
const BROKEN = 10

/** Calls of D1 that `dropBroken` makes at most. */
export const CALLS_OF_BROKEN = 1 + BROKEN

/** Removes what broken uploads left behind; a few at a time. */
export async function dropBroken(db: D1Database, now: number): Promise<void> {
  const { results } = await db
    .prepare(`SELECT line_set FROM batches WHERE state = 'receiving' AND created_at < ?1 LIMIT ?2`)
    .bind(now - UPLOAD_MS, BROKEN)
    .all<{ line_set: string }>()
  for (const { line_set } of results) await dropUpload(db, line_set)
}

/** An accepted batch. */
export async function readBatch(db: D1Database, id: string): Promise<Batch | undefined> {
  const row = await db
    .prepare(`SELECT ${COLUMNS} FROM batches WHERE id = ?1 AND state = 'accepted'`)
    .bind(id)
    .first<Row>()
  return row ? batchOf(row) : undefined
}

/** The newest batches of a workspace, and the cursor of the next page. */
export async function listBatches(
  db: D1Database,
  workspace: string,
  { after, limit }: PageWish,
): Promise<{ batches: Batch[]; cursor: string | null }> {
  const { results } = await db
    .prepare(
      `SELECT ${COLUMNS} FROM batches
       WHERE workspace = ?1 AND state = 'accepted' AND (?2 IS NULL OR (created_at, id) < (?2, ?3))
       ORDER BY created_at DESC, id DESC LIMIT ?4`,
    )
    .bind(workspace, after?.createdAt ?? null, after?.id ?? null, limit + 1)
    .all<Row>()
  const { page, cursor } = pageOf(results.map(batchOf), limit, (batch) => batch)
  return { batches: page, cursor }
}

/** Says that nothing more of a batch shall be made. Repeatable; one that has ended stays as it is. */
export async function markCancelled(db: D1Database, id: string, now: number): Promise<void> {
  await db
    .prepare(
      'UPDATE batches SET cancelled_at = ?2 WHERE id = ?1 AND cancelled_at IS NULL AND finished_at IS NULL',
    )
    .bind(id, now)
    .run()
}

/** Ends a batch all of whose lines have ended; otherwise does nothing. */
export async function finishBatch(db: D1Database, id: string, now: number): Promise<void> {
  await db
    .prepare(
      `UPDATE batches SET finished_at = ?2
       WHERE id = ?1 AND state = 'accepted' AND finished_at IS NULL AND NOT EXISTS (
         SELECT 1 FROM batch_lines WHERE line_set = batches.line_set AND state <> 'ended')`,
    )
    .bind(id, now)
    .run()
}

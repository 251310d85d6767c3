// The rows of tokens beside ADMIN_TOKEN, in D1. A token is `ps_<id>_<secret>`: its row is found by the id, and the secret,
// 256 random bits, is told once and stored as its SHA-256 alone. Nothing is remembered between calls, so that a token that
// is revoked opens nothing from the next call on.
import { SCOPES, type Scope } from '../../core/accounts.ts'
import { BUDGET_PERIODS } from '../../core/api.ts'
import { randomName, sha256 } from '../generation/name.ts'
import { type PageWish, pageOf } from '../http/page.ts'
import type { Budget } from './budget.ts'

/** A token as it is stored. Instants are epoch ms. */
export type TokenRow = {
  /** `tok_` and 10 characters. */
  id: string
  name: string
  workspace: string
  scopes: readonly Scope[]
  budget: Budget
  perMinute?: number
  createdAt: number
  expiresAt?: number
  revokedAt?: number
}

type Stored = {
  id: string
  name: string
  workspace: string
  scopes: string
  hash: string
  budget_day: number | null
  budget_month: number | null
  budget_total: number | null
  per_minute: number | null
  created_at: number
  expires_at: number | null
  revoked_at: number | null
}

/** Stores a new token and returns it. It cannot be told again. Throws when D1 cannot be reached. */
export async function makeToken(
  db: D1Database,
  wanted: Omit<TokenRow, 'id' | 'revokedAt'>,
): Promise<{ row: TokenRow; token: string }> {
  const name = randomName().slice(0, 10)
  const secret = randomName() + randomName()
  const row: TokenRow = { id: `tok_${name}`, ...wanted }
  await db
    .prepare(
      `INSERT INTO tokens (id, name, workspace, scopes, hash, budget_day, budget_month, budget_total, per_minute,
         created_at, expires_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    .bind(
      row.id,
      row.name,
      row.workspace,
      JSON.stringify(row.scopes),
      sha256(secret),
      row.budget.day ?? null,
      row.budget.month ?? null,
      row.budget.total ?? null,
      row.perMinute ?? null,
      row.createdAt,
      row.expiresAt ?? null,
    )
    .run()
  return { row, token: `ps_${name}_${secret}` }
}

/** The row of a token that a caller sent; undefined when there is none with this id and secret. It may have expired or be
 *  revoked. Whether there is such an id shows neither in the answer nor in what is computed. Throws when D1 cannot be
 *  reached. */
export async function findToken(db: D1Database, token: string): Promise<TokenRow | undefined> {
  const [, name, secret] = /^ps_([0-9a-z]{1,32})_([0-9a-z]{52})$/.exec(token) ?? []
  if (!name || !secret) return undefined
  const stored = await db.prepare('SELECT * FROM tokens WHERE id = ?').bind(`tok_${name}`).first<Stored>()
  const isRight = equalDigests(sha256(secret), stored?.hash ?? sha256(''))
  return stored && isRight ? rowOf(stored) : undefined
}

/** A page of tokens, the newest first; of one workspace or of all. */
export async function listTokens(
  db: D1Database,
  { after, limit }: PageWish,
  workspace?: string,
): Promise<{ rows: TokenRow[]; cursor: string | null }> {
  const { results } = await db
    .prepare(
      `SELECT * FROM tokens
       WHERE (?1 IS NULL OR workspace = ?1) AND (?2 IS NULL OR (created_at, id) < (?2, ?3))
       ORDER BY created_at DESC, id DESC LIMIT ?4`,
    )
    .bind(workspace ?? null, after?.createdAt ?? null, after?.id ?? null, limit + 1)
    .all<Stored>()
  const { page, cursor } = pageOf(results.map(rowOf), limit, (row) => row)
  return { rows: page, cursor }
}

/** Revokes a token, of one workspace or of any; undefined when there is none. One that is revoked already stays as it
 *  is. */
export async function revokeToken(
  db: D1Database,
  id: string,
  now: number,
  workspace?: string,
): Promise<TokenRow | undefined> {
  const stored = await db
    .prepare(
      `UPDATE tokens SET revoked_at = COALESCE(revoked_at, ?2)
       WHERE id = ?1 AND (?3 IS NULL OR workspace = ?3) RETURNING *`,
    )
    .bind(id, now, workspace ?? null)
    .first<Stored>()
  return stored ? rowOf(stored) : undefined
}

function rowOf(stored: Stored): TokenRow {
  const scopes = JSON.parse(stored.scopes) as readonly string[]
  const limits = { day: stored.budget_day, month: stored.budget_month, total: stored.budget_total }
  const set = BUDGET_PERIODS.flatMap((period) => (limits[period] === null ? [] : [[period, limits[period]]]))
  return {
    id: stored.id,
    name: stored.name,
    workspace: stored.workspace,
    scopes: SCOPES.filter((scope) => scopes.includes(scope)),
    budget: Object.fromEntries(set) as Budget,
    ...(stored.per_minute === null ? {} : { perMinute: stored.per_minute }),
    createdAt: stored.created_at,
    ...(stored.expires_at === null ? {} : { expiresAt: stored.expires_at }),
    ...(stored.revoked_at === null ? {} : { revokedAt: stored.revoked_at }),
  }
}

/** Compares hex digests in constant time. */
export function equalDigests(a: string, b: string): boolean {
  const bytes = (text: string) => new TextEncoder().encode(text)
  return a.length === b.length && crypto.subtle.timingSafeEqual(bytes(a), bytes(b))
}

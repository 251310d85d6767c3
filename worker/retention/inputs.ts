// Input images and conversations that are older than the operator wants to keep. The bucket is walked page by page, at most
// once a day; a walk that is too long for one run goes on in the next.
import type { Env } from '../env.ts'
import type { Allowance } from './allowance.ts'

/** What is walked: uploaded, fetched and inline images with the long ones among them; turns of native calls. */
const PREFIXES = ['references/', 'conversations/']

/** Time from the beginning of one walk to that of the next, in ms. */
const EVERY_MS = 20 * 3_600_000

/** Calls of a page: list, look-up, delete. */
const CALLS_OF_PAGE = 3

/** Deletes what was stored before `before` and is of no use to anything that is queued, running or in a batch. Resolves
 *  with the number deleted, and whether there is nothing left to look at for today. */
export async function deleteInputs(
  env: Pick<Env, 'BUCKET' | 'DB'>,
  before: number,
  now: number,
  allowance: Allowance,
): Promise<{ deleted: number; isDone: boolean }> {
  let deleted = 0
  let isDone = true
  for (const prefix of PREFIXES) {
    const pass = await passOf(env.DB, prefix)
    if (pass && pass.cursor === null && pass.begun_at > now - EVERY_MS) continue
    const goesOn = pass !== null && pass.cursor !== null
    let after = goesOn ? pass.cursor : null
    let hasMore = true
    while (hasMore && allowance.take(CALLS_OF_PAGE)) {
      const page = await env.BUCKET.list({ prefix, ...(after === null ? {} : { startAfter: after }) })
      const old = page.objects.filter((object) => object.uploaded.getTime() < before).map(({ key }) => key)
      const free = await withoutUsed(env.DB, old)
      if (free.length > 0) await env.BUCKET.delete(free)
      deleted += free.length
      hasMore = page.truncated
      after = page.objects.at(-1)?.key ?? null
    }
    if (hasMore) isDone = false
    // A walk without a place to go on from has not begun.
    if (!hasMore || after !== null)
      await savePass(env.DB, prefix, hasMore ? after : null, goesOn ? pass.begun_at : now)
  }
  return { deleted, isDone }
}

/** Those of `keys` that nothing needs any more: no generation that is queued or running, and no line of a batch that has
 *  not ended. */
async function withoutUsed(db: D1Database, keys: readonly string[]): Promise<string[]> {
  if (keys.length === 0) return []
  const { results } = await db
    .prepare(
      `WITH used (key) AS (
         SELECT json_extract(input.value, '$.key') FROM generations, json_each(record, '$.inputs') AS input
           WHERE status IN ('queued', 'running')
         UNION
         SELECT json_extract(record, '$.conversation.key') FROM generations WHERE status IN ('queued', 'running')
         UNION
         SELECT 'references/' || workspace || '/' || json_extract(reference.value, '$.sha256')
           FROM batch_lines JOIN batches ON batches.line_set = batch_lines.line_set,
             json_each(request, '$.references') AS reference
           WHERE batch_lines.state <> 'ended'
       )
       SELECT wanted.value AS key FROM json_each(?1) AS wanted
       WHERE NOT EXISTS (SELECT 1 FROM used WHERE used.key = wanted.value)`,
    )
    .bind(JSON.stringify(keys))
    .all<{ key: string }>()
  return results.map(({ key }) => key)
}

type Pass = { cursor: string | null; begun_at: number }

function passOf(db: D1Database, prefix: string): Promise<Pass | null> {
  return db
    .prepare('SELECT cursor, begun_at FROM retention_passes WHERE prefix = ?1')
    .bind(prefix)
    .first<Pass>()
}

async function savePass(db: D1Database, prefix: string, cursor: string | null, begunAt: number) {
  await db
    .prepare(
      `INSERT INTO retention_passes (prefix, cursor, begun_at) VALUES (?1, ?2, ?3)
       ON CONFLICT (prefix) DO UPDATE SET cursor = excluded.cursor, begun_at = excluded.begun_at`,
    )
    .bind(prefix, cursor, begunAt)
    .run()
}

// Pictures that are older than the operator wants to keep. The names go into D1 before the pictures go, so that an address
// which does not work any more says why; the Generation object deletes what it made, remembers that, and tells the index.
import type { Env } from '../env.ts'
import { generationStub } from '../generation/place.ts'
import type { Log } from '../log.ts'
import type { Allowance } from './allowance.ts'

/** Generations of one page. Their objects are called at once. */
const PAGE = 20

/** Calls of a page: the page itself, the names, each object, the mark. */
const CALLS_OF_PAGE = 3 + PAGE

/** Deletes the pictures of generations that ended before `before`. Resolves with the number of those generations, and
 *  whether there is none left. What an object does not do now is tried in the next run. */
export async function deletePictures(
  env: Env,
  before: number,
  now: number,
  allowance: Allowance,
  log: Log,
): Promise<{ deleted: number; isDone: boolean }> {
  let deleted = 0
  let after: [number, string] = [0, '']
  while (allowance.take(CALLS_OF_PAGE)) {
    const rows = await pageOf(env.DB, before, after)
    if (rows.length === 0) return { deleted, isDone: true }
    await env.DB.batch(rows.map((row) => namesStatement(env.DB, row, now)))
    const forgotten = await Promise.all(rows.map((row) => forget(env, row.id, now, log)))
    const ids = forgotten.filter((id) => id !== undefined)
    await mark(env.DB, ids, now)
    deleted += ids.length
    const last = rows.at(-1)!
    after = [last.finished_at, last.id]
    if (rows.length < PAGE) return { deleted, isDone: true }
  }
  return { deleted, isDone: false }
}

/** `names`: JSON list of the base names of what its attempts stored. */
type Row = { id: string; finished_at: number; names: string }

async function pageOf(db: D1Database, before: number, [finishedAt, id]: [number, string]): Promise<Row[]> {
  const { results } = await db
    .prepare(
      `SELECT id, finished_at,
         (SELECT json_group_array(json_extract(value, '$.pictureName')) FROM json_each(record, '$.attempts')) AS names
       FROM generations
       WHERE deleted_at IS NULL AND finished_at IS NOT NULL AND finished_at < ?1
         AND (finished_at, id) > (?2, ?3)
       ORDER BY finished_at, id LIMIT ?4`,
    )
    .bind(before, finishedAt, id, PAGE)
    .all<Row>()
  return results
}

function namesStatement(db: D1Database, { id, names }: Row, now: number): D1PreparedStatement {
  return db
    .prepare(
      `INSERT OR IGNORE INTO deleted_pictures (name, generation, deleted_at)
       SELECT value, ?2, ?3 FROM json_each(?1) WHERE value IS NOT NULL`,
    )
    .bind(names, id, now)
}

/** The id of a generation whose pictures are gone now; undefined when its object could not do it. */
async function forget(env: Env, id: string, now: number, log: Log): Promise<string | undefined> {
  try {
    await generationStub(env, id).forget(now)
    return id
  } catch (error) {
    log({ event: 'retention_failed', what: 'pictures', generation: id, error: String(error) })
    return undefined
  }
}

/** Marks the rows at once, so that the next run passes over them even where the object has lost its record. */
async function mark(db: D1Database, ids: readonly string[], now: number): Promise<void> {
  await db
    .prepare(
      `UPDATE generations SET deleted_at = ?2
       WHERE id IN (SELECT value FROM json_each(?1)) AND deleted_at IS NULL`,
    )
    .bind(JSON.stringify(ids), now)
    .run()
}

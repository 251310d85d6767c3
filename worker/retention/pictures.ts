// Pictures that are older than the operator wants to keep. The names go into D1 before the pictures go, so that an address
// which does not work any more says why; the Generation object deletes what it made, remembers that, and tells the index.
import type { Env } from '../env.ts'
import type { Log } from '../log.ts'
import { generationStub } from '../objects.ts'
import type { Allowance } from './allowance.ts'
import { CALLS_OF_NEEDED, type Needed, neededPictures } from './needed.ts'

/** Generations of one page. Their objects are called at once. */
const PAGE = 20

/** Calls of a page: the page itself, the names, each object, the mark. */
const CALLS_OF_PAGE = 3 + PAGE

/** Generations that were done with, of which some had no picture, and the pictures of the others. */
type Deleted = { generations: number; pictures: number }

/** Deletes the pictures of generations that ended before `before`, but for those that are still needed. Resolves with
 *  their number, and whether there is none left. What an object does not do now is tried in the next run. */
export async function deletePictures(
  env: Env,
  before: number,
  now: number,
  allowance: Allowance,
  log: Log,
): Promise<Deleted & { isDone: boolean }> {
  const deleted = { generations: 0, pictures: 0 }
  if (!allowance.take(CALLS_OF_NEEDED)) return { ...deleted, isDone: false }
  const needed = await neededPictures(env.DB)
  let after: [number, string] = [0, '']
  while (allowance.take(CALLS_OF_PAGE)) {
    const rows = await pageOf(env.DB, before, after, needed)
    if (rows.length === 0) return { ...deleted, isDone: true }
    await env.DB.batch(rows.map((row) => namesStatement(env.DB, row, now)))
    const forgotten = await Promise.all(rows.map((row) => forget(env, row.id, now, log)))
    const done = forgotten.filter((each) => each !== undefined)
    await mark(
      env.DB,
      done.map(({ id }) => id),
      now,
    )
    deleted.generations += done.length
    deleted.pictures += done.reduce((sum, { pictures }) => sum + pictures, 0)
    const last = rows.at(-1)!
    after = [last.finished_at, last.id]
    if (rows.length < PAGE) return { ...deleted, isDone: true }
  }
  return { ...deleted, isDone: false }
}

/** `names`: JSON list of the base names of what its attempts stored. */
type Row = { id: string; finished_at: number; names: string }

async function pageOf(
  db: D1Database,
  before: number,
  [finishedAt, id]: [number, string],
  needed: Needed,
): Promise<Row[]> {
  const { results } = await db
    .prepare(
      `SELECT id, finished_at,
         (SELECT json_group_array(json_extract(value, '$.pictureName')) FROM json_each(record, '$.attempts')) AS names
       FROM generations
       WHERE deleted_at IS NULL AND finished_at IS NOT NULL AND finished_at < ?1
         AND (finished_at, id) > (?2, ?3)
         AND id NOT IN (SELECT value FROM json_each(?5))
         AND NOT EXISTS (
           SELECT 1 FROM json_each(record, '$.attempts') attempt
           WHERE attempt.value ->> '$.pictureName' IN (SELECT value FROM json_each(?6)))
       ORDER BY finished_at, id LIMIT ?4`,
    )
    .bind(before, finishedAt, id, PAGE, needed.generations, needed.names)
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

/** A generation whose pictures are gone now, and how many those were; undefined when its object could not do it. */
async function forget(
  env: Env,
  id: string,
  now: number,
  log: Log,
): Promise<{ id: string; pictures: number } | undefined> {
  try {
    const keys = await generationStub(env, id).forget(now)
    return { id, pictures: keys.length }
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

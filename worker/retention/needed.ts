// Pictures that something is still to be made from: they stay, however old they are.

export type Needed = {
  /** JSON lists: ids of generations, and base names of pictures. */
  generations: string
  names: string
}

/** Calls of D1 that `neededPictures` makes. */
export const CALLS_OF_NEEDED = 1

/** What open lines of batches and generations that have not ended are made from. Lines name a picture by its generation,
 *  by its address, or as that of an earlier line; generations by its key. */
export async function neededPictures(db: D1Database): Promise<Needed> {
  const generations = `
    SELECT earlier.generation AS id
      FROM batch_lines own CROSS JOIN json_each(own.needs) need CROSS JOIN batch_lines earlier
      WHERE own.state <> 'ended' AND own.needs IS NOT NULL
        AND earlier.line_set = own.line_set AND earlier.line = need.value
    UNION
    SELECT reference.value ->> '$.generation' FROM batch_lines own, json_each(own.request, '$.references') reference
      WHERE own.state <> 'ended'`
  // A base name has 26 characters.
  const names = `
    SELECT substr(url, instr(url, '/images/') + 8, 26) AS name
      FROM (SELECT reference.value ->> '$.url' AS url
        FROM batch_lines own, json_each(own.request, '$.references') reference WHERE own.state <> 'ended')
      WHERE url LIKE '%/images/%'
    UNION
    SELECT substr(key, 10, 26)
      FROM (SELECT input.value ->> '$.key' AS key
        FROM generations, json_each(record, '$.inputs') input WHERE status IN ('queued', 'running'))
      WHERE key LIKE 'pictures/%'`
  const row = await db
    .prepare(
      `SELECT (SELECT json_group_array(id) FROM (${generations}) WHERE id IS NOT NULL) AS generations,
         (SELECT json_group_array(name) FROM (${names})) AS names`,
    )
    .first<Needed>()
  return row!
}

// Retention's part of a generation: what is deleted of it, and what stays.
import { findCommits } from './commit.ts'
import type { GenerationRecord } from './record.ts'

/** Deletes every picture that one of its attempts stored, and what the provider answered. Returns the keys of the
 *  pictures: those that are deleted now, and those that its record names. Repeatable. */
export async function forgetPictures(
  bucket: Pick<R2Bucket, 'list' | 'delete'>,
  record: GenerationRecord,
): Promise<string[]> {
  const named = record.attempts.flatMap(({ ending }) => [
    ...(ending?.picture ? [ending.picture.key] : []),
    ...(ending?.others ?? []).map(({ key }) => key),
  ])
  // Thoughts are named by the commit records alone, but every picture of an attempt bears its name.
  const listed = await Promise.all(
    record.attempts.map(async ({ pictureName }) => {
      const { objects } = await bucket.list({ prefix: `pictures/${pictureName}` })
      return objects.map(({ key }) => key)
    }),
  )
  const pictures = [...new Set([...named, ...listed.flat()])]
  const keys = [...pictures, ...(await findCommits(bucket, record.id))]
  if (keys.length > 0) await bucket.delete(keys)
  return pictures
}

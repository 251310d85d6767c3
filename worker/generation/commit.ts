// Commit records: how an attempt ended, written to R2 before the object says so. They outlive a crash of the object.
import type { Ending } from './record.ts'

/** Times a record is written before giving up; the picture it speaks of is paid for. */
const TRIES = 3

/** Writes the record of attempt `number`. Throws when R2 refuses it TRIES times. */
export async function writeCommit(
  bucket: Pick<R2Bucket, 'put'>,
  id: string,
  number: number,
  ending: Ending,
): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await bucket.put(keyOf(id, number), JSON.stringify(ending), {
        httpMetadata: { contentType: 'application/json' },
      })
      return
    } catch (error) {
      if (tries === TRIES) throw error
    }
  }
}

/** The record of attempt `number`, or undefined when it did not get that far. */
export async function readCommit(
  bucket: Pick<R2Bucket, 'get'>,
  id: string,
  number: number,
): Promise<Ending | undefined> {
  const object = await bucket.get(keyOf(id, number))
  return object ? await object.json<Ending>() : undefined
}

function keyOf(id: string, number: number): string {
  return `commits/${id}/${number}.json`
}

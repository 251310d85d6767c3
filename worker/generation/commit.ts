// Commit records: how an attempt ended and what was answered, written to R2 before the object says so. They outlive a
// crash of the object.
import type { KeptAnswer } from './kept.ts'
import type { Ending } from './record.ts'

/** Longest answer that is kept, in characters of its JSON. */
const MAX_ANSWER_CHARS = 8 * 1024 * 1024

/** Times a record is written before giving up; the picture it speaks of is paid for. */
const TRIES = 3

/** Writes the record of attempt `number`; an answer that is too long is left out of it. Throws when R2 refuses it TRIES
 *  times. */
export async function writeCommit(
  bucket: Pick<R2Bucket, 'put'>,
  id: string,
  number: number,
  ending: Ending,
  answer?: KeptAnswer,
): Promise<void> {
  const json = answer && JSON.stringify(answer)
  const isKept = json !== undefined && json.length <= MAX_ANSWER_CHARS
  const record = JSON.stringify(ending)
  const body = isKept ? `${record.slice(0, -1)},"answer":${json}}` : record
  for (let tries = 1; ; tries++) {
    try {
      await bucket.put(keyOf(id, number), body, {
        httpMetadata: { contentType: 'application/json' },
      })
      return
    } catch (error) {
      if (tries === TRIES) throw error
    }
  }
}

/** The ending of attempt `number`, or undefined when it did not get that far. */
export async function readCommit(
  bucket: Pick<R2Bucket, 'get'>,
  id: string,
  number: number,
): Promise<Ending | undefined> {
  const record = await read(bucket, id, number)
  if (!record) return undefined
  const { answer: _, ...ending } = record
  return ending
}

/** The provider's answer to attempt `number`; undefined when none is kept. */
export async function readKept(
  bucket: Pick<R2Bucket, 'get'>,
  id: string,
  number: number,
): Promise<KeptAnswer | undefined> {
  return (await read(bucket, id, number))?.answer
}

/** The keys of all commit records of a generation. */
export async function findCommits(bucket: Pick<R2Bucket, 'list'>, id: string): Promise<string[]> {
  const { objects } = await bucket.list({ prefix: `commits/${id}/` })
  return objects.map(({ key }) => key)
}

type Commit = Ending & { answer?: KeptAnswer }

async function read(bucket: Pick<R2Bucket, 'get'>, id: string, number: number): Promise<Commit | undefined> {
  const object = await bucket.get(keyOf(id, number))
  return object ? await object.json<Commit>() : undefined
}

function keyOf(id: string, number: number): string {
  return `commits/${id}/${number}.json`
}

// The pictures of one answer, stored one after the other while it streams. Which of them is wanted is known only at its
// end: until then all are kept, afterwards the rest is removed.
import { createHash } from 'node:crypto'
import type { Answer, AnswerPart } from '../../core/answer.ts'
import { PictureWriter, type StoredPicture } from '../stream/picture.ts'
import type { BlobSink } from '../stream/scanner.ts'

/** A picture that was paid for and that R2 would not take. */
export class NotStored extends Error {
  override name = 'NotStored'
}

export type PictureEffects = {
  bucket: Pick<R2Bucket, 'put' | 'head' | 'delete' | 'createMultipartUpload'>
  sleep: (ms: number) => Promise<void>
}

export type Fetch = (input: string, init: RequestInit) => Promise<Response>

export type Pictures = {
  sink: BlobSink
  /** Pictures stored so far. */
  count(): number
  /** The picture with this index in the answer; undefined when its bytes were no picture. */
  stored(index: number): StoredPicture | undefined
  /** Fetches pictures that are answered as temporary addresses in text parts, when their host is the expected one.
   *  Returns the answer with those parts as pictures: the links are not handed on. Throws NotStored when a picture cannot
   *  be had: it is paid for. */
  fetchFrom(answer: Answer, hostSuffix: string, fetch: Fetch): Promise<Answer>
  /** All that is stored, in the order of the answer. */
  all(): StoredPicture[]
  /** Removes what is not in `keep`, and what is half-written. Never rejects: what stays costs storage, nothing else. */
  discard(keep?: readonly StoredPicture[]): Promise<void>
}

/** No picture of any known type is shorter (a WebP of one pixel has 26 bytes). Relays have answered the first three bytes
 *  of a JPEG alone (vm0-skills#381). */
const SMALLEST_PICTURE_BYTES = 20

/** Tries of a download that is already paid for. */
const DOWNLOAD_TRIES = 3

/** Storage for the pictures of one attempt: `name` and, for further ones, `name` and their index. */
export function storePictures(name: string, metadata: Record<string, string>, fx: PictureEffects): Pictures {
  const stored: (StoredPicture | undefined)[] = []
  let writer: PictureWriter | undefined
  const guard = async <T>(work: Promise<T> | T): Promise<T> => {
    try {
      return await work
    } catch (cause) {
      throw new NotStored(`the picture could not be stored: ${(cause as Error).message}`, { cause })
    }
  }
  const sink: BlobSink = {
    async open() {
      await writer?.abort()
      const own = stored.length === 0 ? name : `${name}-${stored.length}`
      writer = new PictureWriter({
        bucket: fx.bucket,
        sleep: fx.sleep,
        key: (ext) => `pictures/${own}.${ext}`,
        metadata,
      })
    },
    write: (bytes) => guard(writer!.write(bytes)),
    async close() {
      const result = await guard(writer!.finish())
      writer = undefined
      const isPicture = 'key' in result && result.bytes >= SMALLEST_PICTURE_BYTES
      if ('key' in result && !isPicture) await fx.bucket.delete(result.key).catch(() => {})
      stored.push(isPicture ? result : undefined)
    },
  }
  const count = () => stored.filter((picture) => picture !== undefined).length
  return {
    sink,
    count,
    stored: (index) => stored[index],
    async fetchFrom(answer, hostSuffix, fetch) {
      const parts: AnswerPart[] = []
      for (const part of answer.parts) {
        const url = part.kind === 'text' && pictureUrl(part.text, hostSuffix)
        if (!url) {
          parts.push(part)
          continue
        }
        const { text: _, ...rest } = part
        parts.push({ ...rest, kind: 'picture', picture: stored.length, label: undefined })
        await guard(download(url, fetch, sink, fx.sleep))
      }
      return { ...answer, parts }
    },
    all: () => stored.filter((picture) => picture !== undefined),
    async discard(keep = []) {
      await writer?.abort()
      const keys = stored.flatMap((picture) => (picture && !keep.includes(picture) ? [picture.key] : []))
      if (keys.length > 0) await fx.bucket.delete(keys).catch(() => {})
    },
  }
}

/** The pictures of an answer that nobody can choose among any more: the last is shown, the others beside it. */
export function asResult(pictures: readonly StoredPicture[]): {
  picture?: StoredPicture
  others?: StoredPicture[]
} {
  const picture = pictures.at(-1)
  if (!picture) return {}
  return { picture, ...(pictures.length > 1 ? { others: pictures.slice(0, -1) } : {}) }
}

/** What an attempt stored under its name before the object died. */
export async function findPictures(
  bucket: Pick<R2Bucket, 'list' | 'get'>,
  name: string,
): Promise<StoredPicture[]> {
  const { objects } = await bucket.list({ prefix: `pictures/${name}` })
  // `name.ext` is the first, `name-1.ext` the second: R2 lists `-` before `.`.
  const ordinal = ({ key }: R2Object) => Number(/-(\d+)\./.exec(key)?.[1] ?? 0)
  const found: StoredPicture[] = []
  for (const { key } of objects.toSorted((a, b) => ordinal(a) - ordinal(b))) {
    const object = await bucket.get(key)
    if (!object) continue
    const hash = createHash('sha256')
    for await (const chunk of object.body) hash.update(chunk)
    const mimeType = object.httpMetadata!.contentType as StoredPicture['mimeType']
    found.push({ key, mimeType, bytes: object.size, width: null, height: null, sha256: hash.digest('hex') })
  }
  return found
}

/** The address in a text, if it is one on the expected host. */
function pictureUrl(text: string, hostSuffix: string): string | undefined {
  for (const [candidate] of text.matchAll(/https:\/\/[^\s"'<>()]+/g)) {
    if (!URL.canParse(candidate)) continue
    const { hostname } = new URL(candidate)
    if (hostname === hostSuffix || hostname.endsWith(`.${hostSuffix}`)) return candidate
  }
  return undefined
}

async function download(
  url: string,
  fetch: Fetch,
  sink: BlobSink,
  sleep: (ms: number) => Promise<void>,
): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      const response = await fetch(url, { redirect: 'manual' })
      if (response.status !== 200 || !response.body)
        throw new Error(`${new URL(url).host} answered ${response.status}`)
      await sink.open()
      for await (const chunk of response.body) await sink.write(chunk)
      return await sink.close()
    } catch (error) {
      if (tries === DOWNLOAD_TRIES) throw error
      await sleep(1_000 * tries)
    }
  }
}

// An image of a length that is not known while it arrives: an upload of at most MAX_REFERENCE_BYTES is stored under its
// digest; a picture that a model made, and that comes back in its turn of a conversation, may be several times as long
// and goes to R2 in parts. Holds MAX_REFERENCE_BYTES and one part, whatever comes (promise 3).
import { MAX_REFERENCE_BYTES, REFERENCE_TYPES } from '../../core/models.ts'
import { randomName } from '../generation/name.ts'
import { Problem } from '../http/problem.ts'
import { PictureWriter } from '../stream/picture.ts'
import type { TakenImage } from './intake.ts'
import { ReferenceWriter, referenceKey } from './store.ts'

/** The longest picture that comes back: 4K in PNG has about 20 MB. */
export const MAX_MADE_BYTES = 32 * 1024 * 1024

export type LongBucket = Pick<R2Bucket, 'head' | 'put' | 'createMultipartUpload' | 'delete'>

export class LongImageWriter {
  #short = new ReferenceWriter()
  #long: PictureWriter | undefined
  #bytes = 0
  readonly #bucket: LongBucket
  readonly #workspace: string

  constructor(bucket: LongBucket, workspace: string) {
    this.#bucket = bucket
    this.#workspace = workspace
  }

  /** Throws `payload_too_large`. */
  async write(bytes: Uint8Array): Promise<void> {
    this.#bytes += bytes.byteLength
    if (this.#bytes > MAX_MADE_BYTES) {
      await this.abort()
      throw new Problem('payload_too_large', `the image is over ${MAX_MADE_BYTES} bytes`)
    }
    if (!this.#long) {
      if (this.#bytes <= MAX_REFERENCE_BYTES) return this.#short.write(bytes)
      this.#long = new PictureWriter({
        bucket: this.#bucket,
        key: () => `references/${this.#workspace}/large/${randomName()}`,
        metadata: {},
        sleep: (ms) => scheduler.wait(ms),
      })
      for (const chunk of this.#short.release()) await this.#long.write(chunk)
    }
    await this.#long.write(bytes)
  }

  /** Throws `unsupported_media_type`. */
  async store(): Promise<TakenImage> {
    if (!this.#long) {
      const stored = await this.#short.store(this.#bucket, this.#workspace)
      return { ...stored, key: referenceKey(this.#workspace, stored.sha256) }
    }
    const stored = await this.#long.finish()
    if ('unrecognised' in stored)
      throw new Problem(
        'unsupported_media_type',
        `the ${stored.bytes} bytes are none of ${REFERENCE_TYPES.join(', ')}`,
      )
    const { sha256, mimeType, bytes } = stored
    return { sha256, mimeType, bytes, key: await this.#kept(stored) }
  }

  /** Where the picture lies for good. Its digest is known only now that it is stored, so a note under the digest says
   *  where it was put first: a conversation sends the same picture with every turn. */
  async #kept({ key, sha256, bytes }: { key: string; sha256: string; bytes: number }): Promise<string> {
    const note = `references/${this.#workspace}/large/${sha256}.where`
    const earlier = (await this.#bucket.head(note))?.customMetadata?.key
    if (earlier && (await this.#bucket.head(earlier))?.size === bytes) {
      await this.#bucket.delete(key)
      return earlier
    }
    await this.#bucket.put(note, '', { customMetadata: { key } })
    return key
  }

  /** Drops what was begun. */
  async abort(): Promise<void> {
    for (const _ of this.#short.release());
    await this.#long?.abort()
  }
}

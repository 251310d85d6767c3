// Reference images in R2, per workspace, named by the digest of their bytes. What is stored here was checked: type by
// its first bytes, size, digest.
import { createHash } from 'node:crypto'
import type { StoredReference } from '../../core/api.ts'
import { SNIFF_BYTES, sniff } from '../../core/media.ts'
import { MAX_REFERENCE_BYTES, REFERENCE_TYPES, type ReferenceType } from '../../core/models.ts'
import { Problem } from '../http/problem.ts'

/** The R2 key of a reference. */
export function referenceKey(workspace: string, sha256: string): string {
  return `references/${workspace}/${sha256}`
}

/** A stored reference, or undefined. */
export async function findReference(
  bucket: Pick<R2Bucket, 'head'>,
  workspace: string,
  sha256: string,
): Promise<StoredReference | undefined> {
  const object = await bucket.head(referenceKey(workspace, sha256))
  if (!object) return undefined
  return { sha256, mimeType: object.httpMetadata!.contentType as ReferenceType, bytes: object.size }
}

/** Tries of storing an image, and the delay between them in ms. */
const TRIES = 3
const RETRY_MS = 1_100

/** One reference on its way in: takes bytes as they come, at most MAX_REFERENCE_BYTES of them, and stores them when
 *  they are whole and what they claim to be. */
export class ReferenceWriter {
  #chunks: Uint8Array<ArrayBuffer>[] = []
  #bytes = 0
  #hash = createHash('sha256')

  /** Throws `payload_too_large`. Copies the chunk. */
  write(chunk: Uint8Array): void {
    this.#bytes += chunk.byteLength
    if (this.#bytes > MAX_REFERENCE_BYTES) {
      this.#chunks = []
      throw new Problem(
        'payload_too_large',
        `the image is over ${MAX_REFERENCE_BYTES} bytes, the most a model takes`,
      )
    }
    this.#hash.update(chunk)
    this.#chunks.push(chunk.slice())
  }

  /** Bytes so far. */
  get bytes(): number {
    return this.#bytes
  }

  /** Gives away what came, piece by piece, and holds it no longer. */
  *release(): Generator<Uint8Array> {
    for (let chunk = this.#chunks.shift(); chunk; chunk = this.#chunks.shift()) yield chunk
  }

  /** Stores what came. `claims` is what the sender says of it. Throws `unsupported_media_type`, `digest_mismatch`. */
  async store(
    bucket: Pick<R2Bucket, 'head' | 'put'>,
    workspace: string,
    claims: { sha256?: string; mimeType?: string | undefined } = {},
  ): Promise<StoredReference> {
    const mimeType = sniff(this.#head())
    if (!mimeType)
      throw new Problem(
        'unsupported_media_type',
        `the ${this.#bytes} bytes are none of ${REFERENCE_TYPES.join(', ')}`,
      )
    const label = claims.mimeType === 'image/jpg' ? 'image/jpeg' : claims.mimeType
    if (label && label !== mimeType)
      throw new Problem('unsupported_media_type', `the bytes are ${mimeType}, but are called ${label}`)
    const sha256 = this.#hash.digest('hex')
    if (claims.sha256 && claims.sha256 !== sha256)
      throw new Problem(
        'digest_mismatch',
        `the bytes have the SHA-256 ${sha256}, not ${claims.sha256}; nothing was stored`,
      )
    for (let tries = 1; ; tries++) {
      const existing = await findReference(bucket, workspace, sha256)
      if (existing) return existing
      try {
        await this.#put(bucket, workspace, sha256, mimeType)
        return { sha256, mimeType, bytes: this.#bytes }
      } catch (error) {
        // R2 takes one write of a key per second: others may be storing the same image at this moment.
        if (tries === TRIES) throw error
        await scheduler.wait(RETRY_MS)
      }
    }
  }

  async #put(bucket: Pick<R2Bucket, 'put'>, workspace: string, sha256: string, mimeType: ReferenceType) {
    const { readable, writable } = new FixedLengthStream(this.#bytes)
    const put = bucket.put(referenceKey(workspace, sha256), readable, {
      sha256,
      httpMetadata: { contentType: mimeType },
    })
    await Promise.all([put, this.#pour(writable)])
  }

  async #pour(writable: WritableStream<Uint8Array>): Promise<void> {
    const writer = writable.getWriter()
    for (const chunk of this.#chunks) await writer.write(chunk)
    await writer.close()
  }

  /** The first bytes, however they were cut into chunks. */
  #head(): Uint8Array {
    const head: number[] = []
    for (const chunk of this.#chunks) {
      if (head.length >= SNIFF_BYTES) break
      head.push(...chunk.subarray(0, SNIFF_BYTES - head.length))
    }
    return Uint8Array.from(head)
  }
}

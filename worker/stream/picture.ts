// One picture on its way into R2: from its decoded bytes to a stored object whose name, type, size and digest are known.
// Holds one part of 5 MiB, whatever the picture's size (promise 3), and keeps it until R2 has taken it, because the
// picture has been paid for (promise 2). Knows nothing of providers and nothing of who wants it.
import { createHash } from 'node:crypto'
import { imageSize } from 'image-size'
import { extensionOf, sniff } from '../../core/media.ts'
import type { ReferenceType } from '../../core/models.ts'

export type StoredPicture = {
  key: string
  /** By its bytes. */
  mimeType: ReferenceType
  bytes: number
  /** Pixels, read from the first part; null when they could not be. */
  width: number | null
  height: number | null
  /** Hex digest of all bytes. */
  sha256: string
}

/** Bytes that are no picture of a known type. Nothing is stored of them. */
export type Unrecognised = { unrecognised: true; bytes: number; firstBytesHex: string }

export type PictureOptions = {
  bucket: Pick<R2Bucket, 'put' | 'head' | 'createMultipartUpload'>
  /** The object's key, given the extension (no dot) of the type that the bytes turn out to have. */
  key: (extension: string) => string
  /** Kept with the object. */
  metadata: Record<string, string>
  sleep: (ms: number) => Promise<void>
}

/** R2's smallest part but for the last (developers.cloudflare.com/r2, 2026-07), and the most that is ever held. */
export const PART_BYTES = 5 * 1024 * 1024

/** Room for a small picture, as drafts of 512 pixels are. */
const SMALL_BYTES = 256 * 1024

/** Tries of each call to R2, and the first delay between them, which doubles. R2 refuses a key more than once a second. */
const TRIES = 3
const BACKOFF_MS = 1_000

/** Writes one picture. Up to PART_BYTES it becomes a single put, checked by R2 against its digest; above, a multipart
 *  upload. Call `write` until the bytes end, then `finish`, or `abort` at any time. */
export class PictureWriter {
  readonly #options: PictureOptions
  readonly #hash = createHash('sha256')
  #part = new Uint8Array(0)
  #held = 0
  #peakHeld = 0
  #bytes = 0
  #upload: R2MultipartUpload | undefined
  #parts: R2UploadedPart[] = []
  #head: Head | undefined
  #isUnrecognised = false
  #firstBytesHex = ''

  constructor(options: PictureOptions) {
    this.#options = options
  }

  /** Bytes of the picture that are held now. */
  get heldBytes(): number {
    return this.#held
  }

  /** The most bytes that were ever held. */
  get peakHeldBytes(): number {
    return this.#peakHeld
  }

  /** Takes the next bytes; they are copied before it resolves. Rejects with R2's error when a part was refused TRIES
   *  times. */
  async write(bytes: Uint8Array): Promise<void> {
    this.#bytes += bytes.length
    if (this.#isUnrecognised) return
    this.#hash.update(bytes)
    for (let at = 0; at < bytes.length; ) {
      // Only when more is coming: a picture of exactly one part is a single put.
      if (this.#held === PART_BYTES) await this.#sendPart()
      if (this.#isUnrecognised) return
      const taken = bytes.subarray(at, at + PART_BYTES - this.#held)
      this.#makeRoom(this.#held + taken.length)
      this.#part.set(taken, this.#held)
      this.#held += taken.length
      this.#peakHeld = Math.max(this.#peakHeld, this.#held)
      at += taken.length
    }
  }

  /** Completes the object. Rejects with R2's error when it was refused TRIES times. */
  async finish(): Promise<StoredPicture | Unrecognised> {
    const head = this.#readHead()
    if (!head) {
      this.#release()
      return { unrecognised: true, bytes: this.#bytes, firstBytesHex: this.#firstBytesHex }
    }
    const sha256 = this.#hash.digest('hex')
    const { bucket } = this.#options
    if (this.#upload) {
      await this.#sendPart()
      await this.#complete(this.#upload, head.key)
      this.#upload = undefined
    } else {
      const bytes = this.#part.subarray(0, this.#held)
      await this.#insist(() => bucket.put(head.key, bytes, { ...this.#storedWith(head), sha256 }))
    }
    this.#release()
    return { ...head, bytes: this.#bytes, sha256 }
  }

  /** Drops what was begun. Never rejects: R2 forgets an unfinished upload by itself after 7 days. */
  async abort(): Promise<void> {
    this.#release()
    await this.#upload?.abort().catch(() => {})
    this.#upload = undefined
  }

  /** Sends what is held as the next part, the first time with the upload begun before. */
  async #sendPart(): Promise<void> {
    const head = this.#readHead()
    if (!head) return this.#release()
    const { bucket } = this.#options
    this.#upload ??= await this.#insist(() => bucket.createMultipartUpload(head.key, this.#storedWith(head)))
    const upload = this.#upload
    const bytes = this.#part.subarray(0, this.#held)
    this.#parts.push(await this.#insist(() => upload.uploadPart(this.#parts.length + 1, bytes)))
    this.#held = 0
  }

  /** A completion whose answer was lost has still happened: the object says so. */
  async #complete(upload: R2MultipartUpload, key: string): Promise<void> {
    await this.#insist(async () => {
      try {
        await upload.complete(this.#parts)
      } catch (error) {
        const object = await this.#options.bucket.head(key)
        if (object?.size !== this.#bytes) throw error
      }
    })
  }

  /** What the first part tells, read once. Undefined when it is no known picture. */
  #readHead(): Head | undefined {
    if (this.#head || this.#isUnrecognised) return this.#head
    const first = this.#part.subarray(0, this.#held)
    const mimeType = sniff(first)
    if (mimeType) {
      const key = this.#options.key(extensionOf(mimeType))
      this.#head = { key, mimeType, ...measure(first) }
    } else {
      this.#isUnrecognised = true
      this.#firstBytesHex = [...first.subarray(0, 16)].map((b) => b.toString(16).padStart(2, '0')).join('')
    }
    return this.#head
  }

  #storedWith(head: Head): Pick<R2PutOptions, 'httpMetadata' | 'customMetadata'> {
    return { httpMetadata: { contentType: head.mimeType }, customMetadata: this.#options.metadata }
  }

  async #insist<T>(call: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await call()
      } catch (error) {
        if (tries === TRIES) throw error
        await this.#options.sleep(BACKOFF_MS * 2 ** (tries - 1))
      }
    }
  }

  /** A whole part at once would be mostly empty for a small picture, and clearing it costs more than storing that. */
  #makeRoom(bytes: number): void {
    if (bytes <= this.#part.length) return
    const part = new Uint8Array(bytes <= SMALL_BYTES ? SMALL_BYTES : PART_BYTES)
    part.set(this.#part.subarray(0, this.#held))
    if (this.#part.length > 0) this.#part.buffer.transfer(0)
    this.#part = part
  }

  /** Gives the buffer back at once: an answer of many drafts would else wait for the garbage collector with each. */
  #release(): void {
    if (this.#part.length > 0) this.#part.buffer.transfer(0)
    this.#part = new Uint8Array(0)
    this.#held = 0
  }
}

type Head = Pick<StoredPicture, 'key' | 'mimeType' | 'width' | 'height'>

function measure(first: Uint8Array): { width: number | null; height: number | null } {
  try {
    const { width, height } = imageSize(first)
    if (width > 0 && height > 0) return { width, height }
  } catch {
    // A size that cannot be read is no reason to lose a picture.
  }
  return { width: null, height: null }
}

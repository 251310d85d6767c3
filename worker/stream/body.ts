// The body of a provider's request, sent from R2 as Base64 while it is read: references are never whole in memory, and
// fourteen of them cost as much as one (promise 3). Knows nothing of providers. Its count of what was taken is the proof
// that a request did not leave whole and so cannot have been carried out.
import { Base64Encoder, encodedLength } from './base64.ts'
import { chunksOf } from './chunks.ts'

/** A piece of the body: text, or the R2 object whose bytes stand there as Base64. */
export type Segment = string | { key: string; bytes: number }

/** A reference that R2 does not hold any more, or not with the size it was accepted with. */
export class ReferenceGone extends Error {
  override name = 'ReferenceGone'
  readonly key: string
  constructor(key: string, why: string) {
    super(`reference ${key} ${why}`)
    this.key = key
  }
}

export type StreamedBody = {
  body: ReadableStream<Uint8Array>
  /** Exact length, sent as Content-Length. */
  bytes: number
  /** Bytes that the consumer has taken. Less than `bytes` means that the last byte was not even offered to it. */
  taken(): number
  /** What stopped the body before its end: ReferenceGone, an error of R2, or of the consumer. */
  failure(): Error | undefined
  /** Resolves when the body has ended, well or not; never rejects. */
  done: Promise<void>
  /** Ends it where nobody will read on. */
  cancel(): Promise<void>
}

/** Bytes read from R2 at a time: 64 KiB as Base64. */
const READ_BYTES = 48 * 1024

/** The end of every body goes byte by byte. The runtime takes some writes before it has a connection (three, whatever
 *  their size: workerd 1.20261023.1, seen with refused, unknown and failing hosts), so the last of these is reached only
 *  when bytes are leaving. It counts when it is offered: whoever sees less than all cannot be wrong by a race. */
const TAIL_BYTES = 16

/** A body made of `segments`. Holds READ_BYTES and their Base64, whatever it sends. */
export function streamBody(segments: readonly Segment[], bucket: Pick<R2Bucket, 'get'>): StreamedBody {
  const encoder = new TextEncoder()
  const pieces = segments.map((s) => (typeof s === 'string' ? encoder.encode(s) : s))
  const bytes = pieces.reduce((sum, p) => sum + (isText(p) ? p.length : encodedLength(p.bytes)), 0)
  const { readable, writable } = new FixedLengthStream(bytes)
  const writer = writable.getWriter()
  let taken = 0
  let failure: Error | undefined

  const send = async (chunk: Uint8Array) => {
    for (let at = 0; at < chunk.length; ) {
      const length = Math.max(1, Math.min(chunk.length - at, bytes - TAIL_BYTES - taken))
      const isLast = taken + length === bytes
      if (isLast) taken = bytes
      await writer.write(chunk.subarray(at, at + length))
      if (!isLast) taken += length
      at += length
    }
  }
  const pump = async () => {
    for (const piece of pieces) {
      if (isText(piece)) await send(piece)
      else await sendObject(piece, bucket, send)
    }
    await writer.close()
  }
  const done = pump().catch(async (error: unknown) => {
    failure = error instanceof Error ? error : new Error(String(error))
    // Refused when the consumer has gone already; then there is nothing to stop.
    await writer.abort(failure).catch(() => {})
  })
  const cancel = async () => {
    await writer.abort(new Error('the consumer has gone')).catch(() => {})
    await done
  }
  return { body: readable, bytes, taken: () => taken, failure: () => failure, done, cancel }
}

async function sendObject(
  { key, bytes }: Exclude<Segment, string>,
  bucket: Pick<R2Bucket, 'get'>,
  send: (chunk: Uint8Array) => Promise<void>,
): Promise<void> {
  const object = await bucket.get(key)
  if (!object) throw new ReferenceGone(key, 'is not stored')
  if (object.size !== bytes) {
    await object.body.cancel()
    throw new ReferenceGone(key, `holds ${object.size} bytes instead of ${bytes}`)
  }
  const chunks = chunksOf(object.body, READ_BYTES)
  const encoder = new Base64Encoder()
  let rest = bytes
  try {
    for (let chunk = await chunks.next(); chunk; chunk = await chunks.next()) {
      rest -= chunk.length
      await send(encoder.push(chunk))
    }
    // Before the last group: its padding would make up for what is missing.
    if (rest > 0) throw new ReferenceGone(key, `ended ${rest} bytes early`)
    await send(encoder.end())
  } catch (error) {
    chunks.cancel(error)
    throw error
  }
}

function isText(piece: Uint8Array | object): piece is Uint8Array {
  return piece instanceof Uint8Array
}

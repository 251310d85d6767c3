// Answers that come as server-sent events: text and pictures from R2, one after the other, in constant memory (promise 3),
// and comments while there is nothing to say, so that nothing between us and the client takes it for dead.
import { type Segment, streamBody } from '../stream/body.ts'
import { chunksOf } from '../stream/chunks.ts'

export type Events = {
  /** Sends one event; `data` is one line. Rejects when the client has gone or R2 does not hold a picture any more. */
  send(data: readonly Segment[], event?: string): Promise<void>
  /** What `work` resolves with; comments are sent meanwhile. */
  during<T>(work: Promise<T>): Promise<T>
}

/** Delay between comments, in ms: below what proxies wait for (60 s is usual), above what is noise. */
const BEAT_MS = 10_000

/** Bytes passed on at a time. */
const CHUNK_BYTES = 64 * 1024

/** Headers of such an answer. */
export const EVENT_STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache',
}

/** The body that `produce` writes. When that throws, the body breaks off: what the client shall be told of an error,
 *  `produce` sends. A client that leaves stops it at its next event. */
export function eventStream(
  bucket: Pick<R2Bucket, 'get'>,
  produce: (events: Events) => Promise<void>,
  beatMs = BEAT_MS,
): ReadableStream<Uint8Array> {
  const { readable, writable } = new IdentityTransformStream()
  const writer = writable.getWriter()

  // By hand: the runtime has no pipe between two of its own streams.
  const write = async (segments: readonly Segment[]) => {
    const part = streamBody(segments, bucket)
    const chunks = chunksOf(part.body, CHUNK_BYTES)
    try {
      for (let chunk = await chunks.next(); chunk; chunk = await chunks.next()) await writer.write(chunk)
    } catch (error) {
      chunks.cancel(error)
      throw error
    }
  }
  const events: Events = {
    send: (data, event) => write([event ? `event: ${event}\n` : '', 'data: ', ...data, '\n\n']),
    async during(work) {
      const ended = work.then(
        () => true,
        () => true,
      )
      const beat = () => scheduler.wait(beatMs).then(() => false)
      while (!(await Promise.race([ended, beat()]))) await write([': waiting\n\n'])
      return work
    },
  }
  produce(events)
    .then(
      () => writer.close(),
      (error: unknown) => writer.abort(error),
      // A client that has gone has taken the stream with it.
    )
    .catch(() => {})
  return readable
}

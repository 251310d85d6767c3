// Reads a stream piece by piece into one buffer that is used again. A plain reader allocates each piece anew, and what the
// garbage collector has not fetched yet grows with the picture: 30 MB left 30 MB behind (bench/memory.txt, promise 3).

export type Chunks = {
  /** The next bytes, at most as many as the buffer holds; undefined at the end. Overwritten by the next call. */
  next(): Promise<Uint8Array | undefined>
  /** Ends the reading; how the cancellation itself ends changes nothing. */
  cancel(reason: unknown): void
  /** Ends the reading and leaves what follows to another reader. */
  release(): void
}

/** The pieces of `body`, of at most `bufferBytes` each. */
export function chunksOf(body: ReadableStream<Uint8Array>, bufferBytes: number): Chunks {
  const reader = byteReader(body)
  return reader ? reused(reader, bufferBytes) : sliced(body.getReader(), bufferBytes)
}

/** Undefined when the stream was made in JavaScript without bytes in mind: it brings its own pieces. */
function byteReader(body: ReadableStream<Uint8Array>): ReadableStreamBYOBReader | undefined {
  try {
    return body.getReader({ mode: 'byob' })
  } catch {
    return undefined
  }
}

function reused(reader: ReadableStreamBYOBReader, bufferBytes: number): Chunks {
  let buffer = new Uint8Array(bufferBytes)
  return {
    async next() {
      const { done, value } = await reader.read(buffer)
      if (done || !value) return undefined
      // The read took the buffer away; this is its memory under a new name.
      buffer = new Uint8Array(value.buffer)
      return value
    },
    cancel: (reason) => void reader.cancel(reason).catch(() => {}),
    release: () => reader.releaseLock(),
  }
}

function sliced(reader: ReadableStreamDefaultReader<Uint8Array>, bufferBytes: number): Chunks {
  let chunk: Uint8Array = new Uint8Array(0)
  return {
    async next() {
      while (chunk.length === 0) {
        const { done, value } = await reader.read()
        if (done) return undefined
        chunk = value
      }
      const slice = chunk.subarray(0, bufferBytes)
      chunk = chunk.subarray(bufferBytes)
      return slice
    },
    cancel: (reason) => void reader.cancel(reason).catch(() => {}),
    release: () => reader.releaseLock(),
  }
}

// What is left of a body that was refused midway. A client that is still sending sees a broken connection instead of the
// answer when nobody reads on, and repeats what will be refused again.

/** The most that is read and thrown away, in bytes: above every body that could have been taken. */
const MAX_DRAINED_BYTES = 256 * 1024 * 1024

/** Reads `body` to its end, or to MAX_DRAINED_BYTES, and keeps nothing. Never rejects. */
export async function drain(body: ReadableStream<Uint8Array>): Promise<void> {
  try {
    let bytes = 0
    for await (const chunk of body) {
      bytes += chunk.byteLength
      if (bytes > MAX_DRAINED_BYTES) return
    }
  } catch {
    // The client has gone, or somebody else holds the body: there is nobody to be kind to.
  }
}

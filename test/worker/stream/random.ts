// Random values from a seed, so that a failing case can be run again, and what the tests of streams do with bytes.

export type Random = {
  below(n: number): number
  chance(p: number): boolean
  pick<T>(list: readonly T[]): T
  bytes(n: number): Uint8Array
}

/** mulberry32: small, fast, and good enough to vary test cases. */
export function seeded(seed: number): Random {
  let state = seed
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (n: number) => Math.floor(next() * n)
  return {
    below,
    chance: (p) => next() < p,
    pick: (list) => list[below(list.length)]!,
    bytes: (n) => Uint8Array.from({ length: n }, () => below(256)),
  }
}

/** The pieces of `bytes` when it is cut at random places; mostly small pieces, some empty. */
export function shatter(bytes: Uint8Array, random: Random, most: number): Uint8Array[] {
  const pieces: Uint8Array[] = []
  for (let at = 0; at < bytes.length; ) {
    const length = random.below(most + 1)
    pieces.push(bytes.slice(at, at + length))
    at += length
  }
  return pieces
}

/** A stream of these chunks that ends, or fails with `error`; made of bytes, as the platform's are, or of objects. */
export function streamOf(
  chunks: readonly Uint8Array[],
  { error, type }: { error?: Error; type?: 'bytes' } = {},
): ReadableStream<Uint8Array> {
  const left = chunks.filter((chunk) => type !== 'bytes' || chunk.length > 0)
  const source = {
    pull(controller: ReadableStreamDefaultController | ReadableByteStreamController) {
      const chunk = left.shift()
      if (chunk) controller.enqueue(chunk.slice())
      else if (error) controller.error(error)
      else {
        controller.close()
        if ('byobRequest' in controller) controller.byobRequest?.respond(0)
      }
    },
  }
  const stream: ReadableStream = type ? new ReadableStream({ ...source, type }) : new ReadableStream(source)
  return stream
}

/** All pieces in one. */
export function concat(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0))
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole
}

/** The bytes of a whole Base64 text, by the platform. */
export function fromBase64(text: string): Uint8Array {
  return Uint8Array.fromBase64(text.replaceAll('-', '+').replaceAll('_', '/'))
}

// Random values from a seed, so that a failing case can be run again.

export type Random = { below(n: number): number; chance(p: number): boolean; pick<T>(list: readonly T[]): T; bytes(n: number): Uint8Array }

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

/** A stream of these chunks that ends, or fails with `error`. */
export function streamOf(chunks: readonly Uint8Array[], error?: Error): ReadableStream<Uint8Array> {
  let next = 0
  return new ReadableStream({
    pull(controller) {
      const chunk = chunks[next++]
      if (chunk) controller.enqueue(chunk)
      else if (error) controller.error(error)
      else controller.close()
    },
  })
}

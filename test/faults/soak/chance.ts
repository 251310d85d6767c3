// Chance that can be repeated: what is drawn follows from a seed alone. What happens at the same time still depends on the
// machine, so a seed repeats the demands and the weather, not every race.

export type Chance = {
  /** From 0 inclusive to 1 exclusive. */
  next(): number
  /** A whole number, both ends inclusive. */
  whole(low: number, high: number): number
  /** True in this share of the draws. */
  share(probability: number): boolean
  pick<T>(list: readonly T[]): T
}

/** The stream of a seed: FNV-1a for the start, then xorshift32. */
export function chanceOf(seed: string): Chance {
  let state = 0x811c9dc5
  for (const letter of seed) state = Math.imul(state ^ letter.charCodeAt(0), 0x01000193)
  const next = () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 4_294_967_296
  }
  // Seeds that are alike begin alike.
  for (let step = 0; step < 16; step++) next()
  return {
    next,
    whole: (low, high) => low + Math.floor(next() * (high - low + 1)),
    share: (probability) => next() < probability,
    pick: (list) => list[Math.floor(next() * list.length)]!,
  }
}

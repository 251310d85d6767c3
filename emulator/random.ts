// Numbers that look random and follow from a text alone, so that the same request always gets the same picture.
import { createHash } from 'node:crypto'

/** A stream of choices; two with the same seed give the same values in the same order. */
export type Random = {
  /** From 0 inclusive to 1 exclusive. */
  next(): number
  /** From `low` inclusive to `high` exclusive. */
  between(low: number, high: number): number
  /** A whole number, both ends inclusive. */
  whole(low: number, high: number): number
  pick<T>(list: readonly T[]): T
}

/** The stream of a seed: mulberry32 over the first 32 bits of its SHA-256. */
export function randomOf(seed: string): Random {
  let state = createHash('sha256').update(seed).digest().readUInt32LE(0)
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
  return {
    next,
    between: (low, high) => low + next() * (high - low),
    whole: (low, high) => low + Math.floor(next() * (high - low + 1)),
    pick: (list) => list[Math.floor(next() * list.length)]!,
  }
}

/** Base64 of `bytes` pseudo-random bytes; stands for opaque tokens such as thought signatures. */
export function tokenOf(seed: string, bytes: number): string {
  const blocks = Array.from({ length: Math.ceil(bytes / 32) }, (_, index) =>
    createHash('sha256').update(`${index} ${seed}`).digest(),
  )
  return Buffer.concat(blocks).subarray(0, bytes).toString('base64')
}

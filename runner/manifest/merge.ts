// Layers of settings on top of each other, by one rule: scalars and lists replace, maps merge, and "..." in a list is the
// list underneath. Every value keeps the path it was written at, so that a problem points at its cause.
import type { Path } from './problems.ts'

export type Scalar = string | number | boolean | null

/** A value of the document with the place it was written at. */
export type Sourced =
  | { at: Path; scalar: Scalar }
  | { at: Path; list: readonly Sourced[] }
  | { at: Path; map: ReadonlyMap<string, Sourced> }

export type Fields = ReadonlyMap<string, Sourced>

/** Stands for the inherited list. */
export const INHERITED = '...'

/** A plain value with the places of all its parts. */
export function sourced(value: unknown, at: Path): Sourced {
  if (Array.isArray(value)) return { at, list: value.map((entry, index) => sourced(entry, [...at, index])) }
  if (value !== null && typeof value === 'object') {
    const entries = Object.entries(value).map(
      ([key, member]) => [key, sourced(member, [...at, key])] as const,
    )
    return { at, map: new Map(entries) }
  }
  return { at, scalar: value as Scalar }
}

/** The upper layer over the lower one. */
export function merge(lower: Sourced | undefined, upper: Sourced): Sourced {
  if ('map' in upper) {
    const base = lower && 'map' in lower ? lower.map : undefined
    return { at: upper.at, map: mergeFields(base ?? new Map(), upper.map) }
  }
  if ('list' in upper) {
    const inherited = lower && 'list' in lower ? lower.list : []
    return { at: upper.at, list: upper.list.flatMap((entry) => (isInherited(entry) ? inherited : [entry])) }
  }
  return upper
}

/** Field by field. */
export function mergeFields(lower: Fields, upper: Fields): Fields {
  const merged = new Map(lower)
  for (const [key, value] of upper) merged.set(key, merge(lower.get(key), value))
  return merged
}

function isInherited(entry: Sourced): boolean {
  return 'scalar' in entry && entry.scalar === INHERITED
}

/** The value without its places. */
export function plain(source: Sourced): unknown {
  if ('scalar' in source) return source.scalar
  if ('list' in source) return source.list.map(plain)
  return Object.fromEntries([...source.map].map(([key, member]) => [key, plain(member)]))
}

/** Where a part of the value was written; as near as the value has it. */
export function placeIn(source: Sourced, path: Path): Path {
  const [step, ...rest] = path
  const part =
    'map' in source && typeof step === 'string'
      ? source.map.get(step)
      : 'list' in source && typeof step === 'number'
        ? source.list[step]
        : undefined
  return part ? placeIn(part, rest) : source.at
}

/** The text of a scalar; undefined for anything else. */
export function textOf(source: Sourced | undefined): string | undefined {
  return source && 'scalar' in source ? String(source.scalar) : undefined
}

/** The fields of a map; none for anything else. */
export function fieldsOf(source: Sourced | undefined): Fields {
  return source && 'map' in source ? source.map : new Map()
}

/** The entries of a list; none for anything else. */
export function entriesOf(source: Sourced | undefined): readonly Sourced[] {
  return source && 'list' in source ? source.list : []
}

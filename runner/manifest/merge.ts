// Layers of settings on top of each other, by one rule: scalars and lists replace, maps merge, and "..." in a list is the
// list underneath. Every value keeps the path it was written at, so that a problem points at its cause. A value that was
// found wrong already is `broken`: whoever meets it passes over it in silence.
import { entriesInOrder } from './order.ts'
import type { Path } from './problems.ts'

export type Scalar = string | number | boolean | null

/** A value of the document with the place it was written at. */
export type Sourced =
  | { at: Path; scalar: Scalar }
  | { at: Path; list: readonly Sourced[] }
  | { at: Path; map: ReadonlyMap<string, Sourced> }
  | { at: Path; broken: true }

export type Fields = ReadonlyMap<string, Sourced>

/** Stands for the inherited list. */
export const INHERITED = '...'

/** What was found wrong about a value: it is `broken`, or it does not count at all (`dropped`), or some of its parts. A
 *  broken part need not be there: it stands for one that was meant. */
export type Marks = { state?: 'broken' | 'dropped'; parts: Map<string | number, Marks> }

/** Marks the value at a path. */
export function mark(marks: Marks, path: Path, state: 'broken' | 'dropped'): void {
  let here = marks
  for (const step of path) {
    if (typeof step === 'object') continue
    const next = here.parts.get(step) ?? { parts: new Map() }
    here.parts.set(step, next)
    here = next
  }
  here.state ??= state
}

/** A plain value with the places of all its parts. */
export function sourced(value: unknown, at: Path, marks?: Marks): Sourced {
  if (marks?.state === 'broken') return { at, broken: true }
  const part = (member: unknown, step: string | number) =>
    sourced(member, [...at, step], marks?.parts.get(step))
  if (Array.isArray(value)) return { at, list: value.map(part) }
  if (value !== null && typeof value === 'object') {
    const map = new Map<string, Sourced>()
    for (const [key, member] of entriesInOrder(value))
      if (marks?.parts.get(key)?.state !== 'dropped') map.set(key, part(member, key))
    for (const [key, { state }] of marks?.parts ?? [])
      if (state === 'broken' && !map.has(String(key)))
        map.set(String(key), { at: [...at, key], broken: true })
    return { at, map }
  }
  return { at, scalar: value as Scalar }
}

/** The upper layer over the lower one. What is laid over a broken value and needs it is broken as well. */
export function merge(lower: Sourced | undefined, upper: Sourced): Sourced {
  const unknown = lower !== undefined && 'broken' in lower
  if ('map' in upper) {
    if (unknown) return { at: upper.at, broken: true }
    const base = lower && 'map' in lower ? lower.map : undefined
    return { at: upper.at, map: mergeFields(base ?? new Map(), upper.map) }
  }
  if ('list' in upper) {
    if (!upper.list.some(isInherited)) return upper
    if (unknown) return { at: upper.at, broken: true }
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

/** The value without its places; undefined where it is broken. */
export function plain(source: Sourced): unknown {
  if ('broken' in source) return undefined
  if ('scalar' in source) return source.scalar
  if ('list' in source) return source.list.map(plain)
  return Object.fromEntries([...source.map].map(([key, member]) => [key, plain(member)]))
}

/** Whether the value, or any part of it, is broken. */
export function isBroken(source: Sourced | undefined): boolean {
  if (!source || 'scalar' in source) return false
  if ('broken' in source) return true
  return 'list' in source ? source.list.some(isBroken) : [...source.map.values()].some(isBroken)
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

// A matrix and the cells it opens: every combination of one value per axis, first axis slowest, in the order of the file.
// Ids come from names, never from positions: inserting a value renames nothing. Axes from tables and files are in axes.ts.
import { type Fields, fieldsOf, type Scalar, type Sourced, textOf } from './merge.ts'
import type { Findings, Path } from './problems.ts'

/** One value of an axis: its part of the id, and what `${axis}` and `${axis.field}` stand for. */
export type AxisValue = {
  segment: string
  at: Path
  value: Scalar
  fields?: Fields
  /** Fields that some text has used; shared by all values of one table. */
  used?: Set<string>
  /** Where a row is, for people. */
  row?: { file: string; number: number }
}

/** An axis with all its values. */
export type Axis = { name: string; values: readonly AxisValue[] }

/** Axis name → its value in one cell. */
export type AxisNames = ReadonlyMap<string, AxisValue>

/** One combination. */
export type Cell = { id: string; axes: AxisNames }

/** A part of an id. It becomes a file name, so the characters are few; letters of every script are letters. */
export const SEGMENT = /^[\p{L}\p{N}_][\p{L}\p{M}\p{N}._-]{0,99}$/u

export const SEGMENT_RULE = 'letters, digits, `.`, `_` and `-`, not starting with `.` or `-`, at most 100'

const MOST_CHARS = 100

/** A text of a table or a path made fit to be a part of an id; empty where nothing of it is. */
export function partOf(text: string): string {
  return text
    .normalize()
    .replace(/[^\p{L}\p{M}\p{N}._-]+/gu, '-')
    .replace(/^[-.\p{M}]+/u, '')
    .slice(0, MOST_CHARS)
    .replace(/[-.]+$/, '')
}

/** An axis that the manifest lists itself; undefined after a problem. */
export function axisOf(name: string, source: Sourced, findings: Findings): Axis | undefined {
  if ('broken' in source) return undefined
  const values = 'list' in source ? fromList(name, source.list, findings) : fromMap(fieldsOf(source))
  const seen = new Set<string>()
  for (const { segment, at } of values ?? []) {
    if (seen.has(segment)) {
      const hint = 'take one away; `samples` makes several of one picture'
      findings.add({ at, message: `\`${segment}\` is twice on the axis \`${name}\``, hint })
    }
    seen.add(segment)
  }
  return values && seen.size === values.length ? { name, values } : undefined
}

function fromList(name: string, entries: readonly Sourced[], findings: Findings): AxisValue[] | undefined {
  const values: AxisValue[] = []
  for (const entry of entries) {
    if (!('scalar' in entry)) continue
    const { at, scalar } = entry
    const segment = String(scalar).normalize()
    if (SEGMENT.test(segment)) values.push({ segment, at, value: scalar })
    else {
      const message = `\`${segment}\` cannot be part of an id: ${SEGMENT_RULE}`
      const hint = `give each value an id: ${name}: { some-id: ${JSON.stringify(segment)} }`
      findings.add({ at, cause: 'segment', message, hint, subject: segment })
    }
  }
  return values.length === entries.length ? values : undefined
}

// `id: value` names one value; `id: { field: value }` names several, and the axis itself is the id. The keys were checked
// with the shape.
function fromMap(entries: Fields): AxisValue[] | undefined {
  const values = [...entries].map(([id, entry]): AxisValue | undefined => {
    const { at } = entry
    const segment = id.normalize()
    if ('broken' in entry) return undefined
    if ('map' in entry) return { segment, at, value: id, fields: entry.map }
    return { segment, at, value: 'scalar' in entry ? (entry.scalar ?? id) : id }
  })
  return values.every((value) => value !== undefined) ? values : undefined
}

/** How many cells the axes open; 1 without any. */
export function cellCount(axes: readonly Axis[]): number {
  return axes.reduce((count, axis) => count * axis.values.length, 1)
}

/** All cells of an item. */
export function cellsOf(item: string, axes: readonly Axis[]): Cell[] {
  return axes.reduce<Cell[]>(
    (cells, { name, values }) =>
      cells.flatMap((cell) =>
        values.map((value) => ({
          id: `${cell.id}/${value.segment}`,
          axes: new Map(cell.axes).set(name, value),
        })),
      ),
    [{ id: item.normalize(), axes: new Map() }],
  )
}

/** The names that an axis defines: itself and its fields, over all its values. */
export function namesOf({ name, values }: Axis): Set<string> {
  const names = new Set([name])
  let last: unknown
  for (const { fields } of values) {
    // Rows of one table often share their columns.
    const keys = [...(fields?.keys() ?? [])]
    const joined = keys.join('\0')
    if (joined === last) continue
    last = joined
    for (const key of keys) names.add(`${name}.${key}`)
  }
  return names
}

/** What a name of an axis stands for, as text; undefined where this value has none. */
export function textFor(value: AxisValue, field: string | undefined): string | undefined {
  if (field === undefined) return String(value.value)
  value.used?.add(field)
  return textOf(value.fields?.get(field))
}

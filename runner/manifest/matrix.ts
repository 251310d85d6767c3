// A matrix and the cells it opens: every combination of one value per axis, first axis slowest, in the order of the file.
// Ids come from names, never from positions: inserting a value renames nothing.
import { type Fields, fieldsOf, type Scalar, type Sourced, textOf } from './merge.ts'
import type { Findings, Path } from './problems.ts'
import type { AxisNames } from './scope.ts'

/** One value of an axis: its part of the id, and what `${axis}` and `${axis.field}` stand for. */
type AxisValue = { segment: string; at: Path; names: ReadonlyMap<string, Scalar> }

/** An axis with all its values. */
export type Axis = { name: string; values: readonly AxisValue[] }

/** One combination. */
export type Cell = { id: string; axes: AxisNames }

/** A part of an id. It becomes a file name, so the characters are few; letters of every script are letters. */
export const SEGMENT = /^[\p{L}\p{N}_][\p{L}\p{M}\p{N}._-]{0,99}$/u

export const SEGMENT_RULE = 'letters, digits, `.`, `_` and `-`, not starting with `.` or `-`, at most 100'

/** The axes of a matrix; undefined after a problem. */
export function axesOf(matrix: Sourced | undefined, findings: Findings): Axis[] | undefined {
  if (!matrix || !('map' in matrix)) return []
  const axes = [...matrix.map].map(([name, values]) => axisOf(name, values, findings))
  return axes.every((axis) => axis !== undefined) ? axes : undefined
}

function axisOf(name: string, source: Sourced, findings: Findings): Axis | undefined {
  const values = 'list' in source ? fromList(name, source.list, findings) : fromMap(name, fieldsOf(source))
  const seen = new Set<string>()
  for (const { segment, at } of values ?? []) {
    if (seen.has(segment)) findings.add({ at, message: `\`${segment}\` is twice on the axis \`${name}\`` })
    seen.add(segment)
  }
  return values && seen.size === values.length ? { name, values } : undefined
}

function fromList(name: string, entries: readonly Sourced[], findings: Findings): AxisValue[] | undefined {
  const values: AxisValue[] = []
  for (const entry of entries) {
    const { at } = entry
    const segment = (textOf(entry) ?? '').normalize()
    if (SEGMENT.test(segment))
      values.push({ segment, at, names: new Map([[name, 'scalar' in entry ? entry.scalar : null]]) })
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
function fromMap(name: string, entries: Fields): AxisValue[] {
  return [...entries].map(([id, entry]) => {
    const { at } = entry
    const segment = id.normalize()
    if ('scalar' in entry) return { segment, at, names: new Map([[name, entry.scalar ?? id]]) }
    const fields = [...fieldsOf(entry)].flatMap(([field, value]) =>
      'scalar' in value ? [[`${name}.${field}`, value.scalar] as const] : [],
    )
    return { segment, at, names: new Map([[name, id], ...fields]) }
  })
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
        values.map(({ segment, names }) => ({
          id: `${cell.id}/${segment}`,
          axes: new Map(cell.axes).set(name, names),
        })),
      ),
    [{ id: item.normalize(), axes: new Map() }],
  )
}

// Cells that are left out: those for which every name of one entry of `skip` has one of its values, compared as text.
import { type Axis, type Cell, namesOf, textFor } from './matrix.ts'
import { entriesOf, type Sourced, textOf } from './merge.ts'
import { didYouMean } from './near.ts'
import type { Findings, Path } from './problems.ts'

const MOST_SHOWN = 20

type Condition = { axis: string; field: string | undefined; values: ReadonlySet<string> }
type Entry = { at: Path; conditions: readonly Condition[]; met: boolean }

/** The cells that are left; undefined after a problem. */
export function withoutSkipped(
  cells: readonly Cell[],
  axes: readonly Axis[],
  skip: Sourced | undefined,
  findings: Findings,
): readonly Cell[] | undefined {
  const sources = entriesOf(skip)
  if (!skip || 'broken' in skip) return skip ? undefined : cells
  const entries = sources.map((source) => entryOf(source, axes, findings))
  if (!entries.every((entry) => entry !== undefined)) return undefined
  const left = cells.filter((cell) => {
    // All entries are asked: each has to leave something out.
    const leaving = entries.filter((entry) => entry.conditions.every((condition) => holds(condition, cell)))
    for (const entry of leaving) entry.met = true
    return leaving.length === 0
  })
  const idle = entries.filter(({ met }) => !met)
  for (const { at, conditions } of idle) {
    const hint = () => conditions.map((condition) => valuesOf(condition, axes)).join('; ')
    findings.add({ at, message: 'leaves nothing out: no cell is like this', hint })
  }
  if (left.length === 0) {
    const hint = 'an item needs at least one'
    findings.add({ at: skip.at, part: 'key', message: 'leaves out every cell', hint })
  }
  return idle.length > 0 || left.length === 0 ? undefined : left
}

function entryOf(source: Sourced, axes: readonly Axis[], findings: Findings): Entry | undefined {
  if (!('map' in source)) return undefined
  const known = new Set(axes.flatMap((axis) => [...namesOf(axis)]))
  const conditions: Condition[] = []
  for (const [name, value] of source.map) {
    if ('broken' in value) return undefined
    if (!known.has(name)) {
      const names = [...known].slice(0, MOST_SHOWN).join(', ')
      const hint = didYouMean(name, known) ?? (names === '' ? 'the item has no `matrix`' : `names: ${names}`)
      const message = `no axis and no field of one is called \`${name}\``
      findings.add({ at: value.at, part: 'key', message, hint })
      return undefined
    }
    const dot = name.indexOf('.')
    const values = 'list' in value ? value.list.map(textOf) : [textOf(value)]
    conditions.push({
      axis: dot === -1 ? name : name.slice(0, dot),
      field: dot === -1 ? undefined : name.slice(dot + 1),
      values: new Set(values.filter((each) => each !== undefined)),
    })
  }
  return { at: source.at, conditions, met: false }
}

// What there is to choose from: `x is a, b`.
function valuesOf({ axis, field }: Condition, axes: readonly Axis[]): string {
  const own = axes.find(({ name }) => name === axis)?.values ?? []
  const values = new Set(own.map((value) => textFor(value, field)).filter((text) => text !== undefined))
  const shown = [...values].slice(0, MOST_SHOWN).join(', ')
  return `${field === undefined ? axis : `${axis}.${field}`} is ${shown}${values.size > MOST_SHOWN ? ', …' : ''}`
}

function holds({ axis, field, values }: Condition, cell: Cell): boolean {
  const value = cell.axes.get(axis)
  if (!value) return false
  const text = textFor(value, field)
  if (text !== undefined && values.has(text)) return true
  return field === undefined && values.has(value.segment)
}

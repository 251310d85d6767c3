// Cells of tables that are empty where the prompt, the system prompt or a reference of an item uses them. Nothing is wrong
// with such a text, and it is bought as it stands: with a hole where a word was meant.
import type { Open } from './expand.ts'
import type { Layered } from './layers.ts'
import type { AxisValue } from './matrix.ts'
import { type Fields, type Sourced, textOf } from './merge.ts'
import { type Findings, type Path, printPath, SourceFile } from './problems.ts'
import { parseTemplate } from './template.ts'

const TEXTS = ['prompt', 'system', 'refs']
const MOST_LINES = 3

/** What one item makes of one column. */
type Tally = {
  /** The text that uses it. */
  user: Path
  name: string
  /** The rows of its cells, and those of them that are empty, with their places. */
  rows: Set<AxisValue>
  empty: Map<AxisValue, Path>
}

/** A column that some text uses, by the axis it is on. */
type Use = { axis: string; column: string; tally: Tally }

export class EmptyCells {
  readonly #uses = new Map<Layered, Map<string | undefined, readonly Use[]>>()
  readonly #tallies = new Map<string, Tally>()

  /** Takes note of a cell of an item. `prose` is what its prompt's file says, where the prompt is one. */
  look(cell: Open, prose: string | undefined): void {
    for (const { axis, column, tally } of this.#usesOf(cell, prose)) {
      const value = cell.scope.axes.get(axis)!
      const field = value.fields?.get(column)
      if (!field) continue
      tally.rows.add(value)
      if (textOf(field)?.trim() === '') tally.empty.set(value, field.at)
    }
  }

  /** Warns of each column that is empty in some rows, in one line for each item that uses it. */
  warn(findings: Findings): void {
    for (const { user, name, rows, empty } of this.#tallies.values()) {
      const places = [...empty.values()]
      const [first] = places
      if (!first) continue
      const one = places.length === 1
      const lines = places.slice(0, MOST_LINES).map(lineOf).join(', ')
      const message =
        `${places.length} of ${rows.size} rows ${one ? 'has' : 'have'} no \`${first.at(-1)}\`, which ${printPath(user)} ` +
        `uses: ${one ? 'line' : 'lines'} ${lines}${places.length > MOST_LINES ? ', …' : ''}`
      const hint = `fill in what is missing, or leave such rows out: skip: [{ ${name}: "" }]`
      findings.add({ at: first, message, hint, severity: 'warning' })
    }
  }

  // Cells with one set of layers have their texts in common; prompts from files may differ all the same.
  #usesOf({ at, layered, scope }: Open, prose: string | undefined): readonly Use[] {
    const known = this.#uses.get(layered) ?? new Map<string | undefined, readonly Use[]>()
    this.#uses.set(layered, known)
    const made = known.get(prose)
    if (made) return made
    const uses = new Map<string, Use>()
    for (const text of TEXTS)
      for (const [axis, column] of namesIn(textsOf(layered, text, prose), layered.vars.fields, scope.axes)) {
        if (!scope.axes.get(axis)?.row) continue
        const name = `${axis}.${column}`
        uses.set(name, { axis, column, tally: this.#tally([...at, text], name) })
      }
    const list = [...uses.values()]
    known.set(prose, list)
    return list
  }

  #tally(user: Path, name: string): Tally {
    const key = JSON.stringify([user[1], name])
    const known = this.#tallies.get(key)
    if (known) return known
    const made: Tally = { user, name, rows: new Set(), empty: new Map() }
    this.#tallies.set(key, made)
    return made
  }
}

function textsOf({ fields }: Layered, name: string, prose: string | undefined): string[] {
  const texts = scalarsIn(fields.get(name))
  return name === 'prompt' && prose !== undefined ? [...texts, prose] : texts
}

function scalarsIn(source: Sourced | undefined): string[] {
  if (!source || 'broken' in source) return []
  if ('list' in source) return source.list.flatMap(scalarsIn)
  if ('map' in source) return [...source.map.values()].flatMap(scalarsIn)
  return typeof source.scalar === 'string' ? [source.scalar] : []
}

// Axes with the fields of them that texts name, in vars that they name as well.
function namesIn(texts: readonly string[], vars: Fields, axes: ReadonlyMap<string, AxisValue>) {
  const names: [axis: string, field: string][] = []
  const seen = new Set<Sourced>()
  const open = [...texts]
  for (let text = open.pop(); text !== undefined; text = open.pop())
    for (const piece of text.includes('${') ? parseTemplate(text) : []) {
      if (typeof piece === 'string' || !('root' in piece)) continue
      const { root, field } = piece
      if (axes.has(root)) {
        if (field !== undefined) names.push([root, field])
        continue
      }
      const found = vars.get(root)
      const value = field !== undefined && found && 'map' in found ? found.map.get(field) : found
      if (!value || seen.has(value)) continue
      seen.add(value)
      open.push(...scalarsIn(value))
    }
  return names
}

function lineOf([file, ...at]: Path): number {
  return file instanceof SourceFile ? file.locate({ at }).line : 0
}

// What every kind of table comes down to: columns as they are written, and rows of cells under them.
import type { Scalar, Sourced } from '../merge.ts'
import type { Finding, Path, Place, SourceFile } from '../problems.ts'

/** The longest table. */
export const MAX_ROWS = 200_000

/** The widest one. */
export const MAX_COLUMNS = 1_000

export const EMPTY_TABLE = 'the table is empty'

export const TOO_WIDE = `has more than ${MAX_COLUMNS} columns`

// Of the problems that many rows may have, the first ones are told.
const MOST_ROWS_TOLD = 10

/** A row as it was read. `step` leads to it in the file's paths; `cells` are in the order of the columns, undefined where
 *  the row has none. */
export type Entry = { step: number | string; number: number; cells: readonly unknown[] }

export type Sheet = {
  file: SourceFile
  /** Columns as written, and where; `place` where the path cannot tell two of one name apart. */
  header: readonly { written: string; at: Path; place?: () => Place }[]
  entries: readonly Entry[]
  /** Line of a row, from 1. */
  lineOf: (step: number | string) => number
  problems: readonly Finding[]
}

/** The findings of many rows: the first ones, the last of which says how many more there are. */
export function firstOnes(findings: readonly (() => Finding)[]): Finding[] {
  const more = findings.length - MOST_ROWS_TOLD
  return findings.slice(0, MOST_ROWS_TOLD).map((make, index) => {
    const finding = make()
    if (more <= 0 || index < MOST_ROWS_TOLD - 1) return finding
    const hint = typeof finding.hint === 'string' ? `${finding.hint}; ` : ''
    return { ...finding, hint: `${hint}and ${more} more ${more === 1 ? 'row' : 'rows'}` }
  })
}

/** The fields of a row by the names of its columns. Nothing is made before it is asked for: a table may have a million. */
export class RowFields implements ReadonlyMap<string, Sourced> {
  readonly #columns: ReadonlyMap<string, { index: number; written: string }>
  readonly #row: Path
  readonly #cells: readonly unknown[]

  constructor(
    columns: ReadonlyMap<string, { index: number; written: string }>,
    row: Path,
    cells: readonly unknown[],
  ) {
    this.#columns = columns
    this.#row = row
    this.#cells = cells
  }

  get(name: string): Sourced | undefined {
    const column = this.#columns.get(name)
    const cell = column && this.#cells[column.index]
    if (!column || cell === undefined) return undefined
    const at = [...this.#row, column.written]
    if (Array.isArray(cell)) return { at, list: [] }
    if (cell !== null && typeof cell === 'object') return { at, map: new Map() }
    return { at, scalar: cell === null ? '' : (cell as Scalar) }
  }

  has(name: string): boolean {
    const column = this.#columns.get(name)
    return column !== undefined && this.#cells[column.index] !== undefined
  }

  get size(): number {
    return [...this.keys()].length
  }

  *keys(): MapIterator<string> {
    for (const name of this.#columns.keys()) if (this.has(name)) yield name
  }

  *values(): MapIterator<Sourced> {
    for (const name of this.keys()) yield this.get(name)!
  }

  *entries(): MapIterator<[string, Sourced]> {
    for (const name of this.keys()) yield [name, this.get(name)!]
  }

  [Symbol.iterator](): MapIterator<[string, Sourced]> {
    return this.entries()
  }

  forEach(each: (value: Sourced, name: string, map: ReadonlyMap<string, Sourced>) => void): void {
    for (const [name, value] of this) each(value, name, this)
  }
}

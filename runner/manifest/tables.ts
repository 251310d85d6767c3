// A table: rows with named columns, from CSV, JSONL, JSON or YAML. Says what is wrong with its form; what a row means for
// a matrix is not known here. Every value knows its line and column, found only when a problem asks for it.
import { Lines } from './lines.ts'
import type { Sourced } from './merge.ts'
import { type Finding, type Path, SourceFile } from './problems.ts'
import { readCsv } from './table/csv.ts'
import { readJson, readJsonLines } from './table/json.ts'
import { EMPTY_TABLE, type Entry, RowFields, type Sheet } from './table/sheet.ts'
import { readYamlTable } from './table/yaml.ts'

/** `name` as `${axis.name}` has it, `written` as the file has it. */
type Column = { name: string; written: string; at: Path }

export type Row = {
  at: Path
  /** Line on which the row begins, from 1. */
  line: number
  /** As people count rows: in CSV the header is row 1, in JSONL it is the line, else entries count from 1. */
  number: number
  /** The key of the row, where the file is a map of rows. */
  id: string | undefined
  /** Column name → value: text in CSV, else a scalar (null is empty text). What holds further values is an empty list or
   *  map: it is wrong only where it is used. A column that the row does not have is not there. */
  fields: ReadonlyMap<string, Sourced>
}

/** With problems that leave it without sense, `rows` is empty. */
export type Table = {
  file: SourceFile
  columns: readonly Column[]
  rows: readonly Row[]
  problems: readonly Finding[]
}

type TableKind = 'csv' | 'jsonl' | 'json' | 'yaml'

/** What a file is by its name; undefined where it is no table. */
export function tableKind(shown: string): TableKind | undefined {
  return KINDS[/\.[^./\\]*$/.exec(shown.toLowerCase())?.[0] ?? '']
}

const KINDS: Record<string, TableKind> = {
  '.csv': 'csv',
  '.tsv': 'csv',
  '.jsonl': 'jsonl',
  '.ndjson': 'jsonl',
  '.json': 'json',
  '.yaml': 'yaml',
  '.yml': 'yaml',
}

/** The column that a `key:` names: as written in the file, or as templates call it. */
export function columnOf(table: Table, key: string): Column | undefined {
  return table.columns.find(({ name, written }) => written === key || name === key)
}

/** Reads a table; `shown` is its path as problems name it. Never throws. */
export function readTable(shown: string, text: string): Table {
  const whole = text.replace(/^\uFEFF/, '')
  const kind = tableKind(shown)
  if (kind && whole.trim() !== '') return tableOf(READERS[kind](shown, whole))
  const lines = new Lines(whole)
  const file = new SourceFile(shown, () => lines.place(0, 0), lines.at)
  const problem: Finding = kind
    ? { at: [file], message: EMPTY_TABLE, hint: 'it needs a row for each value' }
    : {
        at: [file],
        message: 'is no table, by its name',
        hint: 'a table is a .csv, .tsv, .jsonl, .json or .yaml file; a spreadsheet can be exported as CSV',
      }
  return { file, columns: [], rows: [], problems: [problem] }
}

const READERS: Record<TableKind, (file: string, text: string) => Sheet> = {
  csv: readCsv,
  jsonl: readJsonLines,
  json: readJson,
  yaml: readYamlTable,
}

function tableOf({ file, header, entries, lineOf, problems }: Sheet): Table {
  const columns = header.map(({ written, at }) => ({ written, at, name: nameOf(written) }))
  const wrong = [...problems, ...columnProblems(columns, header)]
  const places = new Map(columns.map(({ name, written }, index) => [name, { index, written }]))
  const row = (entry: Entry) => new TableRow(file, places, entry, lineOf)
  return { file, columns, rows: wrong.length > 0 ? [] : entries.map(row), problems: wrong }
}

/** How templates call a column: what cannot be part of a name becomes `_`, or nothing at its ends. */
function nameOf(written: string): string {
  return written
    .normalize()
    .replace(/^[^\p{L}\p{M}\p{N}_-]+|[^\p{L}\p{M}\p{N}_-]+$/gu, '')
    .replace(/[^\p{L}\p{M}\p{N}_-]+/gu, '_')
}

function columnProblems(columns: readonly Column[], header: Sheet['header']): Finding[] {
  const byName = new Map<string, Column>()
  return columns.flatMap((column, index): Finding[] => {
    const { at, name, written } = column
    const twin = byName.get(name)
    byName.set(name, column)
    const fail = (message: string, hint: string): Finding[] => {
      const place = header[index]?.place?.()
      return [{ at, part: 'key', message, hint, ...(place ? { place } : {}) }]
    }
    if (name === '')
      return fail(`column ${index + 1} has no name that a template could use`, 'a name has letters or digits')
    if (twin?.written === written) return fail(`two columns are called \`${written}\``, 'rename one of them')
    if (!twin) return []
    const message = `the columns \`${twin.written}\` and \`${written}\` are both \`${name}\` in a template`
    return fail(message, 'rename one of them')
  })
}

class TableRow implements Row {
  readonly #file: SourceFile
  readonly #columns: ReadonlyMap<string, { index: number; written: string }>
  readonly #entry: Entry
  readonly #lineOf: Sheet['lineOf']

  constructor(
    file: SourceFile,
    columns: ReadonlyMap<string, { index: number; written: string }>,
    entry: Entry,
    lineOf: Sheet['lineOf'],
  ) {
    this.#file = file
    this.#columns = columns
    this.#entry = entry
    this.#lineOf = lineOf
  }

  get at(): Path {
    return [this.#file, this.#entry.step]
  }

  get line(): number {
    return this.#lineOf(this.#entry.step)
  }

  get number(): number {
    return this.#entry.number
  }

  get id(): string | undefined {
    const { step } = this.#entry
    return typeof step === 'string' ? step : undefined
  }

  get fields(): ReadonlyMap<string, Sourced> {
    return new RowFields(this.#columns, this.at, this.#entry.cells)
  }
}

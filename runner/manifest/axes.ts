// Axes whose values are not in the manifest: the rows of a table, the files that a pattern finds. All are read before any
// cell is opened; what is wrong with one breaks only the items that use it.
import { posix, resolve } from 'node:path'
import { type Absent, absence, closedFolder } from './absence.ts'
import { axisKind } from './axis-kind.ts'
import type { ClosedFolder, ManifestEffects } from './effects.ts'
import { isPattern } from './ids.ts'
import { type Axis, type AxisValue, axisOf, partOf } from './matrix.ts'
import { type Fields, fieldsOf, plain, type Sourced, textOf } from './merge.ts'
import { didYouMean } from './near.ts'
import type { Findings, Path } from './problems.ts'
import { columnOf, readTable, type Table } from './tables.ts'

/** Tables by path as written, lists of files by pattern, and which columns of each table were used. */
export type AxisSources = {
  tables: ReadonlyMap<string, Table | Absent>
  files: ReadonlyMap<string, readonly string[] | ClosedFolder>
  used: Map<Table, Set<string>>
}

/** Reads the tables and looks up the files that the axes of these items name. */
export async function readAxes(items: Fields, folder: string, fx: ManifestEffects): Promise<AxisSources> {
  const tables = new Map<string, Table | Absent>()
  const files = new Map<string, readonly string[] | ClosedFolder>()
  for (const item of items.values())
    for (const source of fieldsOf(fieldsOf(item).get('matrix')).values()) {
      const table = tableOf(source)
      const path = table && textOf(table.get('table'))
      const glob = textOf(globOf(source)?.get('glob'))
      if (path !== undefined && !tables.has(path)) tables.set(path, await tableAt(path, folder, fx))
      if (glob !== undefined && !files.has(glob)) files.set(glob, await fx.listFiles(glob, folder))
    }
  return { tables, files, used: new Map() }
}

async function tableAt(path: string, folder: string, fx: ManifestEffects): Promise<Table | Absent> {
  const text = await fx.readText(resolve(folder, path))
  return typeof text === 'string' ? readTable(path, text) : text
}

/** The axes of a matrix; undefined after a problem. */
export function axesOf(
  matrix: Sourced | undefined,
  sources: AxisSources,
  findings: Findings,
): Axis[] | undefined {
  if (!matrix) return []
  if (!('map' in matrix)) return undefined
  const axes = [...matrix.map].map(([name, source]) => {
    const table = tableOf(source)
    if (table) return fromTable(name, source.at, table, sources, findings)
    const glob = globOf(source)
    if (glob) return fromFiles(name, glob, sources, findings)
    return axisOf(name, source, findings)
  })
  return axes.every((axis) => axis !== undefined) ? axes : undefined
}

function tableOf(source: Sourced): Fields | undefined {
  if (!('map' in source) || !source.map.has('table')) return undefined
  return axisKind(plain(source) as object) === 'table' ? source.map : undefined
}

function globOf(source: Sourced): Fields | undefined {
  if (!('map' in source) || !source.map.has('glob')) return undefined
  return axisKind(plain(source) as object) === 'glob' ? source.map : undefined
}

function fromTable(
  name: string,
  at: Path,
  fields: Fields,
  { tables, used }: AxisSources,
  findings: Findings,
): Axis | undefined {
  const written = fields.get('table')!
  const path = textOf(written)!
  const table = tables.get(path)!
  if (!('rows' in table)) {
    const [message, hint] = absence(path, table)
    findings.add({ at: written.at, message, hint })
    return undefined
  }
  for (const problem of table.problems) findings.add(problem)
  const key = fields.get('key')
  if (table.problems.length > 0 || (key && 'broken' in key)) return undefined
  const wanted = textOf(key)
  const names = table.columns.map((each) => each.written)
  if (wanted === undefined && table.rows.some(({ id }) => id === undefined)) {
    const hint = `columns: ${names.join(', ')}`
    const message = 'has no `key`: the column whose values are parts of the ids'
    findings.add({ at, part: 'key', message, hint })
    return undefined
  }
  const column = wanted === undefined ? undefined : columnOf(table, wanted)
  if (wanted !== undefined && !column) {
    const hint = didYouMean(wanted, names) ?? `columns: ${names.join(', ')}`
    findings.add({ at: key!.at, message: `\`${path}\` has no column \`${wanted}\``, hint })
    return undefined
  }
  const marks = used.get(table) ?? new Set()
  used.set(table, marks)
  if (column) marks.add(column.name)
  const values = new Parts(findings)
  for (const { at, line, number, fields: row, id } of table.rows) {
    const cell = column && row.get(column.name)
    const raw = (column ? keyText(cell) : id) ?? ''
    values.add(raw, partOf(raw), {
      at: cell?.at ?? at,
      fields: row,
      used: marks,
      row: { file: posix.normalize(path), number },
      what: column ? `\`${column.written}\`` : 'the id',
      where: `line ${line}`,
    })
  }
  return values.axis(name)
}

function keyText(cell: Sourced | undefined): string | undefined {
  return cell && 'scalar' in cell && cell.scalar !== null ? String(cell.scalar) : undefined
}

function fromFiles(
  name: string,
  fields: Fields,
  { files }: AxisSources,
  findings: Findings,
): Axis | undefined {
  const written = fields.get('glob')!
  const pattern = textOf(written)!
  const { at } = written
  const found = files.get(pattern) ?? []
  if ('unreadable' in found) {
    const [message, hint] = closedFolder(found.folder, found.unreadable)
    findings.add({ at, message, hint })
    return undefined
  }
  if (found.length === 0) {
    const hint =
      'patterns start at the folder of the manifest; files whose names begin with a dot are left out'
    findings.add({ at, message: `no file matches \`${pattern}\``, hint })
    return undefined
  }
  const folder = staticFolder(posix.normalize(pattern))
  const values = new Parts(findings)
  for (const path of found) {
    const { dir, name: stem, base: file, ext } = posix.parse(path)
    const below = posix.relative(folder === '' ? '.' : folder, posix.join(dir, stem))
    const segment = below
      .split('/')
      .map(partOf)
      .filter((part) => part !== '')
      .join('/')
    const field = (scalar: string): Sourced => ({ at, scalar })
    values.add(below, segment, {
      at,
      fields: new Map([
        ['path', field(shownAs(path))],
        ['name', field(stem)],
        ['file', field(file)],
        ['folder', field(posix.basename(dir))],
        ['ext', field(ext.slice(1))],
      ]),
      what: `\`${path}\``,
      where: `\`${path}\``,
      same: (where) => [
        `${where} and \`${path}\` are both \`${segment}\` in an id`,
        'rename one of them, or make the pattern match one',
      ],
    })
  }
  return values.axis(name)
}

// The folders before the first step that is a pattern. Parentheses are part of names here, as in folders.ts.
function staticFolder(pattern: string): string {
  const steps = posix.dirname(pattern).split('/')
  const first = steps.findIndex(isPattern)
  return steps.slice(0, first === -1 ? steps.length : first).join('/')
}

type Entry = Omit<AxisValue, 'segment' | 'value'> & {
  /** What has no usable text, for a problem. */
  what: string
  /** Where the value is from, for the one that comes after it and is the same. */
  where: string
  /** What is said of this one then, where it is not a row. */
  same?: (where: string) => [message: string, hint: string]
}

// Values of an axis by their parts of the id, which may be spelt otherwise and must stay apart.
class Parts {
  readonly #findings: Findings
  readonly #values: AxisValue[] = []
  readonly #seen = new Map<string, { raw: string; where: string }>()
  #whole = true

  constructor(findings: Findings) {
    this.#findings = findings
  }

  add(raw: string, segment: string, { what, where, same, ...value }: Entry): void {
    const twin = this.#seen.get(segment.toLowerCase())
    const { at } = value
    if (segment === '') {
      const is = raw.trim() === '' ? 'is empty' : `is \`${raw}\`, of which nothing can be part of an id`
      this.#fail(at, `${what} ${is}`, 'each needs letters or digits of its own')
    } else if (twin) {
      const [message, hint] = same
        ? same(twin.where)
        : twin.raw === raw
          ? [`\`${raw}\` is already in ${twin.where}`, 'each row needs a value of its own']
          : [
              `\`${raw}\` and \`${twin.raw}\` (${twin.where}) are both \`${segment}\` in an id`,
              'change one of them',
            ]
      this.#fail(at, message, hint)
    } else {
      this.#seen.set(segment.toLowerCase(), { raw, where })
      this.#values.push({ segment, value: segment, ...value })
    }
  }

  axis(name: string): Axis | undefined {
    return this.#whole ? { name, values: this.#values } : undefined
  }

  #fail(at: Path, message: string, hint?: string): void {
    this.#whole = false
    this.#findings.add({ at, message, hint })
  }
}

/** A path from the manifest's folder that can be nothing else: no name and no address. */
function shownAs(path: string): string {
  return /^(\.{0,2}\/|[a-z]:)/i.test(path) ? path : `./${path}`
}

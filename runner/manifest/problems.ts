// What is wrong with a manifest, and where. Findings name a path in a document; diagnostics name line and column.
// The same finding in many cells of one matrix becomes one diagnostic, with an example and a count.

/** A text that problems point into: the manifest, a table, a prompt's file, a flag. As the first step of a path it says
 *  which one the path is in; a path without one is in the manifest. */
export class SourceFile {
  /** As people know it: a path from the manifest's folder, or a flag as it was written. */
  readonly file: string
  /** Places a finding whose path begins with this file; the path it is given goes on after it. */
  readonly locate: Locate
  /** The text of a line, counted from 1, without its end; undefined where there is nothing to show. */
  readonly lineAt: (line: number) => string | undefined

  constructor(file: string, locate: Locate, lineAt: (line: number) => string | undefined) {
    this.file = file
    this.locate = locate
    this.lineAt = lineAt
  }

  /** Two findings in files of one name are in one file. */
  toJSON(): unknown {
    return { file: this.file }
  }
}

/** Keys and list indices from the top of a document. */
export type Path = readonly (string | number | SourceFile)[]

/** A name that the text at a problem's place uses, and what it stands for there: `product` = `ff-101 (row 2 of …)`. */
export type ValueInScope = { name: string; value: string }

/** One problem, placed. Lines and columns count from 1, in UTF-16 units; `width` never reaches past the line. */
export type Diagnostic = {
  file: string
  line: number
  column: number
  width: number
  /** As people write it: `items.packshot.refs[0].from`. */
  path: string
  message: string
  hint?: string
  severity: 'error' | 'warning'
  /** The line that it points at. */
  text?: string
  /** What the names in that text stand for. */
  values?: readonly ValueInScope[]
}

export type Finding = {
  at: Path
  /** What to underline: the value (default) or the key before it. */
  part?: 'key' | 'value'
  /** Underline this text inside the value, where it occurs. */
  within?: string
  /** Where it is, when no path leads there, such as in text that cannot be parsed. */
  place?: Place
  /** Two findings at one place with the same cause are one problem. Default: the message. */
  cause?: string
  message: string
  /** A function where the hint takes a search: it is called once per problem, not once per cell. */
  hint?: string | undefined | (() => string | undefined)
  /** The id of the item in which it was found, when several may share the place. */
  item?: string
  /** What differs between findings of one cause, such as the path of a missing file: others are named in the hint. */
  subject?: string
  severity?: 'error' | 'warning'
}

/** Where something is in the text. */
export type Place = Pick<Diagnostic, 'line' | 'column' | 'width'>

/** Places a finding in the text. */
export type Locate = (finding: Pick<Finding, 'at' | 'part' | 'within'>) => Place

type Group = { finding: Finding; items: Set<string>; subjects: Set<string> }

const MOST_SUBJECTS = 3

/** Collects findings, merging those with one cause. */
export class Findings {
  readonly #groups = new Map<string, Group>()
  #errors = 0

  add(finding: Finding): void {
    const { at, part, within, place, item, subject } = finding
    const key = JSON.stringify([at, part, within, place, finding.cause ?? finding.message])
    const group = this.#groups.get(key) ?? { finding, items: new Set(), subjects: new Set() }
    if (!this.#groups.has(key) && finding.severity !== 'warning') this.#errors++
    if (item !== undefined) group.items.add(item)
    if (subject !== undefined) group.subjects.add(subject)
    this.#groups.set(key, group)
  }

  get hasErrors(): boolean {
    return this.#errors > 0
  }

  /** Those of the manifest first, then file by file, each sorted by place. `explain` gives the values in scope at a
   *  finding; it is asked once per problem. */
  diagnostics(
    manifest: SourceFile,
    explain: (finding: Finding) => readonly ValueInScope[] = () => [],
  ): Diagnostic[] {
    const placed = [...this.#groups.values()].map(({ finding, items, subjects }) => {
      const { at, part, within, message, severity = 'error' } = finding
      const [first] = at
      const source = first instanceof SourceFile ? first : manifest
      const rest = source === first ? at.slice(1) : at
      const place =
        finding.place ??
        source.locate({
          at: rest,
          ...(part === undefined ? {} : { part }),
          ...(within === undefined ? {} : { within }),
        })
      const own = typeof finding.hint === 'function' ? finding.hint() : finding.hint
      const hint = [own, others([...subjects])].filter((each) => each !== undefined).join('; ')
      const text = source.lineAt(place.line)
      const values = explain(finding)
      const diagnostic: Diagnostic = {
        file: source.file,
        ...place,
        path: printPath(at),
        message: `${message}${inItems(at, items)}`,
        ...(hint === '' ? {} : { hint }),
        severity,
        ...(text === undefined ? {} : { text }),
        ...(values.length === 0 ? {} : { values }),
      }
      return { order: source === manifest ? 0 : 1, diagnostic }
    })
    return placed
      .sort((a, b) => a.order - b.order || byPlace(a.diagnostic, b.diagnostic))
      .map(({ diagnostic }) => diagnostic)
  }
}

function byPlace(a: Diagnostic, b: Diagnostic): number {
  if (a.file !== b.file) return a.file < b.file ? -1 : 1
  return a.line - b.line || a.column - b.column
}

/** `items.packshot.refs[0].from`; keys that are no plain words are quoted. The file is not part of it, nor the row of a
 *  table: the line says it. */
export function printPath(path: Path): string {
  return path.reduce<string>((text, step, index) => {
    if (step instanceof SourceFile) return text
    if (typeof step === 'number' && path[index - 1] instanceof SourceFile) return text
    if (typeof step === 'number') return `${text}[${step}]`
    const key = /^[\p{L}\p{N}_-]+$/u.test(step) ? step : JSON.stringify(step)
    return text === '' ? key : `${text}.${key}`
  }, '')
}

// The id is left out where the path says it already: one item without cells, found in its own lines.
function inItems(at: Path, items: ReadonlySet<string>): string {
  const [example] = items
  if (example === undefined || (items.size === 1 && at[0] === 'items' && at[1] === example)) return ''
  return items.size === 1 ? ` (in ${example})` : ` (in ${example} and ${items.size - 1} more)`
}

function others([, ...subjects]: readonly string[]): string | undefined {
  if (subjects.length === 0) return undefined
  const more = subjects.length - MOST_SUBJECTS
  return `also ${subjects.slice(0, MOST_SUBJECTS).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

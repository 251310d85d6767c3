// What is wrong with a manifest, and where. Findings name a path in the document; diagnostics name line and column.
// The same finding in many cells of one matrix becomes one diagnostic, with an example and a count.

/** Keys and list indices from the top of the document. */
export type Path = readonly (string | number)[]

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
}

export type Finding = {
  at: Path
  /** What to underline: the value (default) or the key before it. */
  part?: 'key' | 'value'
  /** Underline this text inside the value, where it occurs. */
  within?: string
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
    const { at, part, within, item, subject } = finding
    const key = JSON.stringify([at, part, within, finding.cause ?? finding.message])
    const group = this.#groups.get(key) ?? { finding, items: new Set(), subjects: new Set() }
    if (!this.#groups.has(key) && finding.severity !== 'warning') this.#errors++
    if (item !== undefined) group.items.add(item)
    if (subject !== undefined) group.subjects.add(subject)
    this.#groups.set(key, group)
  }

  get hasErrors(): boolean {
    return this.#errors > 0
  }

  /** Sorted by place. */
  diagnostics(file: string, locate: Locate): Diagnostic[] {
    const placed = [...this.#groups.values()].map(({ finding, items, subjects }): Diagnostic => {
      const { message } = finding
      const own = typeof finding.hint === 'function' ? finding.hint() : finding.hint
      const hint = [own, others([...subjects])].filter((part) => part !== undefined).join('; ')
      return {
        file,
        ...locate(finding),
        path: printPath(finding.at),
        message: `${message}${inItems(finding.at, items)}`,
        ...(hint === '' ? {} : { hint }),
        severity: finding.severity ?? 'error',
      }
    })
    return placed.sort((a, b) => a.line - b.line || a.column - b.column)
  }
}

/** `items.packshot.refs[0].from`; keys that are no plain words are quoted. */
export function printPath(path: Path): string {
  return path.reduce<string>((text, step) => {
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

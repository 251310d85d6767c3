// Tables from JSON, a list of maps or a map of maps, and from JSONL, a map on each line.
import { Lines } from '../lines.ts'
import { entriesInOrder, objectOf } from '../order.ts'
import { type Finding, type Locate, type Path, type Place, SourceFile } from '../problems.ts'
import { withoutStacks } from '../stacks.ts'
import { brokenJson, isTooDeep, type Member, membersAt, pastSpace } from './jsontext.ts'
import { EMPTY_TABLE, type Entry, firstOnes, MAX_COLUMNS, MAX_ROWS, type Sheet, TOO_WIDE } from './sheet.ts'

/** Reads a list of maps, or a map of id → map. */
export function readJson(file: string, text: string): Sheet {
  const lines = new Lines(text)
  let found: Map<number | string, Member> | undefined
  const rows = () => {
    found ??= new Map(
      membersAt(text, pastSpace(text, 0)).map((row, index) => [row.key ? nameOf(text, row) : index, row]),
    )
    return found
  }
  const locate: Locate = ({ at: [step, name], part }) =>
    placeOf(lines, rows().get(step as number | string), name, part)
  const source = new SourceFile(file, locate, lines.at)
  const lineOf = (step: number | string) => placeOf(lines, rows().get(step), undefined, 'key').line
  const data = parse(text)
  if (!('value' in data))
    return { ...nothing(source), problems: [notJson(source, text, (at) => lines.place(at, at + 1))] }
  return sheetOf(source, isMap(data.value) ? inOrder(data.value, [...rows().keys()]) : data.value, lineOf)
}

/** Reads a map from each line that is not empty. */
export function readJsonLines(file: string, text: string): Sheet {
  const lines = new Lines(text)
  // By their steps, which are indices: lines that are empty have none.
  const numbers: number[] = []
  const locate: Locate = ({ at: [step, name], part }) => {
    const line = numbers[Number(step ?? 0)] ?? 1
    const start = lines.start(line) ?? 0
    const [from, to] = [pastSpace(text, start), start + (lines.at(line)?.length ?? 0)]
    return placeOf(lines, { value: { from, to } }, name, part)
  }
  const source = new SourceFile(file, locate, lines.at)
  const values: unknown[] = []
  const broken: (() => Finding)[] = []
  let isBroken = false
  for (let line = 1, start = 0; start < text.length; line++) {
    const end = text.indexOf('\n', start)
    const written = text.slice(start, end === -1 ? undefined : end)
    if (written.trim() !== '') {
      const data = parse(written)
      if ('value' in data) {
        const step = values.length
        numbers.push(line)
        values.push(data.value)
        if (!isMap(data.value)) broken.push(() => noRow(source, step))
      } else {
        isBroken = true
        broken.push(() => notJson(source, written, (at) => ({ line, column: at + 1, width: 1 })))
      }
    }
    start = end === -1 ? text.length : end + 1
    if (values.length > MAX_ROWS) break
  }
  const sheet = sheetOf(source, values, (step) => numbers[Number(step)] ?? 1, numbers)
  return isBroken ? { ...sheet, entries: [], problems: firstOnes(broken) } : sheet
}

/** The rows of a value that was read: a list of maps, or a map of id → map. `numbers`: how rows are counted, where not from
 *  1. */
export function sheetOf(
  source: SourceFile,
  data: unknown,
  lineOf: Sheet['lineOf'],
  numbers?: readonly number[],
): Sheet {
  const say = (at: Path, message: string, hint?: string): Finding => ({ at: [source, ...at], message, hint })
  const wrong = (finding: Finding): Sheet => ({ ...nothing(source), problems: [finding] })
  if (data === null) return wrong(say([], EMPTY_TABLE))
  if (typeof data !== 'object') return wrong(say([], 'is no table', 'a list of maps, or a map of id → map'))
  const rows: [number | string, unknown][] = Array.isArray(data) ? [...data.entries()] : entriesInOrder(data)
  if (rows.length === 0) return wrong(say([], EMPTY_TABLE, 'it needs a map for each value'))
  if (rows.length > MAX_ROWS) return wrong(say([], `has more than ${MAX_ROWS} rows`, 'split it'))
  const columns = new Map<string, Path>()
  const problems: (() => Finding)[] = []
  for (const [step, row] of rows) {
    if (!isMap(row)) problems.push(() => noRow(source, step))
    else for (const name of Object.keys(row)) if (!columns.has(name)) columns.set(name, [source, step, name])
  }
  if (columns.size > MAX_COLUMNS) return wrong(say([], TOO_WIDE))
  const names = [...columns.keys()]
  const entries = rows.map(([step, row], index): Entry => {
    const number = numbers?.[index] ?? index + 1
    const cells = isMap(row) ? names.map((name) => (Object.hasOwn(row, name) ? row[name] : undefined)) : []
    return { step, number, cells }
  })
  return {
    file: source,
    header: [...columns].map(([written, at]) => ({ written, at })),
    entries: problems.length > 0 ? [] : entries,
    lineOf,
    problems: firstOnes(problems),
  }
}

function noRow(file: SourceFile, step: number | string): Finding {
  return { at: [file, step], message: 'is no row', hint: 'a row is a map of column → value' }
}

function nothing(file: SourceFile): Sheet {
  return { file, header: [], entries: [], lineOf: () => 1, problems: [] }
}

function inOrder(map: { [id: string]: unknown }, ids: readonly (number | string)[]): object {
  return objectOf(ids.map((id) => [String(id), map[id]]))
}

function isMap(value: unknown): value is { [name: string]: unknown } {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

function parse(text: string): { value: unknown } | { broken: true } {
  if (isTooDeep(text)) return { broken: true }
  try {
    return { value: withoutStacks(() => JSON.parse(text)) }
  } catch {
    return { broken: true }
  }
}

function notJson(file: SourceFile, text: string, placeAt: (offset: number) => Place): Finding {
  if (isTooDeep(text))
    return { at: [file], place: placeAt(pastSpace(text, 0)), message: 'is nested too deeply' }
  const { at, wanted } = brokenJson(text) ?? { at: 0, wanted: 'a value' }
  return { at: [file], place: placeAt(at), message: `is not JSON: ${wanted} belongs here` }
}

// A row, or the field of it that a path names.
function placeOf(
  lines: Lines,
  row: Member | undefined,
  name: Path[number] | undefined,
  part?: 'key' | 'value',
): Place {
  const { text } = lines
  const field =
    row && name !== undefined
      ? membersAt(text, row.value.from).find((member) => nameOf(text, member) === name)
      : undefined
  const { key, value } = field ?? row ?? { value: { from: 0, to: 0 } }
  const { from, to } = (part === 'key' ? key : undefined) ?? value
  return lines.place(from, to)
}

function nameOf(text: string, { key }: Member): string {
  return key ? String(JSON.parse(text.slice(key.from, key.to))) : ''
}

// Tables from CSV. The library reads them; where a record or a field is in the text, and what is wrong with its quotes, is
// found here when a problem asks for it.
import { CsvError, type Options, parse } from 'csv-parse/sync'
import { Lines } from '../lines.ts'
import { type Finding, type Locate, type Place, SourceFile } from '../problems.ts'
import { withoutStacks } from '../stacks.ts'
import { EMPTY_TABLE, type Entry, firstOnes, MAX_COLUMNS, MAX_ROWS, type Sheet, TOO_WIDE } from './sheet.ts'

const LONGEST_HEADER = 65_536

// Past it, a quote was meant to be closed long before.
const MAX_ROW_BYTES = 1024 * 1024

// The header is record 0.
type CsvRecord = { line: number; number: number; cells: readonly string[] }

/** Reads CSV with a header line; the delimiter is told from it. */
export function readCsv(file: string, written: string): Sheet {
  // The library counts a line end of two characters twice, inside quotes. Columns are the same without the first of them.
  const text = written.replaceAll('\r\n', '\n')
  const lines = new Lines(text)
  const { delimiter, columns } = headerOf(text)
  const { records, broken, tooMany } = columns > MAX_COLUMNS ? UNREAD : recordsOf(text, lines, delimiter)
  const source = new SourceFile(file, locator(lines, delimiter, records), lines.at)
  const problem = (place: Place, message: string, hint?: string): Finding => ({
    at: [source],
    place,
    message,
    hint,
  })
  const sheet = (problems: Finding[]): Sheet => ({
    file: source,
    header: [],
    entries: [],
    lineOf: (step) => records[Number(step)]?.line ?? 1,
    problems,
  })
  if (columns > MAX_COLUMNS) return sheet([problem(lines.place(0, 0), TOO_WIDE)])
  const unread = broken ? [problem(broken.place, broken.message, broken.hint)] : []
  const [head, ...body] = records
  if (!head && unread.length > 0) return sheet(unread)
  if (!head) return sheet([problem(lines.place(0, 0), EMPTY_TABLE)])
  if (tooMany) return sheet([problem(lines.place(0, 0), `has more than ${MAX_ROWS} rows`, 'split it')])

  // A spreadsheet writes delimiters as far as it was ever used: columns without a name and without a value are none.
  const named = head.cells.findLastIndex((name) => name !== '') + 1
  const ragged: (() => Finding)[] = []
  const entries: Entry[] = []
  for (const [index, { line, number, cells }] of body.entries()) {
    const filled = cells.findLastIndex((cell) => cell !== '') + 1
    if (filled === 0) continue
    if (cells.length < named || filled > named) {
      const fields = Math.max(filled, cells.length)
      ragged.push(() => problem(wholeLine(lines, line), ...misfit(fields, named, delimiter)))
    } else entries.push({ step: index + 1, number, cells })
  }
  const problems = [...unread, ...firstOnes(ragged)]
  if (entries.length === 0 && problems.length === 0)
    problems.push(problem(lines.place(0, 0), 'has a header and no rows', 'it needs a line for each value'))
  return {
    ...sheet(problems),
    header: head.cells.slice(0, named).map((written, index) => ({
      written,
      at: [source, 0, written],
      place: () => fieldPlace(lines, delimiter, head.line, index),
    })),
    entries: problems.length > 0 ? [] : entries,
  }
}

function misfit(fields: number, columns: number, delimiter: string): [message: string, hint: string] {
  const sign = delimiter === '\t' ? 'tab' : `\`${delimiter}\``
  return [
    `has ${fields} ${fields === 1 ? 'field' : 'fields'}; the header has ${columns}`,
    fields > columns
      ? `text with a ${sign} in it needs quotes around it`
      : `an empty field still needs its ${sign}`,
  ]
}

// The delimiter is the sign that the header has most of, outside of quotes.
function headerOf(text: string): { delimiter: string; columns: number } {
  const counts = new Map([
    [',', 0],
    [';', 0],
    ['\t', 0],
  ])
  let quoted = false
  const start = Math.max(0, text.search(/\S/))
  for (const sign of text.slice(start, start + LONGEST_HEADER)) {
    if (sign === '"') quoted = !quoted
    if (sign === '\n' && !quoted) break
    if (!quoted && counts.has(sign)) counts.set(sign, counts.get(sign)! + 1)
  }
  const [delimiter, count] = [...counts].reduce((most, each) => (each[1] > most[1] ? each : most))
  return { delimiter, columns: count + 1 }
}

type Reading = { records: CsvRecord[]; broken?: Broken; tooMany: boolean }

const UNREAD: Reading = { records: [], tooMany: false }

type Broken = { place: Place; message: string; hint: string }

function recordsOf(text: string, lines: Lines, delimiter: string): Reading {
  const records: CsvRecord[] = []
  let lastLine = 0
  try {
    const options: Options = {
      delimiter,
      record_delimiter: '\n',
      relax_column_count: true,
      skip_empty_lines: true,
      trim: delimiter !== '\t',
      to: MAX_ROWS + 2,
      max_record_size: MAX_ROW_BYTES,
      on_record: (cells: string[], { lines: line, empty_lines }) => {
        // A record ends on the line that is told; where it began, its own line ends say.
        const inside = line === lastLine + 1 ? 0 : cells.reduce((sum, cell) => sum + lineEnds(cell), 0)
        lastLine = line
        records.push({ line: line - inside, number: records.length + 1 + empty_lines, cells })
        return null
      },
    }
    withoutStacks(() => parse(text, options))
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    return { records, broken: brokenAt(text, lines, delimiter, lastLine + 1, error.code), tooMany: false }
  }
  return { records, tooMany: records.length > MAX_ROWS + 1 }
}

function lineEnds(cell: string): number {
  let count = 0
  for (let at = cell.indexOf('\n'); at !== -1; at = cell.indexOf('\n', at + 1)) count++
  return count
}

// The library says which rule of quoting was broken, but not where; the record that it could not read does.
function brokenAt(text: string, lines: Lines, delimiter: string, line: number, code: string): Broken {
  let from = lines.start(line) ?? 0
  while (text[from] === '\n') from++
  const wrong = fieldsFrom(text, from, delimiter).find(({ wrong }) => wrong)
  if (wrong?.wrong === 'open') {
    const message = 'the quote that begins here is not closed'
    return {
      place: lines.place(wrong.from, wrong.from + 1),
      message,
      hint: 'a quote inside quotes is written twice: ""',
    }
  }
  if (code === 'CSV_MAX_RECORD_SIZE') {
    const message = 'this row is longer than 1 MiB'
    return { place: lines.place(from, from + 1), message, hint: 'is a quote in it not closed?' }
  }
  const at = wrong?.to ?? from
  const message = 'a quote in the middle of a field'
  return {
    place: lines.place(at, at + 1),
    message,
    hint: 'put quotes around the whole field and write this one twice: "a 12"" lamp"',
  }
}

type Field = { from: number; to: number; wrong?: 'open' | 'middle' }

// The fields of one record by their offsets, as far as the first whose quotes are wrong; `to` is then where.
function fieldsFrom(text: string, start: number, delimiter: string): Field[] {
  const fields: Field[] = []
  const blank = delimiter === '\t' ? /[ ]*/y : /[ \t]*/y
  for (let at = start; ; at++) {
    blank.lastIndex = at
    const from = at + blank.exec(text)![0].length
    let to = from
    if (text[from] === '"') {
      for (to = from + 1; to < text.length; to++) {
        if (text[to] !== '"') continue
        if (text[to + 1] !== '"') break
        to++
      }
      if (to >= text.length) return [...fields, { from, to, wrong: 'open' }]
      blank.lastIndex = to + 1
      const end = to + 1 + blank.exec(text)![0].length
      if (end < text.length && text[end] !== '\n' && text[end] !== delimiter)
        return [...fields, { from, to, wrong: 'middle' }]
      fields.push({ from, to: to + 1 })
      at = end
    } else {
      while (to < text.length && text[to] !== delimiter && text[to] !== '\n' && text[to] !== '"') to++
      if (text[to] === '"') return [...fields, { from, to, wrong: 'middle' }]
      fields.push({ from, to: from + text.slice(from, to).trimEnd().length })
      at = to
    }
    if (text[at] !== delimiter || fields.length > MAX_COLUMNS) return fields
  }
}

function locator(lines: Lines, delimiter: string, records: readonly CsvRecord[]): Locate {
  return ({ at: [step, written] }) => {
    const line = records[Number(step ?? 0)]?.line ?? 1
    if (written === undefined) return wholeLine(lines, line)
    return fieldPlace(lines, delimiter, line, records[0]?.cells.indexOf(String(written)) ?? -1)
  }
}

function fieldPlace(lines: Lines, delimiter: string, line: number, column: number): Place {
  const field = fieldsFrom(lines.text, lines.start(line) ?? 0, delimiter)[column]
  return field ? lines.place(field.from, field.to) : wholeLine(lines, line)
}

function wholeLine(lines: Lines, line: number): Place {
  const start = lines.start(line) ?? 0
  return lines.place(start, start + (lines.at(line)?.length ?? 0))
}

// Problems as a person reads them: a line that says where and what, the line of the file, a caret under the cause with a
// hint, and what the names in that line stand for; and as JSON for programs. Knows nothing of YAML. What it prints of a
// file cannot move the cursor.
import stringWidth from 'string-width'
import type { Diagnostic, ValueInScope } from './problems.ts'

// Wide enough for a prompt, narrow enough not to wrap.
const FRAME_COLUMNS = 100
const BEFORE_CARET = 60
const VALUE_CHARS = 80
const SNIPPET_CHARS = 400

// Past this many, a person begins with the first ones anyway.
const MOST_SHOWN = 100

/** All problems in the order they are given, and their number at the end. */
export function renderProblems(diagnostics: readonly Diagnostic[], { color }: { color: boolean }): string {
  const paint = color ? ansi : plainText
  const blocks = diagnostics.slice(0, MOST_SHOWN).map((diagnostic) => block(diagnostic, paint))
  const left = diagnostics.length - MOST_SHOWN
  return [...blocks, ...(left > 0 ? [`… and ${left} more`] : []), summary(diagnostics)].join('\n')
}

/** All problems for a program. Columns count from 1 in UTF-16 units, `endColumn` is the one after the last; `snippet` is
 *  the line, or null where there is none to show or it is very long. */
export function diagnosticsJson(diagnostics: readonly Diagnostic[]) {
  return {
    format: 'proofsheet-problems',
    version: 1,
    problems: diagnostics.map(
      ({ file, line, column, width, path, severity, message, hint, values, text }) => ({
        file,
        line,
        column,
        endColumn: column + width,
        path,
        severity,
        message,
        hint: hint ?? null,
        values: values ?? [],
        snippet: text === undefined || text.length > SNIPPET_CHARS ? null : text,
      }),
    ),
  }
}

type Paint = (kind: 'error' | 'warning' | 'strong' | 'faint', text: string) => string

const plainText: Paint = (_, text) => text

const SGR = { error: 31, warning: 33, strong: 1, faint: 2 }

const ansi: Paint = (kind, text) => `\u001b[${SGR[kind]}m${text}\u001b[0m`

function block(diagnostic: Diagnostic, paint: Paint): string {
  const { path, message, hint, severity, column, width, text: line = '', values = [] } = diagnostic
  const label = severity === 'warning' ? `${paint('warning', 'warning')}: ` : ''
  const where = paint('strong', printable(placeOf(diagnostic)))
  const head = `${where}  ${label}${path === '' ? '' : `${printable(path)} – `}${printable(message)}`
  const advice = hint === undefined ? '' : printable(hint)
  const facts = values.map(valueLine)
  if (line.trim() === '')
    return [head, ...[advice, ...facts].filter(Boolean).map((each) => `    ${each}`)].join('\n')
  const gutter = String(diagnostic.line)
  const margin = paint('faint', `${' '.repeat(gutter.length + 2)} |`)
  const frame = cut(line, column, width)
  const caret = `${' '.repeat(frame.before)}${paint(severity, '^'.repeat(frame.under))}`
  return [
    head,
    `${paint('faint', `> ${gutter} |`)} ${frame.text}`,
    `${margin} ${caret}${advice ? ` ${advice}` : ''}`,
    ...facts.map((fact) => `${margin} ${fact}`),
  ].join('\n')
}

// A flag is a line of its own, which is shown whole: its number would say nothing.
function placeOf({ file, line, column }: Diagnostic): string {
  return file.startsWith('--') ? file : `${file.replace(/^(\.\/+)+/, '')}:${line}:${column}`
}

function valueLine({ name, value }: ValueInScope): string {
  const text = printable(value)
  return `${printable(name)} = ${text.length > VALUE_CHARS ? `${text.slice(0, VALUE_CHARS - 1)}…` : text}`
}

// Columns on the screen are not characters: a Chinese one takes two. A long line is shown around its cause.
function cut(line: string, column: number, width: number): { text: string; before: number; under: number } {
  const from = column > BEFORE_CARET ? column - 1 - BEFORE_CARET : 0
  const start = from > 0 ? '…' : ''
  const shown = printable(line.slice(from, from + FRAME_COLUMNS))
  const end = from + FRAME_COLUMNS < line.length ? '…' : ''
  const before = start + printable(line.slice(from, column - 1))
  const under = printable(line.slice(column - 1, Math.min(column - 1 + width, from + FRAME_COLUMNS)))
  return {
    text: `${start}${shown}${end}`,
    before: stringWidth(before),
    under: Math.max(1, stringWidth(under)),
  }
}

// Tabs have no fixed width, and escape sequences in a manifest must not reach the terminal.
function printable(text: string): string {
  return text.replace(/\t/g, ' ').replace(/\p{Cc}/gu, '·')
}

function summary(diagnostics: readonly Diagnostic[]): string {
  const errors = diagnostics.filter(({ severity }) => severity === 'error').length
  const warnings = diagnostics.length - errors
  const counted = [
    ...(errors > 0 || warnings === 0 ? [count(errors, 'problem')] : []),
    ...(warnings > 0 ? [count(warnings, 'warning')] : []),
  ].join(', ')
  return errors > 0 ? `${counted}. Nothing was sent.` : `${counted}.`
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`
}

// Problems as a person reads them: a line that says where and what, the line of the manifest, and a caret under the cause
// with a hint. Knows nothing of YAML. What it prints of the manifest cannot move the cursor.
import stringWidth from 'string-width'
import type { Diagnostic } from './problems.ts'

// Wide enough for a prompt, narrow enough not to wrap.
const FRAME_COLUMNS = 100
const BEFORE_CARET = 60

/** All problems, sorted as they are given, and their number at the end. `source` is the manifest they point into. */
export function renderProblems(
  diagnostics: readonly Diagnostic[],
  source: string,
  { color }: { color: boolean },
): string {
  const paint = color ? ansi : plainText
  const lines = source.split(/\r\n|\n/)
  const blocks = diagnostics.map((diagnostic) => block(diagnostic, lines[diagnostic.line - 1] ?? '', paint))
  return [...blocks, summary(diagnostics)].join('\n')
}

type Paint = (kind: 'error' | 'warning' | 'strong' | 'faint', text: string) => string

const plainText: Paint = (_, text) => text

const SGR = { error: 31, warning: 33, strong: 1, faint: 2 }

const ansi: Paint = (kind, text) => `\u001b[${SGR[kind]}m${text}\u001b[0m`

function block(diagnostic: Diagnostic, line: string, paint: Paint): string {
  const { file, path, message, hint, severity, column, width } = diagnostic
  const where = paint('strong', `${file}:${diagnostic.line}:${column}`)
  const label = severity === 'warning' ? `${paint('warning', 'warning')}: ` : ''
  const head = `${where}  ${label}${path === '' ? '' : `${printable(path)} – `}${printable(message)}`
  const advice = hint === undefined ? '' : printable(hint)
  if (line.trim() === '') return advice ? `${head}\n    ${advice}` : head
  const gutter = String(diagnostic.line)
  const frame = cut(line, column, width)
  const caret = `${' '.repeat(frame.before)}${paint(severity, '^'.repeat(frame.under))}`
  return [
    head,
    `${paint('faint', `> ${gutter} |`)} ${frame.text}`,
    `${paint('faint', `${' '.repeat(gutter.length + 2)} |`)} ${caret}${advice ? ` ${advice}` : ''}`,
  ].join('\n')
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

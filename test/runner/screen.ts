// A terminal in memory: as much of one as the window needs. It breaks lines that are too wide, scrolls, moves up, erases,
// and when it is resized it breaks its lines anew, as terminals of today do. What leaves it at the top is kept.
import type { Output } from '../../runner/io.ts'

export type Screen = Output & {
  resize(columns: number, rows: number): void
  /** What is to be seen, without empty rows at the end. */
  visible(): string[]
  /** All that was ever written and not erased, unbroken. */
  everything(): string[]
  /** Bytes of each write. */
  writes: string[]
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: what steers a terminal is meant.
const TOKEN = /\u001b\[(\d+)A|\u001b\[(J)|[\s\S]/gu

/** A terminal of this size. A cursor that would go above its top is an error. */
export function screen(columns: number, rows: number, changes: Partial<Output> = {}): Screen {
  // Logical lines: what stands between line feeds. The cursor is at a line and a column of it.
  let lines: string[][] = [[]]
  let line = 0
  let column = 0
  // Between two rows of one line: at the start of the second one, not at the end of the first.
  let isAtStart = false
  const size = { columns, rows }

  /** How many rows a line takes: a wide character that has no room at the end of one goes to the next. */
  const rowsOf = (cells: readonly string[]) => broken(cells, size.columns).length
  // The first row of the screen, counted from the first line: what has left the screen does not come back.
  let scrolled = 0
  const top = () => {
    const rows = lines.reduce((sum, cells) => sum + rowsOf(cells), 0)
    scrolled = Math.max(scrolled, rows - size.rows)
    return scrolled
  }
  const rowOfCursor = () => {
    const before = lines.slice(0, line).reduce((sum, cells) => sum + rowsOf(cells), 0)
    return before + rowsOf(lines[line]!.slice(0, column)) - (isAtStart ? 0 : 1)
  }
  const toRow = (row: number) => {
    let rest = row
    for (line = 0; rest >= rowsOf(lines[line]!); line++) rest -= rowsOf(lines[line]!)
    // Up and to the first column: all that the window asks for.
    column = broken(lines[line]!, size.columns)
      .slice(0, rest)
      .reduce((sum, part) => sum + part.length, 0)
    isAtStart = rest > 0
  }
  const put = (character: string) => {
    const cells = lines[line]!
    cells[column++] = character
    isAtStart = false
  }
  const writes: string[] = []
  return {
    isTerminal: true,
    color: false,
    unicode: true,
    ...changes,
    get columns() {
      return size.columns
    },
    get rows() {
      return size.rows
    },
    writes,
    data: () => {},
    write(text) {
      writes.push(text)
      for (const [token, up, erase] of text.matchAll(TOKEN)) {
        if (up) {
          const row = rowOfCursor() - Number(up)
          if (row < top()) throw new Error(`the cursor went ${top() - row} rows above the top`)
          toRow(row)
        } else if (erase) {
          top()
          lines = [...lines.slice(0, line), lines[line]!.slice(0, column)]
        } else if (token === '\r') toRow(rowOfCursor())
        else if (token === '\n') {
          if (line === lines.length - 1) lines.push([])
          line++
          column = 0
          isAtStart = false
        } else if (/\p{Cc}/u.test(token)) throw new Error(`a character that steers: ${JSON.stringify(token)}`)
        else put(token)
      }
      top()
    },
    resize(to, high) {
      size.columns = to
      size.rows = high
      scrolled = 0
    },
    visible: () =>
      lines
        .flatMap((cells) => broken(cells, size.columns).map((part) => part.join('')))
        .slice(top())
        .join('\n')
        .trimEnd()
        .split('\n'),
    everything: () => lines.map((cells) => cells.join('')),
  }
}

const isWide = (character: string) =>
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uff00-\uff60]/u.test(character)

/** The rows of a line; an empty one is one. */
function broken(cells: readonly string[], columns: number): string[][] {
  const rows: string[][] = [[]]
  let width = 0
  for (const cell of cells) {
    const needs = isWide(cell) ? 2 : 1
    if (width + needs > columns) {
      rows.push([])
      width = 0
    }
    rows.at(-1)!.push(cell)
    width += needs
  }
  return rows
}

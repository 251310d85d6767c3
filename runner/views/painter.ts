// Lines at the bottom of a terminal that are painted over again and again, with text that stays scrolling above them.
// Rules: never more lines than the terminal has rows less one, never as wide as it; the cursor never goes above the top.
// A terminal that gets narrower breaks the lines that are there: how many rows they take is counted anew each time.
import sliceAnsi from 'slice-ansi'
import stringWidth from 'string-width'
import type { Output } from '../io.ts'

export type Painter = {
  /** Replaces the lines, and writes `above` (whole lines, or nothing) where they begin. */
  paint(lines: readonly string[], above?: string): void
  /** Takes the lines away, and writes what shall stay. */
  clear(above?: string): void
}

export function createPainter(out: Output): Painter {
  let widths: number[] = []
  const erase = () => {
    if (widths.length === 0) return ''
    const columns = Math.max(1, out.columns)
    const rows = widths.reduce((sum, width) => sum + Math.max(1, Math.ceil(width / columns)), 0)
    const up = Math.min(rows, Math.max(1, out.rows)) - 1
    return `\r${up > 0 ? `\u001b[${up}A` : ''}\u001b[J`
  }
  return {
    paint(lines, above = '') {
      const cut = lines
        .slice(0, Math.max(1, out.rows - 1))
        .map((line) => sliceAnsi(line, 0, Math.max(1, out.columns - 1)))
      const erased = erase()
      widths = cut.map((line) => stringWidth(line))
      out.write(`${erased}${above}${cut.join('\n')}`)
    },
    clear(above = '') {
      const text = `${erase()}${above}`
      widths = []
      if (text !== '') out.write(text)
    },
  }
}

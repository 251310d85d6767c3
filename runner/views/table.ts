// Columns of text. Widths count what a terminal shows, so that wide characters and colours do not break the columns.
import stringWidth from 'string-width'

export type Align = 'left' | 'right'

/** Lines of aligned cells, two spaces between columns; no space at the end of a line. */
export function alignRows(rows: readonly (readonly string[])[], align: readonly Align[]): string[] {
  const widths = align.map((_, column) => Math.max(0, ...rows.map((row) => stringWidth(row[column] ?? ''))))
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const space = ' '.repeat(widths[column]! - stringWidth(cell))
        return align[column] === 'right' ? space + cell : cell + space
      })
      .join('  ')
      .trimEnd(),
  )
}

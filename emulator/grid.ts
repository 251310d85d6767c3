// The thumbnails of input images on a card: how large they may be in a box, and in how many columns.
// Knows no pictures and no drawing; lengths are px.

export type Grid = {
  columns: number
  /** Of a thumbnail. */
  side: number
  gap: number
  /** Size of the type below a thumbnail. */
  label: number
  /** Of all of them with their labels. */
  width: number
  height: number
}

/** Height of a line of label, in sizes of its type. */
export const LABEL_HEIGHT = 1.45

/** The largest thumbnails so that `count` of them with labels fit a box. `label` is the wanted size of the labels, which
 *  shrink where the box is low. */
export function gridOf(count: number, box: { width: number; height: number }, label: number): Grid {
  const grids = Array.from({ length: count }, (_, index) => {
    const columns = index + 1
    const rows = Math.ceil(count / columns)
    const gap = Math.max(1, Math.round(label * 0.5))
    const across = (box.width + gap) / columns - gap
    const down = (box.height + gap) / rows - gap
    const size = Math.min(label, down * 0.25)
    const line = Math.ceil(size * LABEL_HEIGHT)
    const side = Math.max(1, Math.floor(Math.min(across, down - line)))
    return {
      columns,
      side,
      gap,
      label: size,
      width: columns * (side + gap) - gap,
      height: rows * (side + line + gap) - gap,
    }
  })
  return grids.reduce((best, grid) => (grid.side > best.side ? grid : best))
}

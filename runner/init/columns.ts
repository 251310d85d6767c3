// A table as init looks at it: rows of texts under headings that were made by people.

/** `number`: as people count rows. `id`: the key of the row, where the table is a map of rows. */
export type FeedRow = { number: number; id?: string; values: ReadonlyMap<string, string> }

export type Feed = { columns: readonly string[]; rows: readonly FeedRow[] }

/** Makes a value fit for an id; undefined where nothing of it is. */
export type PartOf = (value: string) => string | undefined

/** A column, and what there is to say of the choice. */
export type Choice = { column: string; note?: string }

/** A heading's letters and digits. */
export function plain(heading: string): string {
  return folded(heading).replace(/[^\p{L}\p{N}]/gu, '')
}

export function textIn(row: FeedRow, column: string): string {
  return (row.values.get(column) ?? '').trim()
}

/** Lower case, and letters without their accents. */
export function folded(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase()
}

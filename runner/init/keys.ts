// Which column of a table names its pictures: told from headings in the languages of shops, else from the values. Where
// it has faults, all of them are told, with the rows that a person would put right.
import { UsageError } from '../exit.ts'
import { count } from '../views/format.ts'
import { type Choice, type Feed, type FeedRow, type PartOf, plain, textIn } from './columns.ts'
import { calledName } from './names.ts'

// What shops call the name of a row, the surest first. A column that is called so is meant to name rows: one that does not
// is put right by its owner, because ids that come from another column now would change when it is put right later.
const KEYS = [
  ...['sku', 'variantsku', 'id', 'handle', 'slug', 'productid', 'itemid', 'productsku', 'itemsku'],
  ...[
    'artikelnummer',
    'artikelnr',
    'artnr',
    'articlenumber',
    'itemnumber',
    'itemno',
    'productnumber',
    'partnumber',
  ],
  ...[
    'produktnummer',
    'produktnr',
    'bestellnummer',
    'bestellnr',
    'artikelcode',
    'articlecode',
    'productcode',
    'itemcode',
  ],
  ...[
    'referencia',
    'référence',
    'reference',
    'referenz',
    'riferimento',
    'ref',
    'código',
    'codice',
    'code',
    'key',
    'nr',
  ],
]
// What may name rows and is often left empty.
const SPARE_KEYS = ['mpn', 'ean', 'gtin', 'upc', 'barcode', 'variantbarcode']

const MOST_FAULTS = 5
const MOST_ROWS = 4
const LONGEST_PART = 100

/** The column that names the pictures: one that is called so, else the first that can.
 *  Throws UsageError when there is none, and when the values of the one that is called so cannot. */
export function keyOf(feed: Feed, table: string, partOf: PartOf): Choice {
  const filled = feed.columns.filter((column) => feed.rows.some((row) => textIn(row, column) !== ''))
  const among = (names: readonly string[]) =>
    names.flatMap((wanted) => filled.filter((c) => plain(c) === plain(wanted)))
  const [called] = among(KEYS)
  if (called !== undefined) {
    const faults = faultsOf(feed, called, partOf)
    if (faults.length === 0) return { column: called }
    throw new UsageError(complaint(feed, called, table, faults))
  }
  const isWhole = (column: string) => faultsOf(feed, column, partOf).length === 0
  const spare = among(SPARE_KEYS).find(isWhole)
  if (spare !== undefined) return { column: spare }
  const first = filled.find(isWhole)
  if (first !== undefined)
    return {
      column: first,
      note: `no column is called sku, id or the like; the pictures are named by \`${first}\`, the first whose values are all there and all different`,
    }
  throw new UsageError(
    `no column of ${table} can name the pictures: each has values that are empty, too long or the same in several rows. Give the table a column with a value of its own in every row, such as a sku`,
  )
}

type Fault = { row: number; text: string; twins?: readonly FeedRow[] }

// Why a column cannot name the pictures, in the order of the rows.
function faultsOf({ rows }: Feed, column: string, partOf: PartOf): Fault[] {
  const byPart = new Map<string, FeedRow[]>()
  const empty: FeedRow[] = []
  const faults: Fault[] = []
  for (const row of rows) {
    const value = textIn(row, column)
    const isUsable = value.length <= LONGEST_PART && !/^https?:/i.test(value)
    const part = isUsable ? partOf(value)?.toLowerCase() : undefined
    if (value === '') empty.push(row)
    else if (part === undefined)
      faults.push({
        row: row.number,
        text: `${rowsOf([row])} cannot be part of an id: \`${shortened(value)}\``,
      })
    else byPart.set(part, [...(byPart.get(part) ?? []), row])
  }
  if (empty.length > 0)
    faults.push({
      row: empty[0]!.number,
      text: `${rowsOf(empty)} ${empty.length === 1 ? 'has' : 'have'} none`,
    })
  for (const [part, twins] of byPart) {
    if (twins.length < 2) continue
    const values = [...new Set(twins.map((row) => textIn(row, column)))]
    const written = values.length === 1 ? values[0]! : part
    const spelled =
      values.length === 1
        ? ''
        : ` in an id: ${values
            .slice(0, MOST_ROWS)
            .map((v) => `\`${v}\``)
            .join(', ')}`
    faults.push({
      row: twins[0]!.number,
      text: `${rowsOf(twins)} are ${twins.length === 2 ? 'both' : 'all'} \`${written}\`${spelled}`,
      twins,
    })
  }
  return faults.sort((a, b) => a.row - b.row)
}

function complaint(feed: Feed, key: string, table: string, faults: readonly Fault[]): string {
  const more = faults.length - MOST_FAULTS
  return [
    `\`${key}\` of ${table} would name the pictures, but it cannot:`,
    ...faults.slice(0, MOST_FAULTS).map(({ text }) => `  ${text}`),
    ...(more > 0 ? [`  and ${more} more`] : []),
    advice(feed, key, faults),
  ].join('\n')
}

function rowsOf(rows: readonly FeedRow[]): string {
  const numbers = rows.map(({ number }) => String(number))
  if (numbers.length === 1) return `row ${numbers[0]}`
  const more = numbers.length - MOST_ROWS
  const [listed, last] =
    more > 0 ? [numbers.slice(0, MOST_ROWS), `${more} more`] : [numbers.slice(0, -1), numbers.at(-1)]
  return `rows ${listed.join(', ')} and ${last}`
}

function advice(feed: Feed, key: string, faults: readonly Fault[]): string {
  const name = calledName(
    feed.columns.filter((c) => c !== key && feed.rows.some((row) => textIn(row, c) !== '')),
  )
  const repeats = faults.flatMap(({ twins }) => twins?.slice(1) ?? [])
  const isVariants =
    name !== undefined && repeats.length > 0 && repeats.every((row) => textIn(row, name) === '')
  if (isVariants)
    return `rows without a \`${name}\` look like further pictures of the row above; keep the first of each (${count(repeats.length, 'row')} to take out)`
  return `give every row a value of its own in \`${key}\`, and start again; ids come from it, and stay what they are`
}

function shortened(value: string): string {
  return value.length > 40 ? `${value.slice(0, 40)}…` : value
}

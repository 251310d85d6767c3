// Which column of a table says what each row is: told from headings in the languages of shops, else from the values.
import { type Choice, type Feed, folded, plain, textIn } from './columns.ts'

// What shops call the title of a product, and words that say so among others: `Produkt Name`, `Nombre del producto`.
const NAMES = ['title', 'name', 'productname', 'producttitle', 'itemname', 'label', 'product']
const LAST_NAMES = [
  'produkt',
  'produit',
  'producto',
  'prodotto',
  'produto',
  'artikel',
  'article',
  'articulo',
  'item',
]
const NAME_WORDS = [
  ...['title', 'name', 'titel', 'bezeichnung', 'benennung', 'nombre', 'título', 'titre', 'nom', 'libellé'],
  ...['désignation', 'nome', 'titolo', 'denominazione', 'naam', 'benaming', 'namn', 'navn', 'nazwa', 'nimi'],
  ...['název', 'názov', 'név', 'denumire', 'isim', 'adı', 'название', 'наименование', 'назва', 'όνομα'],
  ...['名称', '品名', '商品名', '商品名称', '제품명', '상품명'],
].map(folded)
// As the last part of a German or Dutch word.
const NAME_ENDS = /(name|titel|bezeichnung|benennung|naam|namn|navn)$/
// Names of something else.
const OTHER_NAMES =
  /seo|meta|brand|vendor|manufacturer|supplier|file|image|photo|option|attribute|categor|collection|colou?r|company|marke|hersteller|lieferant|datei|bild|foto|kategorie|gruppe|farb|firma|marca|marque|fournisseur|fichier|couleur|archivo|fabricante|proveedor|color|kleur|merk|bestand/

/** The share of rows that differ in what is taken for a name; a colour or a material is shared by many. */
const MOSTLY = 0.75
const MOST_COLUMNS = 12
const LONGEST_NAME = 200

/** The column that says what a row is, where one does; with a note where no heading tells. `taken` are no guesses. */
export function nameOf(feed: Feed, taken: readonly (string | undefined)[]): Partial<Choice> {
  const full = (column: string) => feed.rows.every((row) => textIn(row, column) !== '')
  const free = feed.columns.filter((column) => !taken.includes(column))
  const called = calledName(feed.columns.filter((column) => full(column) && saysWords(feed, column)))
  if (called !== undefined) return { column: called }
  const guessed = free.filter(full).map((column) => ({ column, ...wordsIn(feed, column) }))
  const [best] = guessed
    .filter(({ isProse, distinct }) => isProse && distinct >= feed.rows.length * MOSTLY)
    .sort((a, b) => b.distinct - a.distinct || b.letters - a.letters)
  if (best)
    return {
      column: best.column,
      note: `no column is called name or title; the prompt takes \`${best.column}\` for what the product is`,
    }
  const shown = feed.columns.slice(0, MOST_COLUMNS).join(', ')
  const more = feed.columns.length - MOST_COLUMNS
  const columns = `${shown}${more > 0 ? ` and ${more} more` : ''}`
  return { note: `no column says what the product is; edit the prompt; columns: ${columns}` }
}

/** The column whose heading says that it holds the names. */
export function calledName(columns: readonly string[]): string | undefined {
  const exact = NAMES.flatMap((wanted) => columns.filter((c) => plain(c) === wanted))[0]
  if (exact !== undefined) return exact
  const worded = columns.find((column) => {
    const heading = folded(column)
    if (OTHER_NAMES.test(heading)) return false
    const words = heading.split(/[^\p{L}]+/u)
    return words.some((word) => NAME_WORDS.includes(word) || NAME_ENDS.test(word))
  })
  return worded ?? columns.find((column) => LAST_NAMES.includes(plain(column)))
}

// A number is no name, whatever the heading.
function saysWords({ rows }: Feed, column: string): boolean {
  return rows.filter((row) => /\p{L}{2}/u.test(textIn(row, column))).length * 2 >= rows.length
}

// Whether the values are words about things, how many there are, and how long their longest words are on average.
function wordsIn({ rows }: Feed, column: string): { isProse: boolean; distinct: number; letters: number } {
  const values = rows.map((row) => textIn(row, column))
  const longest = values.map((value) =>
    Math.max(0, ...(value.match(/\p{L}[\p{L}\p{M}'’-]*/gu) ?? []).map((word) => word.length)),
  )
  const isWord = (value: string, index: number) =>
    longest[index]! >= 3 && value.length <= LONGEST_NAME && !/^\S*[/\\.@_\d]\S*$|<\/?[a-z]/i.test(value)
  return {
    isProse: values.every(isWord),
    distinct: new Set(values).size,
    letters: longest.reduce((sum, length) => sum + length, 0) / Math.max(1, rows.length),
  }
}

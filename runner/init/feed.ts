// A manifest from a table: one picture for each row. Which column names a row, which one says what it is and which one
// holds its photograph, is told from the headings and the values.
import { UsageError } from '../exit.ts'
import { count } from '../views/format.ts'
import { LOOK, literal, type Proposal, quoted } from './proposal.ts'

/** `id`: the key of the row, where the table is a map of rows. */
export type FeedRow = { line: number; id?: string; values: ReadonlyMap<string, string> }

export type Feed = { columns: readonly string[]; rows: readonly FeedRow[] }

/** Where a value leads as a reference: `ref` is what a manifest would write for the whole column, with the value as `$`. */
export type PhotoCheck = (value: string) => Promise<{ form: PhotoForm } | { problem: string }>

/** How a manifest writes a reference whose value stands in a table: what goes before the value. */
export type PhotoForm = string

const KEYS = ['sku', 'id', 'handle', 'slug', 'variantsku', 'productid', 'itemid', 'articlenumber', 'code']
const NAMES = ['title', 'name', 'productname', 'producttitle', 'itemname', 'label', 'product']
const PHOTOS = /image|img|photo|picture|file|path|url|link|foto|bild/

/** So many rows tell whether a column may hold photographs at all. */
const TRIAL_ROWS = 40

/** Files that are looked at side by side. */
const AT_ONCE = 64

/** The proposal. `table` is the way to the table from the manifest; `partOf` makes a value fit for an id; `check` looks at
 *  a value as a reference. Throws UsageError when no column can name the rows. */
export async function fromFeed(
  feed: Feed,
  table: string,
  partOf: (value: string) => string | undefined,
  check: PhotoCheck,
): Promise<Proposal> {
  const key = feed.rows.every((row) => row.id !== undefined) ? undefined : keyOf(feed, table, partOf)
  const name = NAMES.map((wanted) => feed.columns.find((c) => c !== key && plain(c) === wanted)).find(
    (column) => column !== undefined && feed.rows.every((row) => textIn(row, column) !== ''),
  )
  const photo = await photoOf(feed, key, check)
  const skipped = photo?.missing ?? []
  const partsOf = (rows: readonly FeedRow[]) => rows.map((row) => partOf(row.id ?? textIn(row, key!))!)
  const subject = `\${product${name === undefined ? '' : `.${name}`}}`
  const text = [
    '# One picture for each row of the table.',
    'version: 1',
    '',
    'defaults:',
    '  model: nano-banana-2 # `proofsheet models` lists models, sizes and prices',
    '  size: 1K',
    ...(photo ? [] : ['  aspect: 4:5']),
    '',
    'items:',
    '  packshot:',
    '    matrix:',
    `      product: { table: ${quoted(table)}${key === undefined ? '' : `, key: ${quoted(key)}`} }`,
    ...(skipped.length > 0
      ? [
          '    skip: # without a photograph that can be used',
          `      - { product: [${partsOf(skipped.map(({ row }) => row))
            .map(quoted)
            .join(', ')}] }`,
        ]
      : []),
    ...(photo
      ? [
          '    refs:',
          `      - { image: ${quoted(`${literal(photo.form)}\${product.${photo.column}}`)}, as: photo }`,
          '    prompt: >',
          `      Studio packshot of ${subject}: exactly the object in \${image.photo}, its shape, proportions, colours, material and`,
          `      lettering, ${LOOK[0]}`,
        ]
      : ['    prompt: >', `      Studio packshot of ${subject}, ${LOOK[0]}`]),
    `      ${LOOK[1]}`,
    '',
  ].join('\n')
  const rows = feed.rows.length - skipped.length
  return {
    text,
    about: `one picture for each of ${count(rows, 'row')} of ${table}${key === undefined ? '' : `, named by \`${key}\``}${photo ? `, from the photographs of \`${photo.column}\`` : ''}`,
    left: skipped.map(({ row, problem }) => [`${table} line ${row.line}`, problem]),
  }
}

/** The column that names the rows: one that is usually called so, else the first whose values are all there, all
 *  different, and fit for an id. */
function keyOf(feed: Feed, table: string, partOf: (value: string) => string | undefined): string {
  const usual = KEYS.flatMap((wanted) => feed.columns.filter((c) => plain(c) === wanted))
  const key = [...usual, ...feed.columns].find((column) => faultOf(feed, column, partOf) === undefined)
  if (key !== undefined) return key
  const [likeliest] = [...usual, ...feed.columns]
  throw new UsageError(
    `no column of ${table} can name its rows: ${faultOf(feed, likeliest!, partOf)}. Give the table a column with a value of its own in every row, such as a sku`,
  )
}

/** Why a column cannot name the rows. */
function faultOf(
  { rows }: Feed,
  column: string,
  partOf: (value: string) => string | undefined,
): string | undefined {
  const lines = new Map<string, number>()
  for (const row of rows) {
    const value = textIn(row, column)
    const part = value.length > 100 || /^https?:/i.test(value) ? undefined : partOf(value)
    if (part === undefined)
      return value === ''
        ? `\`${column}\` is empty in line ${row.line}`
        : `\`${column}\` in line ${row.line} cannot be part of an id`
    const other = lines.get(part.toLowerCase())
    if (other !== undefined) return `\`${column}\` says \`${value}\` in lines ${other} and ${row.line}`
    lines.set(part.toLowerCase(), row.line)
  }
  return undefined
}

type Photo = { column: string; form: PhotoForm; missing: { row: FeedRow; problem: string }[] }

/** The column whose values are photographs for at least half of the rows; likely headings first. */
async function photoOf(feed: Feed, key: string | undefined, check: PhotoCheck): Promise<Photo | undefined> {
  const columns = feed.columns.filter((column) => column !== key)
  const likely = columns.filter((column) => PHOTOS.test(plain(column)))
  for (const column of [...likely, ...columns.filter((c) => !likely.includes(c))]) {
    const first = await checkedRows(feed.rows.slice(0, TRIAL_ROWS), column, check)
    if (first.filter(({ found }) => 'form' in found).length * 2 < first.length) continue
    const checked = [...first, ...(await checkedRows(feed.rows.slice(TRIAL_ROWS), column, check))]
    const forms = Map.groupBy(checked, ({ found }) => ('form' in found ? found.form : undefined))
    const [form, hits] = [...forms]
      .filter(([form]) => form !== undefined)
      .reduce<[PhotoForm, number]>(
        (best, [form, all]) => (all.length > best[1] ? [form!, all.length] : best),
        ['', 0],
      )
    if (hits * 2 < feed.rows.length) continue
    const missing = checked
      .filter(({ found }) => !('form' in found) || found.form !== form)
      .map(({ row, found }) => ({
        row,
        problem: 'problem' in found ? found.problem : 'its photograph is not where those of the others are',
      }))
    return { column, form, missing }
  }
  return undefined
}

async function checkedRows(rows: readonly FeedRow[], column: string, check: PhotoCheck) {
  const checked: { row: FeedRow; found: Awaited<ReturnType<PhotoCheck>> }[] = []
  for (let from = 0; from < rows.length; from += AT_ONCE)
    checked.push(
      ...(await Promise.all(
        rows
          .slice(from, from + AT_ONCE)
          .map(async (row) => ({ row, found: await check(textIn(row, column)) })),
      )),
    )
  return checked
}

function textIn(row: FeedRow, column: string): string {
  return (row.values.get(column) ?? '').trim()
}

function plain(heading: string): string {
  return heading.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '')
}

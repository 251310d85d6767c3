// A manifest from a table: one picture for each row. Which column holds its photograph is told from the values; the others
// are chosen in keys.ts and names.ts.
import { count } from '../views/format.ts'
import { type Feed, type FeedRow, type PartOf, plain, textIn } from './columns.ts'
import { keyOf } from './keys.ts'
import { nameOf } from './names.ts'
import { LOOK, literal, type Proposal, quoted } from './proposal.ts'

/** Where a value leads as a reference: `ref` is what a manifest would write for the whole column, with the value as `$`. */
export type PhotoCheck = (value: string) => Promise<{ form: PhotoForm } | { problem: string }>

/** How a manifest writes a reference whose value stands in a table: what goes before the value. */
export type PhotoForm = string

const PHOTOS = /image|img|photo|picture|file|path|url|link|foto|bild/

/** So many rows tell whether a column may hold photographs at all. */
const TRIAL_ROWS = 40

/** Files that are looked at side by side. */
const AT_ONCE = 64

/** The proposal. `table` is the way to the table from the manifest; `check` looks at a value as a reference.
 *  Throws UsageError when no column can name the pictures. */
export async function fromFeed(
  feed: Feed,
  table: string,
  partOf: PartOf,
  check: PhotoCheck,
): Promise<Proposal> {
  const chosen = feed.rows.every((row) => row.id !== undefined) ? undefined : keyOf(feed, table, partOf)
  const key = chosen?.column
  const photo = await photoOf(feed, key, check)
  // A key that is called so says which product, not what; another one may say both.
  const bareKey = chosen?.note === undefined ? key : undefined
  const { column: name, note } = nameOf(feed, [bareKey, photo?.column])
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
    notes: [chosen?.note, note].filter((each) => each !== undefined),
    left: skipped.map(({ row, problem }) => [`${table} row ${row.number}`, problem]),
  }
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

// From nothing, from photographs and from a table to a manifest that passes `check`.
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterEach, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { manifestJsonSchema } from '../../runner/manifest/json-schema.ts'
import { type Sandbox, sandbox } from './sandbox.ts'

const open: Sandbox[] = []
afterEach(() => {
  for (const { folder } of open.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function shop(files: Record<string, string | Uint8Array> = {}): Sandbox {
  const box = sandbox()
  open.push(box)
  for (const [name, content] of Object.entries(files)) box.write(name, content)
  return box
}

async function photo(background: string, format: 'jpeg' | 'png' | 'webp' | 'gif' = 'jpeg'): Promise<Buffer> {
  return sharp({ create: { width: 8, height: 10, channels: 3, background } })
    .toFormat(format)
    .toBuffer()
}

/** The ids that a manifest asks for, after `check` found nothing wrong with it. */
async function ids(box: Sandbox, manifest = 'catalog.yaml'): Promise<string[]> {
  const checked = await box.proofsheet(['check', manifest])
  expect(checked).toMatchObject({ code: 0 })
  const { stdout } = await box.proofsheet(['plan', manifest, '--json'])
  return JSON.parse(stdout).items.map(({ id }: { id: string }) => id)
}

const itemOf = (box: Sandbox, manifest = 'catalog.yaml') => parse(box.read(manifest)).items.packshot

describe('init', () => {
  test('writes an example that passes check, the schema beside it, and names the next commands', async () => {
    const box = shop()
    const { code, stdout, stderr } = await box.proofsheet('init')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toBe(`catalog.yaml          a small example that runs as it is
manifest.schema.json  lets editors complete and explain the manifest

proofsheet plan  what would be made, and for how much; buys nothing
proofsheet run   make it
`)
    expect(box.read('catalog.yaml').split('\n')[0]).toBe(
      '# yaml-language-server: $schema=./manifest.schema.json',
    )
    expect(JSON.parse(box.read('manifest.schema.json'))).toEqual(manifestJsonSchema())
    const checked = await box.proofsheet('check')
    expect(checked).toEqual({
      code: 0,
      stdout: 'catalog.yaml: 8 pictures, no problem found. Nothing was sent.\n',
      stderr: '',
    })
    expect((await box.proofsheet('check --profile draft')).code).toBe(0)
  })

  test('writes over nothing', async () => {
    const box = shop({ 'catalog.yaml': 'mine' })
    expect(await box.proofsheet('init')).toEqual({
      code: 2,
      stdout: '',
      stderr:
        'proofsheet: catalog.yaml exists already, and init writes over nothing; name another manifest, as in: proofsheet init other.yaml\n',
    })
    expect(box.read('catalog.yaml')).toBe('mine')
    const other = shop({ 'manifest.schema.json': '{"title": "of somebody else"}' })
    expect(await other.proofsheet('init')).toMatchObject({ code: 2 })
    expect(() => other.read('catalog.yaml')).toThrow()
  })

  test('brings a schema of its own up to date', async () => {
    const box = shop({ 'manifest.schema.json': '{"title": "proofsheet manifest"}' })
    const { stdout } = await box.proofsheet('init shops/other.yaml')
    expect(stdout).toContain('proofsheet plan shops/other.yaml')
    expect(await box.proofsheet('init second.yaml')).toMatchObject({ code: 0 })
    expect(JSON.parse(box.read('manifest.schema.json'))).toEqual(manifestJsonSchema())
  })
})

test.for<[string, string, string]>([
  ['in the place of its folder', 'notes.txt/catalog.yaml', 'notes.txt is no folder'],
  ['too long', `${'x'.repeat(300)}.yaml`, `the name ${'x'.repeat(300)}.yaml is too long`],
])('a manifest whose name is %s is told in words', async ([, name, why]) => {
  const box = shop({ 'notes.txt': '' })
  const { code, stderr } = await box.proofsheet(['init', name])
  expect({ code, stderr }).toEqual({ code: 2, stderr: `proofsheet: ${why}; name another manifest\n` })
  expect(existsSync(join(box.folder, 'manifest.schema.json'))).toBe(false)
})

describe('init --from a folder', () => {
  test('makes one picture of each photograph', async () => {
    const box = shop({ 'photos/mug.jpg': await photo('red'), 'photos/lamp.png': await photo('blue', 'png') })
    const { stdout } = await box.proofsheet('init --from photos')
    expect(stdout).toContain('one picture for each of 2 photographs in ./photos')
    expect(stdout).not.toContain('left out')
    expect(itemOf(box).matrix.photo.glob).toBe('./photos/*.{jpg,png}')
    expect(await ids(box)).toEqual(['packshot/lamp', 'packshot/mug'])
  })

  test('looks into folders of the folder, and takes names as they are', async () => {
    const box = shop({
      'my photos (1)/A b.JPG': await photo('red'),
      'my photos (1)/lamps/brass [2].jpg': await photo('blue'),
    })
    const { code } = await box.proofsheet(['init', 'shop/shop.yaml', '--from', 'my photos (1)/'])
    expect(code).toBe(0)
    expect(itemOf(box, 'shop/shop.yaml').matrix.photo.glob).toBe('../my photos (1)/**/*.{JPG,jpg}')
    expect(await ids(box, 'shop/shop.yaml')).toEqual(['packshot/A-b', 'packshot/lamps/brass-2'])
  })

  test('leaves out what a model would not take, and says why', async () => {
    const large = Buffer.concat([await photo('green'), Buffer.alloc(8_000_000)])
    const box = shop({
      'photos/mug.jpg': await photo('red'),
      'photos/large.jpg': large,
      'photos/wrong.jpg': await photo('red', 'gif'),
      'photos/anim.gif': await photo('red', 'gif'),
      'photos/nameless': await photo('red'),
      'photos/.hidden.jpg': 'x',
      'photos/notes.txt': 'hello',
    })
    const { stdout } = await box.proofsheet('init --from photos')
    expect(stdout.split('\n\n')[1]).toBe(`left out: 5
  ./photos/anim.gif   no photograph that models read
  ./photos/large.jpg  8.0 MB; a model takes at most 7.3 MB
  ./photos/nameless   a picture by its bytes, but its name ends in none of .jpg, .jpeg, .png, .webp, .heic, .heif
  ./photos/notes.txt  no photograph that models read
  ./photos/wrong.jpg  its bytes are no PNG, JPEG, WebP, HEIC or HEIF`)
    expect(await ids(box)).toEqual(['packshot/mug'])
  })

  test('leaves out the second of two files of one name, where its kind is never alone', async () => {
    const jpeg = await photo('red')
    const box = shop({
      'p/a.jpg': jpeg,
      'p/a.png': await photo('red', 'png'),
      'p/b.JPG': jpeg,
      'p/b.jpg': jpeg,
      'p/c.jpg': jpeg,
    })
    const { stdout } = await box.proofsheet('init --from p')
    expect(stdout.split('\n\n')[1]).toBe(`left out: 2
  ./p/a.png  has the name of a.jpg
  ./p/b.JPG  has the name of b.jpg`)
    expect(itemOf(box).matrix.photo.glob).toBe('./p/*.jpg')
    expect(await ids(box)).toEqual(['packshot/a', 'packshot/b', 'packshot/c'])
  })

  test.for<[string, Record<string, string>, string, string]>([
    [
      'that is not there',
      {},
      'photos',
      'there is no photos; --from takes a folder of photographs or a table',
    ],
    [
      'without a photograph',
      { 'photos/a.txt': 'x' },
      'photos',
      './photos holds no photograph that a model reads',
    ],
    [
      'whose files get one id',
      { 'p/a b.jpg': 'JPG', 'p/a-b.jpg': 'JPG' },
      'p',
      'photographs in ./p would have the same name:\n  a b.jpg and a-b.jpg would be `a-b`\nrename all but one of each',
    ],
    [
      'with pairs among which no kind of file can be left out',
      {
        'p/a.jpg': 'JPG',
        'p/a.jpeg': 'JPG',
        'p/b.jpeg': 'JPG',
        'p/d.jpg': 'JPG',
        'p/c.jpg': 'JPG',
        'p/c.jpeg': 'JPG',
      },
      'p',
      '2 groups of photographs in ./p would have the same name:\n  a.jpeg and a.jpg would be `a`\n  c.jpeg and c.jpg would be `c`\n',
    ],
    [
      'with files that have no name',
      { 'p/a.jpg': 'JPG', 'p/---.jpg': 'JPG', 'p/+.jpg': 'JPG' },
      'p',
      './p/+.jpg and ./p/---.jpg have no letter or digit to make an id of; rename them',
    ],
    ['around the manifest', { 'lamps/a.jpg': 'JPG' }, '.', 'name one of them, as in: --from lamps'],
  ])('%s is told, and nothing is written', async ([, files, from, message]) => {
    const bytes = await photo('red')
    const box = shop(Object.fromEntries(Object.entries(files).map(([n, c]) => [n, c === 'JPG' ? bytes : c])))
    const { code, stderr } = await box.proofsheet(['init', '--from', from])
    expect(code).toBe(2)
    expect(stderr).toContain(message)
    expect(() => box.read('catalog.yaml')).toThrow()
  })
})

describe('init --from a table', () => {
  test('names rows by their sku, takes the title and the photographs', async () => {
    const box = shop({
      'feed/products.csv':
        'Title,SKU,photo file\nMug,FF 1,img/m.jpg\nLamp,FF 2,img/l.jpg\nRug,FF 3,\nBowl,FF 4,img/b.jpg\n',
      'feed/img/m.jpg': await photo('red'),
      'feed/img/l.jpg': await photo('blue'),
    })
    const { code, stdout } = await box.proofsheet('init --from feed/products.csv')
    expect(code).toBe(0)
    expect(stdout).toContain(
      'one picture for each of 2 rows of ./feed/products.csv, named by `SKU`, from the photographs of `photo_file`',
    )
    expect(stdout.split('\n\n')[1]).toBe(`left out: 2
  ./feed/products.csv row 4  it names no photograph
  ./feed/products.csv row 5  there is no file img/b.jpg`)
    expect(itemOf(box)).toMatchObject({
      matrix: { product: { table: './feed/products.csv', key: 'SKU' } },
      refs: [{ image: './feed/${product.photo_file}', as: 'photo' }],
    })
    expect(itemOf(box).prompt).toContain('packshot of ${product.Title}:')
    expect(await ids(box)).toEqual(['packshot/FF-1', 'packshot/FF-2'])
  })

  test.for<[string, string, string, string, string]>([
    [
      'Shopify',
      'products.csv',
      'Handle,Title,Image Src\nmug,Mug,https://cdn.example/1.jpg\nlamp,Lamp,https://cdn.example/2.jpg\n',
      'Handle',
      'Image_Src',
    ],
    [
      'Google',
      'feed.tsv',
      'id\ttitle\timage_link\n7\tMug\thttps://cdn.example/1.jpg\n8\tLamp\thttps://cdn.example/2.jpg\n',
      'id',
      'image_link',
    ],
    [
      'JSON lines',
      'feed.jsonl',
      '{"slug":"a","name":"Mug","photo":"https://cdn.example/1.jpg"}\n{"slug":"b","name":"Lamp","photo":"https://cdn.example/2.jpg"}\n',
      'slug',
      'photo',
    ],
    [
      'nothing well-known',
      'feed.csv',
      'what;nr;picture\nMug;a1;https://cdn.example/1.jpg\nMug;a2;https://cdn.example/2.jpg\n',
      'nr',
      'picture',
    ],
  ])('reads the headings of %s', async ([, name, text, key, column]) => {
    const box = shop({ [name]: text })
    const { code, stderr } = await box.proofsheet(['init', '--from', name])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const { matrix, refs } = itemOf(box)
    expect(matrix.product).toEqual({ table: `./${name}`, key })
    expect(refs).toEqual([{ image: `\${product.${column}}`, as: 'photo' }])
    const bytes = await photo('red')
    const checked = await box.proofsheet('check', { fetch: async () => new Response(new Uint8Array(bytes)) })
    expect(checked).toMatchObject({ code: 0 })
  })

  test('takes no photographs where there are none, and a name for the key where there is no other', async () => {
    const box = shop({ 'list.csv': 'name of it,price\noak table,3\nash chair,3\n' })
    const { stdout } = await box.proofsheet('init --from list.csv')
    expect(stdout.split('\n\n')[1]).toBe(
      'no column is called sku, id or the like; the pictures are named by `name_of_it`, the first whose values are all there and all different',
    )
    expect(itemOf(box).refs).toBeUndefined()
    expect(itemOf(box).prompt).toContain('packshot of ${product.name_of_it},')
    expect(await ids(box)).toEqual(['packshot/oak-table', 'packshot/ash-chair'])
  })

  test('takes a column that is filled for some rows only neither as title nor, below half, as photographs', async () => {
    const rows = Array.from(
      { length: 100 },
      (_, n) => `${n},${n < 45 ? `Mug ${n},https://cdn.example/${n}.jpg` : ','}`,
    )
    const box = shop({ 'list.csv': `id,title,image\n${rows.join('\n')}\n` })
    await box.proofsheet('init --from list.csv')
    expect(itemOf(box).refs).toBeUndefined()
    expect(itemOf(box).prompt).toContain('packshot of ${product},')
    expect(await ids(box)).toHaveLength(100)
  })

  test.for<[heading: string]>([
    ['Produkt Name'],
    ['Artikelbezeichnung'],
    ['Titel'],
    ['Nombre del producto'],
    ['Titre'],
    ['Désignation'],
    ['Nome prodotto'],
    ['Productnaam'],
    ['Produktnamn'],
    ['Název'],
    ['Название'],
    ['商品名'],
    ['Produkt'],
  ])('knows the name of a product under the heading %s', async ([heading]) => {
    const rows = ['1;Rot;bild-1.jpg;Nordlicht;Krug', '2;Blau;bild-2.jpg;Fernweh;Vase']
    const box = shop({ 'list.csv': `Art.-Nr.;Farbname;Bildname;Markenname;${heading}\n${rows.join('\n')}\n` })
    const { stdout } = await box.proofsheet('init --from list.csv')
    expect(stdout).toContain('named by `Art_-Nr`\n')
    expect(stdout).not.toContain('no column')
    const column = heading.normalize().replace(/ /g, '_')
    expect(itemOf(box).prompt).toContain(`packshot of \${product.${column}},`)
    expect(await ids(box)).toEqual(['packshot/1', 'packshot/2'])
  })

  test('takes, where no heading tells, the column with the most different words for what a product is', async () => {
    const rows = [
      '1,ff-01.jpg,3 EUR,red,Oak stool',
      '2,ff-02.jpg,4 EUR,red,Pine bench',
      '3,ff-03.jpg,4 EUR,oak,Ash rack',
    ]
    const box = shop({ 'list.csv': `id,pic,price,tone,thing\n${rows.join('\n')}\n` })
    const { stdout } = await box.proofsheet('init --from list.csv')
    expect(stdout.split('\n\n')[1]).toBe(
      'no column is called name or title; the prompt takes `thing` for what the product is',
    )
    expect(itemOf(box).prompt).toContain('packshot of ${product.thing},')
    expect(await ids(box)).toHaveLength(3)
  })

  test('says so where nothing tells what a product is', async () => {
    const box = shop({ 'list.csv': 'sku,tone,price\nff-1,red,3\nff-2,red,4\nff-3,red,4\n' })
    const { stdout } = await box.proofsheet('init --from list.csv')
    expect(stdout.split('\n\n')[1]).toBe(
      'no column says what the product is; edit the prompt; columns: sku, tone, price',
    )
    expect(itemOf(box).prompt).toContain('packshot of ${product},')
  })

  test.for<[string, string, string]>([
    [
      'two rows',
      'SKU,Title\nFF-3,Mug\nFF-4,Lamp\nff 3,Rug\nFF-3,Bowl\nFF-4,Vase\n',
      `rows 2, 4 and 5 are all \`ff-3\` in an id: \`FF-3\`, \`ff 3\`
  rows 3 and 6 are both \`FF-4\`
give every row a value of its own in \`SKU\`, and start again; ids come from it, and stay what they are
`,
    ],
    [
      'rows without one',
      'Title,SKU\nMug,\nLamp,FF-1\nRug,\nBowl,///\n',
      `rows 2 and 4 have none
  row 5 cannot be part of an id: \`///\`
give every row`,
    ],
    [
      'more than can be shown',
      `sku,title\n${Array.from({ length: 16 }, (_, n) => `s${n % 8},Mug ${n}\n`).join('')}`,
      `rows 2 and 10 are both \`s0\`
  rows 3 and 11 are both \`s1\`
  rows 4 and 12 are both \`s2\`
  rows 5 and 13 are both \`s3\`
  rows 6 and 14 are both \`s4\`
  and 3 more
give every row`,
    ],
    ['one product', `sku,title\n${'x,Mug\n'.repeat(7)}`, 'rows 2, 3, 4, 5 and 3 more are all `x`\n'],
    [
      'rows of further pictures',
      'Handle,Title,Image Src\nmug,Mug,a.jpg\nmug,,b.jpg\nmug,,c.jpg\nlamp,Lamp,d.jpg\n',
      `rows 2, 3 and 4 are all \`mug\`
rows without a \`Title\` look like further pictures of the row above; keep the first of each (2 rows to take out)
`,
    ],
  ])('takes no other column where %s spoil the one that is called so', async ([, text, message]) => {
    const box = shop({ 'list.csv': text })
    const { code, stderr } = await box.proofsheet('init --from list.csv')
    expect(code).toBe(2)
    expect(stderr).toMatch(
      /^proofsheet: `(SKU|sku|Handle)` of \.\/list\.csv would name the pictures, but it cannot:\n/,
    )
    expect(stderr).toContain(`:\n  ${message}`)
    expect(() => box.read('catalog.yaml')).toThrow()
  })

  test('takes no empty column, and a bar code only where every row has one', async () => {
    const box = shop({
      'list.csv': 'SKU,EAN,Title\n,4012,Mug\n,4013,Lamp\n',
      'gap.csv': 'EAN,Title\n,Mug\n4013,Lamp\n',
    })
    expect((await box.proofsheet('init --from list.csv')).stdout).toContain('named by `EAN`')
    expect((await box.proofsheet('init gap.yaml --from gap.csv')).stdout).toContain('named by `Title`')
  })

  test('needs no key where the table is a map', async () => {
    const box = shop({ 'list.yaml': 'mug: { title: Mug }\nlamp: { title: Lamp }\n' })
    await box.proofsheet('init --from list.yaml')
    expect(itemOf(box).matrix.product).toEqual({ table: './list.yaml' })
    expect(await ids(box)).toEqual(['packshot/mug', 'packshot/lamp'])
  })

  test.for<[string, string, string, string]>([
    [
      'without a column to name its rows',
      'a.csv',
      'Colour,Size\nred,1\nred,1\n',
      'no column of ./a.csv can name the pictures: each has values that are empty, too long or the same in several rows. Give the table a column with a value of its own in every row, such as a sku',
    ],
    ['that is ragged', 'a.csv', 'sku,title\n1,Mug\n2,Lamp,brass\n', 'a.csv:3:'],
    ['that is empty', 'a.csv', '', 'a.csv'],
    ['with a heading only', 'a.csv', 'sku,title\n', 'a.csv'],
    ['of another kind', 'a.xlsx', 'PK', 'a.xlsx is neither a folder of photographs nor a table'],
    ['in another encoding', 'a.csv', 'sku\n\u0000\n', 'there is a zero byte in line 2'],
  ])('%s is told, and nothing is written', async ([, name, text, message]) => {
    const box = shop({ [name]: text })
    const { code, stderr } = await box.proofsheet(['init', '--from', name])
    expect(code).toBe(2)
    expect(stderr).toContain(message)
    expect(() => box.read('catalog.yaml')).toThrow()
  })
})

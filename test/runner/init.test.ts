// From nothing, from photographs and from a table to a manifest that passes `check`.
import { rmSync } from 'node:fs'
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
      './p/a b.jpg and ./p/a-b.jpg would both be called `a-b`',
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
  ./feed/products.csv line 4  it names no photograph
  ./feed/products.csv line 5  there is no file img/b.jpg`)
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

  test('takes no photographs where there are none, and the key as the name where there is no title', async () => {
    const box = shop({ 'list.csv': 'name of it,price\noak table,3\nash chair,3\n' })
    await box.proofsheet('init --from list.csv')
    expect(itemOf(box).refs).toBeUndefined()
    expect(itemOf(box).prompt).toContain('packshot of ${product},')
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
      'Handle,Title\nmug,Mug\nmug,\n',
      'no column of ./a.csv can name its rows: `Handle` says `mug` in lines 2 and 3. Give the table a column with a value of its own in every row, such as a sku',
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

// The rim: real files in a folder of the test's own.
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { manifestFiles } from '../../../runner/manifest/files.ts'

const { readReference, readText, listFiles } = manifestFiles()

let folder: string
const png = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.alloc(200_000, 7)])

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'proofsheet-'))
  await mkdir(join(folder, 'dir'))
  await writeFile(join(folder, 'a.jpg'), png)
  await writeFile(join(folder, 'a.txt'), 'Grüße')
  await writeFile(join(folder, 'empty.png'), '')
  await writeFile(join(folder, 'le.csv'), Buffer.from('\uFEFFsku\nä', 'utf16le'))
  await writeFile(join(folder, 'bare.csv'), Buffer.from('sku,name', 'utf16le'))
  await writeFile(join(folder, 'latin.csv'), Buffer.from('sku\nff-1\nGr\u00fc\u00dfe\n', 'latin1'))
  await writeFile(join(folder, 'cut.csv'), Buffer.from('sku\nü').subarray(0, 5))
  await writeFile(join(folder, 'sheet.xlsx'), Buffer.from('PK\u0003\u0004\n\n\0\0'))
  await writeFile(join(folder, 'large.csv'), 'sku\n')
  await truncate(join(folder, 'large.csv'), 100 * 1024 * 1024)
  await mkdir(join(folder, 'photos', 'ff-1', 'deep'), { recursive: true })
  await mkdir(join(folder, 'photos', 'ff-2'))
  await mkdir(join(folder, 'photos', '.cache'))
  const pictures = [
    'b.jpg',
    'a.jpg',
    'a.png',
    'B.jpg',
    'top (1).jpg',
    '[x].jpg',
    'x.jpg',
    'deep/c.jpg',
    '.d.jpg',
  ]
  for (const name of pictures) await writeFile(join(folder, 'photos', 'ff-1', name), '')
  await writeFile(join(folder, 'photos', 'ff-2', 'a.jpg'), '')
  await writeFile(join(folder, 'photos', '.cache', 'a.jpg'), '')
  await symlink(join('..', 'ff-1', 'a.jpg'), join(folder, 'photos', 'ff-2', 'link.jpg'))
  await symlink('..', join(folder, 'photos', 'ff-2', 'up'))
  await symlink('nowhere', join(folder, 'photos', 'ff-2', 'dangling.jpg'))
})
afterAll(() => rm(folder, { recursive: true }))

const digest = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest('hex')

test.for([
  [
    'a picture is what its bytes say',
    'a.jpg',
    { sha256: digest(png), mimeType: 'image/png', bytes: 200_008 },
  ],
  ['a text is no picture', 'a.txt', { sha256: digest('Grüße'), bytes: 7 }],
  ['an empty file is no picture', 'empty.png', { sha256: digest(''), bytes: 0 }],
  ['a folder is no file', 'dir', { notAFile: true }],
  ['nothing there', 'b.png', { missing: true }],
  ['nothing below a file', 'a.jpg/b.png', { missing: true }],
  ['a name that no disk can hold', 'x'.repeat(5000), { unreadable: 'ENAMETOOLONG' }],
  ['a name with a zero byte', 'a\0.png', { unreadable: 'ERR_INVALID_ARG_VALUE' }],
] as const)('a reference: %s', async ([, name, answer]) => {
  expect(await readReference(join(folder, name))).toEqual(answer)
})

test.for([
  ['is read as UTF-8', 'a.txt', 'Grüße'],
  ['that is a folder is no file', 'dir', { notAFile: true }],
  ['that is missing', 'b.txt', { missing: true }],
  ['that is UTF-16 is not read as UTF-8', 'le.csv', { notText: 'UTF-16', line: 1 }],
  ['that is UTF-16 without a mark is noticed', 'bare.csv', { notText: 'UTF-16', line: 1 }],
  ['of another encoding is told with the line', 'latin.csv', { notText: 'encoding', line: 3 }],
  ['that ends inside a character is told', 'cut.csv', { notText: 'encoding', line: 2 }],
  ['with a zero byte is none', 'sheet.xlsx', { notText: 'binary', line: 3 }],
  ['that is a picture is none', 'a.jpg', { notText: 'picture', line: 1 }],
  ['over 64 MiB is not read', 'large.csv', { tooLarge: 100 * 1024 * 1024 }],
] as const)('a text %s', async ([, name, answer]) => {
  expect(await readText(join(folder, name))).toEqual(answer)
})

test.for([
  [
    'a star stays within a name',
    './photos/ff-1/*.jpg',
    ['B', 'a', 'b', 'top (1)', 'x', '[x]'].map((n) => `photos/ff-1/${n}.jpg`),
  ],
  ['braces are alternatives', 'photos/ff-1/a.{jpg,png}', ['photos/ff-1/a.jpg', 'photos/ff-1/a.png']],
  [
    'braces may hold folders',
    'photos/{ff-1/deep,ff-2}/[ac].jpg',
    ['photos/ff-1/deep/c.jpg', 'photos/ff-2/a.jpg'],
  ],
  ['a folder may be a pattern', 'photos/*/a.jpg', ['photos/ff-1/a.jpg', 'photos/ff-2/a.jpg']],
  ['two stars cross folders, none included', 'photos/ff-1/**/*c.jpg', ['photos/ff-1/deep/c.jpg']],
  ['two stars do not follow links to folders', 'photos/**/a.jpg', ['photos/ff-1/a.jpg', 'photos/ff-2/a.jpg']],
  ['two stars at the end are all files', 'photos/ff-1/deep/**', ['photos/ff-1/deep/c.jpg']],
  ['a link to a file is a file', 'photos/ff-2/*.jpg', ['photos/ff-2/a.jpg', 'photos/ff-2/link.jpg']],
  ['a name is matched as it is before it is a pattern', 'photos/*/[x].jpg', ['photos/ff-1/[x].jpg']],
  ['parentheses are characters', 'photos/ff-1/top (1).j*', ['photos/ff-1/top (1).jpg']],
  ['a dot has to be said', 'photos/.c*/*', ['photos/.cache/a.jpg']],
  ['dot dot is a folder', 'photos/../photos/ff-2/a*', ['photos/../photos/ff-2/a.jpg']],
  ['a folder is no file', 'photos/ff-1/d*', []],
  ['what is not there has no files', 'nowhere/*.jpg', []],
  ['a file has no files below it', 'a.jpg/*', []],
] as const)('of a pattern %s', async ([, pattern, files]) => {
  expect(await listFiles(pattern, folder)).toEqual([...files].sort())
})

test.for([
  ['as it is named', 'loop/*.jpg', 'loop'],
  ['further down', './loop/../loop/x*/*.jpg', 'loop/../loop'],
])('a folder that cannot be looked into is none without files: %s', async ([, pattern, named]) => {
  const own = await mkdtemp(join(tmpdir(), 'proofsheet-'))
  await symlink('loop', join(own, 'loop'))
  expect(await listFiles(pattern!, own)).toEqual({ folder: named, unreadable: 'ELOOP' })
  await rm(own, { recursive: true })
})

test('an absolute pattern gives absolute paths', async () => {
  expect(await listFiles(join(folder, 'photos/ff-2/a*'), '/')).toEqual([join(folder, 'photos/ff-2/a.jpg')])
})

// Time of the processor: of the wall's, machines with other work take more.
const clock = () => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

// A fifth of a second on an idle machine; comparing each pattern with each name takes two.
test('ten thousand patterns over one folder of many files are quick', async () => {
  const flat = join(folder, 'flat')
  await mkdir(flat)
  const ids = Array.from({ length: 10_000 }, (_, index) => `ff-${String(index).padStart(5, '0')}`)
  const pictured = ids.filter((_, index) => index % 2 === 0)
  for (const id of pictured) await writeFile(join(flat, `${id}-1.jpg`), '')
  const start = clock()
  const found = await Promise.all(ids.map((id) => listFiles(`./flat/${id}-*.jpg`, folder)))
  expect(clock() - start).toBeLessThan(1200)
  expect(found.flat()).toEqual(pictured.map((id) => `flat/${id}-1.jpg`))
})

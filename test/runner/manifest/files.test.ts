// The rim: real files in a folder of the test's own.
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { manifestFiles } from '../../../runner/manifest/files.ts'

let folder: string
const png = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.alloc(200_000, 7)])

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'proofsheet-'))
  await mkdir(join(folder, 'dir'))
  await writeFile(join(folder, 'a.jpg'), png)
  await writeFile(join(folder, 'a.txt'), 'Grüße')
  await writeFile(join(folder, 'empty.png'), '')
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
  expect(await manifestFiles.readReference(join(folder, name))).toEqual(answer)
})

test.for([
  ['is read as UTF-8', 'a.txt', 'Grüße'],
  ['that is a folder is no file', 'dir', { notAFile: true }],
  ['that is missing', 'b.txt', { missing: true }],
] as const)('a text %s', async ([, name, answer]) => {
  expect(await manifestFiles.readText(join(folder, name))).toEqual(answer)
})

// What a person is told of a file that has no content for us: of one that something names, and of the manifest itself.
import { expect, test } from 'vitest'
import { type Absent, absence, noManifest } from '../../../runner/manifest/absence.ts'

const PERMIT = 'change its permissions, or run as a user that may read it'
const NAME_IT = 'name the manifest, as in: proofsheet plan ./catalog.yaml'
const OR_WRITE_IT = `${NAME_IT}; or write one: proofsheet init`

test.for<[string, Absent, string[], string[]]>([
  [
    'is missing',
    { missing: true },
    ['there is no file `a.csv`', 'paths start at the folder of the manifest'],
    ['there is no such manifest', OR_WRITE_IT],
  ],
  [
    'is a folder',
    { notAFile: true },
    ['`a.csv` is a folder, not a file'],
    ['is a folder, not a file', NAME_IT],
  ],
  [
    'may not be read',
    { unreadable: 'EACCES' },
    ['`a.csv` may not be read (EACCES)', PERMIT],
    ['may not be read (EACCES)', PERMIT],
  ],
  [
    'cannot be read',
    { unreadable: 'EIO' },
    ['`a.csv` cannot be read (EIO)'],
    ['cannot be read (EIO)', NAME_IT],
  ],
  [
    'is too large',
    { tooLarge: 104_962_458 },
    ['`a.csv` has 101 MiB; a text has at most 64 MiB', 'split it'],
    ['has 101 MiB; a text has at most 64 MiB', 'split it'],
  ],
  [
    'is a picture',
    { notText: 'picture', line: 1 },
    ['`a.csv` is a picture, not a text'],
    ['is a picture, not a text', NAME_IT],
  ],
  [
    'is UTF-16',
    { notText: 'UTF-16', line: 1 },
    ['`a.csv` is UTF-16', 'save it as UTF-8'],
    ['is UTF-16', 'save it as UTF-8'],
  ],
  [
    'is binary',
    { notText: 'binary', line: 3 },
    ['`a.csv` is no text: there is a zero byte in line 3', 'a spreadsheet is exported as CSV'],
    ['is no text: there is a zero byte in line 3', NAME_IT],
  ],
  [
    'is in another encoding',
    { notText: 'encoding', line: 7 },
    [
      '`a.csv` is not UTF-8: a byte in line 7 is no character',
      'save it as UTF-8; a spreadsheet calls this "CSV UTF-8"',
    ],
    ['is not UTF-8: a byte in line 7 is no character', 'save it as UTF-8'],
  ],
])('a file that %s', ([, absent, named, manifest]) => {
  expect(absence('a.csv', absent)).toEqual(named)
  const { message, hint } = noManifest('catalog.yaml', absent)
  expect([message, hint]).toEqual(manifest)
})

test('a path that begins with a tilde is told what that means here', () => {
  expect(absence('~/a.csv', { missing: true })[1]).toBe('`~` is not expanded')
})

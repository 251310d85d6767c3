// What a pattern of ids matches.
import { expect, test } from 'vitest'
import { baseMatcher, idMatcher } from '../../../runner/manifest/ids.ts'

const IDS = ['pack/a/front', 'pack/a/front#2', 'pack/b/top', 'package', 'life/a', 'life/a#2', 'grün/b']

test.for([
  ['an id matches itself and its samples', 'life/a', ['life/a', 'life/a#2']],
  ['an id with a sample matches that sample only', 'life/a#2', ['life/a#2']],
  [
    'a folder matches everything below it, and no name that only begins so',
    'pack',
    ['pack/a/front', 'pack/a/front#2', 'pack/b/top'],
  ],
  ['a slash at the end changes nothing', 'pack/a/', ['pack/a/front', 'pack/a/front#2']],
  ['a star stays within its part', 'pack/*/front', ['pack/a/front', 'pack/a/front#2']],
  [
    'a star at the end takes the folders it matches',
    'pack/*',
    ['pack/a/front', 'pack/a/front#2', 'pack/b/top'],
  ],
  ['a star alone is everything', '*', IDS],
  ['two stars cross parts', '**/front', ['pack/a/front', 'pack/a/front#2']],
  ['samples can be chosen', '**/*#2', ['pack/a/front#2', 'life/a#2']],
  ['braces are alternatives', '{life,grün}/*', ['life/a', 'life/a#2', 'grün/b']],
  ['brackets are letters', 'pack/[b-z]', ['pack/b/top']],
  ['composed and decomposed letters are one', 'gru\u0308n', ['grün/b']],
  ['a question mark is one character', 'pack/?/top', ['pack/b/top']],
  ['signs of shells are letters', '!(pack)', []],
  ['a bracket that is not closed is a letter', 'pack/[', []],
] as const)('%s', ([, pattern, expected]) => expect(IDS.filter(idMatcher(pattern))).toEqual(expected))

test.for([
  ['a name is one picture', 'pack/a/front', ['pack/a/front']],
  ['a folder is none', 'pack', []],
  ['a pattern matches whole ids', 'pack/*', []],
  ['two stars cross parts', 'pack/**', ['pack/a/front', 'pack/b/top']],
] as const)('as a reference, %s', ([, pattern, expected]) =>
  expect(IDS.filter((id) => !id.includes('#')).filter(baseMatcher(pattern))).toEqual(expected),
)

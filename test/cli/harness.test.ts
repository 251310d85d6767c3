// The harness itself: a spec that says something else than what is printed must fail, and say where.
import { expect, test } from 'vitest'
import type { Stack } from '../runner/sandbox.ts'
import { accepted, difference } from './match.ts'
import { wordsOf } from './shell.ts'
import { readSpec, rewriteSpec } from './spec.ts'
import { play } from './transcript.ts'

/** Nothing here asks a worker. */
const nobody = { url: 'http://127.0.0.1:9', token: 'none', emulator: { url: '', calls: () => [] } }
const playAlone = (text: string) => play(text, 'page.md', nobody as unknown as Stack)

const page = (...lines: string[]) => ['# A page', '', '```console', ...lines, '```', ''].join('\n')

test.for([
  ['what is printed', ['a', 'b'], ['a', 'b'], true],
  ['another line', ['a', 'b'], ['a', 'c'], false],
  ['a line too many', ['a'], ['a', 'b'], false],
  ['a line too few', ['a', 'b'], ['a'], false],
  ['the same lines in another order', ['b', 'a'], ['a', 'b'], false],
  ['a part of a line', ['a'], ['ab'], false],
  ['white space at the ends, which nobody sees', ['a  ', ''], ['a'], true],
  ['white space within, which stands in columns', ['a  b'], ['a b'], false],
  ['text left out within a line', ['in [..] s: $1 (a+b)'], ['in 2.5 s: $1 (a+b)'], true],
  ['text left out, the rest another', ['in [..] s'], ['in 2.5 min'], false],
  ['signs that mean something in patterns', ['a.c'], ['abc'], false],
  ['lines left out in between', ['a', '...', 'd'], ['a', 'b', 'c', 'd'], true],
  ['no lines where some may be left out', ['a', '...', 'd'], ['a', 'd'], true],
  ['lines left out, then a line that is not there', ['a', '...', 'x'], ['a', 'b', 'c'], false],
  ['lines left out before a line that comes twice', ['...', 'a', 'b'], ['a', 'x', 'a', 'b'], true],
  ['nothing, where nothing is expected', [], [], true],
  ['something, where nothing is expected', [], ['a'], false],
] as const)('%s', ([, expected, printed, holds]) => {
  expect(difference(expected, printed) === undefined).toBe(holds)
})

test('a difference shows what was expected, what was printed, and what both share', () => {
  expect(difference(['a', '...', 'x', 'z'], ['a', 'b', 'c', 'y', 'z'])).toEqual([
    '  a',
    '  ...',
    '- x',
    '  z',
  ])
  expect(difference(['a', 'x', 'z'], ['a', 'y', 'z'])).toEqual(['  a', '- x', '+ y', '  z'])
})

test('a page whose expectations hold has no mismatch', async () => {
  const { mismatches } = await playAlone(
    page(
      '$ proofsheet --version',
      '0.1.0',
      '$ proofsheet frobnicate',
      "! error: unknown command '[..]'",
      '...',
      '[exit 2]',
    ),
  )
  expect(mismatches).toEqual([])
})

test.for([
  ['a wrong line on stdout', ['$ proofsheet --version', '0.2.0'], ['- 0.2.0', '+ 0.1.0']],
  ['a line of stdout expected on stderr', ['$ proofsheet --version', '! 0.1.0'], ['- ! 0.1.0', '+ 0.1.0']],
  ['a wrong exit code', ['$ proofsheet frobnicate', '...', '[exit 3]'], ['  ...', '- [exit 3]']],
  ['an exit code that is not said', ['$ proofsheet frobnicate', '! [..]'], ['+ [exit 2]']],
  ['output of another command', ['$ ls .', 'nothing.txt'], ['- nothing.txt']],
] as const)('%s is a mismatch with file and line', async ([, lines, differs]) => {
  const { mismatches } = await playAlone(page(...lines))
  expect(mismatches).toHaveLength(1)
  expect(mismatches[0]!.split('\n')[0]).toBe(`page.md:4: ${lines[0]}`)
  for (const line of differs) expect(mismatches[0]!.split('\n')).toContain(`    ${line}`)
})

test('a command that ends by a bug is none of the expectations: no page makes it right', async () => {
  const text = [
    '<!-- worker: embedded -->',
    '# A page',
    '```file catalog.yaml',
    'items: { a: { model: nano-banana-2, prompt: x } }',
    '```',
    '```console',
    '$ date never',
    '$ proofsheet check',
    '...',
    '[exit 1]',
    '```',
    '',
  ].join('\n')
  const { bugs, mismatches, accepted } = await playAlone(text)
  expect(bugs).toEqual([expect.stringMatching(/^page\.md:8: \$ proofsheet check\n +! a bug: RangeError/)])
  expect({ mismatches, accepted }).toEqual({ mismatches: [], accepted: text })
})

test.for([
  ['a command that does not exist', page('$ frobnicate'), 'page.md:4: $ frobnicate'],
  ['output without a command', page('0.1.0'), 'line 4: output without a command'],
  ['a block of another kind', '# A page\n```yaml\n```\n', 'line 2: a block is'],
  ['a block that does not end', '# A page\n```console\n', 'line 2: the block does not end'],
  ['a page without a title', '```console\n```\n', 'a spec begins with a title'],
] as const)('%s is no spec', async ([, text, message]) => {
  await expect(playAlone(text)).rejects.toThrow(message)
})

test('files are written before the commands after them, also files that hold blocks', async () => {
  const text = [
    '# A page',
    '````file a/b.md',
    '```',
    '````',
    '```console',
    '$ cat a/b.md',
    '```',
    '```file c.txt',
    'one',
    '```',
    '```console',
    '$ edit c.txt: one => two',
    '$ cat c.txt',
    'two',
    '$ mv c.txt d/e.txt',
    '$ ls .',
    'a/b.md',
    'd/e.txt',
    '```',
    '',
  ].join('\n')
  const { mismatches } = await playAlone(text)
  expect(mismatches).toEqual(['page.md:6: $ cat a/b.md\n    + ```'])
})

test('an update keeps the lines that fit, and leaves out what changes from run to run', () => {
  const printed = ['made in 3.2 s', 'at http://127.0.0.1:4711/images/x.png', 'the end']
  expect(accepted(['made in [..]', 'gone'], printed)).toEqual(['made in [..]', 'at [..]', 'the end'])
  expect(accepted([], ['✓ a  8x8, 31 KB, 0.2 s', '{"at":"2026-11-20T10:00:00.000Z","bytes":12}'])).toEqual([
    '✓ a  8x8, [..], [..]',
    '{"at":"[..]","bytes":[..]}',
  ])
})

test('an update puts lines below their command and keeps the page around it', async () => {
  const text = page(
    '$ proofsheet --version',
    'old',
    '',
    '$ ls .',
    '```',
    '',
    'Prose.',
    '```console',
    '$ ls .',
  )
  const wanted = page(
    '$ proofsheet --version',
    '0.1.0',
    '',
    '$ ls .',
    '```',
    '',
    'Prose.',
    '```console',
    '$ ls .',
  )
  expect((await playAlone(text)).accepted).toBe(wanted)
  expect((await playAlone(wanted)).accepted).toBe(wanted)
  expect(rewriteSpec(wanted, new Map([[12, ['a', 'b']]]))).toBe(
    wanted.replace(/\$ ls \.\n```\n$/, '$ ls .\na\nb\n```\n'),
  )
})

test('words are divided at spaces outside quotes, and names are filled in outside single ones', () => {
  expect(wordsOf(`run --set 'tags=[a, b]' --var brand="Fern & Fold" -s "" $X '$X'`, { X: 'x' })).toEqual([
    'run',
    '--set',
    'tags=[a, b]',
    '--var',
    'brand=Fern & Fold',
    '-s',
    '',
    'x',
    '$X',
  ])
})

test('a page may ask for an embedded worker in its first line', () => {
  expect(readSpec('<!-- worker: embedded -->\n# A page\n').isEmbedded).toBe(true)
  expect(readSpec('# A page\n').isEmbedded).toBe(false)
})

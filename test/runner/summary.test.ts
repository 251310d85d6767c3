import { describe, expect, test } from 'vitest'
import type { Summary } from '../../runner/run/events.ts'
import type { Failure } from '../../runner/run/make.ts'
import { commandLine } from '../../runner/views/command.ts'
import { resultJson } from '../../runner/views/result.ts'
import { closingLines, openEnds, pictureLines, type RunResult } from '../../runner/views/summary.ts'
import { entry, item, lockOf, plan } from './items.ts'

const items = ['a', 'b', 'c'].map((id) => item(`packshot/${id}`, { provider: 'apiyi' }))
const done = plan(items)
const made = done.items.slice(0, 2).map((p) => entry(p, { cost: 0.055 }))
const counts: Summary = {
  made: 2,
  failed: 0,
  refused: 0,
  uncertain: 0,
  blocked: 0,
  left: 0,
  spent: 110_000,
  unpriced: 0,
}
const failed = (id: string, status: Failure['status']): RunResult['failures'][number] => ({
  type: 'failed',
  id,
  ms: 1,
  failure: { code: status, status, message: 'words', charged: 'yes', cost: 0.055 },
})
const result = (changes: Partial<RunResult> = {}, summary: Partial<Summary> = {}): RunResult => ({
  plan: done,
  summary: { ...counts, ...summary },
  made,
  failures: [],
  files: new Map(made.map((e) => [e.id, `out/${e.id}.png`])),
  adopted: 0,
  ms: 65_000,
  ...changes,
})
const context = { lockPath: 'shop.lock.jsonl', again: 'proofsheet run shop.yaml' }

test('each picture has its address and file, in the order of the manifest', () => {
  expect(pictureLines(result({ made: [...made].reverse() }))).toEqual([
    'packshot/a  http://worker/images/packshot/a.png  out/packshot/a.png',
    'packshot/b  http://worker/images/packshot/b.png  out/packshot/b.png',
  ])
})

describe('the closing lines', () => {
  test('what it cost stands beside what was expected and what it might have cost', () => {
    expect(closingLines(result(), context)).toEqual([
      '',
      '2 pictures made in 1 min 5 s: $0.11 (expected $0.165, at most $0.165)',
      'shop.lock.jsonl holds the catalog.',
    ])
  })

  test('every way of ending is counted, what is not repeated by itself is named, and the command that goes on', () => {
    const failures = [failed('x', 'refused'), failed('y', 'uncertain'), failed('z', 'failed')]
    const summary = { failed: 1, refused: 1, uncertain: 1, blocked: 1, left: 4, unpriced: 1 }
    const limit = 500_000
    expect(closingLines(result({ failures, adopted: 3 }, summary), { ...context, limit })).toEqual([
      '',
      '2 pictures made, 1 failed, 1 refused, 1 uncertain, 1 blocked, 4 left in 1 min 5 s: ≥ $0.11 (expected $0.165, at most $0.165)',
      'the limit of this run was $0.50',
      'not everything is in that sum: of some attempts the price, or whether they were charged, is not known',
      '3 pictures found on the worker, made before and not in this sum',
      '1 refused: x; --refused asks again',
      '1 uncertain, perhaps charged: y; --uncertain asks again',
      'shop.lock.jsonl holds the catalog.',
      'To go on where this ended; nothing is bought twice:  proofsheet run shop.yaml',
    ])
  })

  test('of what the emulator was asked nothing was charged, perhaps or otherwise', () => {
    const { failure, ...other } = failed('y', 'uncertain')
    const failures = [{ ...other, failure: { ...failure, emulated: true as const } }]
    expect(closingLines(result({ failures }), context)).toContain('1 uncertain: y; --uncertain asks again')
    const asked = plan(items, new Map(), { emulated: true })
    const cut = lockOf(asked, { status: 'uncertain', emulated: true, charged: 'unknown', cost: null })
    expect(openEnds(plan(items.slice(0, 1), cut, { emulated: true }))).toEqual([
      '1 uncertain since last time: packshot/a; --uncertain asks again',
    ])
  })

  test('what another run made in the meantime is found, and not counted as made', () => {
    const lines = closingLines(result({ adopted: 3 }, { made: 1, found: 1, spent: 55_000 }), context)
    expect(lines[1]).toBe('1 picture made in 1 min 5 s: $0.055 (expected $0.165, at most $0.165)')
    expect(lines[2]).toBe('4 pictures found on the worker, made before and not in this sum')
  })

  test.each<[string, Partial<Summary>, string]>([
    ['what failed', { failed: 1 }, 'To try what failed once more:  proofsheet run shop.yaml'],
    [
      'a quota that is used up',
      { failed: 1, left: 3, stopped: 'unavailable' },
      'To go on later; nothing is bought twice:  proofsheet run shop.yaml',
    ],
    [
      'a key that was refused, with nothing left to start',
      { failed: 1, stopped: 'unauthorised' },
      'To go on once the key is accepted; nothing is bought twice:  proofsheet run shop.yaml',
    ],
    [
      'a limit under which nothing fits',
      { made: 0, spent: 0, left: 3, stopped: 'budget' },
      'Nothing fits under this limit: raise `budget.max` in the manifest, or --max-cost.',
    ],
    [
      'prices that are not known',
      { left: 3, withheld: 3, stopped: 'budget' },
      'To go on once their prices are known:  proofsheet run shop.yaml',
    ],
  ])('after %s they say what to do', (_, summary, line) =>
    expect(closingLines(result({}, summary), context).at(-1)).toBe(line),
  )

  test('what the worker goes on with is told from what nobody has asked for', () => {
    const counted = (left: number, held: number) =>
      closingLines(result({}, { left, held, stopped: 'interrupted' }), context)[1]
    expect(counted(3, 2)).toContain('2 pictures made, 2 left to the worker, 1 left in')
    expect(counted(2, 2)).toContain('2 pictures made, 2 left to the worker in')
  })

  test('what was refused in an earlier run is named, too, when it is selected', () => {
    const lock = lockOf(done, { status: 'refused' })
    expect(openEnds(plan(items, lock))).toEqual([
      '3 refused last time: packshot/a, packshot/b, packshot/c; --refused asks again',
    ])
    expect(openEnds(plan(items, lock, { selected: ['packshot/a'] }))).toEqual([
      '1 refused last time: packshot/a; --refused asks again',
    ])
  })
})

test('as JSON the result has pictures, failures and sums in USD', () => {
  const blocked = [{ type: 'blocked', id: 'd', by: 'x' }] as const
  const shown = resultJson(result({ failures: [failed('x', 'refused')] }, { refused: 1, blocked: 1 }), {
    limit: 2_000_000,
    blocked,
  })
  expect(shown).toMatchObject({
    format: 'proofsheet-run',
    version: 1,
    profile: null,
    emulated: false,
    summary: { made: 2, refused: 1, actual: 0.11, expected: 0.165, atMost: 0.165, limit: 2, adopted: 0 },
    pictures: [{ id: 'packshot/a', file: 'out/packshot/a.png', cost: 0.055, charged: 'yes' }, {}],
    failures: [
      { id: 'x', code: 'refused', status: 'refused', message: 'words', charged: 'yes', cost: 0.055 },
    ],
    blocked: [{ id: 'd', by: 'x' }],
  })
})

test('as JSON, too, what another run made counts as adopted', () => {
  const shown = resultJson(result({ adopted: 3 }, { made: 1, found: 1 }), { blocked: [] })
  expect(shown.summary).toMatchObject({ made: 1, found: 1, adopted: 4 })
})

test('a command is written so that a shell takes it as it is', () => {
  const flags = {
    '-s': ['packshot/*', 'x#2'],
    '--set': ["brand=Fern & Fold's"],
    '--yes': true,
    '--redo': false,
    '-j': 4,
  }
  expect(commandLine('run', 'my shop.yaml', flags)).toBe(
    `proofsheet run 'my shop.yaml' -s 'packshot/*' -s x#2 --set 'brand=Fern & Fold'\\''s' --yes -j 4`,
  )
})

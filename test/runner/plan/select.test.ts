import { describe, expect, test } from 'vitest'
import { toMake } from '../../../runner/plan/plan.ts'
import { find, firstOf, SelectionError, select } from '../../../runner/plan/select.ts'
import type { Lock } from '../../../runner/state/lock.ts'
import { entry, from, item, lockOf, plan, states } from '../items.ts'

const items = [
  item('packshot/ff-101/front', { tags: ['hero', 'web'] }),
  item('packshot/ff-101/top', { tags: ['web'] }),
  item('packshot/ff-201/front', { model: 'gemini-3-pro-image' }),
  item('packshot/ff-201/front#2', { model: 'gemini-3-pro-image' }),
  item('lifestyle/ff-101', { references: [from('packshot/ff-101/front')] }),
  item('banner', { references: [from('lifestyle/ff-101')], tags: ['Sale-2026'] }),
]
const all = lockOf(plan(items))
/** Everything is made but the top view; two are marked, one was refused. */
const lock: Lock = new Map(
  [...all].flatMap(([id, e]) => {
    if (id === 'packshot/ff-101/top') return []
    if (id === 'packshot/ff-201/front#2') return [[id, { ...e, review: 'picked' as const }]]
    if (id === 'packshot/ff-201/front') return [[id, { ...e, review: 'rejected' as const }]]
    return [[id, id === 'banner' ? { ...e, status: 'refused' as const } : e]]
  }),
)
const made = plan(items, lock)
const SHORT: Record<string, string> = {
  'packshot/ff-101/front': 'f',
  'packshot/ff-101/top': 't',
  'packshot/ff-201/front': '1',
  'packshot/ff-201/front#2': '2',
  'lifestyle/ff-101': 'l',
  banner: 'b',
}
/** The letters of what is selected, in the order of the manifest. */
const selected = (include: string[], exclude: string[] = []) => {
  const ids = select(made, { include, exclude })
  return Object.keys(SHORT)
    .filter((id) => ids.has(id))
    .map((id) => SHORT[id])
    .join('')
}

describe('terms', () => {
  test.each<[string, string]>([
    ['packshot/ff-101/top', 't'],
    ['packshot', 'ft12'],
    ['packshot/*', 'ft12'],
    ['packshot/*/front', 'f12'],
    ['packshot/ff-201/front', '12'],
    ['packshot/ff-201/front#2', '2'],
    ['*/ff-101', 'ftl'],
    ['+banner', 'flb'],
    ['+lifestyle', 'fl'],
    ['lifestyle/ff-101+', 'lb'],
    ['packshot/ff-101/front+', 'flb'],
    ['+lifestyle+', 'flb'],
    ['status:new', 't'],
    ['status:done', 'f12l'],
    ['status:made', 'f12l'],
    ['status:picked', '2'],
    ['status:rejected', '1'],
    ['status:refused', 'b'],
    ['status:{new,refused}', 'tb'],
    ['tag:hero', 'f'],
    ['tag:web', 'ft'],
    ['tag:sale-*', 'b'],
    ['model:nano-banana-pro', '12'],
    ['model:gemini-3-pro-image-preview', '12'],
    ['model:*flash*', 'ftlb'],
    ['+status:refused', 'flb'],
  ])('-s %s selects %s', (term, letters) => expect(selected([term])).toBe(letters))

  test('what waits for a pick is made from all samples until one is picked', () => {
    const x = [item('x', { prompt: 'p' }), item('x#2', { prompt: 'p', sample: 2 })]
    const family = [...x, item('user', { references: [{ kind: 'from', item: 'x', wait: 'pick' }] })]
    const drawn = lockOf(plan(x))
    const picked = new Map([...drawn, ['x#2', { ...drawn.get('x#2')!, review: 'picked' as const }]])
    const terms = { include: ['+user'], exclude: [] }
    expect([...select(plan(family, drawn), terms)].sort()).toEqual(['user', 'x', 'x#2'])
    expect([...select(plan(family, picked), terms)].sort()).toEqual(['user', 'x#2'])
  })

  test('several add up, exclusions take away', () => {
    expect(selected(['banner', 'tag:hero'])).toBe('fb')
    expect(selected(['packshot'], ['status:rejected', '*/ff-101'])).toBe('2')
    expect(selected([], ['packshot'])).toBe('lb')
    expect(selected([])).toBe('ft12lb')
  })
})

describe('a selection that finds nothing is an error', () => {
  test.each<[string[], string[], string]>([
    [
      ['packshot/ff-101/frnt'],
      [],
      '-s packshot/ff-101/frnt finds nothing; did you mean `packshot/ff-101/front`?',
    ],
    [['lifestile'], [], '-s lifestile finds nothing; did you mean `lifestyle`?'],
    [['zzzzzzzzz'], [], '-s zzzzzzzzz finds nothing; items: packshot, lifestyle, banner'],
    [['+baner'], [], '-s +baner finds nothing; did you mean `banner`?'],
    [['banner'], ['tpo'], '-x tpo finds nothing; items: packshot, lifestyle, banner'],
    [['status:refusd'], [], '-s status:refusd finds nothing; did you mean `refused`?'],
    [
      ['status:changed'],
      [],
      '-s status:changed finds nothing; there are: done, made, new, rejected, picked, refused',
    ],
    [['tag:herp'], [], '-s tag:herp finds nothing; did you mean `hero`?'],
    [['tga:hero'], [], '-s tga:hero finds nothing; there is no `tga:`, only status:, tag:, model: and ids'],
    [
      ['model:zzzzzzz'],
      [],
      '-s model:zzzzzzz finds nothing; models: gemini-3.1-flash-image, nano-banana-2, gemini-3.1-flash-image-preview, gemini-3-pro-image, nano-banana-pro, gemini-3-pro-image-preview',
    ],
    [
      ['banner'],
      ['banner'],
      'nothing is left of the selection -s banner -x banner: -x takes away all that -s finds',
    ],
  ])('%j without %j', (include, exclude, message) => {
    expect(() => select(made, { include, exclude })).toThrow(new SelectionError(message))
  })
})

test('one term finds items in the order of the manifest, and its error names the flag it came from', () => {
  expect(find(made, 'packshot/ff-101', '--why').map((p) => p.item.id)).toEqual([
    'packshot/ff-101/front',
    'packshot/ff-101/top',
  ])
  expect(() => find(made, 'baner', '--why')).toThrow('--why baner finds nothing; did you mean `banner`?')
})

describe('a plan of a selection', () => {
  const chain = [item('a'), item('b', { references: [from('a')] }), item('c', { references: [from('b')] })]

  test('makes nothing else and counts nothing else', () => {
    const part = plan(chain, new Map(), { selected: ['a'] })
    expect(toMake(part).map((p) => p.item.id)).toEqual(['a'])
    expect(part.quote).toEqual(plan([chain[0]!]).quote)
  })

  test('blocks what is made from a picture that is neither there nor selected, all the way down', () => {
    const part = plan(chain, new Map(), { selected: ['b', 'c'] })
    expect(part.items.map((p) => [p.state, ...p.reasons])).toEqual([
      ['new'],
      ['blocked', 'a has no picture yet and is not selected (+b selects it too)'],
      ['blocked', 'b has no picture'],
    ])
  })

  test('says of what is not selected how it is by itself', () => {
    expect(states(plan(chain, new Map(), { selected: ['a'] }))).toEqual({ a: 'new', b: 'new', c: 'new' })
  })

  test('blocks what is made from a picture that has changed, and is happy with one that is there', () => {
    const there = lockOf(plan([chain[0]!]))
    expect(states(plan(chain, there, { selected: ['b'] }))).toMatchObject({ b: 'new' })
    const edited = [item('a', { prompt: 'other words' }), ...chain.slice(1)]
    expect(plan(edited, there, { selected: ['b'] }).items[1]!.reasons).toEqual([
      'a has changed and is not selected (+b selects it too)',
    ])
  })

  test('an item with the same inputs as one that is not selected is made itself', () => {
    const twins = [item('a', { prompt: 'p' }), item('b', { prompt: 'p' })]
    expect(states(plan(twins, new Map(), { selected: ['b'] }))).toEqual({ a: 'new', b: 'new' })
    expect(states(plan(twins, new Map(), { selected: ['a'] }))).toEqual({ a: 'new', b: 'new' })
    expect(toMake(plan(twins, new Map(), { selected: ['b'] })).map((p) => p.item.id)).toEqual(['b'])
  })
})

describe('the first pictures', () => {
  const wishes = [
    item('late', { references: [from('early')] }),
    item('early'),
    item('twin', { prompt: 'a picture of early' }),
    item('last'),
    item('there'),
  ]
  const there = lockOf(plan([wishes[4]!]))

  test.each<[number, string[]]>([
    [1, ['early']],
    [2, ['late', 'early']],
    [9, ['late', 'early', 'last']],
  ])('%i are those that others are made from, before them: %j', (n, ids) => {
    const whole = plan(wishes, there)
    const first = firstOf(whole, n)
    expect(toMake(plan(wishes, there, { selected: [...first] })).map((p) => p.item.id)).toEqual(ids)
    expect(first).toContain('there')
  })

  test('what comes along with one of them stays, what would be bought instead does not', () => {
    const whole = plan(wishes, there)
    expect(firstOf(whole, 1)).toContain('twin')
    const late = plan([item('x'), ...wishes.slice(1)], there)
    expect(
      states(plan([item('x'), ...wishes.slice(1)], there, { selected: [...firstOf(late, 1)] })),
    ).toMatchObject({
      x: 'new',
      twin: 'new',
    })
    expect(firstOf(late, 1)).not.toContain('twin')
  })
})

describe('redo', () => {
  const [a, b] = plan([item('a'), item('b')]).items

  test.each([
    ['succeeded', 'redo', 'asked for again'],
    ['refused', 'redo', 'asked for again; last time: refused'],
    ['uncertain', 'redo', 'asked for again; last time: uncertain'],
  ] as const)('what ended as %s is made again under a key of its own', (status, state, reason) => {
    const before: Lock = new Map([['a', entry(a!, { status })]])
    expect(plan([item('a')], before, { redo: ['a'] }).items[0]).toMatchObject({
      state,
      edition: 2,
      key: `${a!.fingerprint}-2`,
      reasons: [reason],
    })
  })

  test.each(['failed', 'running'] as const)('what is %s is tried again as it would be anyway', (status) => {
    const before: Lock = new Map([['a', entry(a!, { status })]])
    expect(plan([item('a')], before, { redo: ['a'] }).items[0]).toEqual(plan([item('a')], before).items[0])
  })

  test('touches nothing that is not asked for', () => {
    const before: Lock = new Map([
      ['a', entry(a!)],
      ['b', entry(b!)],
    ])
    expect(states(plan([item('a'), item('b')], before, { redo: ['a'] }))).toEqual({ a: 'redo', b: 'done' })
  })
})

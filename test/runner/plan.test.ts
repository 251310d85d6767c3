import { describe, expect, test } from 'vitest'
import type { Item } from '../../runner/manifest/item.ts'
import { entry, from, item, lockOf, plan, states } from './items.ts'

const chain = [item('late', { references: [from('early')] }), item('early')]

describe('what is made', () => {
  test('an item that was never made is new', () => {
    expect(states(plan([item('a')]))).toEqual({ a: 'new' })
  })

  test('an item whose inputs are those of its entry is done', () => {
    expect(states(plan(chain, lockOf(plan(chain))))).toEqual({ late: 'done', early: 'done' })
  })

  test.each<[string, Partial<Item>, string]>([
    ['prompt', { prompt: 'something else' }, 'prompt'],
    ['model', { model: 'gemini-3-pro-image' }, 'model gemini-3.1-flash-image → gemini-3-pro-image'],
    ['size', { size: '4K' }, 'size 1K → 4K'],
    ['aspect', { aspect: '16:9' }, 'aspect none → 16:9'],
    ['a parameter', { parameters: { seed: 7 } }, 'seed none → 7'],
    ['sample', { sample: 2 }, 'sample none → 2'],
    ['a reference', { references: [file('./a.png', 'a')] }, 'reference ./a.png added'],
  ])('a changed %s is named as the reason', (_, change, reason) => {
    const before = lockOf(plan([item('a')]))
    const [planned] = plan([item('a', change)], before).items
    expect(planned).toMatchObject({ state: 'changed', reasons: [reason] })
  })

  test.each<[string, Item['references'], Item['references'], string]>([
    ['other bytes', [file('./a.png', 'a')], [file('./a.png', 'b')], 'reference ./a.png'],
    ['a reference less', [file('./a.png', 'a')], [], 'reference ./a.png removed'],
    [
      'another order',
      [file('./a.png', 'a'), file('./b.png', 'b')],
      [file('./b.png', 'b'), file('./a.png', 'a')],
      'order of the references',
    ],
  ])('%s in the references are named as the reason', (_, was, is, reason) => {
    const before = lockOf(plan([item('a', { references: was })]))
    expect(plan([item('a', { references: is })], before).items[0]).toMatchObject({
      state: 'changed',
      reasons: [reason],
    })
  })

  test('the name of a reference file does not matter, its bytes do', () => {
    const before = lockOf(plan([item('a', { references: [file('./a.png', 'a')] })]))
    expect(states(plan([item('a', { references: [file('./renamed.png', 'a')] })], before))).toEqual({
      a: 'done',
    })
  })

  test.each<[string, Partial<Item>]>([
    ['provider', { provider: 'apiyi' }],
    ['fallback', { fallback: [{ model: 'gemini-3-pro-image', on: ['no_image'] }] }],
    ['metadata', { metadata: { shop: 'x' } }],
    ['default size written out', { size: '1K' }],
  ])('a changed %s changes no pixel and makes nothing again', (_, change) => {
    expect(states(plan([item('a', change)], lockOf(plan([item('a')]))))).toEqual({ a: 'done' })
  })

  test('what is made from a changed item is made again, and says from which', () => {
    const before = lockOf(plan(chain))
    const after = plan([chain[0]!, item('early', { prompt: 'new words' })], before)
    expect(after.items.map((p) => [p.item.id, p.state, p.reasons])).toEqual([
      ['late', 'changed', ['reference early']],
      ['early', 'changed', ['prompt']],
    ])
  })

  test('a renamed item is done, because its fingerprint is known', () => {
    const before = lockOf(plan([item('old', { prompt: 'p' })]))
    const after = plan([item('new', { prompt: 'p' })], before)
    expect(states(after)).toEqual({ new: 'done' })
    expect(after.orphans).toEqual([])
  })

  test('two items with equal inputs are one picture, bought once', () => {
    const twins = plan([item('a', { prompt: 'p' }), item('b', { prompt: 'p' })])
    expect(states(twins)).toEqual({ a: 'new', b: 'same' })
    expect(twins.quote).toEqual(plan([item('a', { prompt: 'p' })]).quote)
  })

  test('samples of one item are different pictures', () => {
    const samples = plan([item('a', { prompt: 'p' }), item('a#2', { prompt: 'p', sample: 2 })])
    expect(states(samples)).toEqual({ a: 'new', 'a#2': 'new' })
  })

  test('what was made for an item that has left the manifest is an orphan', () => {
    expect(plan([item('a')], lockOf(plan([item('a'), item('gone')]))).orphans.map((o) => o.id)).toEqual([
      'gone',
    ])
  })

  test('tries with the emulator do not count among the editions that are bought', () => {
    const [a] = plan([item('a')]).items
    const drawn = new Map([['a', entry(a!, { emulated: true, edition: 3, key: `${a!.fingerprint}-3` })]])
    expect(plan([item('a')], drawn).items[0]).toMatchObject({ state: 'new', edition: 1, key: a!.fingerprint })
  })

  test('what is made from a picture that was refused is blocked, all the way down, and in no sum', () => {
    const family = [item('c', { references: [from('b')] }), item('b', { references: [from('a')] }), item('a')]
    const [, , a] = plan(family).items
    const lock = new Map([['a', entry(a!, { status: 'refused' })]])
    const after = plan(family, lock)
    expect(states(after)).toEqual({ a: 'refused', b: 'blocked', c: 'blocked' })
    expect(after.items.map((p) => p.reasons)).toMatchObject([['b has no picture'], ['a has no picture'], {}])
    expect(after.quote).toEqual({ expected: 0, atMost: 0, unknown: [] })
    expect(states(plan(family, lock, { refused: true }))).toEqual({ a: 'retry', b: 'new', c: 'new' })
  })

  test('a drawing of the emulator counts as not yet made once there is a key', () => {
    const drawn = lockOf(plan([item('a')], new Map(), { emulated: true }), { emulated: true })
    expect(states(plan([item('a')], drawn, { emulated: true }))).toEqual({ a: 'done' })
    expect(states(plan([item('a')], drawn))).toEqual({ a: 'new' })
  })
})

describe('what is tried again', () => {
  const first = plan([item('a')]).items[0]!
  const error = { code: 'no_image', message: 'words' }

  test.each([
    ['failed', {}, 'retry', 2],
    ['cancelled', {}, 'retry', 2],
    ['running', {}, 'retry', 1],
    ['refused', {}, 'refused', 1],
    ['refused', { refused: true }, 'retry', 2],
    ['uncertain', {}, 'uncertain', 1],
    ['uncertain', { refused: true }, 'uncertain', 1],
    ['uncertain', { uncertain: true }, 'retry', 2],
  ] as const)('a %s item with %o is planned as %s, edition %i', (status, options, state, edition) => {
    const lock = new Map([['a', entry(first, { status, error })]])
    expect(plan([item('a')], lock, options).items[0]).toMatchObject({ state, edition })
  })

  test('another edition has a key of its own, the first one is the fingerprint', () => {
    expect(first.key).toBe(first.fingerprint)
    const lock = new Map([['a', entry(first, { status: 'failed', error })]])
    expect(plan([item('a')], lock).items[0]!.key).toBe(`${first.fingerprint}-2`)
  })

  test('the reason says how it ended and what it cost', () => {
    const lock = new Map([['a', entry(first, { status: 'failed', error, cost: 0.055 })]])
    expect(plan([item('a')], lock).items[0]!.reasons).toEqual(['last time: no_image, charged $0.055'])
  })

  test('a picture made in its second edition is done', () => {
    const lock = new Map([['a', entry(first, { edition: 2, key: `${first.fingerprint}-2` })]])
    expect(plan([item('a')], lock).items[0]).toMatchObject({ state: 'done', edition: 2 })
  })
})

describe('what it costs', () => {
  test('only what is made is in the sum', () => {
    const all = plan([item('a'), item('b')])
    const half = plan([item('a'), item('b')], new Map([['a', entry(all.items[0]!)]]))
    expect(half.quote).toEqual(all.items[1]!.quote)
  })

  test('a fallback is in "at most" and not in "expected"', () => {
    const fallback: Item['fallback'] = [{ model: 'gemini-3-pro-image', on: ['no_image'] }]
    const one = plan([
      item('a', { provider: 'apiyi', fallback: fallback.map((f) => ({ ...f, provider: 'apiyi' })) }),
    ])
    expect(one.quote).toEqual({ expected: 55_000, atMost: 145_000, unknown: [] })
  })

  test('the provider is the first configured one that sells the model', () => {
    expect(plan([item('a')]).items[0]!.provider).toBe('google')
    expect(plan([item('a', { provider: 'apiyi' })]).items[0]!.provider).toBe('apiyi')
  })
})

function file(shown: string, digit: string): Item['references'][number] {
  return {
    kind: 'file',
    path: `/x/${shown}`,
    shown,
    sha256: digit.repeat(64),
    mimeType: 'image/png',
    bytes: 10,
  }
}

// Which sample a `from` means, what waits for a person, and drafts that stand beside finals.
import { describe, expect, test } from 'vitest'
import type { Lock, LockEntry } from '../../../runner/state/lock.ts'
import { slotOf } from '../../../runner/state/lock.ts'
import { entry, from, item, lockOf, plan, states } from '../items.ts'

const samples = [1, 2, 3].map((sample) => item(sample === 1 ? 'x' : `x#${sample}`, { prompt: 'p', sample }))
const user = item('user', { references: [from('x')] })
const family = [user, ...samples]

function marked(lock: Lock, marks: Record<string, LockEntry['review']>): Lock {
  return new Map([...lock].map(([slot, e]) => [slot, marks[slot] ? { ...e, review: marks[slot] } : e]))
}

/** The items that one is made from, in a plan of the family. */
const madeFrom = (lock: Lock, items = family) =>
  plan(items, lock)
    .items.find((p) => p.item.id === 'user')!
    .item.references.map((r) => (r.kind === 'from' ? r.item : '?'))

describe('several samples', () => {
  const made = lockOf(plan(family))

  test('the first one is taken when none was picked', () => expect(madeFrom(made)).toEqual(['x']))

  test('the picked one is taken, wherever it stands in the manifest', () => {
    expect(madeFrom(marked(made, { 'x#3': 'picked' }))).toEqual(['x#3'])
    expect(madeFrom(marked(made, { 'x#3': 'picked' }), [...samples, user])).toEqual(['x#3'])
  })

  test('the one that is named with its number is taken, picked or not', () => {
    const named = item('user', { references: [from('x#2')] })
    expect(madeFrom(marked(made, { 'x#3': 'picked' }), [named, ...samples])).toEqual(['x#2'])
    expect(
      madeFrom(marked(made, { 'x#3': 'picked' }), [item('user', { references: [from('x#1')] }), ...samples]),
    ).toEqual(['x'])
  })

  test('another pick changes what is made from it, and says so', () => {
    const after = plan(family, marked(made, { 'x#2': 'picked' }))
    expect(after.items[0]).toMatchObject({ state: 'changed', reasons: ['reference x → x#2'] })
  })

  test('a pick whose picture is not this one any more counts for nothing', () => {
    const edited = [user, ...samples.map((s) => ({ ...s, prompt: 'other words' }))]
    expect(madeFrom(marked(made, { 'x#2': 'picked' }), edited)).toEqual(['x'])
  })

  test('a pick of a picture that is made again counts for nothing', () => {
    const after = plan(family, marked(made, { 'x#2': 'picked' }), { redo: ['x#2'] })
    expect(after.items[0]!.item.references).toMatchObject([{ item: 'x' }])
  })

  test('a rejected picture is done and tells so', () => {
    const after = plan(family, marked(made, { 'x#2': 'rejected' }))
    expect(after.items[2]).toMatchObject({ state: 'done', entry: { review: 'rejected' } })
    expect(after.items[0]!.item.references).toMatchObject([{ item: 'x' }])
  })
})

describe('wait: pick', () => {
  const waiting = item('user', { references: [{ kind: 'from', item: 'x', wait: 'pick' }] })
  const made = lockOf(plan(samples))

  test.each([
    ['nothing is made', new Map() as Lock],
    ['nothing is picked', made],
  ])('blocks while %s, and says what it waits for', (_, lock) => {
    expect(plan([waiting, ...samples], lock).items[0]).toMatchObject({
      state: 'blocked',
      reasons: ['waits for a pick of x (3 samples)'],
      awaits: 'x#2',
    })
  })

  test('of the only sample names its id', () => {
    expect(plan([waiting, samples[0]!]).items[0]).toMatchObject({
      reasons: ['waits for a pick of x'],
      awaits: 'x',
    })
  })

  test('is over with a pick', () => {
    const after = plan([waiting, ...samples], marked(made, { 'x#2': 'picked' }))
    expect(after.items[0]).toMatchObject({ state: 'new', item: { references: [{ item: 'x#2' }] } })
  })

  test('does not block another item that asks for the same picture without waiting', () => {
    const eager = { ...user, prompt: waiting.prompt }
    const after = plan([waiting, { ...eager, id: 'eager', base: 'eager' }, ...samples])
    expect(after.items.map((p) => p.state)).toEqual(['blocked', 'new', 'new', 'new', 'new'])
  })
})

describe('profiles', () => {
  const a = item('a')
  const draft = { ...a, size: '512' as const }

  test('a draft and a final have places of their own: neither makes the other stale', () => {
    const final = plan([a]).items[0]!
    const drawn = plan([draft], new Map(), { profile: 'draft' }).items[0]!
    const entries = [entry(final), entry(drawn, { profile: 'draft' })]
    const lock: Lock = new Map(entries.map((e) => [slotOf(e), e]))
    expect(drawn.slot).toBe('a@draft')
    expect(states(plan([a], lock))).toEqual({ a: 'done' })
    expect(states(plan([draft], lock, { profile: 'draft' }))).toEqual({ a: 'done' })
  })

  test('a draft that was made does not count as the final', () => {
    const drawn = plan([draft], new Map(), { profile: 'draft' }).items[0]!
    const lock: Lock = new Map([['a@draft', entry(drawn, { profile: 'draft' })]])
    expect(plan([a], lock).items[0]).toMatchObject({ state: 'new', slot: 'a' })
  })

  test('a picture that is the same under another profile is not bought again', () => {
    const lock: Lock = new Map([['a@draft', entry(plan([a]).items[0]!, { profile: 'draft' })]])
    expect(states(plan([a], lock))).toEqual({ a: 'done' })
  })

  test('samples that only a profile has are no orphans of the others', () => {
    const more = [draft, { ...draft, id: 'a#2', sample: 2 }]
    const drawn = plan(more, new Map(), { profile: 'draft' })
    const lock: Lock = new Map(drawn.items.map((p) => [p.slot, entry(p, { profile: 'draft' })]))
    expect(plan([a], lock).orphans).toEqual([])
    expect(plan([draft], lock, { profile: 'draft' }).orphans.map((o) => o.id)).toEqual(['a#2'])
  })
})

describe('what the emulator drew', () => {
  const [p] = plan([item('a', { prompt: 'p' })]).items
  const bought = entry(p!, { id: 'bought', recordedAt: 1 })
  const drawn = entry(p!, { id: 'a', emulated: true, edition: 2, recordedAt: 2 })

  test.each([
    ['after', [drawn, bought]],
    ['before', [bought, drawn]],
  ])('never hides what was bought, standing %s it in the lock', (_, entries) => {
    const lock: Lock = new Map(entries.map((e) => [e.id, e]))
    for (const emulated of [true, false])
      expect(plan([item('a', { prompt: 'p' })], lock, { emulated }).items[0]).toMatchObject({
        state: 'done',
        entry: { id: 'bought' },
      })
  })

  test('is not redone over what was bought', () => {
    const lock: Lock = new Map([['a', entry(p!)]])
    const options = { redo: ['a'], emulated: true }
    expect(states(plan([item('a', { prompt: 'p' })], lock, options))).toEqual({ a: 'done' })
  })
})

// What becomes of a picture that is bought again: it is never worse than before.
import { describe, expect, test } from 'vitest'
import { why } from '../../../runner/plan/why.ts'
import {
  type Lock,
  type LockEntry,
  merge,
  readEntries,
  slotOf,
  writeEntry,
} from '../../../runner/state/lock.ts'
import { entry, from, item, plan, states } from '../items.ts'

const cup = item('cup', { prompt: 'p' })
const scene = item('scene', { references: [from('cup')] })
const first = plan([cup, scene]).items
const [cupEntry, sceneEntry] = first.map((p) => entry(p)) as [LockEntry, LockEntry]
const lockOf = (...entries: LockEntry[]): Lock => readEntries(entries.map(writeEntry).join('\n'))
const bought = lockOf(cupEntry, sceneEntry)
const second = plan([cup, scene], bought, { redo: ['cup'] }).items[0]!

/** A try to redo the cup that left no picture. */
function vain(changes: Partial<LockEntry>): LockEntry {
  const { image: _, ...rest } = entry(second, { recordedAt: 5, ...changes })
  return rest
}

describe('a redo', () => {
  test.for([
    ['refused', { charged: 'yes', cost: 0.067 }, 'refused, charged $0.067'],
    [
      'failed',
      { charged: 'no', cost: 0, error: { code: 'unavailable', message: '' } },
      'unavailable, not charged',
    ],
    ['uncertain', { charged: 'unknown', cost: null }, 'uncertain, not known whether it was charged'],
  ] as const)(
    'that ended as %s takes neither the picture away nor what is made from it',
    ([status, how, words]) => {
      const lock = merge(bought, lockOf(vain({ status, ...how })))
      const after = plan([cup, scene], lock)
      expect(states(after)).toEqual({ cup: 'done', scene: 'done' })
      expect(after.items[0]).toMatchObject({
        key: cupEntry.key,
        entry: { image: cupEntry.image },
        reasons: [`the last try to redo it: ${words}`],
      })
      expect(why(after, after.items[0]!)[0]).toBe(`cup  done: the last try to redo it: ${words}`)
      const third = plan([cup, scene], lock, { redo: ['cup'] }).items[0]
      expect(third).toMatchObject({ state: 'redo', edition: 3, reasons: ['asked for again'] })
    },
  )

  test('that was left before there was an answer goes on under its own key, with --redo or without', () => {
    const lock = merge(bought, lockOf(vain({ status: 'queued', generation: '', charged: 'no', cost: null })))
    for (const redo of [[], ['cup']]) {
      const after = plan([cup, scene], lock, { redo })
      expect(after.items[0]).toMatchObject({
        state: 'retry',
        key: second.key,
        reasons: ['asked for again and left before it was there'],
        entry: { image: cupEntry.image },
      })
    }
    expect(plan([cup], lock, { emulated: true }).items[0]!.state).toBe('done')
  })

  test('that the worker had begun is waited for under its own key', () => {
    const lock = merge(bought, lockOf(vain({ status: 'running' })))
    expect(plan([cup], lock).items[0]).toMatchObject({
      state: 'retry',
      key: second.key,
      reasons: ['it was still being made'],
    })
  })

  test('that was made is the picture from then on', () => {
    const lock = merge(bought, lockOf(entry(second, { recordedAt: 5 })))
    expect(plan([cup, scene], lock).items.map((p) => [p.state, p.edition, p.reasons])).toEqual([
      ['done', 2, []],
      ['changed', 1, ['reference cup']],
    ])
  })

  test('of one of two equal pictures takes a key that neither has', () => {
    const twin = item('twin', { prompt: 'p' })
    const lock = new Map([
      ['cup', entry(second)],
      ['twin', { ...cupEntry, id: 'twin' }],
    ])
    expect(plan([cup, twin], lock, { redo: ['twin'] }).items[1]).toMatchObject({ state: 'redo', edition: 3 })
  })
})

test('an edit that is taken back finds the picture that the lock remembers', () => {
  const edited = { ...cup, prompt: 'other words' }
  const lock = merge(bought, lockOf(entry(plan([edited]).items[0]!, { recordedAt: 5 })))
  expect(plan([cup], lock).items[0]).toMatchObject({
    state: 'done',
    entry: { key: cupEntry.key, image: cupEntry.image, inputs: { prompt: 'p' } },
    previous: { inputs: { prompt: 'other words' } },
  })
  expect(slotOf(plan([cup], lock).items[0]!.entry!)).toBe('cup')
})

test('a line that only a newer version can read is uncertain, never new', () => {
  const newer = writeEntry(cupEntry).replace('"status":"succeeded"', '"status":"upscaled"')
  const reasons = ['the lock knows of it and this version cannot read how it ended']
  const after = plan([cup, scene], readEntries(newer))
  expect(after.items[0]).toMatchObject({ state: 'uncertain', reasons })
  expect(after.items[1]!.state).toBe('blocked')
  expect(why(after, after.items[0]!)).toEqual([`cup  uncertain: ${reasons}; --uncertain asks again`])
  expect(plan([cup], readEntries(newer), { uncertain: true }).items[0]).toMatchObject({
    state: 'retry',
    edition: 2,
  })
})

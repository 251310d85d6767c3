// Which of several tries stands for a picture, and that it does not matter how locks are merged.
import { describe, expect, test } from 'vitest'
import { type Lock, type LockEntry, merge, readEntries, writeEntry } from '../../runner/state/lock.ts'
import { asLatest, keyOf, partsOf, triesOf } from '../../runner/state/tries.ts'
import { made } from './entries.ts'

const lockOf = (...entries: LockEntry[]) => readEntries(entries.map(writeEntry).join('\n'))
const FINGERPRINT = 'key-of-a'

/** A try of `a` in an edition. */
function edition(n: number, changes: Partial<LockEntry> = {}): LockEntry {
  const key = keyOf(FINGERPRINT, n)
  return made('a', { key, edition: n, generation: `gen_${key}`, ...changes })
}

function without(entry: LockEntry, changes: Partial<LockEntry> = {}): LockEntry {
  const { image: _, ...rest } = entry
  return { ...rest, status: 'failed', cost: 0, charged: 'no', ...changes }
}

test.for([
  ['f', 1, 'f'],
  ['f', 2, 'f-2'],
  ['f-a', 12, 'f-a-12'],
] as const)('the key of %s in edition %i is %s, and back', ([fingerprint, edition, key]) => {
  expect(keyOf(fingerprint, edition)).toBe(key)
  expect(partsOf(key)).toEqual({ fingerprint, edition })
})

describe('of two tries of one picture', () => {
  const bought = edition(1)
  test.for<[string, LockEntry, LockEntry]>([
    [
      'a picture counts over a later failure',
      bought,
      without(bought, { generation: 'gen_other', recordedAt: 9 }),
    ],
    ['a picture counts over a redo that failed', bought, without(edition(2, { recordedAt: 9 }))],
    [
      'a picture counts over a later try that still runs',
      bought,
      without(bought, { status: 'queued', recordedAt: 9 }),
    ],
    ['what was bought counts over a later drawing', bought, edition(1, { emulated: true, recordedAt: 9 })],
    [
      'what was bought in vain counts over a drawing',
      without(bought),
      edition(2, { emulated: true, recordedAt: 9 }),
    ],
    ['the higher edition counts over a clock that is ahead', edition(2), edition(1, { recordedAt: 9 })],
    [
      'the later one counts, all else being equal',
      edition(1, { recordedAt: 9, generation: 'gen_b' }),
      bought,
    ],
  ])('%s', ([, winner, loser]) => {
    for (const lock of [lockOf(winner, loser), lockOf(loser, winner)]) {
      const { key, generation, status, emulated } = lock.get('a')!
      expect({ key, generation, status, emulated }).toEqual({
        key: winner.key,
        generation: winner.generation,
        status: winner.status,
        emulated: winner.emulated,
      })
    }
  })

  test('the other is remembered with its picture, and can take its place again', () => {
    const other = made('a', { key: 'other', fingerprint: 'other', recordedAt: 5 })
    const lock = merge(lockOf(bought), lockOf(other))
    expect(lock.get('a')).toMatchObject({ key: 'other', before: [{ key: FINGERPRINT, image: bought.image }] })
    const back = merge(lock, lockOf(without(edition(2, { recordedAt: 9 })))).get('a')!
    expect(back).toMatchObject({ ...bought, before: [{ key: keyOf(FINGERPRINT, 2) }, { key: 'other' }] })
  })

  test('what was only asked for is forgotten when it is there', () => {
    const intent = without(edition(2, { generation: '', recordedAt: 2 }), { status: 'queued', cost: null })
    const asked = lockOf(bought, intent)
    expect(asked.get('a')!.before).toMatchObject([{ key: intent.key, generation: '' }])
    const failed = merge(asked, lockOf(without(edition(2, { recordedAt: 3 }))))
    expect(failed.get('a')!.before).toMatchObject([{ generation: 'gen_key-of-a-2', status: 'failed' }])
    const again = merge(asked, lockOf(edition(2, { recordedAt: 3 })))
    expect(again.get('a')).toMatchObject({ edition: 2, before: [{ key: FINGERPRINT }] })
  })

  test('what an older version kept of a try stays, and counts for nothing', () => {
    const past = { key: 'old', generation: 'g', status: 'succeeded' as const, model: 'm', cost: 1, url: 'u' }
    const entry = made('a', { recordedAt: 5, before: [{ ...past, recordedAt: 1 }] })
    const lock = merge(lockOf(entry), lockOf(made('a', { key: 'new', recordedAt: 9 })))
    expect(lock.get('a')!.before).toMatchObject([{ key: FINGERPRINT }, { ...past, recordedAt: 1 }])
    expect(triesOf(entry).map(({ key }) => key)).toEqual([FINGERPRINT])
  })
})

describe('an entry as the last word on its place', () => {
  const known = lockOf(made('a', { key: 'x', recordedAt: 8_000 }), edition(1, { recordedAt: 9_000 })).get(
    'a',
  )!

  test('is newer than all that the place holds, whatever the clocks say', () => {
    expect(asLatest(made('a', { key: 'y', recordedAt: 10 }), known).recordedAt).toBe(9_001)
    expect(asLatest(made('a', { key: 'y', recordedAt: 9_500 }), known).recordedAt).toBe(9_500)
    expect(asLatest(made('a', { recordedAt: 10 }), undefined).recordedAt).toBe(10)
  })

  test('keeps its time when it is only said to be good', () => {
    expect(asLatest({ ...known, review: 'picked', reviewedAt: 20 }, known).recordedAt).toBe(9_000)
  })
})

describe('merging locks', () => {
  const random = (seed: number) => () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31
    return seed / 2 ** 31
  }
  const someLock = (next: () => number): Lock => {
    const pick = <T>(...values: T[]) => values[Math.floor(next() * values.length)]!
    const entries = Array.from({ length: 1 + Math.floor(next() * 3) }, () => {
      const fingerprint = pick('f', 'g')
      const n = pick(1, 2, 3)
      const emulated = next() < 0.3
      const key = keyOf(fingerprint, n)
      const generation = pick('', `${key} ${emulated} 0`, `${key} ${emulated} 1`)
      // A generation ends in one way.
      const end = generation.endsWith('0') ? 'succeeded' : 'failed'
      const status = generation === '' ? 'queued' : pick('running', end)
      const inputs = { ...made('a').inputs, prompt: fingerprint }
      const review = pick(undefined, 'picked' as const, 'rejected' as const)
      // Only of what can be seen something is said.
      const opinion = { ...(review ? { review } : {}), reviewedAt: Math.floor(next() * 5) }
      const said = generation === '' ? {} : opinion
      const entry = { key, fingerprint, edition: n, emulated, generation, status, inputs, ...said }
      const recordedAt = Math.floor(next() * 12)
      const { image, ...rest } = made('a', { ...entry, recordedAt } as Partial<LockEntry>)
      return status === 'succeeded' ? { ...rest, image: image! } : rest
    })
    return lockOf(...entries)
  }

  test('is the same in whatever order, in whatever groups and however often', () => {
    for (let seed = 1; seed <= 3_000; seed++) {
      const next = random(seed)
      const [a, b, c] = [someLock(next), someLock(next), someLock(next)]
      const all = merge(merge(a, b), c)
      expect(merge(b, a), `seed ${seed}`).toEqual(merge(a, b))
      expect(merge(a, merge(b, c)), `seed ${seed}`).toEqual(all)
      expect(merge(c, a, b), `seed ${seed}`).toEqual(all)
      expect(merge(all, a, all, c), `seed ${seed}`).toEqual(all)
    }
  })
})

import { describe, expect, test } from 'vitest'
import {
  isConflictMarker,
  type LockEntry,
  merge,
  readEntries,
  readLines,
  writeEntry,
  writeLock,
} from '../../runner/state/lock.ts'
import { made } from './entries.ts'

const lockOf = (...entries: LockEntry[]) => readEntries(entries.map(writeEntry).join('\n'))
const reviews = (lock: ReadonlyMap<string, LockEntry>) =>
  Object.fromEntries([...lock].map(([slot, { review }]) => [slot, review]))

describe('the lock', () => {
  test('reads back what was written, sorted by id and then by profile', () => {
    const lock = lockOf(made('b'), made('a', { profile: 'draft' }), made('a'), made('a#2'))
    const text = writeLock(lock)
    expect(
      text
        .split('\n')
        .map((line) => line && JSON.parse(line))
        .map((e) => [e.id, e.profile]),
    ).toEqual([
      ['a', undefined],
      ['a', 'draft'],
      ['a#2', undefined],
      ['b', undefined],
      [undefined, undefined],
    ])
    expect(readEntries(text)).toEqual(lock)
  })

  test('what was made under a profile stands beside what was made without', () => {
    expect([...lockOf(made('a'), made('a', { profile: 'draft', recordedAt: 9 })).keys()]).toEqual([
      'a',
      'a@draft',
    ])
  })

  test('lines that git or an editor broke are left out, the others count', () => {
    const half = writeEntry(made('b')).slice(0, 40)
    const lines = ['<<<<<<< HEAD', writeEntry(made('a')), '=======', half, '>>>>>>> main', '{"id":"c"}', '']
    const { lock, unreadable } = readLines(`\uFEFF${lines.join('\r\n')}`)
    expect([...lock.keys()]).toEqual(['a'])
    expect(unreadable).toEqual(['<<<<<<< HEAD', '=======', half, '>>>>>>> main', '{"id":"c"}'])
    expect(unreadable.filter(isConflictMarker)).toEqual(['<<<<<<< HEAD', '=======', '>>>>>>> main'])
  })

  test('members that only a newer version knows survive', () => {
    const written = { ...made('a'), stars: 5, image: { ...made('a').image, blurhash: 'x' } }
    const text = writeLock(readEntries(JSON.stringify(written)))
    expect(JSON.parse(text)).toEqual(written)
  })

  test('of two entries of one slot the newer counts, whatever their order', () => {
    const [old, recent] = [made('a', { recordedAt: 1 }), made('a', { recordedAt: 2, cost: 9 })]
    expect(lockOf(old, recent).get('a')).toEqual(recent)
    expect(lockOf(recent, old).get('a')).toEqual(recent)
    expect(merge(lockOf(recent), lockOf(old)).get('a')).toEqual(recent)
  })
})

describe('what a slot held before', () => {
  const tries = Array.from({ length: 30 }, (_, i) => made('a', { key: `k${i}`, recordedAt: i }))

  test('is remembered newest first, each key once, the last twenty', () => {
    const entry = lockOf(...tries, tries[3]!).get('a')!
    expect(entry.key).toBe('k29')
    expect(entry.before?.map((past) => past.key)).toEqual(Array.from({ length: 20 }, (_, i) => `k${28 - i}`))
    expect(entry.before?.[0]).toEqual({
      key: 'k28',
      generation: 'gen_a',
      status: 'succeeded',
      provider: 'google',
      model: 'gemini-3.1-flash-image',
      emulated: false,
      image: made('a').image,
      cost: 0.067,
      charged: 'yes',
      recordedAt: 28,
    })
  })

  test('is the same in whatever order two locks are merged', () => {
    const [left, right] = [lockOf(...tries.slice(0, 5)), lockOf(...tries.slice(3, 9))]
    expect(merge(left, right)).toEqual(merge(right, left))
    expect(merge(left, right).get('a')?.before).toHaveLength(8)
  })

  test('leaves out the key that counts, and is absent where there was nothing', () => {
    const again = lockOf(made('a', { key: 'k1', recordedAt: 1 }), made('a', { key: 'k2', recordedAt: 2 }))
    const back = merge(again, lockOf(made('a', { key: 'k1', recordedAt: 3 })))
    expect(back.get('a')?.before?.map((past) => past.key)).toEqual(['k2'])
    expect(lockOf(made('a', { recordedAt: 1 }), made('a', { recordedAt: 2 })).get('a')).not.toHaveProperty(
      'before',
    )
  })
})

describe('a line of a newer version', () => {
  const line = (changes: object) => JSON.stringify({ ...made('a'), ...changes })
  const newer = line({ status: 'upscaled', stars: 5 })

  test.for([
    ['a status', newer],
    ['a charge', line({ charged: 'refunded' })],
    ['a price', line({ cost: { usd: 1 } })],
    ['everything but what names it', '{"id":"a","key":"key-of-a","fingerprint":"key-of-a"}'],
  ])(
    'with unknown words for %s is known to be there, not how it ended, and is written as it is',
    ([, text]) => {
      const { lock, unreadable, foreign } = readLines(text!)
      expect(lock.get('a')).toMatchObject({
        key: 'key-of-a',
        edition: 1,
        status: 'uncertain',
        charged: 'unknown',
      })
      expect({ unreadable, foreign }).toEqual({ unreadable: [], foreign: [text] })
      expect(writeLock(lock)).toBe(`${text}\n`)
    },
  )

  test('takes along what its place held before', () => {
    const older = made('a', { key: 'older', recordedAt: 0 })
    const text = writeLock(merge(readEntries(newer), lockOf(older)))
    expect(JSON.parse(text)).toMatchObject({ status: 'upscaled', stars: 5, before: [{ key: 'older' }] })
  })

  test.for([
    '{"id":"a","key":"k"}',
    '{"id":"a","fingerprint":"f"}',
    '{"key":"k","fingerprint":"f"}',
    '{"id":1}',
  ])('%s names no try: it cannot be read', (text) =>
    expect(readLines(text)).toMatchObject({ unreadable: [text], foreign: [] }),
  )
})

describe('what a person said', () => {
  const picked = made('a', { review: 'picked', reviewedAt: 5 })

  test('stays when the same picture is recorded again', () => {
    expect(lockOf(picked, made('a', { recordedAt: 9 })).get('a')).toMatchObject({
      review: 'picked',
      recordedAt: 9,
    })
  })

  test.for([
    ['another picture', picked, { key: 'another', recordedAt: 9 }],
    ['another edition', picked, { key: 'key-of-a-2', edition: 2, recordedAt: 9 }],
    ['what is bought under the key of a drawing', { ...picked, emulated: true }, { recordedAt: 9 }],
  ] as const)('is dropped with %s', ([, before, changes]) => {
    const now = lockOf(before, made('a', changes)).get('a')!
    expect(now).not.toHaveProperty('review')
    expect(now).not.toHaveProperty('reviewedAt')
  })

  test('last counts, also when it was taken back', () => {
    const cleared = made('a', { reviewedAt: 6 })
    for (const lock of [lockOf(picked, cleared), lockOf(cleared, picked)])
      expect(reviews(lock)).toEqual({ a: undefined })
  })

  test('is one pick per picture and profile, the last one, when two people picked different samples', () => {
    const entries = [
      picked,
      made('a#2', { review: 'picked', reviewedAt: 7 }),
      made('a#3', { review: 'rejected', reviewedAt: 9 }),
      made('a#4', { review: 'picked', reviewedAt: 6 }),
      made('a', { review: 'picked', reviewedAt: 1, profile: 'draft' }),
      made('b', { review: 'picked', reviewedAt: 1 }),
    ]
    const expected = {
      a: undefined,
      'a#2': 'picked',
      'a#3': 'rejected',
      'a#4': undefined,
      'a@draft': 'picked',
      b: 'picked',
    }
    expect(reviews(lockOf(...entries))).toEqual(expected)
    expect(reviews(lockOf(...entries.toReversed()))).toEqual(expected)
  })
})

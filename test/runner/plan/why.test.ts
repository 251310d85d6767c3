import { describe, expect, test } from 'vitest'
import type { Item } from '../../../runner/manifest/item.ts'
import { why } from '../../../runner/plan/why.ts'
import { wordDiff } from '../../../runner/plan/words.ts'
import type { Lock } from '../../../runner/state/lock.ts'
import { entry, from, item, lockOf, plan } from '../items.ts'

const file = (shown: string, digit: string): Item['references'][number] => ({
  kind: 'file',
  path: `/x/${shown}`,
  shown,
  sha256: digit.repeat(64),
  mimeType: 'image/png',
  bytes: 10,
})

const whyOf = (items: Item[], lock: Lock, id: string, options = {}) => {
  const made = plan(items, lock, options)
  return why(made, made.items.find((p) => p.item.id === id)!).join('\n')
}

describe('why', () => {
  const early = item('early', { provider: 'apiyi', prompt: 'A chair of pale oak in soft window light.' })
  const late = item('late', {
    provider: 'apiyi',
    size: '2K',
    references: [from('early'), file('./logo.png', 'a')],
    parameters: { seed: 1, thinking: { level: 'high' } },
  })

  test('a changed item tells every input, from what to what, and what it is made from', () => {
    const before = lockOf(plan([early, late]), { recordedAt: Date.UTC(2026, 10, 20, 14, 3) })
    const edited = [
      { ...early, prompt: 'A chair of dark ash in soft window light.' },
      {
        ...late,
        size: '4K' as const,
        references: [from('early'), file('./logo.png', 'b')],
        parameters: { seed: 1 },
      },
    ]
    const [wasEarly] = plan([early]).items
    const [isEarly] = plan([edited[0]!]).items
    const digits = (p: typeof wasEarly) => p!.key.slice(0, 8)
    expect(whyOf(edited, before, 'late')).toBe(
      [
        'late  changed since 2026-11-20 14:03 UTC',
        '  size: 2K → 4K',
        '  thinking: {"level":"high"} → none',
        `  reference early: ${digits(wasEarly)} → ${digits(isEarly)}`,
        '  reference ./logo.png: aaaaaaaa → bbbbbbbb',
        '  made from early  changed since 2026-11-20 14:03 UTC',
        '    prompt: A chair of [-pale oak-]{+dark ash+} in soft window light.',
        '  made by apiyi with nano-banana-2, charged $0.067, 2026-11-20 14:03 UTC',
        '  price: $0.055 expected, $0.055 at most (apiyi per request: APIYI Nano Banana overview, undated)',
      ].join('\n'),
    )
  })

  test.each<[string, Item['references'], Item['references'], string]>([
    ['came', [], [file('./a.png', 'a')], 'reference ./a.png (aaaaaaaa) added'],
    ['went', [file('./a.png', 'a')], [], 'reference ./a.png (aaaaaaaa) removed'],
    [
      'was replaced',
      [file('./a.png', 'a')],
      [file('./b.png', 'b')],
      'reference ./a.png (aaaaaaaa) → ./b.png (bbbbbbbb)',
    ],
    [
      'changed places',
      [file('./a.png', 'a'), file('./b.png', 'b')],
      [file('./b.png', 'b'), file('./a.png', 'a')],
      'the references are in another order',
    ],
  ])('a reference that %s is told', (_, was, is, line) => {
    const before = lockOf(plan([item('x', { references: was })]))
    expect(whyOf([item('x', { references: is })], before, 'x').split('\n')[1]).toBe(`  ${line}`)
  })

  test('a reference that has but a new name is not among what changed', () => {
    const before = lockOf(plan([item('x', { references: [file('./a.png', 'a')] })]))
    const lines = whyOf([item('x', { references: [file('./z.png', 'a')], size: '2K' })], before, 'x').split(
      '\n',
    )
    expect(lines.slice(1, 3)).toEqual(['  size: 1K → 2K', expect.stringContaining('made by')])
  })

  const [p] = plan([item('x', { provider: 'apiyi' })]).items
  const error = { code: 'refused', message: 'IMAGE_SAFETY:\n I cannot draw this.' }
  test.each<[string, Lock, object, string[]]>([
    [
      'never made',
      new Map(),
      {},
      [
        'x  new: it was never made',
        '  price: $0.055 expected, $0.055 at most (apiyi per request: APIYI Nano Banana overview, undated)',
      ],
    ],
    ['not selected', new Map(), { selected: ['y'] }, ['x  new: it was never made (not selected)']],
    [
      'made and picked',
      new Map([['x', entry(p!, { review: 'picked', edition: 2 })]]),
      {},
      [
        'x  done, picked',
        '  made by apiyi with nano-banana-2 (edition 2), charged $0.067, 1970-01-01 00:00 UTC',
      ],
    ],
    [
      'refused',
      new Map([['x', entry(p!, { status: 'refused', error, cost: 0.055 })]]),
      {},
      [
        'x  refused: last time: refused, charged $0.055; --refused asks again',
        '  refused by apiyi with nano-banana-2, charged $0.055, 1970-01-01 00:00 UTC',
        '  it was told: IMAGE_SAFETY: I cannot draw this.',
      ],
    ],
    [
      'drawn by the emulator',
      new Map([['x', entry(p!, { emulated: true, charged: 'no' })]]),
      { emulated: true },
      [
        'x  done',
        '  made by the emulator, in the place of apiyi with nano-banana-2, list price $0.067, nothing bought, 1970-01-01 00:00 UTC',
      ],
    ],
  ])('an item that is %s', (_, lock, options, lines) => {
    expect(whyOf([item('x', { provider: 'apiyi' })], lock, 'x', options).split('\n')).toEqual(lines)
  })

  test('a price that nobody knows is a question mark', () => {
    const items = [item('x', { provider: 'apiyi', model: 'gemini-3-pro-image', fallback: [] })]
    const made = plan(items)
    const { basis: _, ...unpriced } = made.items[0]!
    expect(why(made, unpriced).at(-1)).toBe('  price: ? (no price of nano-banana-pro at apiyi is known)')
  })
})

describe('the difference of two texts', () => {
  test.each([
    ['one word', 'a b c', 'a x c', 'a [-b-]{+x+} c'],
    ['words added', 'a c', 'a b b c', 'a {+b b+} c'],
    ['words removed', 'a b c', 'a c', 'a [-b-] c'],
    ['at the end', 'a b', 'a b c', 'a b{+ c+}'],
    ['white space alone', 'a b', 'a  b', 'a[- -]{+  +}b'],
    ['all of it', 'a', 'b', '[-a-]{+b+}'],
    ['nothing', 'a b', 'a b', 'a b'],
    ['two places', 'a b c d e', 'a x c y e', 'a [-b-]{+x+} c [-d-]{+y+} e'],
  ])('%s', (_, before, after, diff) => expect(wordDiff(before, after)).toBe(diff))

  test('what did not change is cut, but for some words around a change', () => {
    const many = (word: string) => Array.from({ length: 40 }, (_, i) => `${word}${i}`).join(' ')
    expect(wordDiff(`${many('a')} old ${many('b')}`, `${many('a')} new ${many('b')}`)).toBe(
      '… a34 a35 a36 a37 a38 a39 [-old-]{+new+} b0 b1 b2 b3 b4 b5 …',
    )
  })

  test('texts of a hundred thousand words are compared at once', () => {
    const words = (seed: string) => Array.from({ length: 100_000 }, (_, i) => `${seed}${i}`).join(' ')
    const startedAt = performance.now()
    expect(wordDiff(words('a'), words('b'))).toMatch(/^\[-a0 .* b99999\+\}$/s)
    expect(performance.now() - startedAt).toBeLessThan(1_000)
  })
})

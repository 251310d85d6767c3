// The plan as people and programs read it.
import { describe, expect, test } from 'vitest'
import { marketOf } from '../../../core/market.ts'
import type { Item } from '../../../runner/manifest/item.ts'
import { compare } from '../../../runner/plan/compare.ts'
import type { Plan } from '../../../runner/plan/plan.ts'
import { type Lock, merge } from '../../../runner/state/lock.ts'
import { foldOf } from '../../../runner/views/fold.ts'
import { roughly } from '../../../runner/views/format.ts'
import { compareJson, planJson } from '../../../runner/views/json.ts'
import { nextLine, planLines, workerPhrase } from '../../../runner/views/plan.ts'
import { compareLines } from '../../../runner/views/prices.ts'
import { entry, from, item, lockOf, plan } from '../items.ts'

const items = [
  item('packshot/a', { provider: 'apiyi', size: '2K' }),
  item('packshot/b', {
    provider: 'apiyi',
    size: '2K',
    fallback: [{ model: 'gemini-3-pro-image', provider: 'apiyi', on: ['no_image'] }],
  }),
  item('hero', {
    provider: 'apiyi',
    model: 'gemini-3-pro-image',
    size: '4K',
    references: [from('packshot/a')],
  }),
]

/** The lines of a plan, without the part about prices where it is not asked for. */
const shown = (of: Plan, context = {}) => planLines(of, { manifest: 'shop.yaml', worker: 'w', ...context })
const states = (of: Plan) => {
  const lines = shown(of)
  const end = lines.indexOf('')
  return lines.slice(1, end === -1 ? undefined : end).map((line) => line.trim())
}

describe('the plan', () => {
  test('says what is made, why, and the price by provider, model and size', () => {
    const before = lockOf(plan([...items, item('gone')]))
    const changed = [
      { ...items[0]!, prompt: 'other words' },
      items[1]!,
      items[2]!,
      item('fresh', { provider: 'tokaify', model: 'gemini-3-pro-image' }),
    ]
    const market = marketOf({ APIYI_API_KEY: 'a', TOKAIFY_API_KEY: 't' })
    const made = plan(changed, before, { market })
    expect(
      planLines(made, { manifest: 'shop.yaml', worker: 'embedded worker' }).join('\n'),
    ).toMatchInlineSnapshot(`
      "shop.yaml → embedded worker, prices of 2026-11-21
        + new            1   fresh
        ~ changed        2   packshot/a  prompt
                             hero        reference packshot/a
        = done           1
        - orphan         1   gone (no longer in the manifest; kept)

        provider  model            size  pictures    each  expected   at most
        apiyi     nano-banana-2    2K           1  $0.055    $0.055    $0.055
        apiyi     nano-banana-pro  4K           1   $0.09     $0.09     $0.09
        tokaify   nano-banana-pro  1K           1       ?         ?         ?
                                                3          ≥ $0.145  ≥ $0.145
        ? not known: the price of nano-banana-pro at tokaify
        price: apiyi per request: APIYI Nano Banana overview, undated"
    `)
  })

  test('adds "at most" from fallbacks', () => {
    expect(planLines(plan(items), { manifest: 'shop.yaml', worker: 'w' }).join('\n')).toMatchInlineSnapshot(`
      "shop.yaml → w, prices of 2026-11-21
        + new            3   packshot/*, hero

        provider  model            size  pictures    each  expected  at most
        apiyi     nano-banana-2    2K           2  $0.055     $0.11    $0.20
        apiyi     nano-banana-pro  4K           1   $0.09     $0.09    $0.09
                                                3             $0.20    $0.29
        price: apiyi per request: APIYI Nano Banana overview, undated"
    `)
  })

  test('says that the emulator stands behind the worker', () => {
    expect(workerPhrase({ emulated: true }, 'embedded worker')).toBe(
      'embedded worker, EMULATED: no provider key is set, nothing is bought',
    )
  })

  test('as JSON, money is decimal USD, and null where it is not known', () => {
    const market = marketOf({ TOKAIFY_API_KEY: 't' })
    const one = plan([item('a', { model: 'gemini-3-pro-image' })], new Map(), { market })
    expect(planJson(one, 'w')).toMatchObject({
      expected: null,
      atMost: null,
      unknown: ['the price of nano-banana-pro at tokaify'],
    })
    expect(planJson(plan(items), 'w')).toMatchObject({
      expected: 0.2,
      atMost: 0.29,
      items: [{ id: 'packshot/a', state: 'new', expected: 0.055 }, {}, {}],
    })
  })
})

describe('what waits for a pick', () => {
  const poster = [1, 2].map((sample) => item(sample === 1 ? 'poster' : `poster#${sample}`, { sample }))
  const print = item('print', { references: [{ kind: 'from', item: 'poster', wait: 'pick' }] })

  test.for([
    ['catalog.yaml', undefined, 'proofsheet pick poster#2'],
    ['manifests/shelf.yaml', 'draft', 'proofsheet pick poster#2 -m manifests/shelf.yaml --profile draft'],
  ] as const)(
    'is told once, with the command for %s under the profile %s',
    ([manifest, profile, command]) => {
      const both = plan([...poster, print, { ...print, id: 'frame', prompt: 'framed' }], new Map(), {
        ...(profile ? { profile } : {}),
      })
      const lines = shown(both, { manifest })
      expect(lines.slice(2, lines.indexOf(''))).toEqual([
        '  - blocked        2   print, frame  waits for a pick of poster (2 samples)',
        `  pick one with: ${command}`,
      ])
    },
  )
})

test('a picture whose redo was in vain is done, and says so', () => {
  const cups = [item('cup'), item('jug')]
  const lock = new Map(lockOf(plan(cups)))
  const again = plan(cups, lock, { redo: ['cup'] }).items[0]!
  const { image: _, ...rest } = entry(again, { status: 'refused' })
  const after = plan(cups, merge(lock, new Map([['cup', rest]])))
  expect(shown(after).slice(1)).toEqual([
    '  = done           2',
    '                       cup  the last try to redo it: refused, charged $0.067',
  ])
})

describe('the states', () => {
  const skus = ['1', '2', '3'].flatMap((sku) =>
    ['front', 'top'].map((angle) => item(`packshot/${sku}/${angle}`)),
  )

  test('folders of which all pictures are in a state are told as one', () => {
    const lock: Lock = new Map(
      [...lockOf(plan(skus))].filter(([id]) => !id.startsWith('packshot/2') && id !== 'packshot/3/top'),
    )
    expect(states(plan(skus, lock))).toEqual([
      '+ new            3   packshot/2/*, packshot/3/top',
      '= done           3',
    ])
  })

  test('items with the same reason are told in one line', () => {
    const edited = skus.map((s) =>
      s.id.endsWith('top') ? { ...s, prompt: `other words for ${s.id}` } : { ...s, size: '2K' as const },
    )
    expect(states(plan(edited, lockOf(plan(skus))))).toEqual([
      '~ changed        6   packshot/1/front, packshot/2/front, packshot/3/front  size 1K → 2K',
      'packshot/1/top, packshot/2/top, packshot/3/top        prompt',
    ])
  })

  test('reasons that name one picture each are told by folder where they are many', () => {
    const early = Array.from({ length: 30 }, (_, i) => item(`early/${i}`))
    const late = early.map(({ id }, i) => item(`late/${i}`, { references: [from(id)] }))
    const before = lockOf(plan([...early, ...late]))
    const edited = early.map((e) => ({ ...e, prompt: `other words for ${e.id}` }))
    expect(states(plan([...edited, ...late], before))).toEqual([
      '~ changed       60   early/*  prompt',
      'late/*   reference early/*',
    ])
  })

  test('many different reasons are cut, and what is cut is counted', () => {
    const early = Array.from({ length: 30 }, (_, i) => item(`i${i}`))
    const edited = early.map((e, i) => ({ ...e, parameters: { seed: i } }))
    const lines = states(plan(edited, lockOf(plan(early))))
    expect(lines).toHaveLength(21)
    expect(lines.at(-1)).toBe('and 10 more')
  })

  test('picks and rejections are counted among what is done', () => {
    const [a, b] = plan([item('a'), item('b'), item('c')]).items
    const lock: Lock = new Map([
      ['a', entry(a!, { review: 'picked' })],
      ['b', entry(b!, { review: 'rejected' })],
    ])
    expect(states(plan([item('a'), item('b')], lock))).toEqual(['= done           2   1 picked, 1 rejected'])
  })

  test('profile and selection are told in the head, and only what is selected is counted', () => {
    const gone = lockOf(plan([item('gone')]), { profile: 'draft' })
    const [head, ...lines] = shown(plan(skus, gone, { selected: ['packshot/1/top'], profile: 'draft' }))
    expect(head).toBe('shop.yaml → w, profile draft, 1 of 6 selected, prices of 2026-11-21')
    expect(lines[0]).toBe('  + new            1   packshot/1/top')
    expect(lines.join()).not.toContain('orphan')
  })

  test('a picture that is made again on purpose, and one that comes along, are told as such', () => {
    const twins = [item('a', { prompt: 'p' }), item('b', { prompt: 'p' }), item('c')]
    expect(states(plan(twins))).toEqual(['+ new            2   a, c', '≡ same           1   b  as a'])
    expect(states(plan(twins, lockOf(plan(twins)), { redo: ['c'] }))).toEqual([
      '± redo           1   c  asked for again',
      '= done           2',
    ])
  })
})

describe('the price', () => {
  const apiyi = (id: string, changes: Partial<Item> = {}) => item(id, { provider: 'apiyi', ...changes })
  const tail = (of: Plan, context = {}) => shown(of, context).slice(-3)

  test.each([
    [1_000_000, 'budget $1.00 ✓'],
    [250_000, 'budget $0.25 ✗ at most is over it: the run stops there'],
    [100_000, 'budget $0.10 ✗ the run stops there'],
  ])('stands beside a budget of %i', (limit, verdict) => {
    expect(shown(plan(items), { limit }).find((line) => line.includes('budget'))).toMatch(verdict)
  })

  test('an unknown price leaves the budget open', () => {
    const market = marketOf({ TOKAIFY_API_KEY: 't' })
    const made = plan([item('a', { model: 'gemini-3-pro-image' })], new Map(), { market })
    expect(shown(made, { limit: 1 }).find((line) => line.includes('budget'))).toMatch(
      / \? {2,}\? {2}budget \$0\.0001 \? a price is not known$/,
    )
  })

  test('an unknown price of a fallback is missing from "at most" alone', () => {
    const market = marketOf({ APIYI_API_KEY: 'a', TOKAIFY_API_KEY: 't' })
    const fallback = [{ model: 'gemini-3-pro-image', provider: 'tokaify', on: ['no_image' as const] }]
    const made = plan([apiyi('a', { fallback })], new Map(), { market })
    expect(shown(made).at(-3)).toMatch(/1 {10} +\$0\.055 +≥ \$0\.055$/)
    expect(planJson(made, 'w')).toMatchObject({
      expected: 0.055,
      atMost: null,
      items: [{ expected: 0.055, atMost: null }],
    })
  })

  test('input pictures that are billed by tokens are counted in all requests together', () => {
    const logo: Item['references'][number] = {
      kind: 'file',
      path: '/logo.png',
      shown: 'logo.png',
      sha256: '0'.repeat(64),
      mimeType: 'image/png',
      bytes: 1,
    }
    const wishes = [
      item('a', { references: [logo] }),
      item('b', { references: [logo, from('a')] }),
      apiyi('c', { references: [logo] }),
    ]
    expect(shown(plan(wishes))).toEqual(
      expect.arrayContaining([
        '  made from 1 reference image',
        '  billed by tokens: 3 input pictures in 2 requests',
      ]),
    )
    expect(shown(plan([apiyi('c', { references: [logo] })])).join()).not.toContain('billed by tokens')
  })

  test('a rough duration is told where the number in flight is known', () => {
    expect(tail(plan([item('a')]), { inFlight: 8 }).at(-1)).toBe('  about 15 s at 8 in flight')
    expect(shown(plan([item('a')])).join()).not.toContain('in flight')
  })

  test.each([
    [3, 'about 5 s'],
    [41, 'about 45 s'],
    [56, 'about 1 min'],
    [5_000, 'about 83 min'],
    [7_000, 'about 2 h'],
  ])('%i seconds are %s', (seconds, text) => expect(roughly(seconds)).toBe(text))
})

describe('what to do next', () => {
  const words = { command: 'proofsheet run', why: 'proofsheet plan --why' }

  test('an example of what is worth asking about is named', () => {
    const changed = plan([item('a'), item('b', { prompt: 'x' })], lockOf(plan([item('b')])))
    expect(nextLine(changed, words)).toBe(
      'Nothing was sent.  proofsheet run\nWhy one of them:   proofsheet plan --why b',
    )
  })

  test('nothing, when there is nothing to make', () => {
    expect(nextLine(plan([item('a')], lockOf(plan([item('a')]))), words)).toBe('There is nothing to make.')
  })
})

describe('a comparison', () => {
  const market = marketOf({ APIYI_API_KEY: 'a' })
  const made = plan([item('a', { aspect: '1:8' }), item('b', { size: '2K' })], new Map(), { market })
  const offers = compare(made, market, ['nano-banana-2@apiyi', 'nano-banana-pro', 'nano-banana@apiyi'])

  test('has the plan itself on top, and says what is missing of the others', () => {
    expect(compareLines(made, offers).join('\n')).toMatchInlineSnapshot(`
      "  model            provider  pictures  expected  at most
        this plan                         2     $0.11    $0.11
        nano-banana-2    apiyi            2     $0.11    $0.11
        nano-banana-pro  apiyi            1     $0.09    $0.09  1 impossible (a: nano-banana-pro cannot make 1:8)
        nano-banana-pro  google           1   $0.1383  $0.1462  no key; 1 impossible (a: nano-banana-pro cannot make 1:8)
        nano-banana-pro  tokaify          1         ?        ?  no key; 1 impossible (a: nano-banana-pro cannot make 1:8); not known: the price of nano-banana-pro at tokaify
        nano-banana      apiyi            0         –        –  2 impossible (a: nano-banana cannot make 1:8)"
    `)
  })

  test('as JSON, money is null where it is not known', () => {
    expect(compareJson(made, offers)).toMatchObject({
      format: 'proofsheet-compare',
      plan: { pictures: 2, expected: 0.11 },
      offers: [
        {
          model: 'gemini-3.1-flash-image',
          provider: 'apiyi',
          configured: true,
          expected: 0.11,
          obstacle: null,
        },
        { model: 'gemini-3-pro-image', provider: 'apiyi', possible: 1, impossible: 1 },
        {},
        { provider: 'tokaify', expected: null, atMost: null },
        { possible: 0 },
      ],
    })
  })
})

describe('folding', () => {
  const fold = foldOf(['a/1/x', 'a/1/y', 'a/2/x', 'b', 'b#2', 'c/1', 'c/1#2', 'd#2', 'd'])

  test.each<[string[], string[]]>([
    [['a/1/x', 'a/1/y', 'a/2/x'], ['a/*']],
    [['a/1/x', 'a/1/y'], ['a/1/*']],
    [
      ['a/1/x', 'a/2/x'],
      ['a/1/x', 'a/2/x'],
    ],
    [['b', 'b#2'], ['b']],
    [['b#2'], ['b#2']],
    [['c/1', 'c/1#2'], ['c/1']],
    [[], []],
  ])('%j is %j', (ids, folded) => expect(fold(ids)).toEqual(folded))
})

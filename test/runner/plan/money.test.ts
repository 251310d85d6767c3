// What a plan may cost: against its budget, elsewhere, and for how long.
import { describe, expect, test } from 'vitest'
import { marketOf } from '../../../core/market.ts'
import { fitOf, limitOf, overPerImage } from '../../../runner/plan/budget.ts'
import { compare, UnknownOffer } from '../../../runner/plan/compare.ts'
import { durationOf } from '../../../runner/plan/duration.ts'
import { from, item, lockOf, plan } from '../items.ts'

const pro = { provider: 'apiyi', model: 'gemini-3-pro-image' }

describe('the budget', () => {
  test.each([
    ['fits', { expected: 5, atMost: 10, unknown: [] }],
    ['maybe', { expected: 5, atMost: 11, unknown: [] }],
    ['over', { expected: 11, atMost: 12, unknown: [] }],
    ['unknown', { expected: 0, atMost: 0, unknown: ['x'] }],
    ['over', { expected: 11, atMost: 11, unknown: ['x'] }],
  ] as const)('says %s of %j under a limit of 10', (fit, quote) => expect(fitOf(quote, 10)).toBe(fit))

  test.each([
    [{}, undefined, undefined],
    [{ max: 7 }, undefined, 7],
    [{ max: 7 }, 5, 5],
    [{ max: 7 }, 9, 7],
    [{}, 9, 9],
  ])('%j with --max-cost %s is a limit of %s: the flag lowers, never raises', (budget, maxCost, limit) =>
    expect(limitOf(budget, maxCost)).toBe(limit),
  )

  const dear = [
    item('a', { ...pro, line: 4 }),
    item('b', { ...pro, line: 4 }),
    item('c', { provider: 'apiyi', line: 9 }),
  ]

  test('names pictures that may cost more than one may, once for every price', () => {
    expect(overPerImage(plan(dear), { perImage: 60_000 })).toEqual([
      {
        item: 'a',
        line: 4,
        message: 'may cost up to $0.09, more than `budget.per_image` of $0.06 (in a and 1 more)',
        hint: 'take a smaller size, a cheaper model or fewer fallbacks, or raise it',
      },
    ])
    expect(overPerImage(plan(dear), { perImage: 90_000 })).toEqual([])
    expect(overPerImage(plan(dear), {})).toEqual([])
  })

  test('does not name what is made already', () => {
    expect(overPerImage(plan(dear, lockOf(plan(dear))), { perImage: 1 })).toEqual([])
  })

  test('names a picture whose price nobody knows', () => {
    const market = marketOf({ TOKAIFY_API_KEY: 't' })
    const [problem] = overPerImage(plan([item('a', { model: pro.model })], new Map(), { market }), {
      perImage: 1_000_000,
    })
    expect(problem).toMatchObject({
      message:
        '`budget.per_image` of $1.00 cannot be kept, because this is not known: the price of nano-banana-pro at tokaify',
      hint: 'say it under `prices`',
    })
  })
})

describe('other offers', () => {
  const market = marketOf({ APIYI_API_KEY: 'a' })
  const wishes = [
    item('a', { size: '2K', fallback: [{ model: pro.model, on: ['no_image'] }] }),
    item('b', { aspect: '1:8' }),
  ]
  const wished = plan(wishes, new Map(), { market })
  const brief = (names: string[], of = wished) =>
    compare(of, market, names).map((row) => [
      `${row.model}@${row.provider}`,
      row.configured,
      row.possible,
      row.quote.expected,
      row.obstacle,
    ])

  test('the cheapest that makes everything is first, what makes a part or has no price comes after it', () => {
    expect(brief(['nano-banana-2', 'nano-banana-pro'])).toEqual([
      ['gemini-3.1-flash-image@apiyi', true, 2, 110_000, undefined],
      ['gemini-3.1-flash-image@google', false, 2, expect.any(Number), undefined],
      [
        'gemini-3-pro-image@apiyi',
        true,
        1,
        90_000,
        expect.stringMatching(/^b: nano-banana-pro cannot make 1:8; it makes /),
      ],
      ['gemini-3-pro-image@google', false, 1, expect.any(Number), expect.any(String)],
      ['gemini-3-pro-image@tokaify', false, 1, 0, expect.any(String)],
    ])
  })

  test('a model may be named with one seller, and is told once', () => {
    expect(brief(['nano-banana-pro@apiyi', 'gemini-3-pro-image@apiyi']).map(([name]) => name)).toEqual([
      'gemini-3-pro-image@apiyi',
    ])
  })

  test('without a name all models are compared', () => {
    expect(new Set(brief([]).map(([name]) => String(name).split('@')[0])).size).toBe(5)
  })

  test('a size that a model cannot make is impossible even where the item names none', () => {
    const small = plan([item('a', { size: '512' })], new Map(), { market })
    expect(brief(['nano-banana@apiyi'], small)[0]!.slice(2)).toEqual([
      0,
      0,
      'a: nano-banana cannot make 512; it makes 1K',
    ])
  })

  test.each([
    [
      'nano-bananna-2',
      '--compare nano-bananna-2: there is no model `nano-bananna-2`; did you mean `nano-banana-2`?',
    ],
    ['nano-banana-2@tokaify', '--compare nano-banana-2@tokaify: nano-banana-2 is sold by google, apiyi'],
  ])('%s is no offer', (name, message) => {
    expect(() => compare(wished, market, [name])).toThrow(new UnknownOffer(message))
  })
})

describe('the duration', () => {
  const fast = (id: string, upstream: string[] = []) => item(id, { references: upstream.map(from) })

  test.each([
    ['one picture', ['a'].map((id) => fast(id)), 8, 13],
    ['work is shared out', ['a', 'b', 'c', 'd'].map((id) => fast(id)), 2, 26],
    ['a chain is not', [fast('a'), fast('b', ['a']), fast('c', ['b'])], 8, 39],
    ['a 4K picture takes longer', [item('a', { size: '4K' })], 8, 90],
    ['a model that nobody timed is left out', [item('a', { model: 'gemini-2.5-flash-image' })], 8, undefined],
  ])('%s', (_, items, inFlight, seconds) => expect(durationOf(plan(items), inFlight)).toBe(seconds))

  test('is not told of the emulator, nor of what is made', () => {
    expect(durationOf(plan([fast('a')], new Map(), { emulated: true }), 8)).toBeUndefined()
    expect(durationOf(plan([fast('a')], lockOf(plan([fast('a')]))), 8)).toBeUndefined()
  })
})

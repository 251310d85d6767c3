import { describe, expect, test } from 'vitest'
import { type Market, withPrices } from '../../../core/market.ts'
import type { PriceRow } from '../../../core/prices.ts'
import type { Item } from '../../../runner/manifest/item.ts'
import { PlanFileError, readPlan, savedPlan, staleness, writePlan } from '../../../runner/plan/file.ts'
import type { Plan } from '../../../runner/plan/plan.ts'
import type { Lock } from '../../../runner/state/lock.ts'
import { entry, item, lockOf, market, plan } from '../items.ts'

const asked = {
  manifest: 'shop.yaml',
  layers: { profile: 'draft', set: ['size=1K'], vars: [] },
  selection: { include: ['packshot'], exclude: [] },
  repeat: { refused: false, uncertain: false },
  redo: false,
  worker: 'embedded worker',
}
const items = [item('a', { provider: 'apiyi' }), item('b', { provider: 'apiyi' })]
const then = plan(items)
const saved = savedPlan(then, asked)
const change = (changes: Partial<Item>) => plan([{ ...items[0]!, ...changes }, items[1]!])

test('a plan is read as it was saved', () => {
  expect(readPlan(writePlan(saved), 'p.json')).toEqual(saved)
  expect(saved).toMatchObject({
    items: [
      { id: 'a', key: then.items[0]!.key, provider: 'apiyi', expected: 0.055, atMost: 0.055 },
      { id: 'b', key: then.items[1]!.key, provider: 'apiyi', expected: 0.055, atMost: 0.055 },
    ],
    along: [],
    expected: 0.11,
    atMost: 0.11,
  })
})

describe('a saved plan still holds', () => {
  test.each<[string, Plan]>([
    ['when nothing has changed', plan(items)],
    ['when some of it was made in the meantime', plan(items, lockOf(plan([items[0]!])))],
    ['when all of it was', plan(items, lockOf(then))],
    ['when a try of it is still running', plan(items, lockOf(then, { status: 'running' }))],
    [
      'when a try of it has failed for nothing',
      plan(items, lockOf(then, { status: 'failed', charged: 'no', cost: 0 })),
    ],
  ])('%s', (_, now) => expect(staleness(saved, now)).toEqual([]))
})

describe('a saved plan is stale', () => {
  test.each<[string, Plan, string[]]>([
    ['when an item has gone', plan([items[0]!]), ['no longer in the manifest, or not selected: b']],
    [
      'when an item has come',
      plan([...items, item('c', { provider: 'apiyi' })]),
      ['to be made and not in the plan: c'],
    ],
    ['when an item has changed', change({ prompt: 'other words' }), ['changed: a']],
    [
      'when an item costs more',
      change({ model: 'gemini-3-pro-image' }),
      ['changed: a', 'what is still to be made is expected to cost $0.145, no longer $0.11'],
    ],
    [
      'when a fallback makes it dearer',
      change({ fallback: [{ model: 'gemini-3-pro-image', provider: 'apiyi', on: ['no_image'] }] }),
      ['what is still to be made may cost up to $0.20, no longer $0.11'],
    ],
    [
      'when a try has failed and was charged',
      plan(items, new Map([['a', entry(then.items[0]!, { status: 'failed' })]])),
      ['paid for in the meantime without a picture: a'],
    ],
    [
      'when others would make it',
      plan(items.map(({ provider: _, ...rest }) => rest)),
      [
        'a would now be made by google, not apiyi, and so would 1 more',
        expect.stringMatching(/^what is still to be made is expected to cost \$0\.13\d+, no longer \$0\.11$/),
      ],
    ],
  ])('%s', (_, now, differences) => expect(staleness(saved, now)).toEqual(differences))

  test('when the emulator stands in, or no longer does', () => {
    const drawn = plan(items, new Map(), { emulated: true })
    expect(staleness(saved, drawn)).toEqual(['the emulator draws now'])
    expect(staleness(savedPlan(drawn, asked), then)).toEqual([
      'it was planned with the emulator; now it is bought',
    ])
  })

  test('and names the first of many', () => {
    const many = ['a', 'b', 'c', 'd', 'e'].map((id) => item(id))
    expect(staleness(savedPlan(plan(many), asked), plan([item('x')]))[0]).toBe(
      'no longer in the manifest, or not selected: a, b, c and 2 more',
    )
  })
})

describe('what is still to be made of a saved plan', () => {
  const flat = (microUsd?: number) =>
    withPrices(market, {
      apiyi:
        microUsd === undefined
          ? {}
          : { 'gemini-3.1-flash-image': { unit: 'request', microUsd, source: 'here' } as PriceRow },
    })
  const unpriced: Market = {
    ...market,
    sellers: market.sellers.map((seller) => ({ ...seller, prices: {} })),
  }
  const four = ['a', 'b', 'c', 'd'].map((id) => item(id, { provider: 'apiyi' }))
  const half = lockOf(plan(four.slice(0, 2)))
  const at = (of: Market, lock: Lock = new Map()) => plan(four, lock, { market: of })

  test.each<[string, Plan, Plan, string[]]>([
    [
      'costs more, though less than the whole plan did',
      at(flat(50_000)),
      at(flat(90_000), half),
      ['what is still to be made is expected to cost $0.18, no longer $0.10'],
    ],
    ['costs less', at(flat(50_000)), at(flat(40_000), half), []],
    [
      'has a price that was not known',
      at(unpriced),
      at(flat(50_000), half),
      ['the price was not known, and now is: c, d'],
    ],
    [
      'has a price that is not known any more',
      at(flat(50_000)),
      at(unpriced, half),
      ['a price is not known any more: the price of nano-banana-2 at apiyi'],
    ],
    ['has none, then and now', at(unpriced), at(unpriced, half), []],
  ])('%s', (_, before, now, differences) =>
    expect(staleness(savedPlan(before, asked), now)).toEqual(differences),
  )

  test('may be a part of it, when only some are made', () => {
    const part = plan(four, new Map(), { selected: ['a'] })
    const whole = savedPlan(plan(four), asked)
    expect(staleness(whole, part, true)).toEqual([])
    expect(staleness(whole, part)).toEqual(['no longer in the manifest, or not selected: b, c, d'])
  })
})

describe('a file that is no plan', () => {
  test.each([
    ['{', 'p.json is no saved plan: it is not JSON; proofsheet plan --out p.json writes one'],
    ['{"format":"proofsheet-plan"}', 'p.json is no saved plan; proofsheet plan --out p.json writes one'],
    [
      JSON.stringify({ ...saved, version: 2 }),
      'p.json was saved by a newer proofsheet (version 2); plan again, or upgrade',
    ],
    [
      JSON.stringify({ ...saved, items: [{ id: 'a' }] }),
      'p.json is damaged at `items.0.key`; proofsheet plan --out p.json writes it anew',
    ],
  ])('%.60s is an error', (text, message) => {
    expect(() => readPlan(text, 'p.json')).toThrow(new PlanFileError(message))
  })
})

import { describe, expect, test } from 'vitest'
import { marketOf } from '../../core/market.ts'
import { sha256 } from '../../runner/digest.ts'
import { planOf } from '../../runner/plan/plan.ts'
import { amount, duration, fileSize, quoted } from '../../runner/views/format.ts'
import { planJson } from '../../runner/views/json.ts'
import { lineOf } from '../../runner/views/plain.ts'
import { planLines, workerPhrase } from '../../runner/views/plan.ts'
import { progressOf } from '../../runner/views/progress.ts'
import { closingLines, pictureLines } from '../../runner/views/summary.ts'
import { alignRows } from '../../runner/views/table.ts'
import { entry, from, item, lockOf, plan } from './items.ts'

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

describe('figures', () => {
  test.each([
    [67_527, '$0.0676'],
    [55_000, '$0.055'],
    [1_000_000, '$1.00'],
    [0, '$0.00'],
  ])('%i micro-USD are shown as %s, never below what they are', (micro, shown) =>
    expect(amount(micro)).toBe(shown),
  )

  test('a sum with an unknown part is at least its known part, and nothing known is a question mark', () => {
    expect(quoted(90_000, { unknown: ['x'] })).toBe('≥ $0.09')
    expect(quoted(0, { unknown: ['x'] })).toBe('?')
  })

  test('durations and sizes have units', () => {
    expect([duration(3_400), duration(125_000), fileSize(812_000), fileSize(1_400_000)]).toEqual([
      '3.4 s',
      '2 min 5 s',
      '812 KB',
      '1.4 MB',
    ])
  })

  test('wide characters do not break columns', () => {
    expect(
      alignRows(
        [
          ['日本', 'x'],
          ['abcd', 'y'],
        ],
        ['left', 'left'],
      ),
    ).toEqual(['日本  x', 'abcd  y'])
  })
})

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
    const shown = planOf(changed, before, market, new Map(), { refused: false, uncertain: false }, sha256)
    expect(
      planLines(shown, { manifest: 'shop.yaml', worker: 'embedded worker' }).join('\n'),
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
        + new            3   packshot/a, packshot/b, hero

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
    const one = planOf(
      [item('a', { model: 'gemini-3-pro-image' })],
      new Map(),
      market,
      new Map(),
      { refused: false, uncertain: false },
      sha256,
    )
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

describe('progress', () => {
  const picture = entry(plan(items).items[0]!, {
    cost: 0.055,
    image: {
      url: 'http://w/images/x.png',
      mimeType: 'image/png',
      bytes: 1_200_000,
      width: 2048,
      height: 2048,
      sha256: '0'.repeat(64),
    },
  })

  test.each([
    [{ type: 'made', id: 'a', entry: picture, ms: 12_300 }, '✓ a  2048x2048, 1.2 MB, $0.055, 12.3 s'],
    [
      { type: 'made', id: 'a', entry: { ...picture, emulated: true }, ms: 900 },
      '✓ a  2048x2048, 1.2 MB, $0.055 list price, emulated, 0.9 s',
    ],
    [
      {
        type: 'failed',
        id: 'a',
        ms: 1,
        failure: {
          code: 'refused',
          charged: 'yes',
          cost: 0.055,
          message: 'IMAGE_SAFETY: I cannot draw this.',
        },
      },
      '✗ a  refused, charged $0.055: IMAGE_SAFETY: I cannot draw this.',
    ],
    [
      {
        type: 'failed',
        id: 'a',
        ms: 1,
        failure: { code: 'timed_out', charged: 'unknown', cost: null, message: 'no answer' },
      },
      '✗ a  timed_out, not known whether it was charged: no answer',
    ],
    [{ type: 'blocked', id: 'b', by: 'a' }, '- b  not started: a has no picture'],
    [{ type: 'start', id: 'a' }, undefined],
  ] as const)('%o is told as a line', (event, line) => expect(lineOf(event)).toBe(line))

  test('json starts with the version of its format, then one event per line', () => {
    const lines: string[] = []
    const stderr = {
      write: (text: string) => void lines.push(text),
      isTerminal: false,
      color: false,
      columns: 80,
      rows: 24,
    }
    const progress = progressOf('json', { stderr, total: 1, now: () => 0 })
    progress.event({ type: 'start', id: 'a' })
    progress.end()
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { type: 'version', format: 'proofsheet-events', version: 1, total: 1 },
      { type: 'start', id: 'a', at: '1970-01-01T00:00:00.000Z' },
    ])
  })
})

describe('the end of a run', () => {
  const done = plan(items)
  const made = done.items.slice(0, 2).map((p) => entry(p, { cost: 0.055 }))
  const summary = { made: 2, failed: 1, blocked: 0, left: 0 }
  const files = new Map(made.map((e) => [e.id, `out/${e.id}.png`]))
  const context = { lockPath: 'shop.lock.jsonl', dev: undefined }

  test('each picture has its address and file, in the order of the manifest', () => {
    expect(pictureLines({ plan: done, summary, made: [...made].reverse(), files, spent: [], ms: 0 })).toEqual(
      [
        'packshot/a  http://worker/images/packshot/a.png  out/packshot/a.png',
        'packshot/b  http://worker/images/packshot/b.png  out/packshot/b.png',
      ],
    )
  })

  test('what it cost stands beside what was expected', () => {
    expect(
      closingLines({ plan: done, summary, made, files, spent: [0.055, 0.055, 0], ms: 65_000 }, context),
    ).toEqual([
      '',
      '2 pictures made, 1 failed in 1 min 5 s: $0.11 (expected $0.20)',
      'shop.lock.jsonl holds the catalog.',
    ])
  })

  test('an unknown cost makes the sum a lower bound and says why', () => {
    expect(
      closingLines({ plan: done, summary, made, files, spent: [0.055, null], ms: 1_000 }, context),
    ).toEqual([
      '',
      '2 pictures made, 1 failed in 1.0 s: ≥ $0.055 (expected $0.20)',
      'not everything is in that sum: of some attempts the price, or whether they were charged, is not known',
      'shop.lock.jsonl holds the catalog.',
    ])
  })
})

// The models against the provider documents: every figure is written out here, so that a slip in the table shows.
import { describe, expect, test } from 'vitest'
import {
  ASPECTS,
  type Aspect,
  attemptTimeoutMs,
  findModel,
  MODELS,
  parseSize,
  pixelsOf,
  SIZES,
  type Size,
  SizeSchema,
} from '../../core/models.ts'

const TEN = '1:1 2:3 3:2 3:4 4:3 4:5 5:4 9:16 16:9 21:9'
const FOURTEEN = '1:1 1:4 1:8 2:3 3:2 3:4 4:1 4:3 4:5 5:4 8:1 9:16 16:9 21:9'

const PRO = 'gemini-3-pro-image'
const NB2 = 'gemini-3.1-flash-image'
const NB21 = 'gemini-nano-banana-2.1'
const LITE = 'gemini-3.1-flash-lite-image'
const GENERATION_1 = 'gemini-2.5-flash-image'

function model(name: string) {
  const found = findModel(name)
  if (!found) throw new Error(`no model ${name}`)
  return found
}

test('the table holds these five models and no other', () => {
  expect(MODELS.map((m) => m.id)).toEqual([PRO, NB2, NB21, LITE, GENERATION_1])
})

test.for([
  [
    PRO,
    {
      sizes: '1K 2K 4K',
      sendsSize: true,
      aspects: TEN,
      references: { max: 14, objects: 6, people: 5, style: 3 },
    },
  ],
  [
    NB2,
    {
      sizes: '512 1K 2K 4K',
      sendsSize: true,
      aspects: FOURTEEN,
      references: { max: 14, objects: 10, people: 4 },
    },
  ],
  [
    NB21,
    {
      sizes: '1K 2K 4K',
      sendsSize: true,
      aspects: FOURTEEN,
      references: { max: 14, objects: 10, people: 4 },
    },
  ],
  [LITE, { sizes: '1K', sendsSize: false, aspects: FOURTEEN, references: { max: 14, objects: 14 } }],
  [GENERATION_1, { sizes: '1K', sendsSize: false, aspects: TEN, references: { max: 3 } }],
] as const)('%s makes its sizes and ratios and takes its references', ([id, expected]) => {
  const { sizes, sendsSize, aspects, references } = model(id)
  expect({ sizes: sizes.join(' '), sendsSize, aspects: aspects.join(' '), references }).toEqual(expected)
})

test.for([
  [PRO, { image: { '1K': 1120, '2K': 1120, '4K': 2000 }, inputImage: 560 }, { in: 65_536, out: 32_768 }],
  [
    NB2,
    { image: { '512': 747, '1K': 1120, '2K': 1680, '4K': 2520 }, inputImage: 1120 },
    { in: 131_072, out: 32_768 },
  ],
  [NB21, { image: { '1K': 1120, '2K': 1680, '4K': 3780 }, inputImage: null }, { in: null, out: null }],
  [LITE, { image: { '1K': 1120 }, inputImage: null }, { in: 65_536, out: 4_096 }],
  [GENERATION_1, { image: { '1K': 1290 }, inputImage: null }, { in: 32_768, out: 32_768 }],
] as const)('%s counts the documented tokens', ([id, tokens, limits]) => {
  const found = model(id)
  expect({ image: found.tokens.image, inputImage: found.tokens.inputImage }).toEqual(tokens)
  expect({ in: found.limits.inputTokens, out: found.limits.outputTokens }).toEqual(limits)
})

test.for([
  [PRO, 630 + 350],
  [NB2, 630 + 792],
  [NB21, 630 + 792],
  [LITE, 630 + 792],
  [GENERATION_1, 630],
] as const)('%s is bounded by the most text and thinking that was measured', ([id, atMost]) => {
  expect(model(id).tokens.overhead.atMost).toBe(atMost)
  expect(model(id).tokens.overhead.expected).toBeLessThanOrEqual(atMost)
})

test.for([
  [PRO, 'available', undefined],
  [NB2, 'deprecated', NB21],
  [NB21, 'available', undefined],
  [LITE, 'available', undefined],
  [GENERATION_1, 'deprecated', LITE],
] as const)('%s is %s', ([id, status, successor]) => {
  const { lifecycle } = model(id)
  expect([lifecycle.status, lifecycle.successor]).toEqual([status, successor])
  // No shutdown date is established for any of them.
  expect(lifecycle.shutdownOn).toBeUndefined()
})

describe('names', () => {
  test.for([
    ['gemini-3-pro-image', PRO],
    ['gemini-3-pro-image-preview', PRO],
    ['nano-banana-pro', PRO],
    ['gemini-3.1-flash-image', NB2],
    ['gemini-3.1-flash-image-preview', NB2],
    ['nano-banana-2', NB2],
    ['gemini-nano-banana-2.1', NB21],
    ['nano-banana-2.1', NB21],
    ['gemini-3.1-flash-lite-image', LITE],
    ['nano-banana-2-lite', LITE],
    ['gemini-2.5-flash-image', GENERATION_1],
    ['gemini-2.5-flash-image-preview', GENERATION_1],
    ['nano-banana', GENERATION_1],
    ['models/gemini-3-pro-image-preview', PRO],
    ['Models/Gemini-3.1-Flash-Image', NB2],
    ['NANO-BANANA-PRO', PRO],
  ])('%s is %s', ([name, id]) => expect(findModel(name!)?.id).toBe(id))

  test.for([
    '',
    'nano',
    'image',
    'gemini-3-pro',
    'gemini-3-pro-image-',
    'imagen-4',
    'models/models/nano-banana',
    'constructor',
  ])('%j is no model', (name) => expect(findModel(name)).toBeUndefined())

  test('no name means two models', () => {
    const names = MODELS.flatMap((m) => [m.id, m.short, ...m.aliases])
    expect(new Set(names).size).toBe(names.length)
    for (const name of names) expect(name).toBe(name.toLowerCase())
  })
})

describe('sizes', () => {
  test.for<[string | number, Size]>([
    ['512', '512'],
    [512, '512'],
    ['512px', '512'],
    ['512PX', '512'],
    ['0.5K', '512'],
    ['0.5k', '512'],
    ['1K', '1K'],
    ['1k', '1K'],
    [' 2k ', '2K'],
    ['4K', '4K'],
  ])('%j is the size %s', ([input, size]) => {
    expect(parseSize(input)).toBe(size)
    expect(SizeSchema.parse(input)).toBe(size)
  })

  test.for<[string | number]>([['3K'], ['1024'], [1024], ['512K'], [0.5], [''], ['K'], ['1KK'], ['8K']])(
    '%j is no size, and the message names those that are',
    ([input]) => {
      expect(parseSize(input)).toBeUndefined()
      expect(SizeSchema.safeParse(input).error?.issues[0]?.message).toBe(
        `unknown size ${JSON.stringify(input)}: one of 512, 1K, 2K, 4K`,
      )
    },
  )

  test.for<[Size, number]>([
    ['512', 300],
    ['1K', 300],
    ['2K', 300],
    ['4K', 600],
  ])('a call for %s may take %s s', ([size, seconds]) => {
    expect(attemptTimeoutMs(size)).toBe(seconds * 1000)
  })
})

describe('pixels', () => {
  // Columns: 512, 1K, 2K, 4K.
  const NB2_PIXELS: [Aspect, string][] = [
    ['1:1', '512x512 1024x1024 2048x2048 4096x4096'],
    ['1:4', '256x1024 512x2048 1024x4096 2048x8192'],
    ['1:8', '192x1536 384x3072 768x6144 1536x12288'],
    ['2:3', '424x632 848x1264 1696x2528 3392x5056'],
    ['3:2', '632x424 1264x848 2528x1696 5056x3392'],
    ['3:4', '448x600 896x1200 1792x2400 3584x4800'],
    ['4:1', '1024x256 2048x512 4096x1024 8192x2048'],
    ['4:3', '600x448 1200x896 2400x1792 4800x3584'],
    ['4:5', '464x576 928x1152 1856x2304 3712x4608'],
    ['5:4', '576x464 1152x928 2304x1856 4608x3712'],
    ['8:1', '1536x192 3072x384 6144x768 12288x1536'],
    ['9:16', '384x688 768x1376 1536x2752 3072x5504'],
    ['16:9', '688x384 1376x768 2752x1536 5504x3072'],
    ['21:9', '792x168 1584x672 3168x1344 6336x2688'],
  ]
  const GENERATION_1_PIXELS: [Aspect, string][] = [
    ['1:1', '1024x1024'],
    ['2:3', '832x1248'],
    ['3:2', '1248x832'],
    ['3:4', '864x1184'],
    ['4:3', '1184x864'],
    ['4:5', '896x1152'],
    ['5:4', '1152x896'],
    ['9:16', '768x1344'],
    ['16:9', '1344x768'],
    ['21:9', '1536x672'],
  ]

  /** What the documents print for a cell; a dash where the model cannot make it. */
  function documented(id: string, size: Size, aspect: Aspect): string {
    if (id === GENERATION_1)
      return size === '1K' ? (GENERATION_1_PIXELS.find(([a]) => a === aspect)?.[1] ?? '-') : '-'
    const sizes = { [PRO]: '1K 2K 4K', [NB2]: '512 1K 2K 4K', [NB21]: '1K 2K 4K', [LITE]: '1K' }[id]!
    const aspects = id === PRO ? TEN : FOURTEEN
    if (!sizes.split(' ').includes(size) || !aspects.split(' ').includes(aspect)) return '-'
    return NB2_PIXELS.find(([a]) => a === aspect)![1].split(' ')[['512', '1K', '2K', '4K'].indexOf(size)]!
  }

  const cells = MODELS.flatMap((m) => ASPECTS.flatMap((a) => SIZES.map((s) => [m.id, s, a] as const)))

  test('every model, size and ratio has a cell here', () => {
    expect(cells).toHaveLength(5 * 4 * 14)
    expect(cells.filter(([id, s, a]) => documented(id, s, a) !== '-')).toHaveLength(30 + 56 + 42 + 14 + 10)
  })

  test.for(cells)('%s at %s and %s has the documented pixels', ([id, size, aspect]) => {
    const pixels = pixelsOf(model(id), size, aspect)
    expect(pixels ? `${pixels.width}x${pixels.height}` : '-').toBe(documented(id, size, aspect))
  })
})

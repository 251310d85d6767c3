// The models: what each one can do, how large its pictures are and how long it lives. Data with sources, and look-ups.
// Knows no price (prices.ts) and no seller (providers.ts). A model is never recognised by a substring of its id.
import { z } from 'zod'

/** Output size tiers as providers spell them: upper-case K, and 512 without one. */
export const SIZES = ['512', '1K', '2K', '4K'] as const
export type Size = (typeof SIZES)[number]

export const ASPECTS = [
  '1:1',
  '1:4',
  '1:8',
  '2:3',
  '3:2',
  '3:4',
  '4:1',
  '4:3',
  '4:5',
  '5:4',
  '8:1',
  '9:16',
  '16:9',
  '21:9',
] as const
export type Aspect = (typeof ASPECTS)[number]

/** Types a reference image may have. `image/jpg` is accepted as a spelling of `image/jpeg` by the schemas. */
export const REFERENCE_TYPES = ['image/png', 'image/jpeg', 'image/webp', 'image/heic', 'image/heif'] as const
export type ReferenceType = (typeof REFERENCE_TYPES)[number]

/** Width and height in pixels. */
export type Pixels = { width: number; height: number }

export type ThinkingLevel = 'minimal' | 'medium' | 'high'

export type Model = {
  /** Canonical id: the generally available one of Google. */
  id: string
  /** The short name people use, unique; shown in tables. */
  short: string
  name: string
  aliases: readonly string[]
  lifecycle: {
    status: 'available' | 'deprecated'
    /** ISO dates. `since` is when it became generally available. */
    since?: string
    deprecatedOn?: string
    /** The date after which calls fail, when the vendor has said one. */
    shutdownOn?: string
    /** What is known short of a date. */
    note?: string
    successor?: string
  }
  sizes: readonly Size[]
  /** Whether `imageConfig.imageSize` may be sent at all: models with one size refuse the field. */
  sendsSize: boolean
  aspects: readonly Aspect[]
  references: { max: number; objects?: number; people?: number; style?: number }
  referenceTypes: readonly ReferenceType[]
  /** Documented tokens. `image` by size; `inputImage` is null where not established. */
  tokens: {
    image: Partial<Record<Size, number>>
    inputImage: number | null
    /** Text and thinking tokens beside the picture: what is usual, and the most that was measured. */
    overhead: { expected: number; atMost: number }
  }
  /** Largest context in and answer out, in tokens; null where not established. */
  limits: { inputTokens: number | null; outputTokens: number | null }
  thinking: readonly ThinkingLevel[]
}

/** The longest bytes of one inline reference: 7 MB at Google and at the relays (vendor pages, read 2026-11). */
export const MAX_REFERENCE_BYTES = 7 * 1024 * 1024

/** Characters of a prompt or system text that we accept: every model's context is smaller in tokens. */
export const MAX_PROMPT_CHARS = 131_072

const TEN: readonly Aspect[] = ['1:1', '2:3', '3:2', '3:4', '4:3', '4:5', '5:4', '9:16', '16:9', '21:9']

// Text beside a picture: 88–630 tokens in 49 of 49 calls on Pro, thinking 50–350 on Pro and 700–792 on NB2 at `high`
// (APIYI's measurements, 2026-08-27). Other models are assumed to write and to think as much (inferred).
const OVERHEAD = { expected: 250, atMost: 630 }
const THINKING_OVERHEAD = { expected: 250, atMost: 630 + 792 }

export const MODELS: readonly Model[] = [
  {
    id: 'gemini-3-pro-image',
    short: 'nano-banana-pro',
    name: 'Nano Banana Pro',
    aliases: ['gemini-3-pro-image-preview'],
    lifecycle: { status: 'available', since: '2026-05-28' },
    sizes: ['1K', '2K', '4K'],
    sendsSize: true,
    aspects: TEN,
    references: { max: 14, objects: 6, people: 5, style: 3 },
    referenceTypes: REFERENCE_TYPES,
    tokens: {
      image: { '1K': 1120, '2K': 1120, '4K': 2000 },
      inputImage: 560,
      overhead: { expected: 320, atMost: 980 },
    },
    limits: { inputTokens: 65_536, outputTokens: 32_768 },
    thinking: [],
  },
  {
    id: 'gemini-3.1-flash-image',
    short: 'nano-banana-2',
    name: 'Nano Banana 2',
    aliases: ['gemini-3.1-flash-image-preview'],
    lifecycle: {
      status: 'deprecated',
      since: '2026-05-28',
      deprecatedOn: '2026-10-06',
      note: 'shutdown date not established; relays still sell it',
      successor: 'gemini-nano-banana-2.1',
    },
    sizes: ['512', '1K', '2K', '4K'],
    sendsSize: true,
    aspects: ASPECTS,
    references: { max: 14, objects: 10, people: 4 },
    referenceTypes: REFERENCE_TYPES,
    tokens: {
      image: { '512': 747, '1K': 1120, '2K': 1680, '4K': 2520 },
      inputImage: 1120,
      overhead: THINKING_OVERHEAD,
    },
    limits: { inputTokens: 131_072, outputTokens: 32_768 },
    thinking: ['minimal', 'high'],
  },
  {
    id: 'gemini-nano-banana-2.1',
    short: 'nano-banana-2.1',
    name: 'Nano Banana 2.1',
    aliases: [],
    lifecycle: { status: 'available', since: '2026-10-06' },
    sizes: ['1K', '2K', '4K'],
    sendsSize: true,
    aspects: ASPECTS,
    references: { max: 14, objects: 10, people: 4 },
    referenceTypes: REFERENCE_TYPES,
    tokens: { image: { '1K': 1120, '2K': 1680, '4K': 3780 }, inputImage: null, overhead: THINKING_OVERHEAD },
    limits: { inputTokens: null, outputTokens: null },
    thinking: ['minimal', 'medium', 'high'],
  },
  {
    id: 'gemini-3.1-flash-lite-image',
    short: 'nano-banana-2-lite',
    name: 'Nano Banana 2 Lite',
    aliases: ['nano-banana-lite'],
    lifecycle: { status: 'available', since: '2026-06-30' },
    sizes: ['1K'],
    sendsSize: false,
    aspects: ASPECTS,
    references: { max: 14, objects: 14 },
    referenceTypes: REFERENCE_TYPES,
    tokens: { image: { '1K': 1120 }, inputImage: null, overhead: THINKING_OVERHEAD },
    limits: { inputTokens: 65_536, outputTokens: 4_096 },
    thinking: ['minimal', 'high'],
  },
  {
    id: 'gemini-2.5-flash-image',
    short: 'nano-banana',
    name: 'Nano Banana (generation 1)',
    aliases: ['gemini-2.5-flash-image-preview', 'nano-banana-1'],
    lifecycle: {
      status: 'deprecated',
      note: 'earliest possible shutdown 2026-10-02; relays still sell it',
      successor: 'gemini-3.1-flash-lite-image',
    },
    sizes: ['1K'],
    sendsSize: false,
    aspects: TEN,
    references: { max: 3 },
    referenceTypes: REFERENCE_TYPES,
    // 258 tokens an input image is the general rule of Gemini 2.x; for this model it is not established.
    tokens: { image: { '1K': 1290 }, inputImage: null, overhead: OVERHEAD },
    limits: { inputTokens: 32_768, outputTokens: 32_768 },
    thinking: [],
  },
]

/** The model of an id, short name or alias; case does not matter, nor does a leading `models/`. */
export function findModel(name: string): Model | undefined {
  const wanted = name.toLowerCase().replace(/^models\//, '')
  return MODELS.find((m) => m.id === wanted || m.short === wanted || m.aliases.includes(wanted))
}

/** The size a request without one gets: 1K everywhere (vendor default). */
export const DEFAULT_SIZE: Size = '1K'

const SIZE_ALIASES: Record<string, Size> = { '512PX': '512', '0.5K': '512' }

/** A size in any accepted spelling (`512`, `512px`, `0.5K`, `1k`), or undefined. */
export function parseSize(input: string | number): Size | undefined {
  const upper = String(input).trim().toUpperCase()
  const size = SIZE_ALIASES[upper] ?? upper
  return SIZES.find((s) => s === size)
}

/** A size from outside, in any accepted spelling; the output is canonical. */
export const SizeSchema = z
  .union([z.string(), z.number()])
  .transform((value, ctx) => {
    const size = parseSize(value)
    if (size) return size
    ctx.addIssue({
      code: 'custom',
      message: `unknown size ${JSON.stringify(value)}: one of ${SIZES.join(', ')}`,
    })
    return z.NEVER
  })
  .describe('Size tier of the picture: 512 (also 512px, 0.5K), 1K, 2K or 4K.')

// Rows: aspect, then 512, 1K, 2K, 4K. ai.google.dev image generation page, 2026-10. The cell 21:9 at 512 is printed so
// by Google in every copy although it is 4.71:1.
const PIXEL_TABLE: Record<Aspect, string> = {
  '1:1': '512x512 1024x1024 2048x2048 4096x4096',
  '1:4': '256x1024 512x2048 1024x4096 2048x8192',
  '1:8': '192x1536 384x3072 768x6144 1536x12288',
  '2:3': '424x632 848x1264 1696x2528 3392x5056',
  '3:2': '632x424 1264x848 2528x1696 5056x3392',
  '3:4': '448x600 896x1200 1792x2400 3584x4800',
  '4:1': '1024x256 2048x512 4096x1024 8192x2048',
  '4:3': '600x448 1200x896 2400x1792 4800x3584',
  '4:5': '464x576 928x1152 1856x2304 3712x4608',
  '5:4': '576x464 1152x928 2304x1856 4608x3712',
  '8:1': '1536x192 3072x384 6144x768 12288x1536',
  '9:16': '384x688 768x1376 1536x2752 3072x5504',
  '16:9': '688x384 1376x768 2752x1536 5504x3072',
  '21:9': '792x168 1584x672 3168x1344 6336x2688',
}

// Generation 1 has pixels of its own (documented).
const GENERATION_1_PIXELS: Partial<Record<Aspect, string>> = {
  '1:1': '1024x1024',
  '2:3': '832x1248',
  '3:2': '1248x832',
  '3:4': '864x1184',
  '4:3': '1184x864',
  '4:5': '896x1152',
  '5:4': '1152x896',
  '9:16': '768x1344',
  '16:9': '1344x768',
  '21:9': '1536x672',
}

/** The documented pixels of a picture, or undefined where the model cannot make it. Providers have been seen to
 *  deviate: compare and report, never fail on it. */
export function pixelsOf(model: Model, size: Size, aspect: Aspect): Pixels | undefined {
  if (!model.sizes.includes(size) || !model.aspects.includes(aspect)) return undefined
  const cell =
    model.id === 'gemini-2.5-flash-image'
      ? GENERATION_1_PIXELS[aspect]
      : PIXEL_TABLE[aspect].split(' ')[SIZES.indexOf(size)]
  if (!cell) return undefined
  const [width, height] = cell.split('x').map(Number)
  return { width: width!, height: height! }
}

/** How long one provider call may take, in ms, upload and download included (APIYI's advice: 4K needs 600 s). */
export function attemptTimeoutMs(size: Size): number {
  return size === '4K' ? 600_000 : 300_000
}

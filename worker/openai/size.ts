// From what clients of the OpenAI API say of a picture's size to a tier and a ratio of ours. Pure. A wish that is near to
// nothing is refused: silently making everything 1:1 is what LiteLLM is blamed for.
import { ASPECTS, type Aspect, type Model, parseSize, pixelsOf, SIZES, type Size } from '../../core/models.ts'
import { invalidField, type OpenAiError } from './errors.ts'

/** The fields that say it, as they came; undefined and `auto` leave it open. */
export type ShapeFields = {
  /** Pixels (`1536x1024`), a tier (`2K`) or a ratio (`16:9`). */
  size?: string | undefined
  quality?: string | undefined
  /** The names that relays use beside OpenAI's own. */
  aspectRatio?: string | undefined
  imageSize?: string | undefined
}

export type Shape = { size?: Size; aspect?: Aspect }

/** How far a ratio may be from one of the model's, as a factor: 1792x1024 is 1.6 % off 16:9. */
const NEAR = 1.06

/** What is asked of the model. `size` is stronger than the aliases, and these than `quality`, which decides the tier
 *  alone: low → the smallest; medium, standard, auto → 1K; high, hd → 2K; xhigh, max → 4K, or the nearest below that
 *  the model makes. Throws OpenAiError `invalid_size` or `invalid_value`. */
export function shapeOf(model: Model, fields: ShapeFields): Shape {
  const { size, aspectRatio, imageSize } = fields
  return {
    ...ofQuality(model, fields.quality),
    ...(isOpen(aspectRatio) ? {} : ofText(model, aspectRatio, 'aspect_ratio')),
    ...(isOpen(imageSize) ? {} : ofText(model, imageSize, 'image_size')),
    ...(isOpen(size) ? {} : ofText(model, size, 'size')),
  }
}

/** The fields of a body: `size`, `quality`, `aspect_ratio`, and `image_config` where OpenRouter, Google's own layer and
 *  the openai client's `extra_body` put it. Throws OpenAiError for one that is no text. */
export function shapeFields(body: Readonly<Record<string, unknown>>): ShapeFields {
  const google = member(body.google) ?? member(member(body.extra_body)?.google)
  const config = member(body.image_config) ?? member(google?.image_config) ?? {}
  const size = config.image_size ?? config.imageSize ?? body.image_size
  const aspect = config.aspect_ratio ?? config.aspectRatio ?? body.aspect_ratio
  return {
    size: text(body.size, 'size'),
    quality: text(body.quality, 'quality'),
    aspectRatio: text(aspect, 'aspect_ratio'),
    imageSize: text(size, 'image_size'),
  }
}

function isOpen(value: string | undefined): value is undefined {
  return value === undefined || value === '' || value === 'auto'
}

function ofText(model: Model, value: string, param: string): Shape {
  const refuse = (why: string) => invalidSize(model, param, `${JSON.stringify(value)} ${why}`)
  const tier = parseSize(value)
  if (tier) {
    if (!model.sizes.includes(tier)) throw refuse(`is none of the tiers that ${model.short} makes`)
    return { size: tier }
  }
  const [, across, sign, down] = /^\s*(\d{1,5})\s*([:x×*])\s*(\d{1,5})\s*$/i.exec(value) ?? []
  const width = Number(across)
  const height = Number(down)
  if (!(width > 0 && height > 0)) throw refuse('is no size that is known here')
  if (sign !== ':') return ofPixels(model, width, height) ?? miss()
  const aspect = model.aspects.find((known) => known === `${width}:${height}`)
  return aspect ? { aspect } : miss()

  function miss(): never {
    throw refuse(`is near to no ratio that ${model.short} makes`)
  }
}

/** The cell of the model's table; else the nearest ratio within NEAR and the tier whose pixel count is nearest, both
 *  by factor, so that twice and half are equally far. */
function ofPixels(model: Model, width: number, height: number): Shape | undefined {
  const cells = model.aspects.flatMap((aspect) =>
    model.sizes.flatMap((size) => {
      const pixels = pixelsOf(model, size, aspect)
      return pixels ? [{ aspect, size, pixels }] : []
    }),
  )
  const exact = cells.find(({ pixels }) => pixels.width === width && pixels.height === height)
  if (exact) return { size: exact.size, aspect: exact.aspect }
  const ratio = (aspect: Aspect) => distance(width / height, ratioOf(aspect))
  const aspect = nearest(model.aspects, ratio)
  if (ratio(aspect) > Math.log(NEAR)) return undefined
  const count = ({ pixels }: (typeof cells)[number]) => distance(width * height, pixels.width * pixels.height)
  const { size } = nearest(
    cells.filter((cell) => cell.aspect === aspect),
    count,
  )
  return { size, aspect }
}

const TIERS: Readonly<Record<string, Size>> = {
  low: '512',
  medium: '1K',
  standard: '1K',
  auto: '1K',
  high: '2K',
  hd: '2K',
  xhigh: '4K',
  max: '4K',
}

function ofQuality(model: Model, quality: string | undefined): Shape {
  if (isOpen(quality)) return {}
  // Some gateways use this field for the tier itself.
  const wanted = TIERS[quality.toLowerCase()] ?? parseSize(quality)
  if (!wanted)
    throw invalidField('quality', `${JSON.stringify(quality)} is none of ${Object.keys(TIERS).join(', ')}`)
  const sizes = SIZES.filter((size) => model.sizes.includes(size))
  const most = SIZES.indexOf(wanted)
  return { size: sizes.findLast((size) => SIZES.indexOf(size) <= most) ?? sizes[0]! }
}

function invalidSize(model: Model, param: string, why: string): OpenAiError {
  const size = model.sizes.includes('1K') ? '1K' : model.sizes[0]!
  const cells = ASPECTS.flatMap((aspect) => {
    const pixels = pixelsOf(model, size, aspect)
    return pixels ? [`${pixels.width}x${pixels.height} (${aspect})`] : []
  })
  return invalidField(
    param,
    `${param}: ${why}; possible are auto, the tiers ${model.sizes.join(', ')}, and the ratios of ${cells.join(', ')}, by their names or by pixels of any tier`,
    'invalid_size',
  )
}

function ratioOf(aspect: Aspect): number {
  const [width, height] = aspect.split(':').map(Number)
  return width! / height!
}

function distance(a: number, b: number): number {
  return Math.abs(Math.log(a / b))
}

function nearest<T>(candidates: readonly T[], far: (candidate: T) => number): T {
  return candidates.reduce((best, candidate) => (far(candidate) < far(best) ? candidate : best))
}

function member(value: unknown): Record<string, unknown> | undefined {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  return isObject ? (value as Record<string, unknown>) : undefined
}

function text(value: unknown, param: string): string | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'string' && typeof value !== 'number')
    throw invalidField(param, `${param}: must be text, such as "1024x1024"`, 'invalid_type')
  return String(value)
}

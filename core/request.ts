// One wanted picture, as callers ask for it: schema, limits, canonical form and fingerprint.
// The fingerprint covers everything that changes pixels and nothing else: not who sells, not what it may cost.
import { z } from 'zod'
import { mebibytes } from './media.ts'
import {
  ASPECTS,
  DEFAULT_SIZE,
  findModel,
  MAX_PROMPT_CHARS,
  MAX_REFERENCE_BYTES,
  type Model,
  REFERENCE_TYPES,
  type ReferenceType,
  type Size,
  SizeSchema,
} from './models.ts'
import type { Provider } from './providers.ts'

/** Why a fallback is tried. After `no_image`, `refused` and `uncertain` money may be gone already; the caller writes them
 *  down. `uncertain`: nobody can say whether the call was carried out. */
export const FALLBACK_REASONS = ['unavailable', 'no_image', 'refused', 'failed', 'uncertain'] as const
export type FallbackReason = (typeof FALLBACK_REASONS)[number]

/** Reasons that follow an answer which may have been billed. */
export const CHARGED_REASONS: readonly FallbackReason[] = ['no_image', 'refused', 'uncertain']

export const Sha256Schema = z
  .string()
  .regex(/^[0-9a-f]{64}$/, 'SHA-256 as 64 lower-case hex digits')
  .describe('SHA-256 of the bytes, in hex.')

export const ReferenceTypeSchema = z
  .preprocess((type) => (type === 'image/jpg' ? 'image/jpeg' : type), z.enum(REFERENCE_TYPES))
  .describe('Media type; the bytes decide, a wrong label is an error.')

/** What the worker says of a stored image beside its name: a reference that it echoed may be sent again as it is. Not
 *  heeded, the bytes are known. */
const told = { mimeType: ReferenceTypeSchema.optional(), bytes: z.int().optional() }

/** An input image: exactly one way of naming it. */
export const ReferenceSchema = z
  .union([
    z.strictObject({ sha256: Sha256Schema, ...told }).describe('Uploaded before.'),
    z.strictObject({
      url: z.url({ protocol: /^https$/ }).describe('Fetched by the worker; https, public hosts only.'),
    }),
    z
      .strictObject({
        generation: z.string().regex(/^gen_[0-9a-z]{26}$/, 'the id of a generation'),
        sha256: Sha256Schema.optional(),
        ...told,
      })
      .describe('The picture of an earlier generation.'),
    z.strictObject({
      data: z.string().describe('Base64 of the image.'),
      mimeType: ReferenceTypeSchema,
    }),
    z.strictObject({
      fileUri: z.url({ protocol: /^https$/ }).describe('Passed on: the provider fetches it.'),
      mimeType: ReferenceTypeSchema,
    }),
  ])
  .meta({
    id: 'Reference',
    description: 'An input image: {sha256}, {url}, {generation}, {data, mimeType} or {fileUri, mimeType}.',
  })

const FallbackSchema = z.strictObject({
  model: z.string().describe('Id, short name or alias of a model.'),
  provider: z.string().optional(),
  on: z.array(z.enum(FALLBACK_REASONS)).min(1).describe('The endings after which this one is tried.'),
})

/** The categories of harm that can be set, of those that the Gemini API names (read 2026-11). */
export const HARM_CATEGORIES = [
  'HARM_CATEGORY_HARASSMENT',
  'HARM_CATEGORY_HATE_SPEECH',
  'HARM_CATEGORY_SEXUALLY_EXPLICIT',
  'HARM_CATEGORY_DANGEROUS_CONTENT',
] as const

/** Parameters that are passed to the model and change pixels. */
export const ParametersSchema = z.strictObject({
  system: z.string().min(1).max(MAX_PROMPT_CHARS).optional().describe('System text.'),
  temperature: z.number().min(0).max(2).optional(),
  topP: z.number().min(0).max(1).optional(),
  topK: z.int().positive().optional(),
  seed: z.int().min(-2_147_483_648).max(2_147_483_647).optional().describe('Best effort at the provider.'),
  maxOutputTokens: z.int().positive().optional(),
  safetySettings: z
    .array(
      z.strictObject({
        category: z
          .string()
          .regex(/^HARM_CATEGORY_[A-Z_]+$/, 'must be a name such as HARM_CATEGORY_HARASSMENT'),
        threshold: z.enum([
          'BLOCK_LOW_AND_ABOVE',
          'BLOCK_MEDIUM_AND_ABOVE',
          'BLOCK_ONLY_HIGH',
          'BLOCK_NONE',
          'OFF',
        ]),
      }),
    )
    .max(16)
    .optional(),
  thinking: z
    .strictObject({
      level: z.enum(['minimal', 'low', 'medium', 'high']).optional(),
      budget: z.int().optional().describe('Thinking tokens.'),
    })
    .optional(),
  modalities: z
    .array(z.enum(['IMAGE', 'TEXT']))
    .min(1)
    .refine((list) => list.includes('IMAGE'), 'must include IMAGE')
    .optional()
    .describe('What the answer may hold; default ["IMAGE"].'),
})

/** `POST /api/generations`. Unknown keys are errors: a misspelt one must not buy the wrong picture. */
export const RequestSchema = ParametersSchema.extend({
  model: z.string().describe('Id, short name or alias: gemini-3.1-flash-image, nano-banana-2, …'),
  provider: z
    .string()
    .optional()
    .describe('Who sells it; default: DEFAULT_PROVIDER, else the first configured.'),
  prompt: z.string().min(1).max(MAX_PROMPT_CHARS),
  references: z
    .array(ReferenceSchema)
    .max(100)
    .optional()
    .describe('Input images, in the order the prompt counts them.'),
  size: SizeSchema.optional(),
  aspect: z.enum(ASPECTS).optional().describe("Width to height; default: the last reference's, else 1:1."),
  fallback: z.array(FallbackSchema).max(8).optional().describe('What to try instead, in order.'),
  maxCost: z.number().positive().optional().describe('USD; refused beforehand if it could cost more.'),
  deadline: z
    .int()
    .positive()
    .max(86_400)
    .optional()
    .describe('Seconds until a waiting generation gives up.'),
  metadata: z
    .record(z.string().max(64), z.string().max(512))
    .refine((members) => Object.keys(members).length <= 50, 'at most 50 members')
    .optional()
    .describe('Returned as it came.'),
  webhook: z
    .url({ protocol: /^https$/ })
    .max(2_048)
    .optional()
    .describe(
      'Told when the generation has ended; https, public hosts only. Signed as Standard Webhooks say.',
    ),
}).meta({ id: 'Request', description: 'A wanted picture.' })

export type GenerationRequest = z.output<typeof RequestSchema>
export type Parameters = z.output<typeof ParametersSchema>
export type ReferenceInput = z.output<typeof ReferenceSchema>

/** A reference whose bytes are known: stored under their digest, the picture of a generation, or left to the provider to
 *  fetch. */
export type ResolvedReference =
  | { sha256: string; mimeType: ReferenceType; bytes: number; generation?: string }
  | { fileUri: string; mimeType: ReferenceType }

/** Something a model or provider cannot do. `path` is the request field. */
export type Limit = { path: string; code: 'unsupported' | 'payload_too_large'; message: string }

/** What this model at this provider cannot do of the request; empty when it can. Each message says what it can do.
 *  `made`: the picture stands in a turn of the model. */
export function limitsOf(
  request: Pick<GenerationRequest, 'size' | 'aspect'> & Parameters,
  references: readonly { mimeType?: ReferenceType; bytes?: number; fileUri?: string; made?: boolean }[],
  model: Model,
  provider: Provider,
): Limit[] {
  const found: Limit[] = []
  const refuse = (path: string, message: string, code: Limit['code'] = 'unsupported') =>
    found.push({ path, code, message })
  const { size, aspect } = request
  if (size && !model.sizes.includes(size))
    refuse('size', `${model.short} cannot make ${size}; it makes ${model.sizes.join(', ')}`)
  if (aspect && !model.aspects.includes(aspect))
    refuse('aspect', `${model.short} cannot make ${aspect}; it makes ${model.aspects.join(', ')}`)
  if (references.length > model.references.max)
    refuse(
      'references',
      `${model.short} takes at most ${model.references.max} reference images, not ${references.length}`,
    )
  for (const [index, { mimeType, bytes, fileUri, made }] of references.entries()) {
    const path = `references[${index}]`
    if (mimeType && !model.referenceTypes.includes(mimeType))
      refuse(path, `${model.short} does not read ${mimeType}; it reads ${model.referenceTypes.join(', ')}`)
    if (bytes !== undefined && bytes > MAX_REFERENCE_BYTES && !made)
      refuse(
        path,
        `has ${mebibytes(bytes)}; a reference has at most ${mebibytes(MAX_REFERENCE_BYTES)}`,
        'payload_too_large',
      )
    if (fileUri && !provider.fileUri)
      refuse(path, `${provider.id} does not fetch fileUri references; give {url} and the worker fetches it`)
  }
  const encoded = references.reduce((sum, r) => sum + 4 * Math.ceil((r.bytes ?? 0) / 3), 0)
  if (encoded > provider.maxRequestBytes)
    refuse(
      'references',
      `are ${mebibytes(encoded)} together once encoded; ${provider.id} takes ${mebibytes(provider.maxRequestBytes)}`,
      'payload_too_large',
    )
  if (request.temperature !== undefined && request.temperature > provider.maxTemperature)
    refuse('temperature', `${provider.id} takes at most ${provider.maxTemperature}`)
  const level = request.thinking?.level
  // A model without levels takes any of them and heeds none.
  if (level && model.thinking.length > 0 && !model.thinking.some((known) => known === level))
    refuse(
      'thinking.level',
      `${model.short} does not think at ${level}; it thinks at ${model.thinking.join(', ')}`,
    )
  if (request.thinking && provider.thinkingModels && !provider.thinkingModels.includes(model.id))
    refuse(
      'thinking',
      `${provider.id} takes thinking settings for ${provider.thinkingModels.join(', ')} only`,
    )
  return found
}

/** Everything that changes pixels. `references` names each input image by what its bytes are, or will be:
 *  `sha256:<hex>`, `uri:<address>`, or the runner's `fingerprint:<hex>` of an upstream item. */
export type Pixels = Parameters & {
  model: string
  prompt: string
  size?: Size | undefined
  aspect?: string | undefined
  references: readonly string[]
  /** Which of several wanted pictures of the same request, from 1. */
  sample?: number
  /** Digest of the turns of a native call, whose images are named by `references`. */
  conversation?: string | undefined
}

const PARAMETERS = ParametersSchema.keyof().options

/** Canonical JSON: keys sorted, aliases resolved, defaults filled in, so that equal wishes are equal strings. It takes
 *  its members by name: whatever else a caller's object carries changes no pixel. */
export function canonicalForm(pixels: Pixels): string {
  const parameters = Object.fromEntries(PARAMETERS.map((name) => [name, pixels[name]]))
  const { prompt, aspect, references, conversation } = pixels
  const model = findModel(pixels.model)?.id ?? pixels.model
  const sample = pixels.sample === 1 ? undefined : pixels.sample
  const modalities = [...(pixels.modalities ?? ['IMAGE'])].sort()
  const size = pixels.size ?? DEFAULT_SIZE
  // Empty settings set nothing.
  const safetySettings = pixels.safetySettings?.length ? pixels.safetySettings : undefined
  const thinking = Object.keys(pixels.thinking ?? {}).length > 0 ? pixels.thinking : undefined
  const own = { model, prompt, size, aspect, references, modalities, safetySettings, thinking, sample }
  return stableJson({ ...parameters, ...own, conversation })
}

/** Hex SHA-256 of a text's UTF-8 bytes; passed in, because core has no platform. */
export type Sha256 = (text: string) => string

/** SHA-256 of the canonical form. */
export function fingerprint(pixels: Pixels, sha256: Sha256): string {
  return sha256(canonicalForm(pixels))
}

/** JSON with sorted keys and without undefined members. */
export function stableJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(stableJson).join(',')}]`
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${stableJson(member)}`)
  return `{${members.join(',')}}`
}

// What a layer may say of a picture: the fields that defaults, presets, profiles, overrides, items and `--set` share, with
// the words an editor shows. Part of the schema in schema.ts; no transforms here either.
import { z } from 'zod'
import { ASPECTS, MODELS, SIZES } from '../../core/models.ts'
import { FALLBACK_REASONS, ParametersSchema } from '../../core/request.ts'
import { INHERITED } from './merge.ts'
import { RESERVED_NAMES } from './scope.ts'

const NAME = /^[\p{L}_][\p{L}\p{M}\p{N}_-]*$/u
/** A name that `${…}` or `@…` or a flag can use. */
export const Name = z
  .string()
  .regex(NAME, 'is not a name: letters, digits, `_` and `-`, starting with a letter')
/** A name of a var or an axis. */
export const FreeName = Name.refine(
  (name) => !RESERVED_NAMES.includes(name),
  'has a meaning of its own; take another name',
)
const FieldName = z.string().regex(/^[\p{L}\p{M}\p{N}_-]+$/u, 'is not a name: letters, digits, `_` and `-`')

/** A number as text, such as a cell of a spreadsheet: it counts as one where a number belongs. */
export const DECIMAL = /^\s*-?(\d+(\.\d*)?|\.\d+)\s*$/

// Without `abort` a text that is neither passes for a near miss, and the union would tell of this member alone.
const Template = z.string().regex(/\$\{/, { abort: true })
const TemplateOrDecimal = z.string().regex(/\$\{|^\s*-?(\d+(\.\d*)?|\.\d+)\s*$/, { abort: true })
export const Scalar = z.union([z.string(), z.number(), z.boolean()])
const Inherited = z.literal(INHERITED)

// The first member is the one that problems are told of (see `branchOf` in unions.ts).
function orTemplate<T extends z.ZodType>(schema: T) {
  return z.union([schema, Template])
}

function orText<T extends z.ZodType>(schema: T) {
  return z.union([schema, TemplateOrDecimal])
}

/** Fields of a value: `${name.field}`. */
export const Values = z.record(FieldName, Scalar)

export const VarsSchema = z.record(FreeName, z.union([Scalar, Values]))

const as = Name.optional()
  .describe(
    'Its name: `${image.NAME}` in the prompt becomes "image 2", or "images 2 and 3" where it is several.',
  )
  .meta({ examples: ['product'] })

const ofSeveral = {
  max: z
    .int()
    .min(1)
    .optional()
    .describe('Of several pictures the first so many.')
    .meta({ examples: [3] }),
  optional: z.boolean().optional().describe('It is no error when there is none.'),
}

const image = z
  .string()
  .describe('Path, pattern of paths, https URL, or @name of the refs at the top.')
  .meta({ examples: ['./photos/${product}.jpg', './photos/${product}/*.jpg', '@logo'] })

const from = z
  .string()
  .describe('Id of another item, whose picture is used; a pattern of ids takes all that match.')
  .meta({ examples: ['packshot/${product}/front', 'packshot/${product}/*', 'portrait#2'] })

const wait = z
  .literal('pick')
  .optional()
  .describe('`pick`: not before a person has picked one of its samples (proofsheet pick).')

export const ImageReferenceSchema = z.strictObject({ image, as, ...ofSeveral })

export const FromReferenceSchema = z.strictObject({ from, as, ...ofSeveral, wait })

export const NamedImageSchema = z.strictObject({ image, ...ofSeveral })

export const NamedFromSchema = z.strictObject({ from, ...ofSeveral, wait })

const Reference = z.union([
  z
    .string()
    .describe(
      'Path, pattern of paths, https URL, @name of the refs at the top, or "..." for the inherited list.',
    ),
  ImageReferenceSchema,
  FromReferenceSchema,
])

export const FallbackSchema = z.strictObject({
  model: z
    .string()
    .describe('Id, short name or alias of a model.')
    .meta({ examples: MODELS.map((m) => m.short) }),
  provider: z
    .string()
    .optional()
    .describe("Who sells it; default: the item's provider where it sells it.")
    .meta({ examples: ['google'] }),
  on: z
    .array(z.enum(FALLBACK_REASONS))
    .min(1)
    .describe(
      'The endings after which this one is tried; after no_image, refused and uncertain the first try may have been charged already.',
    )
    .meta({ examples: [['unavailable', 'no_image']] }),
})

const { system, temperature, topP, topK, seed, maxOutputTokens, safetySettings, thinking } =
  ParametersSchema.shape
const { category, threshold } = safetySettings.unwrap().element.shape
const safetySetting = z.strictObject({
  category: category
    .describe('A category of harm, as the Gemini API names it.')
    .meta({ examples: ['HARM_CATEGORY_HARASSMENT'] }),
  threshold: threshold.describe('From which probability on an answer is held back.'),
})
const { level, budget } = thinking.unwrap().shape

export const ThinkingSchema = z.strictObject({
  level: orTemplate(level.unwrap())
    .optional()
    .describe('How much the model thinks, as far as it knows levels.')
    .meta({ examples: ['high'] }),
  budget: orText(budget.unwrap())
    .optional()
    .describe('Thinking tokens.')
    .meta({ examples: [1024] }),
})

/** What defaults, presets, profiles, overrides and `--set` may say, in the order of the documentation. */
export const LayerSchema = z.strictObject({
  model: z
    .string()
    .optional()
    .describe('Id, short name or alias of a model; must be said somewhere.')
    .meta({ examples: MODELS.map((m) => m.short) }),
  provider: z
    .string()
    .optional()
    .describe('Who sells it; default: the first configured one that does.')
    .meta({ examples: ['apiyi', 'google'] }),
  prompt: z
    .string()
    .optional()
    .describe('What the picture shows; `file:./prompt.md` reads it from a file.')
    .meta({
      examples: ['Studio packshot of ${product.name}; keep ${image.product} exactly.', 'file:./prompt.md'],
    }),
  refs: z
    .array(Reference)
    .optional()
    .describe('Input images, in the order the prompt counts them; "..." is the inherited list.')
    .meta({ examples: [['@logo', { image: './photos/${product}.jpg', as: 'product' }]] }),
  size: z
    .union([z.string(), z.number()])
    .optional()
    .describe('512 (also 512px, 0.5K), 1K, 2K or 4K; default 1K.')
    .meta({ examples: [...SIZES] }),
  aspect: z
    .string()
    .optional()
    .describe("Width to height; default: the last reference's, else 1:1.")
    .meta({ examples: [...ASPECTS] }),
  samples: orText(z.int().min(1))
    .optional()
    .describe('How many pictures of the same; the second is id#2. Default 1.')
    .meta({ examples: [4] }),
  fallback: z
    .array(z.union([FallbackSchema, Inherited]))
    .optional()
    .describe('What to try instead, in order; "..." is the inherited list.')
    .meta({ examples: [[{ model: 'nano-banana-pro', on: ['unavailable'] }]] }),
  vars: VarsSchema.optional()
    .describe('Names for `${…}`, over those at the top.')
    .meta({ examples: [{ light: 'dusk' }] }),
  metadata: z
    .record(z.string(), Scalar)
    .optional()
    .describe('Kept with the picture and returned as it came; keys up to 64 characters, values up to 512.')
    .meta({ examples: [{ sku: '${product}' }] }),
  tags: z
    .array(z.union([z.string(), z.number()]))
    .optional()
    .describe('Words to select by, as in -s tag:hero; "..." is the inherited list.')
    .meta({ examples: [['hero', '${product.kind}']] }),
  output: z
    .string()
    .min(1)
    .optional()
    .describe('Where the picture is saved, below the output folder, without extension; default: its id.')
    .meta({ examples: ['shop/${product}_${angle}'] }),
  system: system.describe('System text.').meta({ examples: ['You are a product photographer.'] }),
  temperature: orText(temperature.unwrap())
    .optional()
    .describe('0 to 2.')
    .meta({ examples: [0.8] }),
  topP: orText(topP.unwrap())
    .optional()
    .describe('0 to 1.')
    .meta({ examples: [0.95] }),
  topK: orText(topK.unwrap())
    .optional()
    .describe('How many tokens are sampled from.')
    .meta({ examples: [40] }),
  seed: orText(seed.unwrap())
    .optional()
    .describe('Whole number; best effort at the provider.')
    .meta({ examples: [7] }),
  maxOutputTokens: orText(maxOutputTokens.unwrap())
    .optional()
    .describe('Thinking, text and picture together.')
    .meta({ examples: [8192] }),
  safetySettings: z
    .array(z.union([safetySetting, Inherited]))
    .optional()
    .describe('Thresholds by category, as the Gemini API names them; "..." is the inherited list.')
    .meta({ examples: [[{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_ONLY_HIGH' }]] }),
  thinking: ThinkingSchema.optional()
    .describe('How much the model thinks, where it can.')
    .meta({ examples: [{ level: 'high' }] }),
  modalities: z
    .array(z.enum(['IMAGE', 'TEXT', INHERITED]))
    .min(1)
    .optional()
    .describe('What the answer may hold; must include IMAGE; default [IMAGE].')
    .meta({ examples: [['IMAGE', 'TEXT']] }),
})

/** The fields in the order of the documentation. */
export const FIELDS: readonly string[] = Object.keys(LayerSchema.shape)

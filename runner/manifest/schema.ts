// The keys of a manifest and the shape of their values, with the words an editor shows. One schema, two uses: `shape.ts`
// checks with it, and an editor schema is made from it (z.toJSONSchema, target draft-7, io input: no transforms here).
// Whether a name, a model or a file exists is not a matter of shape.
import { z } from 'zod'
import { ASPECTS, MODELS, SIZES } from '../../core/models.ts'
import { FALLBACK_REASONS, ParametersSchema } from '../../core/request.ts'
import { SEGMENT, SEGMENT_RULE } from './matrix.ts'
import { INHERITED } from './merge.ts'
import { RESERVED_NAMES } from './scope.ts'

/** The version this program reads. */
export const MANIFEST_VERSION = 1

const NAME = /^[\p{L}_][\p{L}\p{M}\p{N}_-]*$/u
const Name = z.string().regex(NAME, 'is not a name: letters, digits, `_` and `-`, starting with a letter')
const FreeName = Name.refine((name) => !RESERVED_NAMES.includes(name), 'has a meaning of its own')
const FieldName = z.string().regex(/^[\p{L}\p{M}\p{N}_-]+$/u, 'is not a name: letters, digits, `_` and `-`')
const Segment = z.string().regex(SEGMENT, `cannot be part of an id: ${SEGMENT_RULE}`)

// Without `abort` a text that is no template passes for a near miss, and the union would tell of this member alone.
const Template = z.string().regex(/\$\{/, { abort: true })
const Scalar = z.union([z.string(), z.number(), z.boolean()])
const Inherited = z.literal(INHERITED)

// The first member is the one that problems are told of (see `branchOf` in shape.ts).
function orTemplate<T extends z.ZodType>(schema: T) {
  return z.union([schema, Template])
}

const Values = z.record(FieldName, Scalar)
const Vars = z.record(FreeName, z.union([Scalar, Values]))

export const ImageReferenceSchema = z.strictObject({
  image: z.string().describe('Path, https URL, or @name of the refs at the top.'),
  as: Name.optional().describe('Its name: `${image.NAME}` in the prompt becomes "image 2".'),
})

export const FromReferenceSchema = z.strictObject({
  from: z.string().describe('Id of another item, whose picture is used: packshot/ff-101/front.'),
  as: Name.optional().describe('Its name: `${image.NAME}` in the prompt becomes "image 2".'),
})

const Reference = z.union([
  z.string().describe('Path, https URL, @name of the refs at the top, or "..." for the inherited list.'),
  ImageReferenceSchema,
  FromReferenceSchema,
])

export const FallbackSchema = z.strictObject({
  model: z.string().describe('Id, short name or alias of a model.'),
  provider: z.string().optional().describe("Who sells it; default: the item's provider where it sells it."),
  on: z.array(z.enum(FALLBACK_REASONS)).min(1).describe('The endings after which this one is tried.'),
})

const { system, temperature, topP, topK, seed, maxOutputTokens, safetySettings, thinking } =
  ParametersSchema.shape
const safetySetting = safetySettings.unwrap().element
const { level, budget } = thinking.unwrap().shape

export const ThinkingSchema = z.strictObject({
  level: orTemplate(level.unwrap()).optional(),
  budget: orTemplate(budget.unwrap()).optional().describe('Thinking tokens.'),
})

const FIELDS = {
  model: z
    .string()
    .optional()
    .describe('Id, short name or alias of a model.')
    .meta({ examples: MODELS.map((m) => m.short) }),
  provider: z.string().optional().describe('Who sells it; default: the first configured one that does.'),
  prompt: z.string().optional().describe('What the picture shows; `file:./prompt.md` reads it from a file.'),
  refs: z.array(Reference).optional().describe('Input images, in the order the prompt counts them.'),
  size: z
    .union([z.string(), z.number()])
    .optional()
    .describe('512 (also 512px, 0.5K), 1K, 2K or 4K.')
    .meta({ examples: [...SIZES] }),
  aspect: z
    .string()
    .optional()
    .describe("Width to height; default: the last reference's, else 1:1.")
    .meta({ examples: [...ASPECTS] }),
  samples: z.int().min(1).optional().describe('How many pictures of the same; the second is id#2.'),
  fallback: z
    .array(z.union([FallbackSchema, Inherited]))
    .optional()
    .describe('What to try instead, in order.'),
  vars: Vars.optional().describe('Names for `${…}`, over those at the top.'),
  metadata: z
    .record(z.string(), Scalar)
    .optional()
    .describe('Kept with the picture and returned as it came.'),
  system,
  temperature: orTemplate(temperature.unwrap()).optional().describe('0 to 2.'),
  topP: orTemplate(topP.unwrap()).optional().describe('0 to 1.'),
  topK: orTemplate(topK.unwrap()).optional().describe('How many tokens are sampled from.'),
  seed: orTemplate(seed.unwrap()).optional().describe('Best effort at the provider.'),
  maxOutputTokens: orTemplate(maxOutputTokens.unwrap())
    .optional()
    .describe('Thinking, text and picture together.'),
  safetySettings: z
    .array(z.union([safetySetting, Inherited]))
    .optional()
    .describe('Thresholds by category, as the Gemini API names them.'),
  thinking: ThinkingSchema.optional().describe('How much the model thinks, where it can.'),
  modalities: z
    .array(z.enum(['IMAGE', 'TEXT', INHERITED]))
    .min(1)
    .optional()
    .describe('What the answer may hold; default ["IMAGE"].'),
}

/** What defaults and presets may say. */
export const LayerSchema = z.strictObject(FIELDS)

/** What an item may say. */
export const ItemSchema = z.strictObject({
  ...FIELDS,
  use: z.array(z.string()).optional().describe('Presets, later ones over earlier ones.'),
  matrix: z
    .record(
      FreeName,
      z.union([
        z.array(Scalar).min(1).describe('Values, each a part of the id.'),
        z.record(Segment, z.union([Scalar, Values, z.null()])).describe('Id → value, or id → fields.'),
      ]),
    )
    .optional()
    .describe('Axes: one picture for every combination. The id is item/value/value.'),
})

/** A whole manifest. */
export const ManifestSchema = z
  .strictObject({
    version: z.literal(MANIFEST_VERSION).optional().describe('Version of this format.'),
    name: z.string().min(1).optional().describe('Name of the catalog; default: the name of the file.'),
    vars: Vars.optional().describe('Names for `${…}`. Values may use other names.'),
    refs: z
      .record(Name, z.string())
      .optional()
      .describe('Named references, used as @name: path or https URL.'),
    defaults: LayerSchema.optional().describe('For every item.'),
    presets: z.record(Name, LayerSchema).optional().describe('Named sets of fields, taken up with `use`.'),
    items: z.record(Segment, ItemSchema).describe('The pictures, by id.'),
  })
  .describe('A catalog of pictures for proofsheet.')

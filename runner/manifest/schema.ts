// The keys of a manifest and the shape of their values, with the words an editor shows. One schema, two uses: `shape.ts`
// checks with it, and an editor schema is made from it (z.toJSONSchema, target draft-7, io input: no transforms here).
// Whether a name, a model or a file exists is not a matter of shape.
import { z } from 'zod'
import { fromUsd } from '../../core/money.ts'
import { axisKind } from './axis-kind.ts'
import {
  FreeName,
  LayerSchema,
  Name,
  NamedFromSchema,
  NamedImageSchema,
  Scalar,
  Values,
  VarsSchema,
} from './fields.ts'
import { SEGMENT, SEGMENT_RULE } from './matrix.ts'

/** The version this program reads. */
export const MANIFEST_VERSION = 1

const Segment = z.string().regex(SEGMENT, `cannot be part of an id: ${SEGMENT_RULE}`)

const Usd = z
  .number()
  .min(0)
  .refine(
    (usd) => usd < 0 || fromUsd(usd) !== undefined,
    'has more than six decimals: USD are counted in millionths',
  )

export const BudgetSchema = z.strictObject({
  max: Usd.optional()
    .describe('The most that one run may spend, in USD.')
    .meta({ examples: [60] }),
  per_image: Usd.optional()
    .describe('The most that one picture may cost, all its attempts together, in USD.')
    .meta({ examples: [0.5] }),
  confirm_above: Usd.optional()
    .describe('Up to here a run asks nobody, in USD; default 0.')
    .meta({ examples: [5] }),
})

export const RequestPriceSchema = z.strictObject({
  perRequest: Usd.describe('USD per picture.').meta({ examples: [0.055] }),
})

export const TokenPriceSchema = z.strictObject({
  inputPerMillion: Usd.describe('USD per million tokens that go in.').meta({ examples: [0.5] }),
  textPerMillion: Usd.describe('USD per million tokens of text and thinking that come out.').meta({
    examples: [3],
  }),
  imagePerMillion: Usd.describe('USD per million tokens of picture that come out.').meta({ examples: [60] }),
})

export const TableAxisSchema = z.strictObject({
  table: z
    .string()
    .describe('A table beside the manifest: .csv, .tsv, .jsonl, .ndjson, .json, .yaml. A row is one value.')
    .meta({ examples: ['./products.csv'] }),
  key: z
    .string()
    .optional()
    .describe(
      'The column whose values are parts of the ids; may be left out where the table is a map of id → fields.',
    )
    .meta({ examples: ['sku'] }),
})

export const GlobAxisSchema = z.strictObject({
  glob: z
    .string()
    .min(1)
    .describe(
      "A pattern of files, from the manifest's folder. A file is one value: ${x.path}, .name, .file, .folder, .ext.",
    )
    .meta({ examples: ['./photos/**/*.{jpg,png}'] }),
})

const AxisSchema = z.union([
  z
    .array(Scalar)
    .min(1)
    .describe('Values, each a part of the id.')
    .meta({ examples: [['front', 'top']] }),
  z
    .record(Segment, z.union([Scalar, Values, z.null()]))
    // Without `abort` what is meant as another kind passes for a near miss of this one.
    .refine((map) => axisKind(map) === 'map', { abort: true })
    .describe('Id → value, or id → fields.')
    .meta({ examples: [{ kitchen: { place: 'a pale oak kitchen' } }] }),
  TableAxisSchema,
  GlobAxisSchema,
])

const SkipSchema = z
  .array(
    z
      .record(z.string(), z.union([Scalar, z.array(Scalar).min(1)]))
      .refine((entry) => Object.keys(entry).length > 0, 'is empty'),
  )
  .describe('Cells that are left out: those for which all values of an entry hold.')
  .meta({ examples: [[{ angle: 'top', 'product.kind': ['rug', 'mat'] }]] })

/** What an item may say. */
export const ItemSchema = z.strictObject({
  ...LayerSchema.shape,
  use: z
    .array(z.string())
    .optional()
    .describe('Presets, later ones over earlier ones.')
    .meta({ examples: [['hero']] }),
  matrix: z
    .record(FreeName, AxisSchema)
    .optional()
    .describe('Axes: one picture for every combination. The id is item/value/value.')
    .meta({ examples: [{ product: { table: './products.csv', key: 'sku' }, angle: ['front', 'top'] }] }),
  skip: SkipSchema.optional(),
})

/** A whole manifest. */
export const ManifestSchema = z
  .strictObject({
    version: z
      .literal(MANIFEST_VERSION)
      .optional()
      .describe('Version of this format.')
      .meta({ examples: [1] }),
    name: z
      .string()
      .min(1)
      .optional()
      .describe('Name of the catalog; default: the name of the file.')
      .meta({ examples: ['autumn-catalog'] }),
    budget: BudgetSchema.optional()
      .describe('What a run may spend, in USD. A flag may lower it.')
      .meta({ examples: [{ max: 60, per_image: 0.5, confirm_above: 5 }] }),
    prices: z
      .record(z.string(), z.record(z.string(), z.union([RequestPriceSchema, TokenPriceSchema])))
      .optional()
      .describe('Your own prices, by provider and model, in USD. They replace the built-in ones.')
      .meta({ examples: [{ apiyi: { 'nano-banana-2': { perRequest: 0.05 } } }] }),
    vars: VarsSchema.optional()
      .describe('Names for `${…}`. Values may use other names.')
      .meta({ examples: [{ brand: 'Fern & Fold', light: 'soft north-window light' }] }),
    refs: z
      .record(Name, z.union([z.string(), NamedImageSchema, NamedFromSchema]))
      .optional()
      .describe('Named references, used as @name.')
      .meta({ examples: [{ logo: './brand/logo.png', linen: 'https://cdn.example.com/linen.jpg' }] }),
    defaults: LayerSchema.optional()
      .describe('For every item.')
      .meta({ examples: [{ model: 'nano-banana-2', size: '2K' }] }),
    presets: z
      .record(Name, LayerSchema)
      .optional()
      .describe('Named sets of fields, taken up with `use`.')
      .meta({ examples: [{ hero: { size: '4K', aspect: '16:9' } }] }),
    profiles: z
      .record(Name, LayerSchema)
      .optional()
      .describe(
        'Named sets of fields that `--profile` lays over everything; its pictures stand beside the others.',
      )
      .meta({ examples: [{ draft: { size: '512', samples: 4 } }] }),
    items: z
      .record(Segment, ItemSchema)
      .describe('The pictures, by id.')
      .meta({ examples: [{ pear: { prompt: 'One ripe pear on a folded grey linen napkin.' } }] }),
    overrides: z
      .record(z.string().min(1), LayerSchema)
      .optional()
      .describe('Exceptions, by pattern of ids; later ones over earlier ones.')
      .meta({ examples: [{ 'packshot/ff-201/*': { aspect: '1:1' } }] }),
  })
  .describe('A catalog of pictures for proofsheet.')

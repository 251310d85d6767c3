// What the worker's own API says: schemas of its answers and problems. The request's schema is in request.ts.
import { z } from 'zod'
import { REFERENCE_TYPES } from './models.ts'
import { OUTCOMES } from './outcome.ts'
import { ReferenceTypeSchema, RequestSchema, Sha256Schema } from './request.ts'

/** Every problem a caller can meet; clients branch on `code` alone. The number is the HTTP status. */
export const PROBLEMS = {
  invalid_json: 400,
  invalid_request: 400,
  invalid_key: 400,
  unauthorised: 401,
  max_cost_exceeded: 402,
  budget_exceeded: 402,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  not_cancellable: 409,
  gone: 410,
  payload_too_large: 413,
  unsupported_media_type: 415,
  digest_mismatch: 422,
  key_reused: 422,
  reference_not_found: 422,
  reference_unreachable: 422,
  unknown_model: 422,
  unknown_provider: 422,
  not_sold: 422,
  not_configured: 422,
  unsupported: 422,
  too_many_requests: 429,
  internal: 500,
  misconfigured: 500,
  unavailable: 503,
} as const
export type ProblemCode = keyof typeof PROBLEMS

/** What a budget is counted over, in UTC. */
export const BUDGET_PERIODS = ['day', 'month', 'total'] as const
export type BudgetPeriod = (typeof BUDGET_PERIODS)[number]

const Charged = z.enum(['no', 'yes', 'unknown'])
const Usd = z.number().nullable().describe('USD; null when it is not known.')
const Instant = z.iso.datetime()

/** RFC 9457 problem. */
export const ProblemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string().describe('What happened, where, and what to do.'),
    code: z.enum(Object.keys(PROBLEMS) as [ProblemCode, ...ProblemCode[]]),
    charged: Charged.describe('`unknown` only after a bug in a call that buys: send the same key again.'),
    retryAfterMs: z.number().nullable(),
    requestId: z.string().describe("The worker's log has it too."),
    errors: z
      .array(z.object({ path: z.string(), message: z.string() }))
      .optional()
      .describe('What is wrong, field by field.'),
    budget: z
      .object({
        period: z.enum(BUDGET_PERIODS),
        limit: z.number().describe('USD'),
        committed: z.number().describe('USD that are spent, or held for pictures under way.'),
        remaining: z.number().describe('USD'),
      })
      .optional()
      .describe('Which limit of the token was reached, with `budget_exceeded`.'),
  })
  .meta({ id: 'Problem', description: 'What was not accepted (RFC 9457). Branch on `code`.' })
export type ProblemView = z.output<typeof ProblemSchema>

export const ImageSchema = z
  .object({
    url: z.string(),
    mimeType: z.enum(REFERENCE_TYPES),
    bytes: z.int(),
    width: z.int().nullable().describe('Pixels, read from the bytes.'),
    height: z.int().nullable(),
    sha256: Sha256Schema,
    thought: z
      .literal(true)
      .optional()
      .describe('The last picture of the thinking: the answer held no other.'),
    deletedAt: Instant.optional().describe(
      'Deleted by the retention of this worker: its address answers 410.',
    ),
  })
  .meta({ id: 'Image', description: 'A stored picture.' })
export type ImageView = z.output<typeof ImageSchema>

export const AttemptSchema = z
  .object({
    provider: z.string(),
    model: z.string(),
    startedAt: Instant,
    ms: z.number(),
    outcome: z.enum(OUTCOMES).nullable().describe('null while it runs.'),
    charged: Charged,
    cost: Usd,
    message: z.string().nullable().describe("The provider's words when there is no picture."),
    requestId: z.string().nullable().optional().describe("The provider's own id of the call."),
  })
  .meta({ id: 'Attempt', description: 'One call of a provider.' })

export const STATUSES = [
  'queued',
  'running',
  'succeeded',
  'refused',
  'failed',
  'uncertain',
  'cancelled',
] as const
export type Status = (typeof STATUSES)[number]

/** Statuses that do not change any more. */
export function isEnded(status: Status): boolean {
  return status !== 'queued' && status !== 'running'
}

export const GenerationSchema = z
  .object({
    id: z.string(),
    status: z.enum(STATUSES),
    provider: z.string().describe('Who made it, or is asked to.'),
    model: z.string().describe('Canonical id of the model that made it, or is asked to.'),
    emulated: z.boolean().describe('Drawn by the emulator; nothing was bought.'),
    image: z.union([ImageSchema, z.null()]),
    moreImages: z
      .array(ImageSchema)
      .describe('Further finished pictures of the same answer, and of calls that were given up before it.'),
    text: z.string().nullable(),
    finishReason: z.string().nullable(),
    error: z
      .object({ code: z.enum(OUTCOMES), message: z.string() })
      .nullable()
      .describe('Why there is no picture.'),
    cost: z.object({
      estimated: Usd,
      atMost: Usd,
      actual: Usd,
      difference: Usd.describe('actual − estimated'),
      currency: z.literal('USD'),
      basis: z.string().describe('The price row and its date.'),
    }),
    attempts: z.array(AttemptSchema),
    usage: z.record(z.string(), z.unknown()).nullable(),
    request: z
      .record(z.string(), z.unknown())
      .describe(
        'As it was understood: aliases resolved, references by digest. It may be sent again as it is.',
      ),
    metadata: z.record(z.string(), z.string()),
    token: z.string().optional().describe('Id of the token that asked for it.'),
    batch: z.string().optional().describe('Id of the batch that it belongs to.'),
    paused: z
      .literal(true)
      .optional()
      .describe('It waits because the operator has paused this worker: nothing is sent meanwhile.'),
    createdAt: Instant,
    finishedAt: Instant.nullable(),
  })
  .meta({ id: 'Generation', description: 'One wanted picture, and how far it is.' })
export type GenerationView = z.output<typeof GenerationSchema>

export const GenerationListSchema = z
  .object({
    generations: z.array(GenerationSchema),
    cursor: z.string().nullable().describe('Pass it as ?cursor= for the next page; null at the end.'),
  })
  .meta({ id: 'GenerationList' })

export const StoredReferenceSchema = z
  .object({
    sha256: Sha256Schema,
    mimeType: ReferenceTypeSchema,
    bytes: z.int(),
  })
  .meta({ id: 'StoredReference', description: 'An input image that is stored.' })
export type StoredReference = z.output<typeof StoredReferenceSchema>

/** `POST /api/estimate`: one request or many, each with the key it would be sent with. */
const Estimated = RequestSchema.extend({
  key: z.string().optional().describe('The Idempotency-Key it would be sent with.'),
}).meta({ id: 'EstimatedRequest' })
export const EstimateRequestSchema = z
  .union([z.strictObject({ requests: z.array(Estimated).min(1).max(10_000) }), Estimated])
  .meta({ id: 'EstimateRequest', description: 'One request, or many.' })

export const EstimateSchema = z
  .object({
    expected: Usd,
    atMost: Usd,
    currency: z.literal('USD'),
    unknown: z.array(z.string()).describe('What has no price; the sums do not hold it.'),
    requests: z.array(
      z.object({
        provider: z.string(),
        model: z.string(),
        expected: Usd,
        atMost: Usd,
        unknown: z.array(z.string()),
        existing: z
          .object({ id: z.string(), status: z.enum(STATUSES) })
          .nullable()
          .describe('The generation that has this key already; sending it again buys nothing.'),
      }),
    ),
    emulated: z.boolean(),
    pricesAsOf: z.string(),
  })
  .meta({ id: 'Estimate', description: 'What requests would cost.' })
export type EstimateView = z.output<typeof EstimateSchema>

const Price = z
  .union([
    z.object({ unit: z.literal('request'), usd: z.number() }),
    z.object({
      unit: z.literal('token'),
      inputPerMillionUsd: z.number(),
      textPerMillionUsd: z.number(),
      imagePerMillionUsd: z.number(),
    }),
  ])
  .nullable()

export const ModelsSchema = z
  .object({
    emulated: z.boolean(),
    defaultProvider: z.string().nullable(),
    pricesAsOf: z.string(),
    providers: z
      .array(
        z.object({
          id: z.string(),
          name: z.string(),
          configured: z.boolean().describe('There is a key, or the emulator stands in.'),
          fileUri: z.boolean().describe('Whether it fetches {fileUri} references itself.'),
          maxTemperature: z.number(),
          maxRequestBytes: z.int().describe('Base64 included.'),
          thinkingModels: z
            .array(z.string())
            .nullable()
            .describe('Models that take thinking settings; null: all.'),
        }),
      )
      .describe('In the order in which a request without a provider tries them.'),
    models: z.array(
      z.object({
        id: z.string(),
        short: z.string(),
        name: z.string(),
        aliases: z.array(z.string()),
        lifecycle: z.record(z.string(), z.string()),
        sizes: z.array(z.string()),
        aspects: z.array(z.string()),
        references: z.object({
          max: z.int(),
          objects: z.int().optional(),
          people: z.int().optional(),
          style: z.int().optional(),
          types: z.array(z.string()),
          maxBytes: z.int(),
        }),
        providers: z.array(
          z.object({
            id: z.string(),
            wireId: z.string(),
            price: Price,
            perPicture: z
              .record(z.string(), Usd)
              .describe('Expected USD of one picture by size, without references.'),
            source: z.string().nullable(),
            checkedOn: z.string().nullable(),
          }),
        ),
      }),
    ),
  })
  .meta({ id: 'Models', description: 'The catalogue.' })
export type ModelsView = z.output<typeof ModelsSchema>

export const HealthSchema = z
  .object({
    ok: z.literal(true),
    emulated: z.boolean().describe('The emulator stands in for the providers; nothing is bought.'),
    paused: z.boolean().describe('The operator has paused it: what is accepted stays queued.'),
  })
  .meta({ id: 'Health' })

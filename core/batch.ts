// Batches as the API speaks of them: many requests handed over at once, made without their caller staying connected.
import { z } from 'zod'
import { GenerationSchema, PROBLEMS, type ProblemCode, STATUSES } from './api.ts'
import { OUTCOMES } from './outcome.ts'
import { ReferenceSchema, RequestSchema } from './request.ts'

/** Most lines of a batch. */
export const MAX_BATCH_LINES = 10_000

const MADE_HERE = z
  .strictObject({ key: z.string() })
  .describe('The picture of an earlier line of this batch, by its key; this one waits for it.')

export const BatchLineSchema = RequestSchema.extend({
  key: z
    .string()
    .regex(/^[\x21-\x7e]{1,255}$/, '1 to 255 visible ASCII characters')
    .optional()
    .describe('Idempotency-Key of the generation. Default: the id of the batch and the number of the line.'),
  references: z
    .array(z.union([...ReferenceSchema.options, MADE_HERE]))
    .max(100)
    .optional()
    .describe('As in a request, except {data}: upload images first.'),
}).meta({ id: 'BatchLine', description: 'A request of a batch.' })
export type BatchLine = z.output<typeof BatchLineSchema>

export const BatchRequestSchema = z
  .strictObject({
    requests: z.array(BatchLineSchema).min(1).max(MAX_BATCH_LINES),
    webhook: RequestSchema.shape.webhook.describe('Told when all has ended.'),
    metadata: RequestSchema.shape.metadata,
  })
  .meta({ id: 'BatchRequest', description: 'Up to 10,000 requests; or the same as NDJSON, one a line.' })

const Usd = z.number().nullable()
const Instant = z.iso.datetime()

export const BatchSchema = z
  .object({
    id: z.string(),
    status: z
      .enum(['running', 'cancelling', 'ended'])
      .describe('`cancelling`: what is being made already is still waited for.'),
    total: z.int(),
    counts: z
      .object({
        waiting: z.int().describe('Not handed over yet, or waiting for the picture of another line.'),
        ...(Object.fromEntries(STATUSES.map((status) => [status, z.int()])) as Record<
          (typeof STATUSES)[number],
          z.ZodInt
        >),
      })
      .describe('Lines by status; together they are `total`.'),
    cost: z.object({
      estimated: Usd.describe('USD of all lines; null when a price is not known.'),
      atMost: Usd,
      actual: z.number().describe('USD that are spent so far, as far as known.'),
      uncertain: z
        .int()
        .describe('Calls of which nobody can say whether they were charged, or for how much.'),
      currency: z.literal('USD'),
    }),
    metadata: z.record(z.string(), z.string()),
    createdAt: Instant,
    cancelledAt: Instant.nullable(),
    finishedAt: Instant.nullable(),
  })
  .meta({ id: 'Batch', description: 'Many generations, and how far they are.' })
export type BatchView = z.output<typeof BatchSchema>

export const BatchListSchema = z
  .object({
    batches: z.array(BatchSchema),
    cursor: z.string().nullable().describe('Pass it as ?cursor= for the next page; null at the end.'),
  })
  .meta({ id: 'BatchList' })

const CODES = [...Object.keys(PROBLEMS), ...OUTCOMES] as (ProblemCode | (typeof OUTCOMES)[number])[]

export const BatchResultSchema = z
  .object({
    seq: z
      .int()
      .describe(
        'The order in which lines ended, from 1: pass the highest as `after`. A line that is corrected comes again with a higher one: the last counts.',
      ),
    line: z.int().describe('From 1, as handed over.'),
    key: z.string(),
    generation: z.union([GenerationSchema, z.null()]).describe('null: it never came to one.'),
    error: z
      .object({ code: z.enum(CODES as [string, ...string[]]), message: z.string() })
      .nullable()
      .describe('Why there is no generation.'),
  })
  .meta({ id: 'BatchResult', description: 'A line that has ended.' })
export type BatchResult = z.output<typeof BatchResultSchema>

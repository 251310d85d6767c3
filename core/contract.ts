// Every call of the worker's own API: its method and path, what it takes and what it answers. The worker declares its
// routes from this table, /openapi.json is made of it and the runner calls by it, so that none of them can change alone.
// What a call means, in words, is told where it is handled.
import { z } from 'zod'
import { NewTokenSchema, TokenListSchema, TokenRequestSchema, TokenSchema } from './accounts.ts'
import {
  EstimateRequestSchema,
  EstimateSchema,
  GenerationListSchema,
  GenerationSchema,
  HealthSchema,
  ModelsSchema,
  STATUSES,
  StoredReferenceSchema,
} from './api.ts'
import {
  BatchLineSchema,
  BatchListSchema,
  BatchRequestSchema,
  BatchResultSchema,
  BatchSchema,
} from './batch.ts'
import { RequestSchema, Sha256Schema } from './request.ts'
import { USAGE_BY, UsageReportSchema } from './usage.ts'

/** Version of the API, which is that of the project. */
export const API_VERSION = '0.1.0'

/** Longest time a call may wait for its picture, in seconds: below what proxies between us cut off. */
export const MAX_WAIT_S = 600

/** One call. Its answers have one schema whatever their status; `image` stands for the bytes of an image. */
export type Endpoint = {
  method: 'get' | 'post' | 'put' | 'delete'
  /** OpenAPI's form: `{name}` is a parameter. */
  path: string
  request?: { params?: z.ZodObject; query?: z.ZodObject; headers?: z.ZodObject }
  body?: z.ZodType | 'image'
  /** The body may also be NDJSON: one of these a line. */
  bodyLines?: z.ZodType
  /** Statuses of what is no problem. */
  statuses: readonly number[]
  answer: z.ZodType | 'image'
  /** The answer is NDJSON: one `answer` a line. */
  inLines?: true
  /** HEAD is answered as well, without a body. */
  head?: true
  /** No token is asked for. */
  open?: true
}

const idOf = (prefix: string, example: string) => ({
  params: z.object({ id: z.string().meta({ examples: [`${prefix}_${example}`] }) }),
})
const GENERATION_ID = idOf('gen', '7k2m9q4x1c8v5b3n6z0w2r4t8y')
const BATCH_ID = idOf('bat', '3f8s1d6g9h2j4k7m0n5p8q1r6t')

const SPAN = {
  from: z.string().optional().describe('From this day or instant on: ISO 8601, a day in UTC.'),
  to: z.string().optional().describe('Before this instant, or through this day.'),
}

/** A page of a list. */
const PAGE = {
  cursor: z.string().optional().describe('The `cursor` of the page before.'),
  limit: z
    .string()
    .optional()
    .describe('Entries of a page.')
    .meta({ type: 'integer', minimum: 1, maximum: 100, default: 20 }),
}

/** Whose list or sums. */
const WORKSPACE = {
  workspace: z
    .string()
    .optional()
    .describe('Of this workspace; for ADMIN_TOKEN. Default: that of the token.'),
}

// Parameters and headers are text, and read as such; what stands in `meta` says which text is understood.
const bySha256 = { params: z.object({ sha256: Sha256Schema }) }

export const CONTRACT = {
  makeGeneration: {
    method: 'post',
    path: '/api/generations',
    request: {
      headers: z.object({
        'idempotency-key': z
          .string()
          .optional()
          .describe(
            'Makes the request safe to repeat: the same key is the same generation. 1 to 255 visible ASCII characters, bare or as a quoted string.',
          )
          .meta({ examples: ['"8e03978e-40d5-43e8-bc93-6894a57f9324"'] }),
        prefer: z
          .string()
          .optional()
          .describe(
            `\`wait=N\`: seconds to wait for the picture, at most ${MAX_WAIT_S}; \`respond-async\`: none. Default: 100.`,
          )
          .meta({ examples: ['wait=60'] }),
        'x-proofsheet-shield': z
          .string()
          .optional()
          .describe(
            '`off`: a request without a key is a new purchase even right after one like it was paid for and brought no picture.',
          ),
      }),
    },
    body: RequestSchema,
    statuses: [201, 202],
    answer: GenerationSchema,
  },
  listGenerations: {
    method: 'get',
    path: '/api/generations',
    request: {
      query: z.object({
        status: z
          .string()
          .optional()
          .describe(`Only these; comma-separated: ${STATUSES.join(', ')}.`)
          .meta({ examples: ['succeeded,refused'] }),
        model: z.string().optional().describe('Only of this model: id, short name or alias.'),
        provider: z.string().optional().describe('Only of this provider.'),
        token: z
          .string()
          .regex(/^(admin|tok_[0-9a-z]+)$/, 'must be the id of a token: tok_…, or admin')
          .optional()
          .describe('Only what this token asked for, by its id; `admin` is ADMIN_TOKEN.'),
        batch: z
          .string()
          .regex(/^bat_[0-9a-z]+$/, 'must be the id of a batch: bat_…')
          .optional()
          .describe('Only of this batch.'),
        ...WORKSPACE,
        ...SPAN,
        ...PAGE,
      }),
    },
    statuses: [200],
    answer: GenerationListSchema,
  },
  readGeneration: {
    method: 'get',
    path: '/api/generations/{id}',
    request: {
      ...GENERATION_ID,
      query: z.object({
        wait: z
          .string()
          .optional()
          .describe('Seconds to wait for its end.')
          .meta({ type: 'number', minimum: 0, maximum: MAX_WAIT_S, default: 0 }),
      }),
    },
    statuses: [200],
    answer: GenerationSchema,
  },
  cancelGeneration: {
    method: 'post',
    path: '/api/generations/{id}/cancel',
    request: GENERATION_ID,
    statuses: [200],
    answer: GenerationSchema,
  },
  makeBatch: {
    method: 'post',
    path: '/api/batches',
    request: {
      headers: z.object({
        'idempotency-key': z
          .string()
          .optional()
          .describe('Makes it safe to repeat: the same key is the same batch.'),
      }),
      query: z.object({
        webhook: z
          .string()
          .optional()
          .describe(
            'Told when all has ended; https, public hosts only. For NDJSON; JSON has a member for it.',
          ),
        metadata: z
          .string()
          .optional()
          .describe('A JSON object of texts. For NDJSON; JSON has a member for it.'),
      }),
    },
    body: BatchRequestSchema,
    bodyLines: BatchLineSchema,
    statuses: [201],
    answer: BatchSchema,
  },
  listBatches: {
    method: 'get',
    path: '/api/batches',
    request: { query: z.object({ ...WORKSPACE, ...PAGE }) },
    statuses: [200],
    answer: BatchListSchema,
  },
  readBatch: {
    method: 'get',
    path: '/api/batches/{id}',
    request: BATCH_ID,
    statuses: [200],
    answer: BatchSchema,
  },
  batchResults: {
    method: 'get',
    path: '/api/batches/{id}/results',
    request: {
      ...BATCH_ID,
      query: z.object({
        after: z
          .string()
          .optional()
          .describe('Only what ended after the result with this `seq`.')
          .meta({ type: 'integer', minimum: 0, default: 0 }),
        wait: z
          .string()
          .optional()
          .describe('Seconds to go on telling results as they come; it ends earlier when all has ended.')
          .meta({ type: 'number', minimum: 0, maximum: MAX_WAIT_S, default: 0 }),
      }),
    },
    statuses: [200],
    answer: BatchResultSchema,
    inLines: true,
  },
  cancelBatch: {
    method: 'post',
    path: '/api/batches/{id}/cancel',
    request: BATCH_ID,
    statuses: [200],
    answer: BatchSchema,
  },
  usage: {
    method: 'get',
    path: '/api/usage',
    request: {
      query: z.object({
        ...SPAN,
        by: z
          .string()
          .optional()
          .describe(`What a row stands for: ${USAGE_BY.join(', ')}.`)
          .meta({ enum: [...USAGE_BY], default: 'day' }),
        ...WORKSPACE,
        cursor: PAGE.cursor,
      }),
    },
    statuses: [200],
    answer: UsageReportSchema,
  },
  makeToken: {
    method: 'post',
    path: '/api/tokens',
    body: TokenRequestSchema,
    statuses: [201],
    answer: NewTokenSchema,
  },
  listTokens: {
    method: 'get',
    path: '/api/tokens',
    request: { query: z.object(PAGE) },
    statuses: [200],
    answer: TokenListSchema,
  },
  revokeToken: {
    method: 'delete',
    path: '/api/tokens/{id}',
    request: idOf('tok', '5h2k8m1n4p'),
    statuses: [200],
    answer: TokenSchema,
  },
  storeReference: {
    method: 'post',
    path: '/api/references',
    body: 'image',
    statuses: [201],
    answer: StoredReferenceSchema,
  },
  putReference: {
    method: 'put',
    path: '/api/references/{sha256}',
    request: bySha256,
    body: 'image',
    statuses: [200, 201],
    answer: StoredReferenceSchema,
  },
  readReference: {
    method: 'get',
    path: '/api/references/{sha256}',
    request: bySha256,
    statuses: [200],
    answer: 'image',
    head: true,
  },
  estimate: {
    method: 'post',
    path: '/api/estimate',
    body: EstimateRequestSchema,
    statuses: [200],
    answer: EstimateSchema,
  },
  models: { method: 'get', path: '/api/models', statuses: [200], answer: ModelsSchema },
  readImage: {
    method: 'get',
    path: '/images/{file}',
    request: {
      params: z.object({
        file: z
          .string()
          .describe('The name of a stored picture: 128 random bits and the extension of its type.')
          .meta({ examples: ['4t9v2k7c1m8x5q3z6b0n2w4r8y.png'] }),
      }),
    },
    statuses: [200],
    answer: 'image',
    head: true,
    open: true,
  },
  health: { method: 'get', path: '/healthz', statuses: [200], answer: HealthSchema, open: true },
} as const satisfies Record<string, Endpoint>

type ParamsOf<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? { [name in Name]: string } & ParamsOf<Rest>
  : unknown

type RequestOf<E> = E extends { request: infer R } ? R : unknown
type QueryOf<E> =
  RequestOf<E> extends { query: infer Q extends z.ZodObject } ? { query?: z.input<Q> } : unknown
type HeadersOf<E> =
  RequestOf<E> extends { headers: infer H extends z.ZodObject } ? { headers?: z.input<H> } : unknown
type BodyOf<E> = E extends { body: infer B }
  ? { body: B extends z.ZodType ? z.input<B> : { mimeType: string; bytes: Uint8Array } }
  : unknown

/** What a call of an endpoint is given. */
export type CallOf<E extends Endpoint> = (ParamsOf<E['path']> extends infer P
  ? unknown extends P
    ? unknown
    : { params: P }
  : never) &
  QueryOf<E> &
  HeadersOf<E> &
  BodyOf<E>

/** What it answers, once parsed. */
export type AnswerOf<E extends Endpoint> = E['answer'] extends z.ZodType ? z.output<E['answer']> : never

/** Path and query of a call. */
export function addressOf(
  { path }: Pick<Endpoint, 'path'>,
  {
    params = {},
    query = {},
  }: { params?: Record<string, string>; query?: Record<string, string | undefined> },
): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name]!))
  const asked = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`],
  )
  return asked.length > 0 ? `${filled}?${asked.join('&')}` : filled
}

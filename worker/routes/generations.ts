// /api/generations: make a picture, look at one, list them. Parses, asks the Generation object, answers; the call to a
// provider is the object's alone.
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { GenerationListSchema, GenerationSchema, isEnded, STATUSES } from '../../core/api.ts'
import { findModel } from '../../core/models.ts'
import { RequestSchema } from '../../core/request.ts'
import type { AppEnv } from '../env.ts'
import { accept, imagesUrlOf, readGeneration, waitFor } from '../generation/ask.ts'
import { listGenerations } from '../generation/listing.ts'
import type { GenerationRecord } from '../generation/record.ts'
import { viewOf } from '../generation/view.ts'
import { idempotencyKey, MAX_WAIT_S, parse, preferredWait } from '../http/input.ts'
import { Problem } from '../http/problem.ts'
import { readWithReferences } from '../references/inline.ts'

/** Seconds a POST waits for its picture without `Prefer`. */
const DEFAULT_WAIT_S = 100

/** What `Retry-After` advises for a picture that is not ready, in seconds. */
const POLL_AFTER_S = 5

const json = <S extends z.ZodType>(schema: S, description: string) => ({
  description,
  content: { 'application/json': { schema } },
})

const create = createRoute({
  method: 'post',
  path: '/',
  summary: 'Make one picture',
  request: {
    headers: z.object({ 'idempotency-key': z.string().optional(), prefer: z.string().optional() }),
  },
  responses: {
    201: json(GenerationSchema, 'It has ended: with a picture, or with the reason why there is none.'),
    202: json(GenerationSchema, 'Not yet: ask `Location` again after `Retry-After` seconds.'),
  },
})

const list = createRoute({
  method: 'get',
  path: '/',
  summary: 'The newest generations first',
  request: {
    query: z.object({
      status: z
        .string()
        .optional()
        .describe(`Comma-separated: ${STATUSES.join(', ')}`),
      model: z.string().optional(),
      provider: z.string().optional(),
      cursor: z.string().optional(),
      limit: z.string().optional().describe('1 to 100, default 20'),
      key: z.string().optional(),
    }),
  },
  responses: { 200: json(GenerationListSchema, 'A page of generations.') },
})

const read = createRoute({
  method: 'get',
  path: '/{id}',
  summary: 'One generation',
  request: {
    params: z.object({ id: z.string() }),
    query: z.object({
      wait: z.string().optional().describe('Seconds to wait for its end.'),
      key: z.string().optional(),
    }),
  },
  responses: { 200: json(GenerationSchema, 'As it is now.') },
})

export const generations = new OpenAPIHono<AppEnv>({
  defaultHook(result) {
    if (result.success) return
    // Parameters are text, and checked below: all that can be wrong of them here is that one came twice.
    const names = result.error.issues.map((issue) => issue.path.join('.'))
    throw new Problem('invalid_request', `${names.join(', ')}: given more than once`)
  },
})
  .openapi(create, async (c) => {
    const { workspace } = c.var
    const key = idempotencyKey(c.req.header('idempotency-key'))
    const { seconds, applied } = preferredWait(c.req.header('prefer'), DEFAULT_WAIT_S)
    const body = await readWithReferences(c.req.raw.body, c.env.BUCKET, workspace)
    const request = parse(RequestSchema, body)
    const accepted = await accept(c, { request, key })
    const record = await waitFor(c, accepted.record, seconds)
    const ended = isEnded(record.status)
    c.header('location', `/api/generations/${record.id}`)
    if (applied) c.header('preference-applied', applied)
    if (accepted.replayed) c.header('idempotent-replayed', 'true')
    if (!ended) c.header('retry-after', String(POLL_AFTER_S))
    return c.json(view(c, record), ended ? 201 : 202)
  })
  .openapi(list, async (c) => {
    const query = c.req.valid('query')
    const limit = Number(query.limit ?? 20)
    if (!Number.isInteger(limit) || limit < 1 || limit > 100)
      throw new Problem('invalid_request', 'limit: a whole number from 1 to 100')
    const statuses = z.object({ status: z.enum(STATUSES) })
    const status = query.status?.split(',').map((s) => parse(statuses, { status: s.trim() }).status)
    const { records, cursor } = await listGenerations(c.env.DB, c.var.workspace, {
      status,
      model: query.model === undefined ? undefined : (findModel(query.model)?.id ?? query.model),
      provider: query.provider,
      cursor: query.cursor,
      limit,
    })
    return c.json({ generations: records.map((record) => view(c, record)), cursor }, 200)
  })
  .openapi(read, async (c) => {
    const { id } = c.req.valid('param')
    const { wait = '0' } = c.req.valid('query')
    const seconds = Number(wait)
    if (!Number.isFinite(seconds) || seconds < 0 || seconds > MAX_WAIT_S)
      throw new Problem('invalid_request', `wait: seconds, 0 to ${MAX_WAIT_S}`)
    const record = await readGeneration(c, id)
    if (!record) throw new Problem('not_found', `there is no generation ${id}`)
    return c.json(view(c, await waitFor(c, record, seconds)), 200)
  })

function view(c: Context<AppEnv>, record: GenerationRecord) {
  return viewOf(record, imagesUrlOf(c), Date.now())
}

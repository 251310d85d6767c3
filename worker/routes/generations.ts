// /api/generations: make a picture, look at one, list them. Parses, asks the Generation object, answers; the call to a
// provider is the object's alone.
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { GenerationListSchema, GenerationSchema, isEnded, STATUSES } from '../../core/api.ts'
import { findModel } from '../../core/models.ts'
import { type GenerationRequest, RequestSchema } from '../../core/request.ts'
import type { AppEnv } from '../env.ts'
import { listGenerations } from '../generation/listing.ts'
import { generationId, randomName } from '../generation/name.ts'
import type { Ensured } from '../generation/object.ts'
import type { GenerationRecord, Wish } from '../generation/record.ts'
import { viewOf } from '../generation/view.ts'
import { askedOf, checkLimits, findRoutes, wishOf } from '../generation/wish.ts'
import { idempotencyKey, MAX_WAIT_S, parse, preferredWait } from '../http/input.ts'
import { Problem } from '../http/problem.ts'
import { readWithReferences } from '../references/inline.ts'
import { resolveReferences } from '../references/resolve.ts'

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
    const id = generationId(workspace, key ?? randomName())
    const wish = await wishOrRecord(c, id, request, key !== undefined)
    const ensured: Ensured = 'status' in wish ? { kind: 'existing', record: wish } : await ensure(c, wish)
    if (ensured.kind === 'key_reused')
      throw new Problem(
        'key_reused',
        'this Idempotency-Key was used for another request; use a new key for a new picture',
      )
    const record = await waitFor(c, ensured.record, seconds)
    const ended = isEnded(record.status)
    c.header('location', `/api/generations/${id}`)
    if (applied) c.header('preference-applied', applied)
    if (ensured.kind === 'existing') c.header('idempotent-replayed', 'true')
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

/** The wish of a request, or the record that it has already: a repeated request gets its answer whatever has become of
 *  its references and prices. Without references a wish is made of what is at hand, and the object itself knows what is
 *  repeated; so there it is asked for its record only when there is no wish. */
async function wishOrRecord(
  c: Context<AppEnv>,
  id: string,
  request: GenerationRequest,
  isKeyed: boolean,
): Promise<Wish | GenerationRecord> {
  const repeated = async () => {
    const record = isKeyed ? await readGeneration(c, id) : undefined
    return record?.asked === askedOf(request) ? record : undefined
  }
  if (request.references?.length) return (await repeated()) ?? (await prepare(c, id, request))
  try {
    return await prepare(c, id, request)
  } catch (problem) {
    const record = await repeated()
    if (record) return record
    throw problem
  }
}

/** Checks a request and fetches what it is made from, while a refusal still costs nothing. */
async function prepare(c: Context<AppEnv>, id: string, request: GenerationRequest): Promise<Wish> {
  const { workspace, market } = c.var
  const references = request.references ?? []
  // Their number first: nothing is fetched for a request that has too many.
  checkLimits(
    request,
    references.map(() => ({})),
    findRoutes(market, request),
  )
  const inputs = await resolveReferences(references, workspace, {
    bucket: c.env.BUCKET,
    fetch: (input, init) => fetch(input, init),
    generation: (reference) => readGeneration(c, reference),
  })
  return wishOf(id, workspace, request, inputs, market, Date.now())
}

/** Tries of a call to an object that may be restarting. */
const TRIES = 3

/** Hands the wish to its object. It may have been taken although its answer was lost, so it is handed over again: the
 *  same wish is never carried out twice. */
async function ensure(c: Context<AppEnv>, wish: Wish): Promise<Ensured> {
  for (let tries = 1; ; tries++) {
    try {
      return await stub(c, wish.id).ensure(wish)
    } catch (error) {
      if (tries === TRIES) throw error
    }
  }
}

/** The record of a generation of this workspace. */
async function readGeneration(c: Context<AppEnv>, id: string): Promise<GenerationRecord | undefined> {
  if (!/^gen_[0-9a-z]{26}$/.test(id)) return undefined
  const record = await stub(c, id).read()
  return record?.workspace === c.var.workspace ? record : undefined
}

/** The record when it has ended, or after at most `seconds`. */
async function waitFor(
  c: Context<AppEnv>,
  record: GenerationRecord,
  seconds: number,
): Promise<GenerationRecord> {
  if (isEnded(record.status) || seconds === 0) return record
  try {
    return (await stub(c, record.id).wait(seconds * 1_000)) ?? record
  } catch {
    // The object was moved or restarted while we waited. Its alarm goes on; the caller asks again.
    return record
  }
}

function stub(c: Context<AppEnv>, id: string) {
  // Google refuses calls that leave from some countries: objects are made where calls are accepted.
  const locationHint = c.env.LOCATION_HINT ?? 'enam'
  return c.env.GENERATION.get(c.env.GENERATION.idFromName(id), { locationHint })
}

function view(c: Context<AppEnv>, record: GenerationRecord) {
  const base = c.env.PUBLIC_BASE_URL ?? `${new URL(c.req.url).origin}/images`
  return viewOf(record, base.replace(/\/+$/, ''), Date.now())
}

// /api/generations: make a picture, look at one, list them, cancel one. Parses, asks the Generation object, answers; the call to a
// provider is the object's alone.
import type { Context } from 'hono'
import { z } from 'zod'
import { isEnded, STATUSES } from '../../core/api.ts'
import { CONTRACT } from '../../core/contract.ts'
import { findModel } from '../../core/models.ts'
import { RequestSchema } from '../../core/request.ts'
import { askerOf } from '../asker.ts'
import { CANCELLED_GENERATION, GENERATION, QUEUED_GENERATION } from '../description/examples.ts'
import type { AppEnv } from '../env.ts'
import { accept, readGeneration, waitFor } from '../generation/ask.ts'
import { listGenerations } from '../generation/listing.ts'
import type { GenerationRecord } from '../generation/record.ts'
import { viewOf } from '../generation/view.ts'
import { declare, LOCATION, REPLAYED, routes } from '../http/declare.ts'
import { callOptions } from '../http/dropin.ts'
import { parse, preferredWait, waitOf } from '../http/input.ts'
import { pageWishOf } from '../http/page.ts'
import { Problem } from '../http/problem.ts'
import { INDEX, reached } from '../http/reach.ts'
import { spanOf } from '../http/span.ts'
import { workspaceOf } from '../http/workspace.ts'
import { generationStub } from '../objects.ts'
import { readWithReferences } from '../references/inline.ts'

/** Seconds a POST waits for its picture without `Prefer`. */
const DEFAULT_WAIT_S = 100

/** What `Retry-After` advises for a picture that is not ready, in seconds. */
const POLL_AFTER_S = 5

const APPLIED = { description: 'What of `Prefer` was heeded.', schema: { type: 'string' } } as const

const create = declare(CONTRACT.makeGeneration, {
  summary: 'Make one picture',
  description:
    'Waits for the picture for as long as `Prefer` says; a client that leaves cancels nothing. Without an `Idempotency-Key` every request is a new picture. A generation that ended without one is a 201 with its status: problems are for what was not accepted. Base64 of `references[].data` is stored as it arrives; the rest of the body may be 1 MiB.',
  tag: 'Generations',
  answers: {
    201: {
      description: 'It has ended: with a picture, or with the reason why there is none.',
      headers: { Location: LOCATION, 'Preference-Applied': APPLIED, 'Idempotent-Replayed': REPLAYED },
      example: GENERATION,
    },
    202: {
      description: 'Not yet: ask `Location` again after `Retry-After` seconds.',
      headers: {
        Location: LOCATION,
        'Retry-After': { description: 'Seconds.', schema: { type: 'integer' }, required: true },
        'Preference-Applied': APPLIED,
        'Idempotent-Replayed': REPLAYED,
      },
      example: QUEUED_GENERATION,
    },
  },
  problems: [
    'invalid_json',
    'invalid_request',
    'invalid_key',
    'max_cost_exceeded',
    'budget_exceeded',
    'payload_too_large',
    'unsupported_media_type',
    'key_reused',
    'reference_not_found',
    'reference_unreachable',
    'unknown_model',
    'unknown_provider',
    'not_sold',
    'not_configured',
    'unsupported',
  ],
})

const list = declare(CONTRACT.listGenerations, {
  summary: 'The newest generations first',
  tag: 'Generations',
  answers: {
    200: { description: 'A page of generations.', example: { generations: [GENERATION], cursor: null } },
  },
  problems: ['invalid_request', 'unavailable'],
})

const read = declare(CONTRACT.readGeneration, {
  summary: 'One generation',
  tag: 'Generations',
  answers: { 200: { description: 'As it is now.', example: GENERATION } },
  problems: ['invalid_request', 'not_found'],
})

const cancel = declare(CONTRACT.cancelGeneration, {
  summary: 'Cancel a generation while it is still free',
  description:
    'Nothing is sent for it any more. Once a provider was asked it is made and charged, whoever is told to stop, so that is refused. Asked again it gives the same answer.',
  tag: 'Generations',
  answers: { 200: { description: 'It is cancelled.', example: CANCELLED_GENERATION } },
  problems: ['not_found', 'not_cancellable'],
})

export const generations = routes()
  .openapi(create, async (c) => {
    const { workspace } = c.var
    const { key, isRepeat, isShielded } = callOptions(c)
    const { seconds, applied } = preferredWait(c.req.header('prefer'), DEFAULT_WAIT_S)
    const body = await readWithReferences(c.req.raw.body, c.env.BUCKET, workspace)
    const request = parse(RequestSchema, body)
    const accepted = await accept(askerOf(c), { request, key, isRepeat, isShielded })
    const record = await waitFor(askerOf(c), accepted.record, seconds)
    const ended = isEnded(record.status)
    c.header('location', `/api/generations/${record.id}`)
    if (applied) c.header('preference-applied', applied)
    if (accepted.replayed) c.header('idempotent-replayed', 'true')
    if (!ended) c.header('retry-after', String(POLL_AFTER_S))
    return c.json(view(c, record), ended ? 201 : 202)
  })
  .openapi(list, async (c) => {
    const query = c.req.valid('query')
    const statuses = z.object({ status: z.enum(STATUSES) })
    const status = query.status?.split(',').map((s) => parse(statuses, { status: s.trim() }).status)
    const filter = {
      status,
      model: query.model === undefined ? undefined : (findModel(query.model)?.id ?? query.model),
      provider: query.provider,
      token: query.token,
      batch: query.batch,
      ...spanOf(query),
      ...pageWishOf(query, 'gen'),
    }
    const workspace = workspaceOf(c, query)
    const { records, cursor } = await reached(c.var, INDEX, () =>
      listGenerations(c.env.DB, workspace, filter),
    )
    return c.json({ generations: records.map((record) => view(c, record)), cursor }, 200)
  })
  .openapi(read, async (c) => {
    const { id } = c.req.valid('param')
    const seconds = waitOf(c.req.valid('query').wait)
    const record = await readGeneration(askerOf(c), id)
    if (!record) throw new Problem('not_found', `there is no generation ${id}`)
    return c.json(view(c, await waitFor(askerOf(c), record, seconds)), 200)
  })
  .openapi(cancel, async (c) => {
    const { id } = c.req.valid('param')
    // It is looked for first: a generation of another workspace must not be cancelled.
    const cancelled = (await readGeneration(askerOf(c), id)) && (await generationStub(c.env, id).cancel())
    if (!cancelled) throw new Problem('not_found', `there is no generation ${id}`)
    if (cancelled.kind === 'refused') throw new Problem('not_cancellable', cancelled.why)
    return c.json(view(c, cancelled.record), 200)
  })

function view(c: Context<AppEnv>, record: GenerationRecord) {
  return viewOf(record, c.var.imagesUrl, c.var.now())
}

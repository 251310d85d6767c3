// /api/batches: hand many requests over at once, see how far they are, read what they became. Parses, asks, answers; what
// makes the pictures is the queue's consumer and, for each, its Generation object.
import type { Context } from 'hono'
import type { BatchView } from '../../core/batch.ts'
import { CONTRACT } from '../../core/contract.ts'
import { RequestSchema, stableJson } from '../../core/request.ts'
import { askerOf } from '../asker.ts'
import { isNdjson, linesOf, readBatchJson } from '../batches/lines.ts'
import {
  acceptUpload,
  type Batch,
  dropUpload,
  finishBatch,
  listBatches,
  markCancelled,
  readBatch,
  type Terms,
} from '../batches/register.ts'
import { resultLines } from '../batches/results.ts'
import { whySpent } from '../batches/spent.ts'
import { openOf, viewsOf } from '../batches/standing.ts'
import { digestOf, upload } from '../batches/upload.ts'
import { BATCH, BATCH_RESULT } from '../description/examples.ts'
import type { AppEnv } from '../env.ts'
import { readGeneration } from '../generation/ask.ts'
import { batchId, randomName } from '../generation/name.ts'
import { declare, LOCATION, REPLAYED, routes } from '../http/declare.ts'
import { idempotencyKey, parse, waitOf } from '../http/input.ts'
import { pageWishOf } from '../http/page.ts'
import { Problem } from '../http/problem.ts'
import { reached } from '../http/reach.ts'
import { workspaceOf } from '../http/workspace.ts'
import { batchStub } from '../objects.ts'
import { checkWebhook } from '../webhooks/send.ts'

const TAG = 'Batches'

const create = declare(CONTRACT.makeBatch, {
  summary: 'Hand many requests over at once',
  description:
    'Up to 10,000 requests, as NDJSON (`Content-Type: application/x-ndjson`, one a line, at most 256 KiB each and 64 MiB together) or as JSON (8 MiB). All are checked before anything is accepted: the batch is accepted as a whole or not at all. They are then made without the caller staying connected. A request may use the picture of an earlier line: `references: [{"key": …}]`. Images are uploaded first and named by `sha256`. With an `Idempotency-Key` the same lines are the same batch.',
  tag: TAG,
  answers: {
    201: {
      description: 'Accepted.',
      headers: { Location: LOCATION, 'Idempotent-Replayed': REPLAYED },
      example: BATCH,
    },
  },
  problems: [
    'invalid_json',
    'invalid_request',
    'invalid_key',
    'max_cost_exceeded',
    'budget_exceeded',
    'payload_too_large',
    'key_reused',
    'reference_not_found',
    'unknown_model',
    'unknown_provider',
    'not_sold',
    'not_configured',
    'unsupported',
    'unavailable',
  ],
})

const list = declare(CONTRACT.listBatches, {
  summary: 'The newest batches first',
  tag: TAG,
  answers: { 200: { description: 'A page of batches.', example: { batches: [BATCH], cursor: null } } },
  problems: ['invalid_request'],
})

const read = declare(CONTRACT.readBatch, {
  summary: 'How far a batch is, and what it cost so far',
  tag: TAG,
  answers: { 200: { description: 'As it is now.', example: BATCH } },
  problems: ['not_found'],
})

const results = declare(CONTRACT.batchResults, {
  summary: 'What the lines became, in the order in which they ended',
  description:
    'NDJSON: one result a line. With `wait` it goes on telling results as they come and ends when all have ended; when it ends earlier, ask again with `after`, the highest `seq` that has come.',
  tag: TAG,
  answers: { 200: { description: 'Results.', example: BATCH_RESULT } },
  problems: ['invalid_request', 'not_found'],
})

const cancel = declare(CONTRACT.cancelBatch, {
  summary: 'Cancel what is still free',
  description:
    'Lines that wait are cancelled; what a provider is drawing already is paid for, and waited for. Again: the same answer.',
  tag: TAG,
  answers: { 200: { description: 'As it is now.', example: { ...BATCH, status: 'cancelling' } } },
  problems: ['not_found', 'not_cancellable'],
})

export const batches = routes()
  .openapi(create, async (c) => {
    const { workspace } = c.var
    const key = idempotencyKey(c.req.header('idempotency-key'))
    const id = key === undefined ? `bat_${randomName()}` : batchId(workspace, key)
    const { lines, webhook, metadata = {} } = await bodyOf(c)
    const beside = stableJson({ webhook, metadata })
    const known = key === undefined ? undefined : await reached(c.var, LIST, () => readBatch(c.env.DB, id))
    if (known) return replay(c, known, await digestOf(lines, beside))
    checkWebhook(c.env, webhook)
    const uploaded = await upload(askerOf(c), id, lines, beside, c.var.now())
    const { set, digest, total, expected, atMost, least } = uploaded
    const { caller, imagesUrl, market } = c.var
    const { emulated } = market
    const terms: Terms = {
      ...{ caller, imagesUrl, emulated, expected, atMost },
      ...(webhook === undefined ? {} : { webhook }),
    }
    await announce(c, id, set)
    const spent = await whySpent(askerOf(c), least)
    const row = { id, set, digest, total, terms, metadata }
    if (!spent && (await acceptUpload(c.env.DB, row, c.var.now()))) await nudge(c, id)
    else {
      await dropUpload(c.env.DB, set)
      // The same batch may have been accepted while this upload took its time.
      const other = await readBatch(c.env.DB, id)
      if (other) return replay(c, other, digest)
      if (spent) throw spent
      throw new Problem('unavailable', 'the upload took too long, and nothing was accepted; send it again')
    }
    c.header('location', `/api/batches/${id}`)
    return c.json(await viewOf(c, (await readBatch(c.env.DB, id))!), 201)
  })
  .openapi(list, async (c) => {
    const query = c.req.valid('query')
    const wish = pageWishOf(query, 'bat')
    const workspace = workspaceOf(c, query)
    const page = await reached(c.var, LIST, async () => {
      const { batches, cursor } = await listBatches(c.env.DB, workspace, wish)
      return { batches: await viewsOf(c.env.DB, batches), cursor }
    })
    return c.json(page, 200)
  })
  .openapi(read, async (c) => {
    const batch = await find(c, c.req.valid('param').id)
    return c.json(await reached(c.var, LIST, () => viewOf(c, batch)), 200)
  })
  .openapi(results, async (c) => {
    const { after: from = '0', wait } = c.req.valid('query')
    const after = Number(from)
    const seconds = waitOf(wait)
    if (!Number.isSafeInteger(after) || after < 0)
      throw new Problem('invalid_request', 'after: the highest seq that has come, or 0')
    const { set } = await find(c, c.req.valid('param').id)
    const body = resultLines(
      set,
      { after, untilMs: c.var.now() + seconds * 1_000 },
      {
        db: c.env.DB,
        read: (generation) => readGeneration(askerOf(c), generation),
        imagesUrl: c.var.imagesUrl,
        now: c.var.now,
        sleep: (ms) => scheduler.wait(ms),
      },
    )
    return c.body(body, 200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' }) as never
  })
  .openapi(cancel, async (c) => {
    const { id } = await find(c, c.req.valid('param').id)
    await reached(c.var, LIST, () => markCancelled(c.env.DB, id, c.var.now()))
    const batch = await find(c, id)
    if (batch.cancelledAt === null)
      throw new Problem('not_cancellable', `batch ${id} has ended; there is nothing left to cancel`)
    await nudge(c, id)
    return c.json(await reached(c.var, LIST, () => viewOf(c, batch)), 200)
  })

/** What cannot be reached while the database is down. */
const LIST = 'the list of batches'

/** The lines of a body, and what stands beside them. */
async function bodyOf(c: Context<AppEnv>) {
  if (!isNdjson(c.req.header('content-type'))) return readBatchJson(c.req.raw)
  const body = c.req.raw.body as AsyncIterable<Uint8Array> | null
  if (!body) throw new Problem('invalid_request', 'there is no body; send one request a line')
  const { webhook, metadata } = parse(RequestSchema.pick({ webhook: true, metadata: true }), {
    webhook: c.req.query('webhook'),
    metadata: metadataOf(c.req.query('metadata')),
  })
  return { lines: linesOf(body), webhook, metadata }
}

function metadataOf(text: string | undefined): unknown {
  if (text === undefined) return undefined
  try {
    return JSON.parse(text)
  } catch {
    throw new Problem(
      'invalid_request',
      'metadata: a JSON object of texts, as in ?metadata={"shop":"autumn"}',
    )
  }
}

/** The answer to lines that were handed over before. */
async function replay(c: Context<AppEnv>, batch: Batch, digest: string) {
  if (batch.digest !== digest)
    throw new Problem(
      'key_reused',
      'this Idempotency-Key was used for another batch; use a new key for other lines',
    )
  if (batch.finishedAt === null) await nudge(c, batch.id)
  c.header('location', `/api/batches/${batch.id}`)
  c.header('idempotent-replayed', 'true')
  return c.json(await viewOf(c, batch), 201)
}

/** A batch of this workspace. Throws `not_found`. */
async function find(c: Context<AppEnv>, id: string): Promise<Batch> {
  const batch = await reached(c.var, LIST, () => readBatch(c.env.DB, id))
  if (batch?.workspace !== c.var.workspace) throw new Problem('not_found', `there is no batch ${id}`)
  return batch
}

/** As it is now. Its object may not have seen yet that all has ended. Rejects while the database is down: right after it
 *  was accepted that is a bug's answer (`charged: unknown`), because it will be made. */
async function viewOf(c: Context<AppEnv>, batch: Batch): Promise<BatchView> {
  const [view] = await viewsOf(c.env.DB, [batch])
  if (batch.finishedAt !== null || openOf(view!.counts) > 0) return view!
  await finishBatch(c.env.DB, batch.id, c.var.now())
  await nudge(c, batch.id)
  const [ended] = await viewsOf(c.env.DB, [(await readBatch(c.env.DB, batch.id)) ?? batch])
  return ended!
}

/** Has the object look for the batch before there is one: what is accepted is then never forgotten. Throws
 *  `unavailable`; nothing is accepted then. */
async function announce(c: Context<AppEnv>, id: string, set: string): Promise<void> {
  try {
    await batchStub(c.env, id).drive(id)
  } catch (cause) {
    await dropUpload(c.env.DB, set)
    throw new Problem(
      'unavailable',
      'what drives batches cannot be reached; nothing was accepted, send it again',
      {
        cause,
      },
    )
  }
}

/** Has the object look at its batch now. It looks by itself before long, so that nothing depends on this. */
async function nudge(c: Context<AppEnv>, id: string): Promise<void> {
  await batchStub(c.env, id)
    .drive(id)
    .catch((error: unknown) => c.var.log({ event: 'batch_not_nudged', batch: id, error: String(error) }))
}

// The Gemini drop-in: /v1beta/models/… and /v1/models/…, as Google's clients and the relays' examples call them. A native
// call becomes a generation like any other; what comes back is Google's answer, out of R2. Every failure on these paths is
// a google.rpc error, and nothing is sent before it is known that the status is 200.
import { type Context, Hono, type MiddlewareHandler } from 'hono'
import { RpcError } from '../../core/gemini/rpc.ts'
import { askerOf } from '../asker.ts'
import type { AppEnv } from '../env.ts'
import { type AnswerOptions, answerOf } from '../gemini/answer.ts'
import { eventsOf, inChunks, listOf } from '../gemini/chunks.ts'
import { countTokens } from '../gemini/count.ts'
import { noSuchMethod, noSuchPath } from '../gemini/elsewhere.ts'
import { endedError, errorResponse, pictureGone, rpcErrorOf } from '../gemini/errors.ts'
import { listModels, modelEntry } from '../gemini/models.ts'
import { relocate } from '../gemini/places.ts'
import { readCall } from '../gemini/read.ts'
import { accept, waitUntilEnded } from '../generation/ask.ts'
import { readKept } from '../generation/commit.ts'
import { type GenerationRecord, resultOf } from '../generation/record.ts'
import { viewOf } from '../generation/view.ts'
import { authenticate, tokenOf } from '../http/auth.ts'
import { callOptions, DROP_IN_WAIT_S, resultHeaders } from '../http/dropin.ts'
import { logBug } from '../http/log.ts'
import { market } from '../http/market.ts'
import { Problem } from '../http/problem.ts'
import { requiresDropIn } from '../http/scopes.ts'
import { type Segment, streamBody } from '../stream/body.ts'
import { drain } from '../stream/drain.ts'
import { jsonSegments, missingIn } from '../stream/json.ts'

const JSON_TYPE = 'application/json; charset=UTF-8'

type Call = Context<AppEnv>

/** Google's 403 for a call without any key; one that is not known is told by `authenticate`. */
const identified: MiddlewareHandler<AppEnv> = async function identified(c, next) {
  if (c.env.ADMIN_TOKEN && tokenOf(c) === undefined)
    throw new RpcError(
      'PERMISSION_DENIED',
      'No key came with this call. Send your proofsheet token as the header x-goog-api-key, as Authorization: Bearer, or as ?key=.',
    )
  await next()
}

export const gemini = new Hono<AppEnv>()
  .use(market, identified, authenticate, requiresDropIn)
  .get('/models', (c) => reply(c, listModels(c.var.market, c.req.query())))
  .get('/models/:name{.+}', (c) => {
    const name = c.req.param('name')
    const entry = modelEntry(c.var.market, name)
    if (entry) return reply(c, entry)
    if (name.includes(':')) throw noSuchPath(c.req.method, pathOf(c))
    throw noSuchMethod(name, 'generateContent', versionOf(c))
  })
  .post('/models/:call{.+}', async (c) => {
    const [, name, method] = /^(.+):([^:]*)$/.exec(c.req.param('call')) ?? []
    if (!name) throw noSuchPath(c.req.method, pathOf(c))
    switch (method) {
      case 'generateContent':
      case 'streamGenerateContent':
        return generate(c, name)
      case 'countTokens':
        return reply(c, await countTokens(c, name))
      default:
        throw noSuchMethod(name, method!, versionOf(c))
    }
  })
  .all('*', (c) => {
    throw noSuchPath(c.req.method, pathOf(c))
  })
  .onError(inGooglesWords)

/** /upload/{version}/files: what Google's clients do before a call that names a file. */
export const geminiUploads = new Hono<AppEnv>()
  .use(market, identified, authenticate, requiresDropIn)
  .all('*', (c) => {
    throw noSuchPath(c.req.method, c.req.path)
  })
  .onError(inGooglesWords)

/** Has the picture made, waits for it, and answers in the way that was asked for. */
async function generate(c: Call, name: string): Promise<Response> {
  const { delivery } = callOptions(c)
  const { asked, places } = await readCall(c, name)
  const { record, replayed } = await accept(askerOf(c), asked).catch((error: unknown) => {
    throw error instanceof Problem ? relocate(error, places) : error
  })
  const ended = await waitUntilEnded(askerOf(c), record, DROP_IN_WAIT_S)
  const { imagesUrl } = c.var
  // The headers hold no durations, so any instant will do.
  const view = viewOf(ended, imagesUrl, ended.createdAt)
  const headers = { 'x-request-id': c.var.requestId, ...resultHeaders([view], replayed) }
  const error = endedError(ended)
  if (error) return errorResponse(c, error, wantsList(c), headers)

  // An address alone would not show that there is nothing behind it.
  const isGone = ended.deletedAt !== undefined && view.image !== null
  if (isGone) return errorResponse(c, pictureGone(ended), wantsList(c), headers)

  const isStream = method(c) === 'streamGenerateContent'
  const { type, segments } = await bodyOf(c, ended, {
    delivery,
    imagesUrl,
    order: isStream ? 'as-it-came' : 'result-first',
  })
  if (await missingIn(segments, c.env.BUCKET))
    return errorResponse(c, pictureGone(ended), wantsList(c), headers)
  const { body, bytes } = streamBody(segments, c.env.BUCKET)
  return new Response(body, {
    headers: { ...headers, 'content-type': type, 'content-length': String(bytes) },
  })
}

async function bodyOf(
  c: Call,
  record: GenerationRecord,
  options: AnswerOptions,
): Promise<{ type: string; segments: Segment[] }> {
  // Without the provider's own words there is still the picture.
  const kept = await readKept(c.env.BUCKET, record.id, resultOf(record)!.number).catch((error) =>
    logBug(c.var, error),
  )
  const answer = answerOf(record, kept ?? undefined, options)
  if (options.order === 'result-first') return { type: JSON_TYPE, segments: jsonSegments(answer) }
  const chunks = inChunks(answer)
  return isSse(c)
    ? { type: 'text/event-stream', segments: eventsOf(chunks) }
    : { type: JSON_TYPE, segments: listOf(chunks) }
}

function reply(c: Call, value: unknown): Response {
  const headers = { 'content-type': JSON_TYPE, 'x-request-id': c.var.requestId }
  return new Response(JSON.stringify(value, null, 2), { headers })
}

async function inGooglesWords(error: Error, c: Call): Promise<Response> {
  const { body, bodyUsed } = c.req.raw
  if (body && !bodyUsed) await drain(body)
  return errorResponse(c, rpcErrorOf(c, error), wantsList(c))
}

/** What stands after the last colon of the path, which some clients escape. */
function method(c: Call): string | undefined {
  return /(?::|%3a)(\w+)$/i.exec(c.req.path)?.[1]
}

function isSse(c: Call): boolean {
  return c.req.query('alt') === 'sse'
}

function wantsList(c: Call): boolean {
  return method(c) === 'streamGenerateContent' && !isSse(c)
}

function versionOf(c: Call): string {
  return c.req.path.split('/')[1]!
}

/** The path after the version. */
function pathOf(c: Call): string {
  return c.req.path.replace(/^\/[^/]+/, '')
}

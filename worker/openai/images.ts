// POST /images/generations and /images/edits: n generations side by side, and their pictures in one answer or one stream.
// The two differ in what they need: an edit has at least one image.
import type { Context } from 'hono'
import { askerOf } from '../asker.ts'
import type { AppEnv } from '../env.ts'
import { type Accepted, type Asked, accept, waitUntilEnded } from '../generation/ask.ts'
import type { GenerationRecord } from '../generation/record.ts'
import { type CallOptions, callOptions, DROP_IN_DEADLINE_S, DROP_IN_WAIT_S } from '../http/dropin.ts'
import { Problem } from '../http/problem.ts'
import { streamBody } from '../stream/body.ts'
import { missingIn } from '../stream/json.ts'
import {
  completedEvent,
  type Delivery,
  imagesBody,
  type Made,
  type Missing,
  madeOf,
  missingOf,
  viewAtEnd,
} from './answer.ts'
import {
  answerHeaders,
  generationError,
  invalidField,
  OpenAiError,
  openAiError,
  pictureGone,
} from './errors.ts'
import { type ImageCall, readImageCall } from './read.ts'
import { EVENT_STREAM_HEADERS, eventStream } from './sse.ts'

/** What a call asks for: `image_generation` or `image_edit`, as its events are called. */
export type Kind = 'image_generation' | 'image_edit'

/** Answers an image call. Throws Problem and OpenAiError. */
export async function answerImages(c: Context<AppEnv>, kind: Kind): Promise<Response> {
  const options = callOptions(c)
  const call = await readImageCall(c)
  if (kind === 'image_edit' && call.references.length === 0)
    throw invalidField('image', 'image: an edit needs at least one image', 'missing_required_parameter')
  const begun = await begin(c, call, options)
  const { fields } = call
  const delivery = { isUrlOnly: fields.isUrlOnly || options.delivery === 'url', quality: fields.quality }
  return fields.isStream ? streamed(c, kind, begun, delivery) : unary(c, begun, delivery)
}

/** One of the n pictures on its way; `error` when it was not accepted. */
type Begun = { accepted: Accepted; error?: never } | { accepted?: never; error: OpenAiError }

/** Has the pictures begun. The first one's problem is the call's: the others ask for the same. */
async function begin(c: Context<AppEnv>, call: ImageCall, options: CallOptions): Promise<Begun[]> {
  const { fields, places } = call
  const { key, isRepeat, isShielded } = options
  const { model, provider, prompt, shape } = fields
  const common = { model: model.id, ...(provider ? { provider } : {}), prompt, ...shape }
  const ask = (sample: number, references: Asked['request']['references']) => {
    const request = { ...common, references, deadline: DROP_IN_DEADLINE_S }
    return accept(askerOf(c), { request, key, sample, isRepeat, isShielded })
  }
  const first = await ask(1, call.references).catch((error: unknown) => {
    throw inPlaces(error, places)
  })
  // What the first one fetched is not fetched again for the others.
  const { inputs } = first.record
  const others = Array.from({ length: fields.n - 1 }, async (_, index): Promise<Begun> => {
    try {
      return { accepted: await ask(index + 2, inputs) }
    } catch (error) {
      return { error: openAiError(c, error) }
    }
  })
  return [{ accepted: first }, ...(await Promise.all(others))]
}

/** A problem about the request of ours, in the words of the call. */
function inPlaces(error: unknown, places: readonly string[]): unknown {
  if (!(error instanceof Problem)) return error
  const told = (text: string) =>
    text
      .replace(/\breferences\[(\d+)\]/g, (whole, index) => places[Number(index)] ?? whole)
      .replace(/^references\b/, 'image')
      .replace(/^aspect\b/, 'size')
  const errors = error.errors?.map(({ path, message }) => ({ path: told(path), message: told(message) }))
  const { budget, retryAfterMs } = error
  return new Problem(error.code, told(error.message), {
    ...(errors ? { errors } : {}),
    budget,
    retryAfterMs,
    cause: error,
  })
}

async function unary(c: Context<AppEnv>, begun: readonly Begun[], delivery: Delivery): Promise<Response> {
  const ended = await Promise.all(begun.map((each) => ending(c, each, delivery)))
  const made = ended.flatMap((each) => each.made ?? [])
  const missing = ended.flatMap((each) => each.missing ?? [])
  const headers = headersOf(
    c,
    begun,
    ended.flatMap((each) => each.record ?? []),
    missing,
  )
  if (made.length === 0) {
    const { facts, message } = ended[0]!.error!
    throw new OpenAiError(facts, message, { headers })
  }
  const { body, bytes } = streamBody(imagesBody(made, missing, delivery), c.env.BUCKET)
  return new Response(body, {
    headers: { ...headers, 'content-type': 'application/json', 'content-length': String(bytes) },
  })
}

function streamed(c: Context<AppEnv>, kind: Kind, begun: readonly Begun[], delivery: Delivery): Response {
  const records = begun.flatMap((each) => each.accepted?.record ?? [])
  const {
    'x-proofsheet-cost': cost,
    'x-proofsheet-charged': charged,
    ...known
  } = headersOf(c, begun, records, [])
  // Not yet known, unless the pictures were there before.
  const isEnded = records.every((record) => record.finishedAt !== undefined)
  const bill = isEnded ? { 'x-proofsheet-cost': cost!, 'x-proofsheet-charged': charged! } : {}
  const headers = { ...known, ...bill, ...EVENT_STREAM_HEADERS }
  const body = eventStream(c.env.BUCKET, async (events) => {
    const pending = new Map(
      begun.map((each, index) => [index, ending(c, each, delivery).then((end) => ({ index, end }))]),
    )
    const failed: { error: OpenAiError; missing: Missing }[] = []
    // As they come: a picture that is ready does not wait for its slower siblings.
    while (pending.size > 0) {
      const { index, end } = await events.during(Promise.race(pending.values()))
      pending.delete(index)
      if (end.made)
        for (const number of end.made.pictures.keys())
          await events.send(
            completedEvent(`${kind}.completed`, end.made, number, delivery),
            `${kind}.completed`,
          )
      else failed.push(end)
    }
    // A client of OpenAI's stops at an error: while it has a picture, what is missing is told beside it.
    if (failed.length < begun.length)
      for (const { missing } of failed)
        await events.send([JSON.stringify({ type: `${kind}.failed`, ...missing })], `${kind}.failed`)
    else await events.send([JSON.stringify(failed[0]!.error.body)], 'error')
  })
  return new Response(body, { headers })
}

type End =
  | { record: GenerationRecord; made: Made; error?: never; missing?: never }
  | { record?: GenerationRecord; made?: never; error: OpenAiError; missing: Missing }

/** How one of them ended. Never rejects. */
async function ending(c: Context<AppEnv>, begun: Begun, { isUrlOnly }: Delivery): Promise<End> {
  if (begun.error) return { error: begun.error, missing: missingOf(begun.error, undefined) }
  const before = begun.accepted.record
  try {
    const record = await waitUntilEnded(askerOf(c), before, DROP_IN_WAIT_S)
    const made = madeOf(record, c.var.imagesUrl)
    const pictures = isUrlOnly ? [] : (made?.pictures ?? []).map(({ picture }) => picture)
    // An answer is not begun that cannot be finished.
    const isThere = record.deletedAt === undefined && (await missingIn(pictures, c.env.BUCKET)) === undefined
    if (made && isThere) return { record, made }
    const view = viewAtEnd(record, c.var.imagesUrl)
    const error = made ? pictureGone(record) : generationError(view, {})
    return { record, error, missing: missingOf(error, view) }
  } catch (bug) {
    const error = openAiError(c, bug)
    return { record: before, error, missing: missingOf(error, viewAtEnd(before, c.var.imagesUrl)) }
  }
}

function headersOf(
  c: Context<AppEnv>,
  begun: readonly Begun[],
  records: readonly GenerationRecord[],
  missing: readonly Missing[],
): Record<string, string> {
  const views = records.map((record) => viewAtEnd(record, c.var.imagesUrl))
  const replayed = begun.every((each) => each.accepted?.replayed)
  const names = missing.map(({ generation, code }) => [generation, code].filter(Boolean).join(' '))
  return {
    ...answerHeaders(c, views, replayed),
    ...(names.length > 0 ? { 'x-proofsheet-failed': names.join(', ') } : {}),
  }
}

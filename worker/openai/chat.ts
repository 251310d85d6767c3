// POST /chat/completions: a chat whose answers are pictures. The whole conversation goes to the model as turns, so that an
// edit knows what it edits; the generation is one like any other, stored and on the bill.
import type { Context } from 'hono'
import { askerOf } from '../asker.ts'
import type { AppEnv } from '../env.ts'
import { type Accepted, type Asked, accept, waitUntilEnded } from '../generation/ask.ts'
import { readKept } from '../generation/commit.ts'
import { keptOfEnding } from '../generation/kept.ts'
import { type Attempt, type GenerationRecord, resultOf } from '../generation/record.ts'
import { callOptions, DROP_IN_WAIT_S } from '../http/dropin.ts'
import { Problem } from '../http/problem.ts'
import { streamBody } from '../stream/body.ts'
import { jsonSegments, missingIn } from '../stream/json.ts'
import { viewAtEnd } from './answer.ts'
import {
  type ChatAnswer,
  type ChatStyle,
  chunksOfAnswer,
  completionOf,
  firstChunk,
  type Piece,
} from './chatanswer.ts'
import { type ChatCall, readChatCall } from './chatread.ts'
import { answerHeaders, generationError, openAiError, pictureGone } from './errors.ts'
import { EVENT_STREAM_HEADERS, eventStream } from './sse.ts'

/** Answers a chat. Throws Problem and OpenAiError. */
export async function answerChat(c: Context<AppEnv>): Promise<Response> {
  const { key, isRepeat, isShielded, delivery } = callOptions(c)
  const call = await readChatCall(c)
  const asked: Asked = { ...call.asked, key, isRepeat, isShielded }
  const accepted = await accept(askerOf(c), asked).catch((error: unknown) => {
    throw inPlaces(error, call.places)
  })
  const style = call.settings.readsImages ? (delivery === 'url' ? 'url' : 'data') : 'markdown'
  return call.settings.isStream ? streamed(c, call, accepted, style) : unary(c, accepted, style)
}

async function unary(c: Context<AppEnv>, accepted: Accepted, style: ChatStyle): Promise<Response> {
  const answer = await answerOf(c, accepted)
  const segments = jsonSegments(completionOf(answer, style))
  await checkStored(c, answer, segments)
  const headers = {
    ...answerHeaders(c, [answer.view], accepted.replayed),
    'content-type': 'application/json',
  }
  return new Response(streamBody(segments, c.env.BUCKET).body, { headers })
}

function streamed(
  c: Context<AppEnv>,
  { settings }: ChatCall,
  accepted: Accepted,
  style: ChatStyle,
): Response {
  const view = viewAtEnd(accepted.record, c.var.imagesUrl)
  const body = eventStream(c.env.BUCKET, async (events) => {
    await events.send([JSON.stringify(firstChunk(view))])
    const chunks = async () => {
      const answer = await answerOf(c, accepted)
      const list = chunksOfAnswer(answer, style, settings.includesUsage).map(jsonSegments)
      await checkStored(c, answer, list.flat())
      return list
    }
    // What goes wrong while sending is the client's leaving: nobody is there to be told.
    const failed = (error: unknown) => [[JSON.stringify(openAiError(c, error).body)]]
    for (const chunk of await events.during(chunks().catch(failed))) await events.send(chunk)
    await events.send(['[DONE]'])
  })
  return new Response(body, { headers: { ...headersOfStream(c, accepted), ...EVENT_STREAM_HEADERS } })
}

/** What is known when a stream begins: not yet what it will have cost, unless the answer was there before. */
function headersOfStream(c: Context<AppEnv>, { record, replayed }: Accepted): Record<string, string> {
  const headers = answerHeaders(c, [viewAtEnd(record, c.var.imagesUrl)], replayed)
  if (record.finishedAt !== undefined) return headers
  const { 'x-proofsheet-cost': _, 'x-proofsheet-charged': __, ...known } = headers
  return known
}

/** What the model answered, once it has. Words without a picture are an answer of a chat, and so is a refusal; anything
 *  else is an error. Throws OpenAiError. */
async function answerOf(c: Context<AppEnv>, { record: before, replayed }: Accepted): Promise<ChatAnswer> {
  const record = await waitUntilEnded(askerOf(c), before, DROP_IN_WAIT_S)
  const view = viewAtEnd(record, c.var.imagesUrl)
  const last = resultOf(record)
  if (record.deletedAt !== undefined && view.image)
    throw pictureGone(record, answerHeaders(c, [view], replayed))
  if (record.status === 'succeeded' && last)
    return { view, pieces: await piecesOf(c, record, last), isRefusal: false }
  if (view.error?.code === 'refused') {
    const text = `The provider's safety rules refused this picture: ${view.error.message}`
    return { view, pieces: [{ text }], isRefusal: true }
  }
  if (view.error?.code === 'no_image' && view.text)
    return { view, pieces: [{ text: view.text }], isRefusal: false }
  throw generationError(view, answerHeaders(c, [view], replayed))
}

/** Words and pictures in the order of the model; drafts and thoughts are not among them. */
async function piecesOf(c: Context<AppEnv>, record: GenerationRecord, last: Attempt): Promise<Piece[]> {
  const ending = last.ending!
  const shown = [...(ending.others ?? []), ...(ending.picture ? [ending.picture] : [])].map(({ key }) => key)
  const kept = (await readKept(c.env.BUCKET, record.id, last.number)) ?? keptOfEnding(ending)
  return kept.parts.flatMap((part): Piece[] => {
    if ('part' in part) {
      const { text, thought } = part.part
      return typeof text === 'string' && thought !== true ? [{ text }] : []
    }
    const { picture } = part
    if (!picture || !shown.includes(picture.key)) return []
    return [{ picture, url: `${c.var.imagesUrl}/${picture.key.replace(/^pictures\//, '')}` }]
  })
}

/** Throws when a picture is not there any more, while the answer still has its status. */
async function checkStored(
  c: Context<AppEnv>,
  { view }: ChatAnswer,
  segments: Parameters<typeof missingIn>[0],
): Promise<void> {
  if ((await missingIn(segments, c.env.BUCKET)) === undefined) return
  throw pictureGone({ id: view.id }, answerHeaders(c, [view], false))
}

/** Fields of a request of ours that a chat calls otherwise. */
const FIELDS: Readonly<Record<string, string>> = {
  references: 'messages',
  prompt: 'messages',
  system: 'messages',
  provider: 'model',
  topP: 'top_p',
  maxOutputTokens: 'max_tokens',
  aspect: 'aspect_ratio',
}

/** A problem about the request of ours, in the words of the chat. */
function inPlaces(error: unknown, places: readonly string[]): unknown {
  if (!(error instanceof Problem) || !error.errors) return error
  const errors = error.errors.map(({ path, message }) => {
    const [, index] = /^references\[(\d+)\]$/.exec(path) ?? []
    const place = index === undefined ? (FIELDS[path] ?? path) : (places[Number(index)] ?? 'messages')
    return { path: place, message }
  })
  const detail = errors.map(({ path, message }) => `${path}: ${message}`).join('; ')
  return new Problem(error.code, detail, { errors, cause: error })
}

// One provider call from its first byte to the stored picture. Always resolves with what happened, `charged` included;
// it throws only on a bug. Touches R2 and the provider, never the storage of the object.
import { type Answer, chooseResult, isGrounded, readAnswer, textOf } from '../../core/answer.ts'
import { settle } from '../../core/cost.ts'
import {
  ConfigurationError,
  keyVariableOf,
  type MarketVariables,
  marketOf,
  type Seller,
} from '../../core/market.ts'
import { attemptTimeoutMs, DEFAULT_SIZE, findModel } from '../../core/models.ts'
import {
  classifyAnswer,
  classifySilence,
  classifyStatus,
  type Verdict,
  withoutKey,
} from '../../core/outcome.ts'
import type { PriceRow } from '../../core/prices.ts'
import { type Call, callOf } from '../providers/request.ts'
import { ReferenceGone, streamBody } from '../stream/body.ts'
import { isInlineData, ScanError, scanJson } from '../stream/scanner.ts'
import { readConversation } from './conversation.ts'
import { bounded } from './ending.ts'
import { type KeptAnswer, keptOf } from './kept.ts'
import {
  asResult,
  type Fetch,
  NotStored,
  type PictureEffects,
  type Pictures,
  storePictures,
} from './pictures.ts'
import type { Attempt, Ending, GenerationRecord } from './record.ts'

export type AttemptEffects = PictureEffects & {
  /** Vars and secrets: providers and their keys as they are now. */
  env: MarketVariables
  bucket: Pick<R2Bucket, 'get'>
  fetch: Fetch
  now: () => number
  /** A signal that aborts after `ms`. */
  timeout: (ms: number) => AbortSignal
  /** Writes the commit record. Called once per call that was sent, before anything is removed. */
  commit: (ending: Ending, answer?: KeptAnswer) => Promise<void>
}

/** What an answer may hold beside its pictures, in bytes: signatures of a megabyte and more were seen, one per picture. */
const SKELETON_BYTES = 8 * 1024 * 1024

/** What is read of an answer that is not a 200, in bytes. */
const ERROR_BYTES = 64 * 1024

/** Time for one try of a download that is already paid for, in ms. */
const DOWNLOAD_MS = 60_000

/** Asks the provider of the attempt's route for the picture, and stores it. */
export async function attempt(
  record: GenerationRecord,
  attempt: Attempt,
  fx: AttemptEffects,
): Promise<Ending> {
  let key = ''
  const end = (verdict: Verdict, more: Partial<Ending> = {}): Ending =>
    bounded({
      verdict: { ...verdict, message: withoutKey(verdict.message, key) },
      costMicroUsd: verdict.charged === 'no' ? 0 : null,
      endedAt: fx.now(),
      ...more,
    })
  let ready: Ready | Verdict
  try {
    ready = await prepare(record, attempt, fx)
  } catch (error) {
    ready = unprepared(error as Error)
  }
  if ('outcome' in ready) return end(ready)
  const { call, seller, row } = ready
  key = ready.key

  const timeout = fx.timeout(attemptTimeoutMs(record.request.size ?? DEFAULT_SIZE))
  const pictures = storePictures(attempt.pictureName, { generation: record.id }, fx)
  const exchanged = await exchange(call, seller, key, timeout, pictures, fx)
  const named = exchanged.requestId === undefined ? {} : { requestId: exchanged.requestId }
  if ('verdict' in exchanged) {
    // Pictures that arrived whole are kept, though nobody knows whether they are the result: they may be paid for.
    const { charged } = exchanged.verdict
    const cost = charged === 'yes' ? { costMicroUsd: settle(row, undefined, 1) ?? null } : {}
    const ending = end(exchanged.verdict, { ...cost, ...named, ...asResult(pictures.all()) })
    await fx.commit(ending)
    await pictures.discard(pictures.all())
    return ending
  }

  const { answer } = exchanged
  const chosen = chooseResult(answer, (index) => pictures.stored(index) !== undefined)
  const picture = chosen.result === undefined ? undefined : pictures.stored(chosen.result)
  const others = chosen.others.flatMap((index) => pictures.stored(index) ?? [])
  const imageParts = answer.parts.filter((part) => part.kind === 'picture').length
  const verdict = classifyAnswer(answer, picture !== undefined, imageParts - pictures.all().length, seller)
  // What a search costs beside the picture is not known (promise 4).
  const cost = isGrounded(answer) ? undefined : settle(row, answer.usage, imageParts)
  const text = textOf(answer.parts)
  const ending = end(verdict, {
    ...(verdict.charged === 'yes' ? { costMicroUsd: cost ?? null } : {}),
    ...named,
    ...(picture ? { picture } : {}),
    ...(chosen.isThought ? { isThought: true } : {}),
    ...(others.length > 0 ? { others } : {}),
    ...(text ? { text } : {}),
    ...(answer.finishReason ? { finishReason: answer.finishReason } : {}),
    ...(answer.usage ? { usage: answer.usage } : {}),
    ...(answer.modelVersion ? { modelVersion: answer.modelVersion } : {}),
    ...(answer.responseId ? { responseId: answer.responseId } : {}),
  })
  const thoughts = record.conversation?.includeThoughts ? thoughtsOf(answer, pictures) : []
  const keep = [...(picture ? [picture] : []), ...others, ...thoughts]
  const kept = keptOf(answer, (index) => keep.find((each) => each === pictures.stored(index)))
  await fx.commit(ending, kept)
  await pictures.discard(keep)
  return ending
}

/** The pictures that the model drew while it was thinking. */
function thoughtsOf({ parts }: Answer, pictures: Pictures) {
  return parts.flatMap((part) =>
    part.kind === 'picture' && part.thought ? (pictures.stored(part.picture) ?? []) : [],
  )
}

/** Headers in which providers, and what stands before them, name a call: the provider's own first. */
const REQUEST_ID_HEADERS = ['x-request-id', 'x-goog-request-id', 'x-oneapi-request-id', 'cf-ray']

/** The provider's id of a call. */
function requestIdOf({ headers }: Response): { requestId?: string } {
  const requestId = REQUEST_ID_HEADERS.map((name) => headers.get(name)).find((id) => id)
  return requestId ? { requestId } : {}
}

/** `key`: the provider key that the call carries. */
type Ready = { call: Call; key: string; seller: Seller; row: PriceRow | undefined }

/** Everything that is needed before the first byte leaves; a verdict when it must not leave. Throws what the
 *  configuration and R2 throw. */
async function prepare(
  record: GenerationRecord,
  attempt: Attempt,
  fx: AttemptEffects,
): Promise<Ready | Verdict> {
  const route = record.routes[attempt.route]!
  const model = findModel(route.model)
  const market = marketOf(fx.env)
  const seller = market.sellers.find((s) => s.id === route.provider)
  if (!model || !seller?.configured || !seller.wire[model.id])
    return notSent(`${route.provider} does not sell ${route.model} here any more`)
  // Nobody agreed to pay for what was queued for the emulator.
  if (record.emulated !== market.emulated)
    return notSent('it was queued while the emulator stood in for the provider; ask for it again')
  const missing = await missingInput(record, fx)
  if (missing) return notSent(`reference ${missing} is not stored any more; upload it again`)
  const conversation = record.conversation && (await readConversation(fx.bucket, record.conversation))
  if (record.conversation && !conversation)
    return notSent('the turns of the call are not stored any more; send it again')
  const key = fx.env[keyVariableOf(seller.id, fx.env)]
  const call = callOf(record.request, record.inputs, model, seller, String(key ?? 'emulated'), conversation)
  return { call, key: String(key ?? ''), seller, row: seller.prices[model.id] }
}

/** What an error before the first byte means: it was free, and is worth another try unless the set-up is wrong. */
function unprepared(error: Error): Verdict {
  if (error instanceof ConfigurationError) return notSent(error.message)
  const message = `it could not be prepared: ${error.message}`
  return { outcome: 'unreachable', charged: 'no', next: 'retry', reason: 'unavailable', message }
}

/** Sends the call and reads its answer to the end: the answer for a 200 that was read whole, else what went wrong. */
async function exchange(
  call: Call,
  seller: Seller,
  key: string,
  timeout: AbortSignal,
  pictures: Pictures,
  fx: AttemptEffects,
): Promise<({ answer: Answer } | { verdict: Verdict }) & { requestId?: string }> {
  const body = streamBody(call.segments, fx.bucket)
  const silence = (error: unknown) => {
    const sent = body.taken() >= body.bytes
    if (timeout.aborted) {
      const what = sent ? 'timed_out' : 'lost'
      return classifySilence(what, sent, `${seller.id} gave no complete answer in time`)
    }
    return classifySilence('lost', sent, `the connection to ${seller.id} broke: ${(error as Error).message}`)
  }
  let response: Response
  try {
    response = await fx.fetch(call.url, {
      method: 'POST',
      headers: call.headers,
      body: body.body,
      signal: timeout,
      // A redirect would repeat the purchase elsewhere.
      redirect: 'manual',
    })
  } catch (error) {
    await body.cancel()
    const failure = body.failure()
    return { verdict: failure instanceof ReferenceGone ? notSent(failure.message) : silence(error) }
  }
  const named = requestIdOf(response)
  try {
    if (response.status !== 200) {
      // Before it is cut to what is kept: half a key would not be found.
      const text = withoutKey(await readCapped(response, ERROR_BYTES), key)
      return {
        ...named,
        verdict: classifyStatus(response.status, text, response.headers.get('retry-after'), seller, fx.now()),
      }
    }
    if (!response.body)
      return { ...named, verdict: classifySilence('malformed', true, 'the answer is empty') }
    const skeleton = await scanJson(response.body, {
      isBlob: isInlineData,
      sink: pictures.sink,
      maxSkeletonBytes: SKELETON_BYTES,
    })
    const read = readAnswer(skeleton)
    const byAddress = pictures.count() === 0 && seller.pictureUrlHost
    const download: Fetch = (url, init) => fx.fetch(url, { ...init, signal: fx.timeout(DOWNLOAD_MS) })
    return { ...named, answer: byAddress ? await pictures.fetchFrom(read, byAddress, download) : read }
  } catch (error) {
    if (error instanceof NotStored)
      return { ...named, verdict: classifySilence('not_stored', true, error.message) }
    if (error instanceof ScanError) {
      const what = error.kind === 'truncated' ? 'cut_off' : 'malformed'
      return { ...named, verdict: classifySilence(what, true, error.message) }
    }
    const what = timeout.aborted ? 'timed_out' : 'cut_off'
    return {
      ...named,
      verdict: classifySilence(
        what,
        true,
        `the answer of ${seller.id} broke off: ${(error as Error).message}`,
      ),
    }
  }
}

/** What ended before anything was sent. */
function notSent(message: string): Verdict {
  return { outcome: 'rejected', charged: 'no', next: 'stop', reason: 'failed', message }
}

/** The digest of an input whose bytes have gone since it was accepted. */
async function missingInput(record: GenerationRecord, fx: AttemptEffects): Promise<string | undefined> {
  const heads = await Promise.all(
    record.inputs.map((input) => (input.key ? fx.bucket.head(input.key) : true)),
  )
  const index = heads.indexOf(null)
  const input = record.inputs[index]
  return input && 'sha256' in input ? input.sha256 : undefined
}

/** The first `maxBytes` of a body as text, or what of them arrives: the status has said already what happened. */
async function readCapped(response: Response, maxBytes: number): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  try {
    for await (const chunk of response.body ?? []) {
      bytes += chunk.byteLength
      text += decoder.decode(chunk, { stream: true })
      if (bytes >= maxBytes) break
    }
  } catch {
    return text
  }
  return text
}

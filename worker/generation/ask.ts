// From a checked request to its picture: the one way by which every surface of the worker has one made. Finds the
// generation of a key, hands a new wish to its object, and waits; the call to a provider is the object's alone.
import { isEnded } from '../../core/api.ts'
import type { Conversation } from '../../core/gemini/conversation.ts'
import type { GenerationRequest, ReferenceInput } from '../../core/request.ts'
import type { Asker } from '../asker.ts'
import { overBudget } from '../http/budget.ts'
import { logBug } from '../http/log.ts'
import { Problem } from '../http/problem.ts'
import { generationStub, shieldStub } from '../objects.ts'
import { resolveReferences } from '../references/resolve.ts'
import { checkWebhook } from '../webhooks/send.ts'
import { digestOf, storeConversation } from './conversation.ts'
import { generationId, randomName } from './name.ts'
import type { Ensured } from './object.ts'
import type { GenerationRecord, Input, Wish } from './record.ts'
import { shieldName } from './shield.ts'
import { askedOf, checkLimits, findRoutes, wishOf } from './wish.ts'

/** A picture that a caller wants. */
export type Asked = {
  /** `references` may be inputs already: images of the body, stored while it was read. */
  request: Omit<GenerationRequest, 'references'> & {
    references?: readonly (ReferenceInput | Input)[] | undefined
  }
  /** The turns of a native call. */
  conversation?: Conversation
  /** The caller's idempotency key. Without one every call is a new picture, but for the retry shield. */
  key?: string | undefined
  /** Which of several pictures of one call, from 1. */
  sample?: number
  /** The caller's client says that it repeats a call whose answer it did not get. */
  isRepeat?: boolean
  /** Without a key: an answer without a picture that was paid a moment ago is given again. Default: true. */
  isShielded?: boolean
  /** For how long the caller waits at least, in ms, where it said so. */
  patienceMs?: number | undefined
  /** The batch that it belongs to. */
  batch?: string
}

export type Accepted = {
  record: GenerationRecord
  /** The generation was there before this call. */
  replayed: boolean
}

/** The generation of what is asked, new or found. Throws Problem: then nothing was bought by it. */
export async function accept(asker: Asker, asked: Asked): Promise<Accepted> {
  const { id, find } = asked.key === undefined ? await keyless(asker, asked) : keyed(asker, asked, asked.key)
  const wish = await wishOrRecord(asker, id, asked, find)
  const ensured: Ensured =
    'status' in wish
      ? { kind: 'existing', record: await join(asker, wish, asked.batch) }
      : await ensure(asker, wish)
  if (ensured.kind === 'over_budget') throw overBudget(ensured)
  if (ensured.kind === 'unavailable')
    throw new Problem(
      'unavailable',
      'the budget of this token cannot be looked up for the moment, so nothing was bought; ask again',
      { retryAfterMs: RETRY_AFTER_MS },
    )
  if (ensured.kind !== 'key_reused') return { record: ensured.record, replayed: ensured.kind === 'existing' }
  // Without a key a repeat has taken the id over, and an address among the references gave it other bytes.
  const record = asked.key === undefined ? await readGeneration(asker, id) : undefined
  if (record) return { record, replayed: true }
  throw new Problem(
    'key_reused',
    'this Idempotency-Key was used for another request; use a new key for a new picture',
  )
}

/** The generation that a request means. */
type Meant = {
  id: string
  /** Its record, if this request was accepted before; undefined where that cannot be. */
  find?: () => Promise<GenerationRecord | undefined>
}

function keyed(asker: Asker, asked: Asked, key: string): Meant {
  const { request, conversation, sample = 1 } = asked
  // A key holds no space, so no key of a caller's is that of another's second picture.
  const id = generationId(asker.workspace, sample > 1 ? `${key} ${sample}` : key)
  return {
    id,
    find: async () => {
      const record = await readGeneration(asker, id)
      const words = askedOf(request as GenerationRequest, conversation && digestOf(conversation))
      return record?.asked === words ? record : undefined
    },
  }
}

/** A new generation, or the one that the retry shield says is repeated. What can be refused at once does not trouble the
 *  shield. Throws `unavailable` when the shield cannot be reached: nothing is bought then, because without it nobody could
 *  say that it is not bought for the second time. */
async function keyless(asker: Asker, asked: Asked): Promise<Meant> {
  const { workspace, arrivedAt } = asker
  const { isRepeat = false, isShielded = true, patienceMs } = asked
  checkOutline(asker, asked)
  const fresh = generationId(workspace, randomName())
  const shield = shieldName(workspace, asked)
  try {
    const manner = { isRepeat, isShielded, patienceMs, arrivedAt }
    const id = await tried(() => shieldStub(asker.env, shield).admit(fresh, manner))
    return id === fresh ? { id } : { id, find: () => readGeneration(asker, id) }
  } catch (cause) {
    logBug(asker, cause)
    throw new Problem(
      'unavailable',
      'it could not be found out whether this repeats a request that was paid for already, so nothing was bought; ask again, or send an Idempotency-Key',
      { cause },
    )
  }
}

/** The wish of a request, or the record that it has already: a repeated request gets its answer whatever has become of
 *  its references and prices. With a key and without references a wish is made of what is at hand, and the object itself
 *  knows what is repeated; so there it is asked for its record only when there is no wish. */
async function wishOrRecord(
  asker: Asker,
  id: string,
  asked: Asked,
  find: Meant['find'],
): Promise<Wish | GenerationRecord> {
  const isLikelyNew = asked.key !== undefined && !asked.request.references?.length
  const early = isLikelyNew ? undefined : await find?.()
  if (early) return early
  try {
    return await prepare(asker, id, asked)
  } catch (problem) {
    const record = await find?.()
    if (record) return record
    throw problem
  }
}

/** Refuses what needs no look at the references themselves: their number, the model, its sizes. */
function checkOutline(asker: Asker, asked: Asked): void {
  const request = asked.request as GenerationRequest
  const unseen = (request.references ?? []).map(() => ({}))
  checkLimits(request, unseen, findRoutes(asker.market, request))
}

/** Checks a request and fetches what it is made from, while a refusal still costs nothing. */
async function prepare(asker: Asker, id: string, asked: Asked): Promise<Wish> {
  const { workspace, market } = asker
  const references = asked.request.references ?? []
  const request = asked.request as GenerationRequest
  // First of all: nothing is fetched for a request that has too many references.
  checkOutline(asker, asked)
  checkWebhook(asker.env, request.webhook)
  const inputs = await resolveReferences(references, workspace, {
    bucket: asker.env.BUCKET,
    fetch: (input, init) => fetch(input, init),
    generation: (reference) => readGeneration(asker, reference),
  })
  const conversation =
    asked.conversation && (await storeConversation(asker.env.BUCKET, workspace, asked.conversation))
  return wishOf({
    id,
    workspace,
    request,
    inputs,
    conversation,
    market,
    caller: asker.caller,
    batch: asked.batch,
    imagesUrl: asker.imagesUrl,
    now: asker.now(),
  })
}

/** What a caller is advised to wait when an account does not answer, in ms. */
const RETRY_AFTER_MS = 5_000

/** Tries of a call to an object that may be restarting. */
const TRIES = 3

/** Hands the wish to its object. It may have been taken although its answer was lost, so it is handed over again: the
 *  same wish is never carried out twice. */
function ensure(asker: Asker, wish: Wish): Promise<Ensured> {
  return tried(async () => generationStub(asker.env, wish.id).ensure(wish))
}

/** The object of a record that was found hears that it is asked for again, where it does not by `ensure`: what somebody
 *  waits for is not given up with the batch that it was made for. */
async function join(
  asker: Asker,
  record: GenerationRecord,
  batch: string | undefined,
): Promise<GenerationRecord> {
  if (isEnded(record.status) || record.batch === undefined || record.batch === batch) return record
  return (await tried(async () => generationStub(asker.env, record.id).join(batch))) ?? record
}

async function tried<T>(call: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await call()
    } catch (error) {
      if (tries === TRIES) throw error
    }
  }
}

/** The record of a generation of this workspace. */
export async function readGeneration(asker: Asker, id: string): Promise<GenerationRecord | undefined> {
  if (!/^gen_[0-9a-z]{26}$/.test(id)) return undefined
  const record = await generationStub(asker.env, id).read()
  return record?.workspace === asker.workspace ? record : undefined
}

/** The record when it has ended, or after at most `seconds`. */
export async function waitFor(
  asker: Asker,
  record: GenerationRecord,
  seconds: number,
): Promise<GenerationRecord> {
  if (isEnded(record.status) || seconds === 0) return record
  try {
    return (await generationStub(asker.env, record.id).wait(seconds * 1_000)) ?? record
  } catch {
    // The object was moved or restarted while we waited. Its alarm goes on; the caller asks again.
    return record
  }
}

/** The record at its end, or after at most `seconds`: goes on waiting when the object was restarted meanwhile. For
 *  surfaces whose callers cannot ask again. */
export async function waitUntilEnded(
  asker: Asker,
  record: GenerationRecord,
  seconds: number,
): Promise<GenerationRecord> {
  const untilMs = asker.now() + seconds * 1_000
  let current = record
  while (!isEnded(current.status)) {
    const leftMs = untilMs - asker.now()
    if (leftMs <= 0) return current
    const before = asker.now()
    current = await waitFor(asker, current, leftMs / 1_000)
    // An object that cannot be reached at all is not asked in a tight loop.
    if (!isEnded(current.status) && asker.now() - before < RESTART_MS) await scheduler.wait(RESTART_MS)
  }
  return current
}

/** Delay before an object that broke off a wait is asked again, in ms. */
const RESTART_MS = 500

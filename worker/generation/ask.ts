// From a checked request to its picture: the one way by which every surface of the worker has one made. Finds the
// generation of a key, hands a new wish to its object, and waits; the call to a provider is the object's alone.
import type { Context } from 'hono'
import { isEnded } from '../../core/api.ts'
import type { Conversation } from '../../core/gemini/conversation.ts'
import type { GenerationRequest, ReferenceInput } from '../../core/request.ts'
import type { AppEnv } from '../env.ts'
import { Problem } from '../http/problem.ts'
import { resolveReferences } from '../references/resolve.ts'
import { digestOf, storeConversation } from './conversation.ts'
import { generationId, randomName } from './name.ts'
import type { Ensured } from './object.ts'
import type { GenerationRecord, Input, Wish } from './record.ts'
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
}

export type Accepted = {
  record: GenerationRecord
  /** The generation was there before this call. */
  replayed: boolean
}

/** The generation of what is asked, new or found. Throws Problem: then nothing was bought by it. */
export async function accept(c: Context<AppEnv>, asked: Asked): Promise<Accepted> {
  const { workspace } = c.var
  const { key, sample = 1 } = asked
  // A key holds no space, so no key of a caller's is that of another's second picture.
  const own = key !== undefined && sample > 1 ? `${key} ${sample}` : key
  const id = generationId(workspace, own ?? randomName())
  const wish = await wishOrRecord(c, id, asked)
  const ensured: Ensured = 'status' in wish ? { kind: 'existing', record: wish } : await ensure(c, wish)
  if (ensured.kind === 'key_reused')
    throw new Problem(
      'key_reused',
      'this Idempotency-Key was used for another request; use a new key for a new picture',
    )
  return { record: ensured.record, replayed: ensured.kind === 'existing' }
}

/** The wish of a request, or the record that it has already: a repeated request gets its answer whatever has become of
 *  its references and prices. Without references a wish is made of what is at hand, and the object itself knows what is
 *  repeated; so there it is asked for its record only when there is no wish. */
async function wishOrRecord(c: Context<AppEnv>, id: string, asked: Asked): Promise<Wish | GenerationRecord> {
  const { conversation, key } = asked
  const request = asked.request as GenerationRequest
  const repeated = async () => {
    const record = key !== undefined ? await readGeneration(c, id) : undefined
    return record?.asked === askedOf(request, conversation && digestOf(conversation)) ? record : undefined
  }
  if (request.references?.length) return (await repeated()) ?? (await prepare(c, id, asked))
  try {
    return await prepare(c, id, asked)
  } catch (problem) {
    const record = await repeated()
    if (record) return record
    throw problem
  }
}

/** Checks a request and fetches what it is made from, while a refusal still costs nothing. */
async function prepare(c: Context<AppEnv>, id: string, asked: Asked): Promise<Wish> {
  const { workspace, market } = c.var
  const references = asked.request.references ?? []
  const request = asked.request as GenerationRequest
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
  const conversation =
    asked.conversation && (await storeConversation(c.env.BUCKET, workspace, asked.conversation))
  return wishOf(id, workspace, request, inputs, market, Date.now(), conversation)
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
export async function readGeneration(c: Context<AppEnv>, id: string): Promise<GenerationRecord | undefined> {
  if (!/^gen_[0-9a-z]{26}$/.test(id)) return undefined
  const record = await stub(c, id).read()
  return record?.workspace === c.var.workspace ? record : undefined
}

/** The record when it has ended, or after at most `seconds`. */
export async function waitFor(
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

/** The record at its end, or after at most `seconds`: goes on waiting when the object was restarted meanwhile. For
 *  surfaces whose callers cannot ask again. */
export async function waitUntilEnded(
  c: Context<AppEnv>,
  record: GenerationRecord,
  seconds: number,
): Promise<GenerationRecord> {
  const untilMs = Date.now() + seconds * 1_000
  let current = record
  while (!isEnded(current.status)) {
    const leftMs = untilMs - Date.now()
    if (leftMs <= 0) return current
    const before = Date.now()
    current = await waitFor(c, current, leftMs / 1_000)
    // An object that cannot be reached at all is not asked in a tight loop.
    if (!isEnded(current.status) && Date.now() - before < RESTART_MS) await scheduler.wait(RESTART_MS)
  }
  return current
}

/** Delay before an object that broke off a wait is asked again, in ms. */
const RESTART_MS = 500

function stub(c: Context<AppEnv>, id: string) {
  // Google refuses calls that leave from some countries: objects are made where calls are accepted.
  const locationHint = c.env.LOCATION_HINT ?? 'enam'
  return c.env.GENERATION.get(c.env.GENERATION.idFromName(id), { locationHint })
}

/** Where pictures are served from, no trailing slash. */
export function imagesUrlOf(c: Context<AppEnv>): string {
  return (c.env.PUBLIC_BASE_URL ?? `${new URL(c.req.url).origin}/images`).replace(/\/+$/, '')
}

// The queue's consumer: makes sure that the generations of a batch exist, and notes it. Messages come at least once, at
// any time, to several at once: the key of a line decides what is bought, and marks only ever go forward.
import { isEnded } from '../../core/api.ts'
import { marketOf } from '../../core/market.ts'
import type { ReferenceInput } from '../../core/request.ts'
import type { Env } from '../env.ts'
import { type Asker, accept, readGeneration } from '../generation/ask.ts'
import { generationId } from '../generation/name.ts'
import { generationStub } from '../generation/place.ts'
import type { GenerationRecord } from '../generation/record.ts'
import { Problem } from '../http/problem.ts'
import type { Log } from '../log.ts'
import type { BatchMessage } from './message.ts'
import { type Batch, readBatch } from './register.ts'
import {
  acceptedStatement,
  CANCELLED,
  endItemsStatement,
  endWithoutStatement,
  type Item,
  readItems,
  type Without,
} from './rows.ts'

export type ConsumerEffects = { now: () => number; log: Log }

/** The queue whose messages have failed too often. */
const DEAD = /-dead$/

/** Seconds before a message is delivered again that could not be worked off: the first time, and at most. */
const RETRY_S = 30
const MAX_RETRY_S = 900

/** Deliveries after which an address that cannot be reached is believed to be gone. */
const REACHABLE_TRIES = 3

/** Seconds that a generation of a batch may wait for its turn when its line says nothing: thousands wait for one
 *  another. */
const DEADLINE_S = 86_400

export async function consume(
  delivered: MessageBatch<BatchMessage>,
  env: Env,
  fx: ConsumerEffects,
): Promise<void> {
  const take = DEAD.test(delivered.queue) ? bury : workOff
  await Promise.all(
    delivered.messages.map(async (message) => {
      const { attempts, body } = message
      try {
        if (await take(env, fx, body, attempts)) return message.ack()
      } catch (error) {
        fx.log({
          event: 'batch_message_failed',
          batch: body.batch,
          queue: delivered.queue,
          error: String(error),
        })
      }
      message.retry({ delaySeconds: Math.min(RETRY_S * 2 ** (attempts - 1), MAX_RETRY_S) })
    }),
  )
}

/** What was found out about the items of a message. */
type Found = { done: { item: Item; record: GenerationRecord }[]; without: Without[] }

/** Works off a message; false when something of it has to be tried again. */
async function workOff(
  env: Env,
  fx: ConsumerEffects,
  { batch: id, lines }: BatchMessage,
  attempts: number,
): Promise<boolean> {
  const batch = await readBatch(env.DB, id)
  if (!batch) return true
  const c = askerOf(env, fx, batch)
  const found: Found = { done: [], without: [] }
  let isWhole = true
  for (const item of await readItems(env.DB, batch.items, lines)) {
    if (item.state === 'ended') continue
    const became = await workOffItem(c, batch, item, attempts)
    if (became === 'later') isWhole = false
    else if ('error' in became) found.without.push(became)
    else found.done.push({ item, record: became })
  }
  await note(env, batch, found)
  await lookAgain(c, batch, found)
  return isWhole
}

async function workOffItem(
  c: Asker,
  batch: Batch,
  item: Item,
  attempts: number,
): Promise<GenerationRecord | Without | 'later'> {
  const why = whyNothing(c, batch)
  if (item.state !== 'accepted' && !why) return make(c, batch, item, attempts)
  // Nothing is made any more, but it may have been made by a delivery that broke off before it noted so.
  const record = await readGeneration(c, item.generation)
  if (record && (item.state === 'accepted' || record.batch === batch.id)) return record
  return why ? { line: item.line, ...why } : 'later'
}

/** Why nothing more of a batch is made. */
function whyNothing(c: Asker, { cancelledAt, isRevoked, terms }: Batch): Omit<Without, 'line'> | undefined {
  if (cancelledAt !== null) return CANCELLED
  if (isRevoked) return failedAs('unauthorised', 'the token that handed the batch over was revoked')
  const { emulated } = c.var.market
  if (emulated === terms.emulated) return undefined
  return failedAs(
    'not_configured',
    emulated
      ? 'the provider keys that were set when the batch was handed over are gone; set them and hand the line over again'
      : 'the emulator stood in for the providers when the batch was handed over, and now this would cost money; hand it over again',
  )
}

/** The generation of a line, new or found; why there is none; `later` when that may pass. */
async function make(
  c: Asker,
  batch: Batch,
  item: Item,
  attempts: number,
): Promise<GenerationRecord | Without | 'later'> {
  const { references, ...request } = item.request
  const inputs = references?.map((reference) => inputOf(batch, reference))
  try {
    const asked = { deadline: DEADLINE_S, ...request, ...(inputs ? { references: inputs } : {}) }
    return (await accept(c, { request: asked, key: item.key, batch: batch.id })).record
  } catch (error) {
    if (!(error instanceof Problem)) {
      c.var.log({ event: 'batch_line_failed', batch: batch.id, line: item.line, error: String(error) })
      return 'later'
    }
    const passes =
      PASSING.includes(error.code) || (error.code === 'reference_unreachable' && attempts < REACHABLE_TRIES)
    return passes ? 'later' : { line: item.line, ...failedAs(error.code, error.message) }
  }
}

/** Problems that say nothing about the line. */
const PASSING: readonly Problem['code'][] = ['unavailable', 'internal', 'too_many_requests', 'misconfigured']

/** A line names the picture of another one by its key, from which its generation follows. */
function inputOf(
  batch: Batch,
  reference: NonNullable<Item['request']['references']>[number],
): ReferenceInput {
  const isMadeHere = 'key' in reference
  return isMadeHere ? { generation: generationId(batch.workspace, reference.key) } : reference
}

async function note(env: Env, { items }: Batch, { done, without }: Found): Promise<void> {
  const lines = done.map(({ item }) => item.line)
  const ended = done.filter(({ record }) => isEnded(record.status))
  const statements = [
    ...(done.length > 0 ? [acceptedStatement(env.DB, items, lines)] : []),
    ...ended.map(({ record }) => endItemsStatement(env.DB, record)),
    ...(without.length > 0 ? [endWithoutStatement(env.DB, items, without)] : []),
  ]
  if (statements.length > 0) await env.DB.batch(statements)
}

/** What may have come between looking and noting. A generation that another request asked for may have ended before its
 *  item was marked as its own: then nobody else ends the item. And the batch may have been cancelled. */
async function lookAgain(c: Asker, batch: Batch, { done }: Found): Promise<void> {
  const open = done.filter(({ record }) => !isEnded(record.status))
  if (open.length === 0) return
  const isCancelled = (await readBatch(c.env.DB, batch.id))?.cancelledAt !== null
  for (const { record } of open) {
    if (record.batch === batch.id) {
      if (isCancelled) await generationStub(c.env, record.id).cancel()
      continue
    }
    const now = await readGeneration(c, record.id)
    if (now && isEnded(now.status)) await endItemsStatement(c.env.DB, now).run()
  }
}

/** Ends what could not be worked off in all its deliveries: it is not lost, and says what to do. */
async function bury(env: Env, fx: ConsumerEffects, { batch: id, lines }: BatchMessage): Promise<boolean> {
  const batch = await readBatch(env.DB, id)
  if (!batch) return true
  const c = askerOf(env, fx, batch)
  const found: Found = { done: [], without: [] }
  for (const item of await readItems(env.DB, batch.items, lines)) {
    if (item.state === 'ended') continue
    const record = await readGeneration(c, item.generation)
    if (record && (item.state === 'accepted' || record.batch === id)) found.done.push({ item, record })
    else found.without.push({ line: item.line, ...failedAs('internal', UNDELIVERED) })
  }
  await note(env, batch, found)
  await lookAgain(c, batch, found)
  return true
}

const UNDELIVERED =
  'the worker tried for hours to begin this picture and could not; nothing was bought for it. Its log tells why; then send the line again'

/** The batch in place of the call that handed it over. */
function askerOf(env: Env, { now, log }: ConsumerEffects, { id, workspace, terms }: Batch): Asker {
  const { caller, imagesUrl } = terms
  return { env, var: { workspace, caller, imagesUrl, market: marketOf(env), requestId: id, log, now } }
}

function failedAs(code: Problem['code'], message: string): Omit<Without, 'line'> {
  return { status: 'failed', error: { code, message } }
}

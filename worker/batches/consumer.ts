// The queue's consumer: makes sure that the generations of a batch exist, and notes it. Messages come at least once, at
// any time, to several at once: the key of a line decides what is bought, and a mark goes back only where a generation is
// found after all (reopened), or a budget is full (postponed).
import { isEnded } from '../../core/api.ts'
import { marketOf } from '../../core/market.ts'
import type { ReferenceInput } from '../../core/request.ts'
import type { Asker } from '../asker.ts'
import type { Env } from '../env.ts'
import { accept, readGeneration } from '../generation/ask.ts'
import { generationId } from '../generation/name.ts'
import type { GenerationRecord } from '../generation/record.ts'
import { Problem } from '../http/problem.ts'
import type { Log } from '../log.ts'
import { giveUp } from './cancel.ts'
import type { BatchMessage } from './message.ts'
import { type Batch, readBatch } from './register.ts'
import { postponedStatement, reopenedStatement } from './returns.ts'
import {
  acceptedStatement,
  CANCELLED,
  endLinesStatement,
  endWithoutStatement,
  readLines,
  type StoredLine,
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
      const { attempts: deliveries, body } = message
      try {
        if (await take(env, fx, body, deliveries)) return message.ack()
      } catch (error) {
        fx.log({
          event: 'batch_message_failed',
          batch: body.batch,
          queue: delivered.queue,
          error: String(error),
        })
      }
      message.retry({ delaySeconds: Math.min(RETRY_S * 2 ** (deliveries - 1), MAX_RETRY_S) })
    }),
  )
}

/** What was found out about the lines of a message. */
type Found = {
  done: { stored: StoredLine; record: GenerationRecord }[]
  without: Without[]
  /** Lines that come again when the budget has room. */
  postponed?: number[]
}

/** Works off a message; false when something of it has to be tried again. */
async function workOff(
  env: Env,
  fx: ConsumerEffects,
  { batch: id, lines }: BatchMessage,
  deliveries: number,
): Promise<boolean> {
  let batch = await readBatch(env.DB, id)
  if (!batch) return true
  const asker = standInFor(batch, env, fx)
  const found: Required<Found> = { done: [], without: [], postponed: [] }
  let isWhole = true
  for (const stored of await readLines(env.DB, batch.set, lines)) {
    if (stored.state === 'ended') continue
    const became = await workOffLine(asker, batch, stored, deliveries)
    // Each line may take a while, and the batch may be cancelled at any time.
    batch = (await readBatch(env.DB, id)) ?? batch
    if (became === 'later') isWhole = false
    else if (became === 'postponed') found.postponed.push(stored.line)
    else if ('error' in became) found.without.push(became)
    else found.done.push({ stored, record: await givenUp(asker, batch, became) })
  }
  await note(env, batch, found, fx.now())
  await lookAgain(asker, batch, found)
  return isWhole
}

async function workOffLine(
  asker: Asker,
  batch: Batch,
  stored: StoredLine,
  deliveries: number,
): Promise<GenerationRecord | Without | 'later' | 'postponed'> {
  const why = whyNothing(asker, batch)
  if (stored.state !== 'accepted' && !why) return make(asker, batch, stored, deliveries)
  // Nothing is made any more, but it may have been made by a delivery that broke off before it noted so.
  const record = await readGeneration(asker, stored.generation)
  if (record && (stored.state === 'accepted' || record.batch === batch.id)) return record
  // That of another request, which such a delivery may have joined.
  if (record && why) await giveUp(asker.env, batch, record)
  return why ? { line: stored.line, ...why } : 'later'
}

/** A generation that came to be while its batch was cancelled is given up where that is free. Returns what it is then. */
async function givenUp(asker: Asker, batch: Batch, record: GenerationRecord): Promise<GenerationRecord> {
  if (isEnded(record.status) || !whyNothing(asker, batch)) return record
  return giveUp(asker.env, batch, record)
}

/** Why nothing more of a batch is made. */
function whyNothing(asker: Asker, batch: Batch): Omit<Without, 'line'> | undefined {
  const { cancelledAt, isRevoked, expiresAt, terms } = batch
  if (cancelledAt !== null) return CANCELLED
  if (isRevoked) return failedAs('unauthorised', 'the token that handed the batch over was revoked')
  if (expiresAt !== null && expiresAt <= asker.now())
    return failedAs('unauthorised', 'the token that handed the batch over has expired')
  const { emulated } = asker.market
  if (emulated === terms.emulated) return undefined
  return failedAs(
    'not_configured',
    emulated
      ? 'the provider keys that were set when the batch was handed over are gone; set them and hand the line over again'
      : 'the emulator stood in for the providers when the batch was handed over, and now this would cost money; hand it over again',
  )
}

/** The generation of a line, new or found; why there is none; `later` when that may pass, `postponed` when it is a matter
 *  of the budget. */
async function make(
  asker: Asker,
  batch: Batch,
  stored: StoredLine,
  deliveries: number,
): Promise<GenerationRecord | Without | 'later' | 'postponed'> {
  const { references, ...request } = stored.request
  const inputs = references?.map((reference) => inputOf(batch, reference))
  try {
    const asked = { deadline: DEADLINE_S, ...request, ...(inputs ? { references: inputs } : {}) }
    return (await accept(asker, { request: asked, key: stored.key, batch: batch.id })).record
  } catch (error) {
    if (!(error instanceof Problem)) {
      asker.log({ event: 'batch_line_failed', batch: batch.id, line: stored.line, error: String(error) })
      return 'later'
    }
    // The budget is full of what is held for pictures under way, most of which will cost less.
    if (error.code === 'budget_exceeded' && error.retryAfterMs !== undefined) return 'postponed'
    const passes =
      PASSING.includes(error.code) || (error.code === 'reference_unreachable' && deliveries < REACHABLE_TRIES)
    return passes ? 'later' : { line: stored.line, ...failedAs(error.code, error.message) }
  }
}

/** Problems that say nothing about the line. */
const PASSING: readonly Problem['code'][] = ['unavailable', 'internal', 'too_many_requests', 'misconfigured']

/** A line names the picture of another one by its key, from which its generation follows. */
function inputOf(
  batch: Batch,
  reference: NonNullable<StoredLine['request']['references']>[number],
): ReferenceInput {
  const isMadeHere = 'key' in reference
  return isMadeHere ? { generation: generationId(batch.workspace, reference.key) } : reference
}

async function note(
  env: Env,
  { id, set }: Batch,
  { done, without, postponed = [] }: Found,
  now: number,
): Promise<void> {
  const lines = done.map(({ stored }) => stored.line)
  // Another delivery may have ended them because there was no generation then.
  const own = done.filter(({ record }) => record.batch === id).map(({ stored }) => stored.line)
  const ended = done.filter(({ record }) => isEnded(record.status))
  const statements = [
    ...(done.length > 0 ? [acceptedStatement(env.DB, set, lines)] : []),
    ...(own.length > 0 ? [reopenedStatement(env.DB, set, own)] : []),
    ...ended.map(({ record }) => endLinesStatement(env.DB, record)),
    ...(without.length > 0 ? [endWithoutStatement(env.DB, set, without)] : []),
    ...(postponed.length > 0 ? [postponedStatement(env.DB, set, postponed, now)] : []),
  ]
  if (statements.length > 0) await env.DB.batch(statements)
}

/** What may have come between looking and noting. A generation that another request asked for may have ended before its
 *  line was marked as its own: then nobody else ends the line. And the batch may have been cancelled. */
async function lookAgain(asker: Asker, batch: Batch, { done }: Found): Promise<void> {
  const open = done.filter(({ record }) => !isEnded(record.status))
  if (open.length === 0) return
  const latest = (await readBatch(asker.env.DB, batch.id)) ?? batch
  for (const { record } of open) {
    await givenUp(asker, latest, record)
    if (record.batch === batch.id) continue
    const now = await readGeneration(asker, record.id)
    if (now && isEnded(now.status)) await endLinesStatement(asker.env.DB, now).run()
  }
}

/** Ends what could not be worked off in all its deliveries: it is not lost, and says what to do. */
async function bury(env: Env, fx: ConsumerEffects, { batch: id, lines }: BatchMessage): Promise<boolean> {
  const batch = await readBatch(env.DB, id)
  if (!batch) return true
  const asker = standInFor(batch, env, fx)
  const found: Found = { done: [], without: [] }
  const buried: StoredLine[] = []
  for (const stored of await readLines(env.DB, batch.set, lines)) {
    if (stored.state === 'ended') continue
    const record = await readGeneration(asker, stored.generation)
    if (record && (stored.state === 'accepted' || record.batch === id)) found.done.push({ stored, record })
    else {
      if (record) await giveUp(env, batch, record)
      found.without.push({ line: stored.line, ...failedAs('internal', UNDELIVERED) })
      buried.push(stored)
    }
  }
  await note(env, batch, found, fx.now())
  // A delivery that was slow may have brought it about meanwhile.
  for (const stored of buried) {
    const record = await readGeneration(asker, stored.generation)
    if (record?.batch === id) await note(env, batch, { done: [{ stored, record }], without: [] }, fx.now())
  }
  await lookAgain(asker, batch, found)
  return true
}

const UNDELIVERED =
  'the worker tried for an hour and a half to begin this picture and could not; nothing was bought for it. Its log tells why; then send the line again'

/** The batch in place of the call that handed it over. */
function standInFor({ id, workspace, terms }: Batch, env: Env, { now, log }: ConsumerEffects): Asker {
  const { caller, imagesUrl } = terms
  return {
    env,
    workspace,
    caller,
    imagesUrl,
    market: marketOf(env),
    requestId: id,
    log,
    now,
    arrivedAt: now(),
  }
}

function failedAs(code: Problem['code'], message: string): Omit<Without, 'line'> {
  return { status: 'failed', error: { code, message } }
}

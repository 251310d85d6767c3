// Batch: drives one batch to its end. Sends what is ready to the queue, sends again what seems lost, cancels, ends the
// batch, tells the webhook. D1 is the truth; the object remembers only which batch it is and what it owes. Every step may
// be repeated, so that it may die in any of them.
import { DurableObject } from 'cloudflare:workers'
import type { Env } from '../env.ts'
import { consoleLog, type Log } from '../log.ts'
import { generationStub } from '../objects.ts'
import { tryWebhook, type WebhookEffects } from '../webhooks/send.ts'
import { cancelFrom } from './cancel.ts'
import { handOver } from './queue.ts'
import { type Batch as BatchRow, dropBroken, finishBatch, readBatch } from './register.ts'
import { postponedLines } from './returns.ts'
import {
  acceptedLines,
  doomedLines,
  endWithoutStatement,
  markHandedOver,
  overdueLines,
  readyLines,
} from './rows.ts'
import { countsOf, openOf, viewsOf } from './standing.ts'

/** Most lines that are in the queue or whose generations have not ended, at a time: the others cost nothing to cancel,
 *  and the deadline of a line begins when its generation does. */
const WINDOW = 1_000

/** After this time in the queue a line is sent again, in ms: its message may be lost. The queue's own deliveries of a
 *  message are over before: eleven of them take an hour and a half (consumer.ts), those of a dead letter some minutes more. */
const LOST_MS = 2 * 3_600_000

/** Most lines that are ended in one statement. */
const STEP = 200

/** Nothing is left to cancel. */
const DONE = { goesOnAt: 0, hasFailed: false }

/** Delays between two looks at the batch, in ms: after something moved, longest while lines wait for their turn, and
 *  longest otherwise. */
const SOON_MS = 2_000
const TURN_MS = 15_000
const LATE_MS = 60_000

/** While the budget of the token is full: lines that try at a time, how long one of them then waits, and the least delay
 *  between two looks, in ms. */
const BUDGET_LINES = 40
const BUDGET_MS = 4_000
const BUDGET_LOOK_MS = 5_000

/** Generations that are woken when nothing moves, in one step: each may have lost its alarm. */
const WOKEN = 20

/** How long a batch is looked for that was announced and is not there, in ms: its upload was broken off. */
const ANNOUNCED_MS = 600_000

type Memory = {
  id: string
  announcedAt: number
  delayMs: number
  /** What the batch looked like last. */
  seen: string
  /** Where cancelling goes on. */
  cancelledLine: number
  /** Where waking generations goes on. */
  wokenLine?: number
  webhookTries: number
  isDone?: true
}

const MEMORY = 'memory'

export class Batch extends DurableObject<Env> {
  #fx: WebhookEffects & { log: Log } = {
    fetch: (input, init) => fetch(input, init),
    now: () => Date.now(),
    log: consoleLog,
  }

  /** Begins, or goes on with, a batch; before it is accepted, so that it is not forgotten, and whenever something about it
   *  has changed. Repeatable. */
  async drive(id: string): Promise<void> {
    const known = this.#memory()
    if (known?.isDone) return
    const now = this.#fx.now()
    const begun: Memory = {
      id,
      announcedAt: now,
      delayMs: SOON_MS,
      seen: '',
      cancelledLine: 0,
      webhookTries: 0,
    }
    this.ctx.storage.kv.put(MEMORY, { ...begun, ...known, announcedAt: now, delayMs: SOON_MS })
    this.ctx.storage.setAlarm(now)
  }

  override async alarm(): Promise<void> {
    const memory = this.#memory()
    if (!memory || memory.isDone) return
    const next = await this.#tryAdvance(memory)
    // `drive` may have been called meanwhile.
    const announcedAt = this.#memory()?.announcedAt ?? memory.announcedAt
    if (!next && announcedAt === memory.announcedAt) {
      // Whoever hands the same batch over again begins anew.
      this.ctx.storage.kv.delete(MEMORY)
      return
    }
    const { isDone, delayMs } = next ?? memory
    this.ctx.storage.kv.put(MEMORY, { ...(next ?? memory), announcedAt })
    const isSet = (await this.ctx.storage.getAlarm()) !== null
    if (!isDone && !isSet) this.ctx.storage.setAlarm(this.#fx.now() + delayMs)
  }

  #memory(): Memory | undefined {
    return this.ctx.storage.kv.get<Memory>(MEMORY)
  }

  async #tryAdvance(memory: Memory): Promise<Memory | undefined> {
    try {
      return await this.#advance(memory)
    } catch (error) {
      this.#fx.log({ event: 'batch_delayed', batch: memory.id, error: String(error) })
      return { ...memory, delayMs: Math.min(Math.max(memory.delayMs * 2, SOON_MS), LATE_MS) }
    }
  }

  /** One step; the memory after it says when the next one is due. Undefined: there is no such batch. */
  async #advance(memory: Memory): Promise<Memory | undefined> {
    const { DB } = this.env
    const now = this.#fx.now()
    const batch = await readBatch(DB, memory.id)
    if (!batch) {
      await dropBroken(DB, now)
      if (now - memory.announcedAt > ANNOUNCED_MS) return undefined
      return { ...memory, delayMs: SOON_MS }
    }
    if (batch.finishedAt !== null) return this.#tell(memory, batch)
    const isCancelled = batch.cancelledAt !== null
    const { goesOnAt, hasFailed } = isCancelled
      ? await cancelFrom(this.env, batch, memory.cancelledLine, this.#fx.log)
      : DONE
    const isBudgetFull = !isCancelled && (await this.#send(batch, now))
    await this.#sendAgain(batch, now)
    const counts = (await countsOf(DB, [batch.set])).get(batch.set)!
    if (openOf(counts) === 0) {
      await finishBatch(DB, batch.id, now)
      return { ...memory, delayMs: 0 }
    }
    const seen = JSON.stringify(counts)
    const longest = counts.waiting > 0 ? TURN_MS : LATE_MS
    const isStill = seen === memory.seen && !hasFailed
    const delayMs = isStill ? Math.min(Math.max(memory.delayMs * 2, SOON_MS), longest) : SOON_MS
    return {
      ...memory,
      seen,
      cancelledLine: goesOnAt,
      wokenLine: isStill && delayMs === longest ? await this.#wake(memory, batch) : (memory.wokenLine ?? 0),
      delayMs: goesOnAt > 0 ? 0 : isBudgetFull ? Math.max(delayMs, BUDGET_LOOK_MS) : delayMs,
    }
  }

  /** Wakes some of the generations that it waits for; the line to go on from. */
  async #wake({ wokenLine = 0 }: Memory, { id, set }: BatchRow): Promise<number> {
    const lines = await acceptedLines(this.env.DB, set, wokenLine, WOKEN)
    for (const { generation } of lines)
      await generationStub(this.env, generation)
        .turn()
        .catch((error: unknown) =>
          this.#fx.log({ event: 'turn_failed', batch: id, generation, error: String(error) }),
        )
    return lines.length < WOKEN ? 0 : lines.at(-1)!.line
  }

  /** Sends to the queue what is ready, as far as the window reaches; ends what waits for a picture that will not come.
   *  Resolves with whether the budget had no room for all that was sent. */
  async #send(batch: BatchRow, now: number): Promise<boolean> {
    const { DB } = this.env
    const { id, set } = batch
    for (;;) {
      const doomed = await doomedLines(DB, set, STEP)
      if (doomed.length === 0) break
      const ends = doomed.map(({ line, need, key, status }) => {
        const message = `line ${need} (${key}), whose picture it is made from, ended without one: it is ${status}`
        return { line, status: 'failed', error: { code: 'reference_not_found', message } } as const
      })
      await endWithoutStatement(DB, set, ends).run()
    }
    const counts = (await countsOf(DB, [set])).get(set)!
    const room = WINDOW - counts.queued - counts.running
    if (room <= 0 || counts.waiting === 0) return false
    // Those that had no room show whether there is some now; the others would only be put back as well.
    const postponed = await postponedLines(DB, set, BUDGET_LINES)
    const isFull = postponed.length > 0
    const isDue = ({ at }: { at: number }) => at < now - BUDGET_MS
    const due = postponed.filter(isDue).slice(0, room)
    const left = isFull ? Math.min(room - due.length, BUDGET_LINES - postponed.length) : room
    const fresh = await readyLines(DB, set, left)
    await this.#handOver(id, set, [...due.map(({ line }) => line), ...fresh], now)
    return isFull
  }

  async #sendAgain({ id, set }: BatchRow, now: number): Promise<void> {
    await this.#handOver(id, set, await overdueLines(this.env.DB, set, now - LOST_MS, WINDOW), now)
  }

  /** Marked after they are sent: a mark without a message would wait for LOST_MS, a message without a mark is only sent
   *  twice. */
  async #handOver(id: string, set: string, lines: readonly number[], now: number): Promise<void> {
    await handOver(this.env.QUEUE, id, lines, (sent) => markHandedOver(this.env.DB, set, sent, now))
  }

  /** Tells the webhook that the batch has ended. */
  async #tell(memory: Memory, batch: BatchRow): Promise<Memory> {
    const url = batch.terms.webhook
    if (url === undefined) return { ...memory, isDone: true }
    const [view] = await viewsOf(this.env.DB, [batch])
    const message = {
      id: `msg_${batch.id}`,
      url,
      timestamp: batch.finishedAt!,
      type: 'batch.ended',
      data: view,
    }
    const webhookTries = memory.webhookTries + 1
    const delayMs = await tryWebhook(this.env, message, webhookTries, this.#fx)
    return delayMs === undefined
      ? { ...memory, webhookTries, isDone: true }
      : { ...memory, webhookTries, delayMs }
  }
}

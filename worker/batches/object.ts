// Batch: drives one batch to its end. Sends what is ready to the queue, sends again what seems lost, cancels, ends the
// batch, tells the webhook. D1 is the truth; the object remembers only which batch it is and what it owes. Every step may
// be repeated, so that it may die in any of them.
import { DurableObject } from 'cloudflare:workers'
import { isEnded } from '../../core/api.ts'
import type { Env } from '../env.ts'
import { generationStub } from '../generation/place.ts'
import { consoleLog } from '../log.ts'
import { sendWebhook, webhookDelayMs } from '../webhooks/send.ts'
import { handOver } from './queue.ts'
import { type Batch as BatchRow, dropBroken, finishBatch, readBatch } from './register.ts'
import {
  acceptedLines,
  CANCELLED,
  doomedLines,
  endItemsStatement,
  endWaitingStatement,
  endWithoutStatement,
  markHandedOver,
  overdueLines,
  readyLines,
} from './rows.ts'
import { countsOf, openOf, viewsOf } from './standing.ts'

/** Most lines that are in the queue or whose generations have not ended, at a time: the others cost nothing to cancel,
 *  and the deadline of a line begins when its generation does. */
const WINDOW = 1_000

/** After this time in the queue a line is sent again, in ms: its message may be lost. */
const LOST_MS = 900_000

/** Most generations that are cancelled, and most lines that are ended, in one step. */
const STEP = 200

/** Delays between two looks at the batch, in ms: after something moved, longest while lines wait for their turn, and
 *  longest otherwise. */
const SOON_MS = 2_000
const TURN_MS = 15_000
const LATE_MS = 60_000

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
  webhookTries: number
  isDone?: true
}

const MEMORY = 'memory'

export class Batch extends DurableObject<Env> {
  /** Begins, or goes on with, a batch; before it is accepted, so that it is not forgotten, and whenever something about it
   *  has changed. Repeatable. */
  async drive(id: string): Promise<void> {
    const known = this.#memory()
    if (known?.isDone) return
    const now = Date.now()
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
    if (!isDone && !isSet) this.ctx.storage.setAlarm(Date.now() + delayMs)
  }

  #memory(): Memory | undefined {
    return this.ctx.storage.kv.get<Memory>(MEMORY)
  }

  async #tryAdvance(memory: Memory): Promise<Memory | undefined> {
    try {
      return await this.#advance(memory)
    } catch (error) {
      consoleLog({ event: 'batch_delayed', batch: memory.id, error: String(error) })
      return { ...memory, delayMs: Math.min(Math.max(memory.delayMs * 2, SOON_MS), LATE_MS) }
    }
  }

  /** One step; the memory after it says when the next one is due. Undefined: there is no such batch. */
  async #advance(memory: Memory): Promise<Memory | undefined> {
    const { DB } = this.env
    const now = Date.now()
    const batch = await readBatch(DB, memory.id)
    if (!batch) {
      await dropBroken(DB, now)
      if (now - memory.announcedAt > ANNOUNCED_MS) return undefined
      return { ...memory, delayMs: SOON_MS }
    }
    if (batch.finishedAt !== null) return this.#tell(memory, batch)
    const cancelledLine = batch.cancelledAt === null ? 0 : await this.#cancel(memory, batch)
    if (batch.cancelledAt === null) await this.#send(batch, now)
    await this.#sendAgain(batch, now)
    const counts = (await countsOf(DB, [batch.items])).get(batch.items)!
    if (openOf(counts) === 0) {
      await finishBatch(DB, batch.id, now)
      return { ...memory, delayMs: 0 }
    }
    const seen = JSON.stringify(counts)
    const longest = counts.waiting > 0 ? TURN_MS : LATE_MS
    const delayMs = seen === memory.seen ? Math.min(Math.max(memory.delayMs * 2, SOON_MS), longest) : SOON_MS
    return { ...memory, seen, cancelledLine, delayMs: cancelledLine > 0 ? 0 : delayMs }
  }

  /** Sends to the queue what is ready, as far as the window reaches; ends what waits for a picture that will not come. */
  async #send(batch: BatchRow, now: number): Promise<void> {
    const { DB } = this.env
    const { id, items } = batch
    for (;;) {
      const doomed = await doomedLines(DB, items, STEP)
      if (doomed.length === 0) break
      const ends = doomed.map(({ line, need, key, status }) => {
        const message = `line ${need} (${key}), whose picture it is made from, ended without one: it is ${status}`
        return { line, status: 'failed', error: { code: 'reference_not_found', message } } as const
      })
      await endWithoutStatement(DB, items, ends).run()
    }
    const counts = (await countsOf(DB, [items])).get(items)!
    const room = WINDOW - counts.queued - counts.running
    if (room <= 0 || counts.waiting === 0) return
    await this.#handOver(id, items, await readyLines(DB, items, room), now)
  }

  async #sendAgain({ id, items }: BatchRow, now: number): Promise<void> {
    await this.#handOver(id, items, await overdueLines(this.env.DB, items, now - LOST_MS, WINDOW), now)
  }

  /** Marked after they are sent: a mark without a message would wait for LOST_MS, a message without a mark is only sent
   *  twice. */
  async #handOver(id: string, items: string, lines: readonly number[], now: number): Promise<void> {
    await handOver(this.env.QUEUE, id, lines, (sent) => markHandedOver(this.env.DB, items, sent, now))
  }

  /** Gives up what costs nothing yet; the line to go on from, 0 when all were asked. What is in the queue the consumer
   *  ends; what runs is waited for, and asked again: a throttled one goes back to its queue. */
  async #cancel({ cancelledLine }: Memory, { id, items }: BatchRow): Promise<number> {
    const { env } = this
    await endWaitingStatement(env.DB, items, CANCELLED).run()
    const lines = await acceptedLines(env.DB, items, cancelledLine, STEP)
    for (const { line, generation } of lines) {
      const stub = generationStub(env, generation)
      const record = await stub.read()
      // One that another request asked for too is not ours to cancel; the line need not wait for it.
      if (record && record.batch !== id && !isEnded(record.status))
        await endWithoutStatement(env.DB, items, [{ line, ...CANCELLED }]).run()
      else if (record && isEnded(record.status)) await endItemsStatement(env.DB, record).run()
      else await stub.cancel()
    }
    return lines.length < STEP ? 0 : lines.at(-1)!.line
  }

  /** Tells the webhook that the batch has ended. */
  async #tell(memory: Memory, batch: BatchRow): Promise<Memory> {
    const url = batch.terms.webhook
    if (url === undefined) return { ...memory, isDone: true }
    const [view] = await viewsOf(this.env.DB, [batch])
    const answer = await sendWebhook(this.env, {
      id: `msg_${batch.id}`,
      url,
      timestamp: batch.finishedAt!,
      type: 'batch.ended',
      data: view,
    })
    const webhookTries = memory.webhookTries + 1
    const delayMs = answer === 'failed' ? webhookDelayMs(webhookTries) : undefined
    if (answer === 'failed')
      consoleLog({
        event: 'webhook_failed',
        batch: batch.id,
        tries: webhookTries,
        again: delayMs !== undefined,
      })
    return delayMs === undefined
      ? { ...memory, webhookTries, isDone: true }
      : { ...memory, webhookTries, delayMs }
  }
}

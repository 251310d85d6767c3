// Generation: one wanted picture, the only place that calls a provider (promise 7). An alarm owns the call, so that no
// client's leaving can cancel it.
//
// States: queued → running → queued (free try over) → … → succeeded | refused | failed | uncertain | cancelled.
// Order of writes (promises 1 and 2):
//   1. ensure():  record `queued` and the alarm, in one synchronous block
//   2. alarm():   an open attempt is a crash: adopt its commit record from R2, or end it as `orphaned`
//   3.            record the attempt as dispatched, sync()
//   4.            call, store the pictures, write the commit record to R2; no storage of the object in between, because
//                 touching it while the platform shuts the object down would cut the call
//   5.            record the ending; wake who waits; copy the record to the index
import { DurableObject } from 'cloudflare:workers'
import { isEnded } from '../../core/api.ts'
import { classifySilence } from '../../core/outcome.ts'
import type { Env } from '../env.ts'
import { consoleLog, type Log } from '../log.ts'
import type { OverBudget } from '../money/budget.ts'
import { type AttemptEffects, attempt } from './attempt.ts'
import { readCommit, writeCommit } from './commit.ts'
import type { KeptAnswer } from './kept.ts'
import { writeIndex } from './listing.ts'
import { randomName } from './name.ts'
import { asResult, findPictures } from './pictures.ts'
import { nextStep } from './policy.ts'
import {
  type Attempt,
  type Ending,
  finished,
  type GenerationRecord,
  openAttempt,
  type Wish,
  withDispatch,
  withEnding,
} from './record.ts'

/** What `ensure` found: its own record, new or old; a key that belongs to another request; a budget without room. */
export type Ensured =
  | { kind: 'created' | 'existing'; record: GenerationRecord }
  | { kind: 'key_reused' }
  | ({ kind: 'over_budget' } & OverBudget)

/** Delay before the alarm tries again after an unexpected error, in ms. */
const MISHAP_DELAY_MS = 5_000

/** Delay before the index is tried again, in ms. */
const INDEX_DELAY_MS = 15_000

const RECORD = 'record'

export class Generation extends DurableObject<Env> {
  #waiters = new Set<() => void>()
  /** While an alarm runs there is none set. */
  #isAwake = false
  #log: Log = consoleLog

  /** Makes sure that this picture will be made; buys nothing twice. Returns at once. */
  async ensure(wish: Wish): Promise<Ensured> {
    const existing = this.read()
    if (existing) {
      if (existing.fingerprint !== wish.fingerprint) return { kind: 'key_reused' }
      const isAsleep =
        !isEnded(existing.status) && !this.#isAwake && (await this.ctx.storage.getAlarm()) === null
      if (isAsleep) await this.ctx.storage.setAlarm(Date.now() + MISHAP_DELAY_MS)
      return { kind: 'existing', record: existing }
    }
    const now = Date.now()
    const record: GenerationRecord = { ...wish, status: 'queued', attempts: [], createdAt: now, version: 1 }
    this.#save(record)
    this.ctx.storage.setAlarm(now)
    return { kind: 'created', record }
  }

  /** The record, or undefined when there is no such generation. */
  read(): GenerationRecord | undefined {
    return this.ctx.storage.kv.get<GenerationRecord>(RECORD)
  }

  /** The record as soon as it has ended, or as it is after `ms`. */
  async wait(ms: number): Promise<GenerationRecord | undefined> {
    const record = this.read()
    if (!record || isEnded(record.status) || ms <= 0) return record
    await new Promise<void>((resolve) => {
      const wake = () => {
        clearTimeout(timer)
        this.#waiters.delete(wake)
        resolve()
      }
      const timer = setTimeout(wake, ms)
      this.#waiters.add(wake)
    })
    return this.read()
  }

  override async alarm(): Promise<void> {
    this.#isAwake = true
    try {
      await this.#advance()
    } catch (error) {
      // A used-up alarm does not come back by itself, and the platform repeats a throwing one six times only.
      this.#log({
        event: 'bug',
        generation: this.read()?.id ?? null,
        error: (error as Error).stack ?? String(error),
      })
      await this.ctx.storage.setAlarm(Date.now() + MISHAP_DELAY_MS)
    } finally {
      this.#isAwake = false
    }
  }

  /** One step towards the end: settle what is open, then wait, send or end. Sets the next alarm itself. */
  async #advance(): Promise<void> {
    const record = this.read()
    if (!record) return
    const open = openAttempt(record)
    if (open) return this.#conclude(record, open, await this.#recover(record, open))
    if (isEnded(record.status)) return this.#index()

    const now = Date.now()
    const step = nextStep(record, now)
    switch (step.kind) {
      case 'end':
        this.#save(finished(record, step.status, now))
        this.#wake()
        return this.#index()
      case 'wait':
        await this.ctx.storage.setAlarm(step.untilMs)
        return this.#index()
      case 'send': {
        const next: Attempt = {
          number: (record.attempts.at(-1)?.number ?? 0) + 1,
          route: step.route,
          startedAt: now,
          pictureName: randomName(),
        }
        const dispatched = withDispatch(record, next)
        // Before it is true, because afterwards nothing may come between the record and the call.
        await this.#writeIndex(dispatched)
        this.#save(dispatched)
        await this.ctx.storage.sync()
        const ending = await attempt(dispatched, next, this.#effects(dispatched, next))
        return this.#conclude(dispatched, next, ending)
      }
    }
  }

  /** Records how an attempt ended and goes on at once. */
  async #conclude(record: GenerationRecord, open: Attempt, ending: Ending): Promise<void> {
    const { number, route, startedAt } = open
    const ended = withEnding(record, number, ending)
    const step = nextStep(ended, ending.endedAt)
    this.#save(step.kind === 'end' ? finished(ended, step.status, ending.endedAt) : ended)
    const { provider, model } = record.routes[route]!
    this.#log({
      event: 'attempt',
      generation: record.id,
      attempt: number,
      provider,
      model,
      outcome: ending.verdict.outcome,
      charged: ending.verdict.charged,
      costMicroUsd: ending.costMicroUsd,
      bytes: ending.picture?.bytes ?? null,
      ms: ending.endedAt - startedAt,
    })
    if (step.kind === 'end') this.#wake()
    else await this.ctx.storage.setAlarm(step.kind === 'wait' ? step.untilMs : Date.now())
    return this.#index()
  }

  /** Without the commit record the ending still goes into storage: it matters if the object dies now and money may be
   *  gone, and to clients that want the provider's own answer. */
  async #commit(
    record: GenerationRecord,
    { number }: Attempt,
    ending: Ending,
    answer?: KeptAnswer,
  ): Promise<void> {
    if (ending.verdict.charged === 'no' && !answer) return
    try {
      await writeCommit(this.env.BUCKET, record.id, number, ending, answer)
    } catch (error) {
      this.#log({ event: 'commit_failed', generation: record.id, attempt: number, error: String(error) })
    }
  }

  /** The ending of an attempt during which the object died. */
  async #recover(record: GenerationRecord, open: Attempt): Promise<Ending> {
    const committed = await readCommit(this.env.BUCKET, record.id, open.number)
    if (committed) return committed
    // Whether the answer held more than what was stored of it nobody knows; what is there is not lost.
    const found = await findPictures(this.env.BUCKET, open.pictureName)
    const message = 'the worker stopped between sending the request and storing the answer'
    return {
      verdict: classifySilence('orphaned', true, message),
      costMicroUsd: null,
      endedAt: Date.now(),
      ...asResult(found),
    }
  }

  #save(record: GenerationRecord): void {
    this.ctx.storage.kv.put(RECORD, record)
  }

  #wake(): void {
    for (const wake of [...this.#waiters]) wake()
  }

  /** Copies the record to the index. The index may be down: then the alarm comes back for it, and nothing else waits. The
   *  alarm that runs now is not used up before this ends, so no mark has to say that the copy is still owed. */
  async #index(): Promise<void> {
    const record = this.read()
    if (!record || (await this.#writeIndex(record))) return
    const alarm = await this.ctx.storage.getAlarm()
    if (alarm === null) await this.ctx.storage.setAlarm(Date.now() + INDEX_DELAY_MS)
  }

  /** Whether the index has taken a record. */
  async #writeIndex(record: GenerationRecord): Promise<boolean> {
    try {
      await writeIndex(this.env.DB, record)
      return true
    } catch (error) {
      this.#log({ event: 'index_unavailable', generation: record.id, error: String(error) })
      return false
    }
  }

  #effects(record: GenerationRecord, open: Attempt): AttemptEffects {
    return {
      env: this.env,
      bucket: this.env.BUCKET,
      fetch: (input, init) => fetch(input, init),
      now: () => Date.now(),
      sleep: (ms) => scheduler.wait(ms),
      timeout: (ms) => AbortSignal.timeout(ms),
      commit: (ending, answer) => this.#commit(record, open, ending, answer),
    }
  }
}

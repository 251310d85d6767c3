// Generation: one wanted picture, the only place that calls a provider (promise 7). An alarm owns the call, so that no
// client's leaving can cancel it.
//
// States: queued → running → queued (free try over) → … → succeeded | refused | failed | uncertain | cancelled.
// Order of writes (promises 1 and 2); what others have yet to be told changes with the record, in state.ts:
//   1. ensure():  what it may cost is held at the token's account; then record `queued` and the alarm, in one
//                 synchronous block
//   2. alarm():   an open attempt is a crash: adopt its commit record from R2, or end it as `orphaned`
//   3.            permit of the gate, else wait; index and ledger hear of the attempt; record it as dispatched, sync()
//   4.            call, store the pictures, write the commit record to R2; no storage of the object in between, because
//                 touching it while the platform shuts the object down would cut the call
//   5.            record the ending and what is owed for it; wake who waits; tell gate, index, ledger, account, webhook
//   6.            set the next alarm by what is stored then: for the next step, and for what is still owed
import { DurableObject } from 'cloudflare:workers'
import { isEnded } from '../../core/api.ts'
import type { Env } from '../env.ts'
import { consoleLog } from '../log.ts'
import { type AttemptEffects, attempt } from './attempt.ts'
import { writeCommit } from './commit.ts'
import { tellAll } from './debts.ts'
import { announce, atMostOf, permitFor, wayOf } from './dispatch.ts'
import { deletePictures } from './forget.ts'
import { hold, type NotHeld } from './hold.ts'
import type { KeptAnswer } from './kept.ts'
import { randomName } from './name.ts'
import { nextStep, stepAt } from './policy.ts'
import { type Attempt, type Ending, type GenerationRecord, openAttempt, type Wish } from './record.ts'
import { lookAgain, recover } from './recovery.ts'
import {
  announced,
  begun,
  concluded,
  dispatched,
  forgotten,
  over,
  owedAt,
  UNUSED,
  withOpen,
  withPlace,
} from './state.ts'
import { type Rim, Store } from './store.ts'

/** What `ensure` found: its own record, new or old; a key that belongs to another request; a budget without room, or one
 *  that cannot be looked up. */
export type Ensured =
  | { kind: 'created' | 'existing'; record: GenerationRecord }
  | { kind: 'key_reused' }
  | NotHeld

/** What became of a wish to cancel; `why` not. */
export type Cancelled =
  | { kind: 'cancelled'; record: GenerationRecord }
  | { kind: 'refused'; record: GenerationRecord; why: string }

/** First and longest delay before the alarm tries again after an unexpected error, in ms. */
const MISHAP_DELAY_MS = 5_000
const LONGEST_MISHAP_DELAY_MS = 300_000

/** How often a paused deployment looks whether it still is, in ms. */
const PAUSED_MS = 30_000

export class Generation extends DurableObject<Env> {
  #waiters = new Set<() => void>()
  /** While an alarm runs there is none set. */
  #isAwake = false
  /** The gate said meanwhile that it is next. */
  #isTurn = false
  /** Alarms in a row that met an unexpected error. */
  #mishaps = 0
  #rim: Rim = {
    env: this.env,
    store: new Store(this.ctx.storage.kv),
    log: consoleLog,
    now: () => Date.now(),
  }
  #store = this.#rim.store

  /** Makes sure that this picture will be made; buys nothing twice. Returns at once. */
  async ensure(wish: Wish): Promise<Ensured> {
    const existing = this.read()
    if (existing) return this.#again(existing, wish)
    const refused = await hold(this.#rim, wish)
    const other = this.read()
    if (other) return this.#again(other, wish)
    if (refused) return refused
    const now = Date.now()
    const record: GenerationRecord = { ...wish, status: 'queued', attempts: [], createdAt: now, version: 1 }
    this.#store.save(begun(record))
    this.ctx.storage.setAlarm(now)
    return { kind: 'created', record }
  }

  /** The record, or undefined when there is no such generation. */
  read(): GenerationRecord | undefined {
    return this.#store.record()
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

  /** Gives the picture up, while that is free; asked again it says the same. Undefined when there is no such
   *  generation. */
  async cancel(): Promise<Cancelled | undefined> {
    const record = this.read()
    if (!record || record.status === 'cancelled') return record && { kind: 'cancelled', record }
    const why = whyNotCancelled(record)
    if (why) return { kind: 'refused', record, why }
    const now = Date.now()
    const { record: cancelled } = this.#store.change((state) => over(state, 'cancelled', now))
    this.ctx.storage.setAlarm(now)
    this.#wake()
    return { kind: 'cancelled', record: cancelled }
  }

  /** The gate says that it is next; or somebody thinks that it sleeps although something is to be done. */
  async turn(): Promise<void> {
    if (this.#isAwake) this.#isTurn = true
    else if (this.#store.isQueued()) await this.ctx.storage.setAlarm(Date.now())
    else await this.#stir()
  }

  /** Deletes the pictures and what the provider answered, once it has ended; the record stays. Returns the keys of the
   *  pictures. Repeatable. */
  async forget(now: number): Promise<string[]> {
    const record = this.read()
    if (!record || !isEnded(record.status)) return []
    const keys = await deletePictures(this.env.BUCKET, record)
    if (this.read()?.deletedAt === undefined) {
      this.#store.change((state) => forgotten(state, now))
      this.ctx.storage.setAlarm(Date.now())
    }
    return keys
  }

  override async alarm(): Promise<void> {
    this.#isAwake = true
    let nextAt: number | undefined
    let isMishap = false
    const guarded = async (work: () => Promise<void>) => {
      try {
        await work()
      } catch (error) {
        // A used-up alarm does not come back by itself, and the platform repeats a throwing one six times only.
        isMishap = true
        const generation = this.read()?.id ?? null
        this.#rim.log({ event: 'bug', generation, error: (error as Error).stack ?? String(error) })
      }
    }
    await guarded(async () => {
      nextAt = await this.#advance()
    })
    await guarded(() => tellAll(this.#rim))
    this.#mishaps = isMishap ? this.#mishaps + 1 : 0
    // Nothing is awaited between this look at what is stored and the alarm.
    const dueAt = this.#dueAt(nextAt)
    this.#isAwake = false
    this.#isTurn = false
    if (dueAt !== undefined) await this.ctx.storage.setAlarm(dueAt)
  }

  /** One step towards the end: settle what is open, then wait, send or end. Returns when to take the next, epoch ms. */
  async #advance(): Promise<number | undefined> {
    await lookAgain(this.#rim)
    const record = this.read()
    if (!record) return undefined
    const open = openAttempt(record)
    if (open) return this.#conclude(open, await recover(this.#rim, record, open))
    if (isEnded(record.status)) return undefined

    const now = Date.now()
    const step = nextStep(record, now)
    switch (step.kind) {
      case 'end':
        this.#store.change((state) => over(state, step.status, now))
        this.#wake()
        return undefined
      case 'wait':
        return step.untilMs
      case 'send':
        if (this.env.PAUSED === 'true') return Math.min(now + PAUSED_MS, record.deadlineAt)
        return this.#send(record, step.route)
    }
  }

  /** Sends a call, if its gate lets it pass. Whoever cancels while that is asked is faster. */
  async #send(record: GenerationRecord, route: number): Promise<number | undefined> {
    const way = wayOf(this.env, record, route)
    const permit = await permitFor(this.#rim, record, way, route)
    if (permit.kind === 'later') return permit.at
    const next: Attempt = {
      number: (record.attempts.at(-1)?.number ?? 0) + 1,
      route,
      startedAt: Date.now(),
      pictureName: randomName(),
      atMost: atMostOf(record, way),
    }
    if (permit.kind === 'unsent')
      return this.#store.isQueued() ? this.#conclude(next, permit.ending) : undefined

    const { place } = permit
    let isKnown = false
    if (this.#store.isQueued()) {
      const { record: told } = this.#store.change((state) => announced(state, next))
      // Before it is true, because afterwards nothing may come between the record and the call.
      isKnown = await announce(this.#rim, withOpen(told, next), next)
    }
    if (!this.#store.isQueued()) {
      const unused = place ? [{ ...place, report: UNUSED }] : []
      this.#store.owe((owed) => ({ ...owed, leaving: [...owed.leaving, ...unused] }))
      return undefined
    }
    const { record: open } = this.#store.change((state) =>
      dispatched(place ? withPlace(state, place) : state, next, isKnown),
    )
    await this.ctx.storage.sync()
    return this.#conclude(next, await attempt(open, next, this.#effects(open, next)))
  }

  /** Records how an attempt ended, or why it was not sent. Returns when to go on. */
  #conclude(attempt: Attempt, ending: Ending): number | undefined {
    const { record } = this.#store.change((state) => concluded(state, attempt, ending))
    const { provider, model } = record.routes[attempt.route]!
    this.#rim.log({
      event: 'attempt',
      generation: record.id,
      attempt: attempt.number,
      provider,
      model,
      outcome: ending.verdict.outcome,
      charged: ending.verdict.charged,
      costMicroUsd: ending.costMicroUsd,
      bytes: ending.picture?.bytes ?? null,
      ms: ending.endedAt - attempt.startedAt,
    })
    if (isEnded(record.status)) this.#wake()
    return stepAt(record, Date.now())
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
      this.#rim.log({ event: 'commit_failed', generation: record.id, attempt: number, error: String(error) })
    }
  }

  async #again(existing: GenerationRecord, wish: Wish): Promise<Ensured> {
    if (existing.fingerprint !== wish.fingerprint) return { kind: 'key_reused' }
    // Whoever asks again should not wait out a pause that is over, or a gate that forgot to say so.
    if (!this.#isAwake) await this.turn()
    return { kind: 'existing', record: existing }
  }

  /** Sets the alarm if there is none although something is to be done. */
  async #stir(): Promise<void> {
    const isDue = () => !this.#isAwake && this.#dueAt(undefined) !== undefined
    if (!isDue() || (await this.ctx.storage.getAlarm()) !== null || !isDue()) return
    await this.ctx.storage.setAlarm(Date.now() + MISHAP_DELAY_MS)
  }

  /** When the object has to wake, epoch ms; undefined when there is nothing more to do. */
  #dueAt(nextAt: number | undefined): number | undefined {
    const state = this.#store.state()
    if (!state) return undefined
    const now = Date.now()
    const goesOnAt = isEnded(state.record.status) ? undefined : this.#isTurn ? now : (nextAt ?? now)
    const times = [goesOnAt, owedAt(state.owed)].filter((time) => time !== undefined)
    if (times.length === 0) return undefined
    const delayMs =
      this.#mishaps === 0 ? 0 : Math.min(MISHAP_DELAY_MS * 2 ** (this.#mishaps - 1), LONGEST_MISHAP_DELAY_MS)
    return Math.max(Math.min(...times), now + delayMs)
  }

  #wake(): void {
    for (const wake of [...this.#waiters]) wake()
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

/** Why a generation cannot be cancelled; undefined when it can. */
function whyNotCancelled({ status }: GenerationRecord): string | undefined {
  if (status === 'queued') return undefined
  if (status === 'running') return 'its call is with the provider already and will be charged'
  return `it has ended already: ${status}`
}

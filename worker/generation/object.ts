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
//   6.            set the next alarm by what is stored then: for the next step, and for what is still owed (waking.ts)
import { DurableObject } from 'cloudflare:workers'
import { isEnded } from '../../core/api.ts'
import type { Env } from '../env.ts'
import { consoleLog } from '../log.ts'
import { type AttemptEffects, attempt } from './attempt.ts'
import { writeCommit } from './commit.ts'
import { atMostOf, foretell, permitFor, wayOf } from './dispatch.ts'
import { forgetPictures } from './forget.ts'
import { hold, type NotHeld } from './hold.ts'
import type { KeptAnswer } from './kept.ts'
import { randomName } from './name.ts'
import { isPaused, notedPause } from './pause.ts'
import { nextStep, stepAt } from './policy.ts'
import {
  type Attempt,
  type Ending,
  type GenerationRecord,
  isUnwanted,
  joined,
  left,
  openAttempt,
  type Wish,
} from './record.ts'
import { recover, seekOrphans } from './recovery.ts'
import {
  announced,
  begun,
  concluded,
  dispatched,
  forgotten,
  over,
  UNUSED,
  withOpen,
  withPlace,
} from './state.ts'
import { type Rim, Store } from './store.ts'
import { Waking } from './waking.ts'

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

/** How often a paused deployment looks whether it still is, in ms. */
const PAUSED_MS = 30_000

export class Generation extends DurableObject<Env> {
  #waiters = new Set<() => void>()
  #rim: Rim = {
    env: this.env,
    store: new Store(this.ctx.storage.kv),
    log: consoleLog,
    now: () => Date.now(),
    fetch: (input, init) => fetch(input, init),
  }
  #store = this.#rim.store
  #waking = new Waking(this.#rim, this.ctx.storage)

  /** Makes sure that this picture will be made; buys nothing twice. Returns at once. */
  async ensure(wish: Wish): Promise<Ensured> {
    const existing = this.#store.record()
    if (existing) return this.#again(existing, wish)
    const refused = await hold(this.#rim, wish)
    const other = this.#store.record()
    if (other) return this.#again(other, wish)
    if (refused) return refused
    const now = this.#rim.now()
    const record: GenerationRecord = { ...wish, status: 'queued', attempts: [], createdAt: now, version: 1 }
    this.#store.save(begun(record))
    this.#pause(record)
    this.ctx.storage.setAlarm(now)
    return { kind: 'created', record: this.#store.record()! }
  }

  /** The record, or undefined when there is no such generation. Like `wait` it sees to it that the object does not sleep
   *  while something is to be done: a lost alarm is made good by whoever looks. */
  async read(): Promise<GenerationRecord | undefined> {
    await this.#waking.stir()
    return this.#store.record()
  }

  /** The record as soon as it has ended, or as it is after `ms`. */
  async wait(ms: number): Promise<GenerationRecord | undefined> {
    const record = await this.read()
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
    return this.#store.record()
  }

  /** Gives the picture up, while that is free; asked again it says the same. Undefined when there is no such
   *  generation. */
  async cancel(): Promise<Cancelled | undefined> {
    const record = this.#store.record()
    if (!record || record.status === 'cancelled') return record && { kind: 'cancelled', record }
    const why = whyNotCancelled(record)
    if (why) return { kind: 'refused', record, why }
    const now = this.#rim.now()
    const { record: cancelled } = this.#store.change((state) => over(state, 'cancelled', now))
    this.ctx.storage.setAlarm(now)
    this.#wake()
    return { kind: 'cancelled', record: cancelled }
  }

  /** For a batch that is cancelled: once nobody else wants the picture, gives it up as soon as that is free, now or when its
   *  call comes back with nothing. `isAskedSoon`: another batch is about to ask for it. Returns the record as it is after
   *  that. Repeatable. */
  async cancelWhenFree(batch: string, isAskedSoon = false): Promise<GenerationRecord | undefined> {
    if (!this.#store.record()) return undefined
    const record = this.#note((before) => left(before, batch))
    if (isEnded(record.status) || isAskedSoon || !isUnwanted(record)) return record
    if (record.status === 'queued') return (await this.cancel())?.record
    return this.#note((wanted) => (wanted.unwanted ? wanted : { ...wanted, unwanted: true }))
  }

  /** It is asked for again, on behalf of `batch` if any. Returns its record. */
  async join(batch?: string): Promise<GenerationRecord | undefined> {
    if (!this.#store.record()) return undefined
    const record = this.#note((before) => joined(before, batch))
    // Whoever asks again should not wait out a pause that is over, or a gate that forgot to say so.
    if (!this.#waking.isAwake()) await this.turn()
    return record
  }

  /** The gate says that it is next; or somebody thinks that it sleeps although something is to be done. */
  async turn(): Promise<void> {
    await this.#waking.turn()
  }

  /** Deletes the pictures and what the provider answered, once it has ended; the record stays. Returns the keys of the
   *  pictures. Repeatable. */
  async forget(now: number): Promise<string[]> {
    const record = this.#store.record()
    if (!record || !isEnded(record.status)) return []
    const keys = await forgetPictures(this.env.BUCKET, record)
    if (this.#store.record()?.deletedAt === undefined) {
      this.#store.change((state) => forgotten(state, now))
      this.ctx.storage.setAlarm(this.#rim.now())
    }
    return keys
  }

  override async alarm(): Promise<void> {
    await this.#waking.alarm(() => this.#advance())
  }

  /** One step towards the end: settle what is open, then wait, send or end. Returns when to take the next, epoch ms. */
  async #advance(): Promise<number | undefined> {
    await seekOrphans(this.#rim)
    const record = this.#store.record()
    if (!record) return undefined
    // A call that was given up may have brought the picture.
    if (isEnded(record.status)) this.#wake()
    const open = openAttempt(record)
    if (open) return this.#conclude(open, await recover(this.#rim, record, open))
    if (isEnded(record.status)) return undefined

    const now = this.#rim.now()
    const step = nextStep(record, now)
    switch (step.kind) {
      case 'end':
        this.#store.change((state) => over(state, step.status, now))
        this.#wake()
        return undefined
      case 'wait':
        return step.untilMs
      case 'send':
        if (this.#pause(record)) return Math.min(now + PAUSED_MS, record.deadlineAt)
        return this.#send(record, step.route)
    }
  }

  /** Whether nothing may be sent; those who look at the record are told that it waits for this. */
  #pause({ id, paused: wasPaused = false }: GenerationRecord): boolean {
    const paused = isPaused(this.env)
    if (paused === wasPaused) return paused
    this.#store.change((state) => notedPause(state, paused))
    this.#rim.log({ event: paused ? 'paused' : 'resumed', generation: id })
    return paused
  }

  /** Sends a call, if its gate lets it pass. Whoever cancels while that is asked is faster. */
  async #send(record: GenerationRecord, route: number): Promise<number | undefined> {
    const way = wayOf(this.env, record, route)
    const permit = await permitFor(this.#rim, record, way, route)
    if (permit.kind === 'later') return permit.at
    const next: Attempt = {
      number: (record.attempts.at(-1)?.number ?? 0) + 1,
      route,
      startedAt: this.#rim.now(),
      pictureName: randomName(),
      atMost: atMostOf(record, way),
    }
    if (permit.kind === 'unsent')
      return this.#store.isQueued() ? this.#conclude(next, permit.ending) : undefined

    const { place } = permit
    let isKnown = false
    // Gate, index and ledger may have taken their time.
    const isDue = () => this.#store.isQueued() && this.#rim.now() < record.deadlineAt
    if (isDue()) {
      const { record: told } = this.#store.change((state) => announced(state, next))
      // Before it is true, because afterwards nothing may come between the record and the call.
      isKnown = await foretell(this.#rim, withOpen(told, next), next)
    }
    if (!isDue()) {
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
    return stepAt(record, this.#rim.now())
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
    return { kind: 'existing', record: (await this.join(wish.batch)) ?? existing }
  }

  /** Changes what nobody has to be told of. */
  #note(change: (record: GenerationRecord) => GenerationRecord): GenerationRecord {
    const noted = this.#store.change((state) => {
      const record = change(state.record)
      return record === state.record ? state : { record, owed: state.owed }
    })
    return noted.record
  }

  #wake(): void {
    for (const wake of [...this.#waiters]) wake()
  }

  #effects(record: GenerationRecord, open: Attempt): AttemptEffects {
    return {
      env: this.env,
      bucket: this.env.BUCKET,
      fetch: this.#rim.fetch,
      now: this.#rim.now,
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

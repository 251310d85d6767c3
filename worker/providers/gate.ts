// ProviderGate: who may call a provider next. One object per provider key and model, shared by all callers, so that a 429
// makes everybody wait and nobody fail (promise 8). How many may call is pace.ts's; who waits and who calls, places.ts
// keeps; here it is decided who goes and who is woken.
//
// Every method is one synchronous block; what is woken is woken after it. Slots in use and slots kept for who was woken
// never exceed the limit, and whoever asks gets one only when fewer wait before it than are free: nobody is overtaken but
// those who are away.
import { DurableObject } from 'cloudflare:workers'
import { createHash } from 'node:crypto'
import { keyVariableOf } from '../../core/market.ts'
import type { Provider } from '../../core/providers.ts'
import type { Env } from '../env.ts'
import { generationStub } from '../objects.ts'
import {
  capacityOf,
  freshPace,
  opensAt,
  overloadOf,
  type Pace,
  type PaceReport,
  type PaceRules,
  paceAfter,
  quotaOf,
  type Said,
  underRules,
  windowOf,
} from './pace.ts'
import { Places } from './places.ts'

export type Entry =
  /** Call now; tell `leave` with this lease how it went. A lease that nobody gives back ends by itself. */
  | { kind: 'go'; lease: string }
  /** Not yet. The gate wakes the generation (`turn`) when it is next; `recheckAt`, epoch ms, is when it asks again if it
   *  was not. It keeps its place. */
  | { kind: 'wait'; recheckAt: number }
  /** A quota of the day is used up: nothing is sent for a while, and the provider's words are these. */
  | ({ kind: 'quota' } & Said)
  /** Only to who has another way: the provider answers nothing but 503 for a while now. It has no place any more. */
  | ({ kind: 'overloaded' } & Said)

/** For how long a slot is kept for who was woken, in ms. */
const WAKE_MS = 5_000

/** When who waits asks by itself, in ms: who is first, more for each place behind, and at most. */
const RECHECK_MS = 60_000
const RECHECK_PER_PLACE_MS = 2_000
const LONGEST_RECHECK_MS = 900_000

/** Who is woken at once to be told that there is nothing to wait for, and the time between such lots, in ms. */
const LOT = 100
const LOT_MS = 1_000

/** The name of the gate before a provider's model, by the key that pays. */
export function gateName(env: Env, { id }: Pick<Provider, 'id'>, model: string): string {
  const key = String(env[keyVariableOf(id, env)] ?? 'emulated')
  return `${id}/${model}/${createHash('sha256').update(key).digest('hex').slice(0, 16)}`
}

export class ProviderGate extends DurableObject<Env> {
  #places = new Places(this.ctx.storage.sql)
  /** When the alarm is set for, as far as this instance knows. */
  #alarmAt: number | undefined

  /** Asks for a call. Asked again by the same generation it keeps its place; a lease that it holds is taken for lost and
   *  replaced. `hasOther`: it has another way to go when this provider is overloaded. */
  async enter(generation: string, rules: PaceRules, hasOther: boolean): Promise<Entry> {
    const now = Date.now()
    this.#remember(rules)
    const pace = this.#pace(rules)
    const place = this.#places.of(generation)
    this.#places.forget(generation)
    const quota = quotaOf(pace, now)
    if (quota) return { kind: 'quota', message: quota.message, since: quota.since }
    const overload = hasOther ? overloadOf(pace, now) : undefined
    if (overload) return { kind: 'overloaded', ...overload }
    const free = this.#free(pace, rules, now)
    if (this.#places.before(place, free, now) < free) {
      if (rules.perMinute !== undefined) this.#places.noteSent(now)
      return { kind: 'go', lease: this.#places.lend(generation, place, now) }
    }
    this.#places.wait(generation, place, hasOther, now)
    // If it held a lease, that slot is free now.
    this.#call(this.#choose(now))
    return { kind: 'wait', recheckAt: this.#recheckAt(place, pace, now) }
  }

  /** Gives a lease back. Repeatable; an unknown lease is nothing. */
  async leave(generation: string, lease: string, report: PaceReport): Promise<void> {
    const now = Date.now()
    const returned = this.#places.takeBack(generation, lease)
    if (!returned) return
    const rules = this.#rules()!
    const pace = this.#pace(rules)
    const others = this.#places.callers(now)
    const isUsed = (others + 1) * 2 >= pace.limit || this.#places.isAnyWaiting()
    const next = paceAfter(pace, report, { sentAt: returned.grantedAt, others, isUsed }, now)
    if (next !== pace) this.ctx.storage.kv.put('pace', underRules(next, rules))
    if (report.kind === 'throttled') this.#places.keep(generation, returned.place, now)
    this.#call(this.#choose(now))
  }

  /** Does not want to call any more. Repeatable. */
  async withdraw(generation: string): Promise<void> {
    this.#places.forget(generation)
    this.#call(this.#choose(Date.now()))
  }

  override async alarm(): Promise<void> {
    this.#alarmAt = undefined
    const now = Date.now()
    this.#places.lapse(now)
    await this.#wake(this.#choose(now))
  }

  /** Keeps the free slots for those who are next, and says who has to be woken for that. Sets the alarm. */
  #choose(now: number): string[] {
    const rules = this.#rules()
    if (!rules || !this.#places.isAnyWaiting()) return []
    const pace = this.#pace(rules)
    const inVain = this.#inVain(pace, now)
    const ids = inVain.length > 0 ? inVain : this.#places.next(this.#free(pace, rules, now), now)
    this.#places.expect(ids, now + WAKE_MS)
    this.#rearm(pace, rules, inVain.length === LOT ? now + LOT_MS : undefined, now)
    return ids
  }

  /** The next lot of those who wait for nothing: all under a used-up quota, those with another way in an overload. */
  #inVain(pace: Pace, now: number): string[] {
    if (quotaOf(pace, now)) return this.#places.sleepers('all', LOT, now)
    return overloadOf(pace, now) ? this.#places.sleepers('with another way', LOT, now) : []
  }

  /** Slots that nobody uses. */
  #free(pace: Pace, rules: PaceRules, now: number): number {
    const free = capacityOf(pace, rules, now) - this.#places.callers(now)
    const window = windowOf(rules)
    if (!window || free <= 0) return free
    return Math.min(free, window.calls - this.#places.sentWithin(window.windowMs, now))
  }

  #recheckAt(place: number, pace: Pace, now: number): number {
    const delayMs = RECHECK_MS + RECHECK_PER_PLACE_MS * (place - this.#places.first())
    return Math.max(now, opensAt(pace)) + Math.min(delayMs, LONGEST_RECHECK_MS)
  }

  /** Sets the alarm for what comes next by itself while somebody waits. */
  #rearm(pace: Pace, rules: PaceRules, lotAt: number | undefined, now: number): void {
    const window = windowOf(rules)
    const opens = opensAt(pace)
    const at = Math.min(
      ...this.#places.changesAt(now),
      ...(opens > now ? [opens] : []),
      ...(lotAt === undefined ? [] : [lotAt]),
      ...(window ? this.#places.windowOpensAt(window.calls, window.windowMs, now) : []),
    )
    if (at === Number.POSITIVE_INFINITY) return
    const dueAt = Math.max(at, now + 1)
    if (this.#alarmAt !== undefined && this.#alarmAt > now && this.#alarmAt <= dueAt) return
    this.#alarmAt = dueAt
    this.ctx.storage.setAlarm(dueAt)
  }

  /** Wakes without anybody waiting for it. */
  #call(ids: readonly string[]): void {
    if (ids.length > 0) this.ctx.waitUntil(this.#wake(ids))
  }

  async #wake(ids: readonly string[]): Promise<void> {
    // Whoever cannot be reached does not come, and the alarm knows what to do with those.
    await Promise.allSettled(ids.map(async (id) => generationStub(this.env, id).turn()))
  }

  #pace(rules: PaceRules): Pace {
    return underRules(this.ctx.storage.kv.get<Pace>('pace') ?? freshPace(rules), rules)
  }

  /** The rules of who asked last; undefined before anybody did. */
  #rules(): PaceRules | undefined {
    return this.ctx.storage.kv.get<PaceRules>('rules')
  }

  #remember({ concurrency, perMinute }: PaceRules): void {
    const known = this.#rules()
    if (known?.concurrency === concurrency && known.perMinute === perMinute) return
    this.ctx.storage.kv.put('rules', { concurrency, perMinute })
  }
}

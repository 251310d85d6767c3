// ProviderGate: who may call a provider next. One object per provider key and model, shared by all callers, so that a 429
// makes everybody wait and nobody fail (promise 8). How many may call is pace.ts's; here are the queue and the leases.
//
// Everything is in the object's storage and read from there, so that a restart forgets no lease and no place. Every method
// is one synchronous block; what is woken is woken after it. Who waits is in one of three states:
//   waiting    its turn has not come
//   woken      a slot is kept for it until `wake_by`
//   away       it did not come in time; from `live_at` on it has its old place again, and is woken once more
// Slots in use and slots kept never exceed the limit, and whoever asks gets one only when fewer wait before it than are
// free: nobody is overtaken but those who are away.
import { DurableObject } from 'cloudflare:workers'
import { createHash } from 'node:crypto'
import { keyVariableOf } from '../../core/market.ts'
import type { Provider } from '../../core/providers.ts'
import type { Env } from '../env.ts'
import { generationStub } from '../generation/place.ts'
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
  windowOf,
  within,
} from './pace.ts'

export type { PaceReport, PaceRules } from './pace.ts'

export type Entry =
  /** Call now; tell `leave` with this lease how it went. A lease that nobody gives back ends by itself. */
  | { kind: 'go'; lease: string }
  /** Not yet. The gate wakes the generation (`turn`) when it is next; `recheckAt`, epoch ms, is when it asks again if it
   *  was not. It keeps its place. */
  | { kind: 'wait'; recheckAt: number }
  /** A quota of the day is used up: until then nothing is sent, and the provider's words are these. */
  | ({ kind: 'quota'; until: number } & Said)
  /** Only to who has another way: the provider answers nothing but 503 for a while now. It has no place any more. */
  | ({ kind: 'overloaded' } & Said)

/** The longest life of a lease, in ms: what an alarm may last, and a call lasts no longer. */
const LEASE_MS = 900_000

/** For how long a slot is kept for who was woken, in ms. */
const WAKE_MS = 5_000

/** For how long who did not come is passed over the first time, in ms; it doubles. */
const AWAY_MS = 30_000

/** Times it may fail to come before it is forgotten. */
const MISSES = 6

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

type Waiting = { seq: number; generation: string; wake_by: number | null; live_at: number; misses: number }
type Lease = { generation: string; lease: string; seq: number; granted_at: number; expires_at: number }

export class ProviderGate extends DurableObject<Env> {
  /** The highest place that was given. */
  #last: number
  /** Places of those whose call was refused a moment ago: they come back at once, and to the same place. */
  #returning = new Map<string, number>()
  /** When the alarm is set for, as far as this instance knows. */
  #alarmAt: number | undefined

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    const { sql } = ctx.storage
    sql.exec(`CREATE TABLE IF NOT EXISTS waiting (seq INTEGER PRIMARY KEY, generation TEXT NOT NULL UNIQUE,
      wake_by INTEGER, live_at INTEGER NOT NULL, misses INTEGER NOT NULL, has_other INTEGER NOT NULL)`)
    sql.exec('CREATE INDEX IF NOT EXISTS woken ON waiting (wake_by) WHERE wake_by IS NOT NULL')
    sql.exec('CREATE INDEX IF NOT EXISTS away ON waiting (live_at) WHERE misses > 0')
    sql.exec('CREATE INDEX IF NOT EXISTS leaving ON waiting (seq) WHERE has_other = 1')
    sql.exec(`CREATE TABLE IF NOT EXISTS leases (generation TEXT PRIMARY KEY, lease TEXT NOT NULL,
      seq INTEGER NOT NULL, granted_at INTEGER NOT NULL, expires_at INTEGER NOT NULL) WITHOUT ROWID`)
    sql.exec('CREATE TABLE IF NOT EXISTS sent (number INTEGER PRIMARY KEY, at INTEGER NOT NULL)')
    const { last } = this.#one<{ last: number | null }>(
      'SELECT max(seq) AS last FROM (SELECT seq FROM waiting UNION ALL SELECT seq FROM leases)',
    )!
    this.#last = last ?? 0
  }

  /** Asks for a call. Asked again by the same generation it keeps its place; a lease that it holds is taken for lost and
   *  replaced. `hasOther`: it has another way to go when this provider is overloaded. */
  async enter(generation: string, rules: PaceRules, hasOther = false): Promise<Entry> {
    const now = Date.now()
    this.#remember(rules)
    const pace = this.#pace(rules)
    const place = this.#placeOf(generation)
    this.#forget(generation)
    const quota = quotaOf(pace, now)
    if (quota) return { kind: 'quota', ...quota }
    const overload = hasOther ? overloadOf(pace, now) : undefined
    if (overload) return { kind: 'overloaded', ...overload }
    const free = this.#free(pace, rules, now)
    if (this.#liveBefore(place, free, now) < free) {
      const lease = crypto.randomUUID()
      this.#run('INSERT INTO leases VALUES (?, ?, ?, ?, ?)', generation, lease, place, now, now + LEASE_MS)
      if (rules.perMinute !== undefined) this.#run('INSERT INTO sent (at) VALUES (?)', now)
      return { kind: 'go', lease }
    }
    this.#run('INSERT INTO waiting VALUES (?, ?, NULL, ?, 0, ?)', place, generation, now, hasOther ? 1 : 0)
    // If it held a lease, that slot is free now.
    this.#call(this.#choose(now))
    return { kind: 'wait', recheckAt: this.#recheckAt(place, pace, now) }
  }

  /** Gives a lease back. Repeatable; an unknown lease is nothing. */
  async leave(generation: string, lease: string, report: PaceReport): Promise<void> {
    const now = Date.now()
    const held = this.#one<Lease>(
      'SELECT * FROM leases WHERE generation = ? AND lease = ?',
      generation,
      lease,
    )
    if (!held) return
    this.#run('DELETE FROM leases WHERE generation = ?', generation)
    const rules = this.#rules()!
    const pace = this.#pace(rules)
    const others = this.#leases(now)
    const isUsed = (others + 1) * 2 >= pace.limit || this.#someWait()
    const next = paceAfter(pace, report, { sentAt: held.granted_at, others, isUsed }, now)
    if (next !== pace) this.ctx.storage.kv.put('pace', within(next, rules))
    if (report.kind === 'throttled') this.#keepPlace(generation, held.seq)
    this.#call(this.#choose(now))
  }

  /** Does not want to call any more. Repeatable. */
  async withdraw(generation: string): Promise<void> {
    this.#forget(generation)
    this.#call(this.#choose(Date.now()))
  }

  override async alarm(): Promise<void> {
    this.#alarmAt = undefined
    const now = Date.now()
    this.#run('DELETE FROM leases WHERE expires_at <= ?', now)
    // Who was woken and did not come.
    this.#run('DELETE FROM waiting WHERE wake_by <= ? AND misses >= ?', now, MISSES - 1)
    this.#run(
      'UPDATE waiting SET wake_by = NULL, live_at = ? + (? << misses), misses = misses + 1 WHERE wake_by <= ?',
      now,
      AWAY_MS,
      now,
    )
    await this.#wake(this.#choose(now))
  }

  /** Keeps the free slots for those who are next, and says who has to be woken for that. Sets the alarm. */
  #choose(now: number): string[] {
    const rules = this.#rules()
    if (!rules || !this.#someWait()) return []
    const pace = this.#pace(rules)
    const toldAway = this.#toldAway(pace, now)
    const ids = toldAway.length > 0 ? toldAway : this.#nextOnes(this.#free(pace, rules, now), now)
    for (const id of ids) this.#run('UPDATE waiting SET wake_by = ? WHERE generation = ?', now + WAKE_MS, id)
    this.#rearm(pace, rules, toldAway.length === LOT ? now + LOT_MS : undefined, now)
    return ids
  }

  #nextOnes(free: number, now: number): string[] {
    if (free <= 0) return []
    return this.#all<Waiting>('SELECT * FROM waiting WHERE live_at <= ? ORDER BY seq LIMIT ?', now, free)
      .filter(({ wake_by }) => wake_by === null)
      .map(({ generation }) => generation)
  }

  /** The next lot of those who wait for nothing: all under a used-up quota, those with another way in an overload. */
  #toldAway(pace: Pace, now: number): string[] {
    const who = quotaOf(pace, now) ? 'TRUE' : overloadOf(pace, now) ? 'has_other = 1' : undefined
    if (!who) return []
    return this.#all<Waiting>(
      `SELECT * FROM waiting WHERE ${who} AND wake_by IS NULL AND live_at <= ? ORDER BY seq LIMIT ?`,
      now,
      LOT,
    ).map(({ generation }) => generation)
  }

  /** Slots that nobody uses. */
  #free(pace: Pace, rules: PaceRules, now: number): number {
    const free = capacityOf(pace, rules, now) - this.#leases(now)
    const window = windowOf(rules)
    if (!window || free <= 0) return free
    this.#run('DELETE FROM sent WHERE at <= ?', now - window.windowMs)
    return Math.min(free, window.calls - this.#one<{ n: number }>('SELECT count(*) AS n FROM sent')!.n)
  }

  #leases(now: number): number {
    return this.#one<{ n: number }>('SELECT count(*) AS n FROM leases WHERE expires_at > ?', now)!.n
  }

  #someWait(): boolean {
    return this.#one('SELECT 1 FROM waiting LIMIT 1') !== undefined
  }

  /** How many wait before a place, counted up to `enough`. */
  #liveBefore(place: number, enough: number, now: number): number {
    if (enough <= 0) return 0
    return this.#one<{ n: number }>(
      'SELECT count(*) AS n FROM (SELECT 1 FROM waiting WHERE seq < ? AND live_at <= ? LIMIT ?)',
      place,
      now,
      enough,
    )!.n
  }

  #placeOf(generation: string): number {
    return (
      this.#one<{ seq: number }>(
        'SELECT seq FROM waiting WHERE generation = ? UNION ALL SELECT seq FROM leases WHERE generation = ?',
        generation,
        generation,
      )?.seq ??
      this.#returning.get(generation) ??
      ++this.#last
    )
  }

  #keepPlace(generation: string, place: number): void {
    // Who goes another way instead never asks for it.
    if (this.#returning.size >= 1_000) this.#returning.clear()
    this.#returning.set(generation, place)
  }

  #forget(generation: string): void {
    this.#returning.delete(generation)
    this.#run('DELETE FROM waiting WHERE generation = ?', generation)
    this.#run('DELETE FROM leases WHERE generation = ?', generation)
  }

  #recheckAt(place: number, pace: Pace, now: number): number {
    const first = this.#one<{ seq: number }>('SELECT seq FROM waiting ORDER BY seq LIMIT 1')!.seq
    const delayMs = RECHECK_MS + RECHECK_PER_PLACE_MS * (place - first)
    return Math.max(now, opensAt(pace)) + Math.min(delayMs, LONGEST_RECHECK_MS)
  }

  /** Sets the alarm for what comes next by itself while somebody waits. */
  #rearm(pace: Pace, rules: PaceRules, lotAt: number | undefined, now: number): void {
    const window = windowOf(rules)
    const opens = opensAt(pace)
    const at = Math.min(
      ...this.#instants('SELECT min(wake_by) AS at FROM waiting WHERE wake_by IS NOT NULL'),
      ...this.#instants('SELECT min(live_at) AS at FROM waiting WHERE misses > 0 AND live_at > ?', now),
      ...this.#instants('SELECT min(expires_at) AS at FROM leases'),
      ...(opens > now ? [opens] : []),
      ...(lotAt === undefined ? [] : [lotAt]),
      ...(window
        ? this.#instants(
            'SELECT min(at) + ?1 AS at FROM sent WHERE at > ?2 - ?1 HAVING count(*) >= ?3',
            window.windowMs,
            now,
            window.calls,
          )
        : []),
    )
    if (at === Number.POSITIVE_INFINITY) return
    const dueAt = Math.max(at, now + 1)
    if (this.#alarmAt !== undefined && this.#alarmAt > now && this.#alarmAt <= dueAt) return
    this.#alarmAt = dueAt
    this.ctx.storage.setAlarm(dueAt)
  }

  #instants(query: string, ...values: number[]): number[] {
    const at = this.#one<{ at: number | null }>(query, ...values)?.at
    return at === null || at === undefined ? [] : [at]
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
    return within(this.ctx.storage.kv.get<Pace>('pace') ?? freshPace(rules), rules)
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

  #run(query: string, ...values: (string | number)[]): void {
    this.ctx.storage.sql.exec(query, ...values)
  }

  #all<T extends Record<string, SqlStorageValue>>(query: string, ...values: (string | number)[]): T[] {
    return this.ctx.storage.sql.exec<T>(query, ...values).toArray()
  }

  #one<T extends Record<string, SqlStorageValue>>(
    query: string,
    ...values: (string | number)[]
  ): T | undefined {
    return this.#all<T>(query, ...values)[0]
  }
}

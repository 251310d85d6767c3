// The places at a gate: who waits, who calls, and who was refused and comes back. Knows the tables and instants; how many may
// call, and whom it wakes, gate.ts says.
//
// Everything is in the object's storage and read from there, so that a restart forgets no lease and no place. Who waits is
// in one of three states:
//   waiting    its turn has not come
//   woken      a slot is kept for it until `wake_by`
//   away       it did not come in time; from `live_at` on it has its old place again, and is woken once more

/** The longest life of a lease, in ms: what an alarm may last, and a call lasts no longer. */
const LEASE_MS = 900_000

/** For how long who did not come is passed over the first time, in ms; it doubles. */
const AWAY_MS = 30_000

/** Times it may fail to come before it is forgotten. */
const MISSES = 6

/** For how long the place of who was refused is kept, in ms: it comes back at once, or goes another way. */
const REFUSED_MS = 900_000

const TABLES = [
  `waiting (seq INTEGER PRIMARY KEY, generation TEXT NOT NULL UNIQUE,
    wake_by INTEGER, live_at INTEGER NOT NULL, misses INTEGER NOT NULL, has_other INTEGER NOT NULL)`,
  `leases (generation TEXT PRIMARY KEY, lease TEXT NOT NULL,
    seq INTEGER NOT NULL, granted_at INTEGER NOT NULL, expires_at INTEGER NOT NULL) WITHOUT ROWID`,
  'refused (generation TEXT PRIMARY KEY, seq INTEGER NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID',
  'sent (number INTEGER PRIMARY KEY, at INTEGER NOT NULL)',
]
const INDEXES = [
  'woken ON waiting (wake_by) WHERE wake_by IS NOT NULL',
  'away ON waiting (live_at) WHERE misses > 0',
  'leaving ON waiting (seq) WHERE has_other = 1',
  'kept ON refused (until)',
]

type Waiting = { seq: number; generation: string; wake_by: number | null; live_at: number; misses: number }
type Lease = { generation: string; lease: string; seq: number; granted_at: number; expires_at: number }

/** A lease that was given back: when it was granted, epoch ms, and the place that led to it. */
export type Returned = { grantedAt: number; place: number }

export class Places {
  readonly #sql: SqlStorage
  /** The highest place that was given. */
  #last: number

  /** Makes the tables, where there are none. */
  constructor(sql: SqlStorage) {
    this.#sql = sql
    for (const table of TABLES) sql.exec(`CREATE TABLE IF NOT EXISTS ${table}`)
    for (const index of INDEXES) sql.exec(`CREATE INDEX IF NOT EXISTS ${index}`)
    const all = ['waiting', 'leases', 'refused'].map((table) => `SELECT seq FROM ${table}`)
    this.#last =
      this.#one<{ last: number | null }>(`SELECT max(seq) AS last FROM (${all.join(' UNION ALL ')})`)!.last ??
      0
  }

  /** The place that a generation has, or the next one. */
  of(generation: string): number {
    const kept = this.#one<{ seq: number }>(
      `SELECT seq FROM waiting WHERE generation = ?1 UNION ALL SELECT seq FROM leases WHERE generation = ?1
        UNION ALL SELECT seq FROM refused WHERE generation = ?1`,
      generation,
    )
    return kept?.seq ?? ++this.#last
  }

  /** The generation has neither place nor lease any more. */
  forget(generation: string): void {
    for (const table of ['waiting', 'leases', 'refused'])
      this.#run(`DELETE FROM ${table} WHERE generation = ?`, generation)
  }

  /** It waits. `hasOther`: it has another way to go. */
  wait(generation: string, place: number, hasOther: boolean, now: number): void {
    this.#run('INSERT INTO waiting VALUES (?, ?, NULL, ?, 0, ?)', place, generation, now, hasOther ? 1 : 0)
  }

  /** It calls; returns its lease. */
  lend(generation: string, place: number, now: number): string {
    const lease = crypto.randomUUID()
    this.#run('INSERT INTO leases VALUES (?, ?, ?, ?, ?)', generation, lease, place, now, now + LEASE_MS)
    return lease
  }

  /** It has called; undefined when that lease is not known. */
  takeBack(generation: string, lease: string): Returned | undefined {
    const held = this.#one<Lease>(
      'DELETE FROM leases WHERE generation = ? AND lease = ? RETURNING *',
      generation,
      lease,
    )
    return held && { grantedAt: held.granted_at, place: held.seq }
  }

  /** It was refused, and may come back to its place. */
  keep(generation: string, place: number, now: number): void {
    this.#run('DELETE FROM refused WHERE until <= ?', now)
    this.#run('INSERT OR REPLACE INTO refused VALUES (?, ?, ?)', generation, place, now + REFUSED_MS)
  }

  /** How many call. */
  callers(now: number): number {
    return this.#count('SELECT count(*) AS n FROM leases WHERE expires_at > ?', now)
  }

  isAnyWaiting(): boolean {
    return this.#one('SELECT 1 FROM waiting LIMIT 1') !== undefined
  }

  /** The first place of who waits; somebody does. */
  first(): number {
    return this.#one<{ seq: number }>('SELECT seq FROM waiting ORDER BY seq LIMIT 1')!.seq
  }

  /** How many wait before a place, apart from those who are away, counted up to `enough`. */
  before(place: number, enough: number, now: number): number {
    if (enough <= 0) return 0
    const ahead = 'SELECT 1 FROM waiting WHERE seq < ? AND live_at <= ? LIMIT ?'
    return this.#count(`SELECT count(*) AS n FROM (${ahead})`, place, now, enough)
  }

  /** Of the next `count` who wait those who are not woken yet. */
  next(count: number, now: number): string[] {
    if (count <= 0) return []
    return this.#all<Waiting>('SELECT * FROM waiting WHERE live_at <= ? ORDER BY seq LIMIT ?', now, count)
      .filter(({ wake_by }) => wake_by === null)
      .map(({ generation }) => generation)
  }

  /** The first `count` who wait, or of those who have another way, and are not woken yet. */
  sleepers(who: 'all' | 'with another way', count: number, now: number): string[] {
    return this.#all<Waiting>(
      `SELECT * FROM waiting WHERE ${who === 'all' ? 'TRUE' : 'has_other = 1'}
        AND wake_by IS NULL AND live_at <= ? ORDER BY seq LIMIT ?`,
      now,
      count,
    ).map(({ generation }) => generation)
  }

  /** These are woken, and a slot is kept for each until `wakeBy`. */
  expect(generations: readonly string[], wakeBy: number): void {
    for (const id of generations) this.#run('UPDATE waiting SET wake_by = ? WHERE generation = ?', wakeBy, id)
  }

  /** Leases that nobody gave back end, and who was woken and did not come is away. */
  lapse(now: number): void {
    this.#run('DELETE FROM leases WHERE expires_at <= ?', now)
    this.#run('DELETE FROM waiting WHERE wake_by <= ? AND misses >= ?', now, MISSES - 1)
    this.#run(
      'UPDATE waiting SET wake_by = NULL, live_at = ? + (? << misses), misses = misses + 1 WHERE wake_by <= ?',
      now,
      AWAY_MS,
      now,
    )
  }

  /** When something lapses, or who is away has its place again; epoch ms, in no order. */
  changesAt(now: number): number[] {
    return [
      ...this.#instants('SELECT min(wake_by) AS at FROM waiting WHERE wake_by IS NOT NULL'),
      ...this.#instants('SELECT min(live_at) AS at FROM waiting WHERE misses > 0 AND live_at > ?', now),
      ...this.#instants('SELECT min(expires_at) AS at FROM leases'),
    ]
  }

  /** Notes that a call is sent. */
  noteSent(now: number): void {
    this.#run('INSERT INTO sent (at) VALUES (?)', now)
  }

  /** How many calls were noted within the last `windowMs`; earlier ones are forgotten. */
  sentWithin(windowMs: number, now: number): number {
    this.#run('DELETE FROM sent WHERE at <= ?', now - windowMs)
    return this.#count('SELECT count(*) AS n FROM sent')
  }

  /** When fewer than `calls` will have been sent within `windowMs`, if now they are not; epoch ms. */
  windowOpensAt(calls: number, windowMs: number, now: number): number[] {
    return this.#instants(
      'SELECT min(at) + ?1 AS at FROM sent WHERE at > ?2 - ?1 HAVING count(*) >= ?3',
      windowMs,
      now,
      calls,
    )
  }

  #instants(query: string, ...values: number[]): number[] {
    const at = this.#one<{ at: number | null }>(query, ...values)?.at
    return at === null || at === undefined ? [] : [at]
  }

  #count(query: string, ...values: number[]): number {
    return this.#one<{ n: number }>(query, ...values)!.n
  }

  #run(query: string, ...values: (string | number)[]): void {
    this.#sql.exec(query, ...values)
  }

  #all<T extends Record<string, SqlStorageValue>>(query: string, ...values: (string | number)[]): T[] {
    return this.#sql.exec<T>(query, ...values).toArray()
  }

  #one<T extends Record<string, SqlStorageValue>>(
    query: string,
    ...values: (string | number)[]
  ): T | undefined {
    return this.#all<T>(query, ...values)[0]
  }
}

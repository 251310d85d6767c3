// Account: what one token has spent and holds, strongly consistent, so that callers who race for the last picture of a
// budget cannot both have it. One object per token; it also counts the token's calls by the minute.
//
// A generation is reserved before it is accepted and settled when it has ended. In between the route may die: a hold whose
// generation does not exist LOOK_MS later is released, and one whose generation has ended is settled by its record.
import { DurableObject } from 'cloudflare:workers'
import { type BudgetPeriod, isEnded } from '../../core/api.ts'
import type { MicroUsd } from '../../core/money.ts'
import type { Env } from '../env.ts'
import { costOf } from '../generation/record.ts'
import { consoleLog, type Log } from '../log.ts'
import { accountName, generationStub } from '../objects.ts'
import { type Budget, fitsWithout, type OverBudget, overBy, type Standing, standingOf } from './budget.ts'
import { Holds } from './holds.ts'
import { admitted, type RateStanding, type RateWindow } from './rate.ts'

export type Reserved = { kind: 'reserved' } | ({ kind: 'over_budget' } & OverBudget)

/** After this a hold is looked at, in ms: by then its generation exists, if it ever will. */
export const LOOK_MS = 15 * 60_000

/** After its deadline a generation that was still under way is looked at again, in ms: it settles by itself before. */
const PATIENCE_MS = 60 * 60_000

/** Holds that are looked at in one alarm. */
const LOOKS = 100

const WINDOW = 'window'

export class Account extends DurableObject<Env> {
  #holds: Holds
  #log: Log = consoleLog

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    this.#holds = new Holds(ctx.storage)
  }

  /** Holds `amount` for a generation, or says which limit it would pass. Asked again for the same generation it says the
   *  same and holds nothing more, unless the amount has grown. */
  async reserve(generation: string, amount: MicroUsd, budget: Budget): Promise<Reserved> {
    const now = Date.now()
    const before = this.#holds.find(generation)
    if (before && before.state !== 'open') return { kind: 'reserved' }
    const more = amount - (before?.counted ?? 0)
    if (!before || more > 0) {
      const over = this.#passed(more, budget, now)
      if (over) return { kind: 'over_budget', ...over }
    }
    const counted = Math.max(amount, before?.counted ?? 0)
    const reservedAt = before?.reservedAt ?? now
    this.#holds.put({ generation, state: 'open', counted, reservedAt }, now + LOOK_MS)
    // It may stand at the deadline of another one, a day from now.
    const alarmAt = await this.ctx.storage.getAlarm()
    if (alarmAt === null || alarmAt > now + LOOK_MS) await this.ctx.storage.setAlarm(now + LOOK_MS)
    return { kind: 'reserved' }
  }

  /** What a generation cost in the end; null when it is not known: then what was held counts as spent. Repeatable; a cost
   *  that becomes known later takes the place of one that was not. */
  async settle(generation: string, cost: MicroUsd | null): Promise<void> {
    const hold = this.#holds.find(generation)
    if (cost === null) {
      if (hold?.state === 'open') this.#holds.put({ ...hold, state: 'unknown' }, null)
      return
    }
    // What cost nothing leaves no trace: a generation that was not accepted may be asked for again.
    if (cost === 0) return hold && this.#holds.release(hold)
    // What was bought counts even where nothing is held for it any more.
    const reservedAt = hold?.reservedAt ?? Date.now()
    this.#holds.put({ generation, state: 'known', counted: cost, reservedAt }, null)
  }

  /** The limit that `amount` would pass now; undefined when there is room. Holds nothing. */
  async limitPassedBy(amount: MicroUsd, budget: Budget): Promise<OverBudget | undefined> {
    return this.#passed(amount, budget, Date.now())
  }

  /** How the limits of a budget stand now. */
  async standing(budget: Budget): Promise<{ [period in BudgetPeriod]?: Standing }> {
    return standingOf(budget, this.#holds.committedAt(Date.now()))
  }

  /** Counts a call of the API at `now` (epoch ms), or says that this minute has had its `perMinute` calls. */
  async admit(perMinute: number, now: number): Promise<RateStanding> {
    const before = this.ctx.storage.kv.get<RateWindow>(WINDOW)
    const { window, standing } = admitted(before, perMinute, now)
    if (standing.isAdmitted) this.ctx.storage.kv.put(WINDOW, window)
    return standing
  }

  /** Looks at holds that were not settled in time. */
  override async alarm(): Promise<void> {
    try {
      const now = Date.now()
      await Promise.all(this.#holds.due(now, LOOKS).map((generation) => this.#look(generation, now)))
    } catch (error) {
      // The platform repeats a throwing alarm six times only.
      this.#log({ event: 'bug', error: (error as Error).stack ?? String(error) })
      await this.ctx.storage.setAlarm(Date.now() + LOOK_MS)
      return
    }
    const next = this.#holds.nextLookAt()
    if (next !== null) await this.ctx.storage.setAlarm(next)
  }

  #passed(amount: MicroUsd, budget: Budget, now: number): OverBudget | undefined {
    const committed = this.#holds.committedAt(now)
    const over = overBy(budget, committed, amount)
    return over && { ...over, mayFit: fitsWithout(this.#holds.heldAt(now), budget, committed, amount) }
  }

  async #look(generation: string, now: number): Promise<void> {
    const record = await generationStub(this.env, generation)
      .read()
      .catch(() => 'unreachable' as const)
    const hold = this.#holds.find(generation)
    // Asked for again, or settled, while its object was asked.
    if (!hold || !this.#holds.isDue(generation, now)) return
    if (record === 'unreachable') return this.#holds.put(hold, now + LOOK_MS)
    // One that another token was first to ask for is on that token's account.
    const isOurs = record && this.env.ACCOUNT.idFromName(accountName(record)).equals(this.ctx.id)
    if (!isOurs) return this.#holds.release(hold)
    if (isEnded(record.status)) return this.settle(generation, costOf(record))
    this.#holds.put(hold, Math.max(now, record.deadlineAt) + PATIENCE_MS)
    // One that has lost its alarm sleeps until it is woken.
    await generationStub(this.env, generation)
      .turn()
      .catch((error: unknown) => this.#log({ event: 'turn_failed', generation, error: String(error) }))
  }
}

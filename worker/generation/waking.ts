// When a Generation object wakes: by its alarm alone, for its next step and for what it owes to others. It never sleeps while
// something is to be done: after each alarm the next is set by what is stored then, whatever went wrong meanwhile.
import { isEnded } from '../../core/api.ts'
import { tellAll } from './debts.ts'
import { owedAt } from './state.ts'
import type { Rim } from './store.ts'

/** First and longest delay before the alarm tries again after an unexpected error, in ms. */
const MISHAP_DELAY_MS = 5_000
const LONGEST_MISHAP_DELAY_MS = 300_000

type Alarms = Pick<DurableObjectStorage, 'getAlarm' | 'setAlarm'>

export class Waking {
  readonly #rim: Rim
  readonly #alarms: Alarms
  /** While an alarm runs there is none set. */
  #isAwake = false
  /** The gate said meanwhile that it is next. */
  #isTurn = false
  /** Alarms in a row that met an unexpected error. */
  #mishaps = 0

  constructor(rim: Rim, alarms: Alarms) {
    this.#rim = rim
    this.#alarms = alarms
  }

  isAwake(): boolean {
    return this.#isAwake
  }

  /** It is next, or somebody thinks that it sleeps although something is to be done. */
  async turn(): Promise<void> {
    if (this.#isAwake) this.#isTurn = true
    else if (this.#rim.store.isQueued()) await this.#alarms.setAlarm(this.#rim.now())
    else await this.stir()
  }

  /** What an alarm does: a step of its own, which says when to take the next (epoch ms), then tells whoever has to know.
   *  Sets the next alarm. */
  async alarm(advance: () => Promise<number | undefined>): Promise<void> {
    this.#isAwake = true
    let nextAt: number | undefined
    let isMishap = false
    const guarded = async (work: () => Promise<void>) => {
      try {
        await work()
      } catch (error) {
        // A used-up alarm does not come back by itself, and the platform repeats a throwing one six times only.
        isMishap = true
        const generation = this.#rim.store.record()?.id ?? null
        this.#rim.log({ event: 'bug', generation, error: (error as Error).stack ?? String(error) })
      }
    }
    await guarded(async () => {
      nextAt = await advance()
    })
    await guarded(() => tellAll(this.#rim))
    this.#mishaps = isMishap ? this.#mishaps + 1 : 0
    // Nothing is awaited between this look at what is stored and the alarm.
    const dueAt = this.#dueAt(nextAt)
    this.#isAwake = false
    this.#isTurn = false
    if (dueAt !== undefined) await this.#alarms.setAlarm(dueAt)
  }

  /** Sets the alarm if there is none although something is to be done. */
  async stir(): Promise<void> {
    const isDue = () => !this.#isAwake && this.#dueAt(undefined) !== undefined
    if (!isDue() || (await this.#alarms.getAlarm()) !== null || !isDue()) return
    await this.#alarms.setAlarm(this.#rim.now() + MISHAP_DELAY_MS)
  }

  /** When the object has to wake, epoch ms; undefined when there is nothing more to do. */
  #dueAt(nextAt: number | undefined): number | undefined {
    const state = this.#rim.store.state()
    if (!state) return undefined
    const now = this.#rim.now()
    const goesOnAt = isEnded(state.record.status) ? undefined : this.#isTurn ? now : (nextAt ?? now)
    const times = [goesOnAt, owedAt(state.owed)].filter((time) => time !== undefined)
    if (times.length === 0) return undefined
    const delayMs =
      this.#mishaps === 0 ? 0 : Math.min(MISHAP_DELAY_MS * 2 ** (this.#mishaps - 1), LONGEST_MISHAP_DELAY_MS)
    return Math.max(Math.min(...times), now + delayMs)
  }
}

// What a provider's key may do: so many calls a minute, a day, at once. Counted per provider and wire model, as the vendor
// counts per project and model. A call that is turned away does not count. Clock passed in.
import { dailyQuota, RpcError, rateLimited } from '../core/gemini/rpc.ts'

export type Limits = {
  /** Calls in any 60 s. The 429 names the time until the next one is free (`RetryInfo`). */
  perMinute?: number
  /** Calls in a day of UTC. The 429 names a quota of the day. */
  perDay?: number
  /** Calls at once. The 429 names no delay: nobody knows when one ends. */
  concurrency?: number
}

export type LimitRule = Limits & { provider: string }

type Window = { admittedAt: number[]; day: number; today: number; running: number }

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

/** Starts with `rules`; a provider without one is not limited. */
export function createLimits(rules: readonly LimitRule[]) {
  let limits = begin(rules)
  let windows = new Map<string, Window>()

  return {
    /** Replaces the limits of one provider and forgets what it counted. */
    set({ provider, ...rule }: LimitRule): void {
      limits.set(provider, rule)
      for (const name of [...windows.keys()]) if (name.startsWith(`${provider} `)) windows.delete(name)
    },
    reset(): void {
      limits = begin(rules)
      windows = new Map()
    },
    /** Lets a call in and returns what is to be called at its end. @throws RpcError 429 */
    enter(provider: string, model: string, now: number): () => void {
      const { perMinute, perDay, concurrency } = limits.get(provider) ?? {}
      const name = `${provider} ${model}`
      const window = windows.get(name) ?? { admittedAt: [], day: 0, today: 0, running: 0 }
      windows.set(name, window)
      const day = Math.floor(now / DAY_MS)
      if (window.day !== day) Object.assign(window, { day, today: 0 })
      window.admittedAt = window.admittedAt.filter((at) => at > now - MINUTE_MS)

      if (perDay !== undefined && window.today >= perDay) throw dailyQuota(model)
      if (perMinute !== undefined && window.admittedAt.length >= perMinute) {
        const freeAt = (window.admittedAt.at(-perMinute) ?? now) + MINUTE_MS
        throw rateLimited((freeAt - now) / 1000, model)
      }
      if (concurrency !== undefined && window.running >= concurrency)
        throw new RpcError('RESOURCE_EXHAUSTED', `No more than ${concurrency} calls of ${model} at once.`)

      window.admittedAt.push(now)
      window.today += 1
      window.running += 1
      return () => {
        window.running -= 1
      }
    },
  }
}

function begin(rules: readonly LimitRule[]): Map<string, Limits> {
  return new Map(rules.map(({ provider, ...rule }) => [provider, rule]))
}

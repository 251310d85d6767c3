// The real clock, for callers that bring none of their own. The only file here that asks the machine for the time.
import { setTimeout as wait } from 'node:timers/promises'

export type Clock = {
  /** Epoch ms. */
  now: () => number
  /** Resolves after `ms`, or at once when `signal` fires. */
  sleep: (ms: number, signal?: AbortSignal) => Promise<void>
}

export const realClock: Clock = {
  now: Date.now,
  // An aborted wait is an early end, not an error: whoever sleeps looks at the signal itself.
  sleep: (ms, signal) => wait(ms, undefined, signal ? { signal } : {}).catch(() => {}),
}

// How many calls of the API a token may make in a minute. Pure: a minute begins with the first call after the last one.

/** A minute and the calls in it. */
export type RateWindow = { startedAt: number; used: number }

/** Whether a call is admitted, and how the limit stands after it. */
export type RateStanding = {
  isAdmitted: boolean
  /** Calls in a minute. */
  limit: number
  remaining: number
  /** Until the minute is over, in ms; above 0. */
  resetMs: number
}

export const WINDOW_MS = 60_000

/** A call at `now`, and the window after it. A call that is not admitted does not count. */
export function admitted(
  window: RateWindow | undefined,
  perMinute: number,
  now: number,
): { window: RateWindow; standing: RateStanding } {
  // Clocks differ a little: one that is behind neither begins a minute nor prolongs one. A minute that lies far ahead is
  // of a clock that was wrong.
  const isOver = !window || Math.abs(now - window.startedAt) >= WINDOW_MS
  const current = isOver ? { startedAt: now, used: 0 } : window
  const isAdmitted = current.used < perMinute
  const next = isAdmitted ? { ...current, used: current.used + 1 } : current
  const elapsedMs = Math.max(0, now - next.startedAt)
  return {
    window: next,
    standing: {
      isAdmitted,
      limit: perMinute,
      remaining: Math.max(0, perMinute - next.used),
      resetMs: WINDOW_MS - elapsedMs,
    },
  }
}

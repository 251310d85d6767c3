// What one run of the retention may use. A free account has 1,000 calls of other services in one invocation, and a cron
// that comes once an hour has 15 minutes (developers.cloudflare.com/workers/platform/limits, 2026-10).

/** Calls of D1, R2 and objects in one run. */
const CALLS = 900

/** Time of one run, in ms. */
const SPAN_MS = 10 * 60_000

export type Allowance = {
  /** Takes `calls` from what is left; false when that is not there, or the time is up. */
  take(calls: number): boolean
}

/** The allowance of a run that begins now. */
export function allowanceOf(now: () => number, calls = CALLS): Allowance {
  const until = now() + SPAN_MS
  let left = calls
  return {
    take(wanted) {
      if (left < wanted || now() >= until) return false
      left -= wanted
      return true
    },
  }
}

// How many calls a provider is sent, as a function of how the last ones went: additive increase, one cut per congestion
// event, and the provider's own delay before anything. No clock, no storage; gate.ts keeps the queue and the leases.
//
// A provider limits calls at once, calls per minute, or both, and rarely says which. Where it names a delay, the delay is
// the remedy and the cut is slight: a deep one would leave the rate it allows unused. Where it names none, the cut goes
// down to the calls that it did take on, by half at most; the pause doubles, and until a call goes well fewer are sent
// after each pause.
import type { Verdict } from '../../core/outcome.ts'

/** What the operator says of a provider (core/providers.ts). */
export type PaceRules = { concurrency: number; perMinute?: number | undefined }

/** How a call went, as far as pacing is concerned. */
export type PaceReport =
  /** The provider took it on. */
  | { kind: 'done' }
  /** It says nothing of the pace: not sent, not answered, or wrong in itself. */
  | { kind: 'unrelated' }
  /** 429, or 503: the provider wants fewer calls. `retryAfterMs`: its own delay. `isOverload`: a 503. */
  | { kind: 'throttled'; retryAfterMs?: number | undefined; isOverload?: boolean; message?: string }
  | { kind: 'quota'; message: string; retryAfterMs?: number | undefined }

/** The provider's words, and when they were said, in epoch ms. */
export type Said = { message: string; since: number }

export type Pace = {
  /** Calls at once, at least 1; what is behind the point is on the way to the next one. */
  limit: number
  /** No congestion was met yet: the limit grows with every good call. */
  isFresh: boolean
  /** When it was cut last, in epoch ms: what was sent until then is of the same event, and cuts no deeper than this. */
  cutAt: number
  leastLimit: number
  /** Nothing is sent before. Epoch ms. */
  pausedUntil: number
  /** Congestion events since the last good call. */
  strikes: number
  /** The latest of them came with a delay of the provider's own. */
  isTold: boolean
  /** 503s since the last good call; the first of them, and until when nothing is sent for their sake. */
  overloads: number
  overload?: Said & { until: number }
  /** A quota of the day, used up. From `until` on, one call at a time finds out whether it is still. */
  quota?: Said & { until: number }
}

/** Calls at once of a provider that nothing is known of. */
const FIRST_LIMIT = 16

/** What a cut leaves: with a delay of the provider's own, and without. */
const SLIGHT_CUT = 0.9
const DEEP_CUT = 0.5

/** First and longest pause where the provider names none, in ms. */
const FIRST_PAUSE_MS = 1_000
const LONGEST_BACKOFF_MS = 60_000

/** Least pause, times the events without a good call, and its bound, in ms: for a provider that says to come back at once. */
const LEAST_PAUSE_MS = 250
const LONGEST_LEAST_MS = 10_000

/** A delay of the provider's own that is longer is not believed beyond this, in ms: then a call asks again. */
const LONGEST_PAUSE_MS = 3_600_000
const LONGEST_QUOTA_MS = 24 * 3_600_000

/** For how long a used-up quota is believed when the provider says nothing, in ms. */
const QUOTA_MS = 600_000

/** 503s without a good call between them after which a caller with another way goes it. */
const FEW = 3

/** One 503 that names a longer delay says as much as those, in ms. */
export const LONG_OVERLOAD_MS = 10_000

export function freshPace(rules: PaceRules): Pace {
  return {
    limit: Math.min(FIRST_LIMIT, rules.concurrency),
    isFresh: true,
    cutAt: 0,
    leastLimit: 1,
    pausedUntil: 0,
    strikes: 0,
    isTold: false,
    overloads: 0,
  }
}

/** Calls that may be out at `now`, whether by limit or by pause. */
export function capacityOf(pace: Pace, rules: PaceRules, now: number): number {
  if (now < opensAt(pace)) return 0
  if (pace.quota) return 1
  const limit = Math.min(Math.floor(pace.limit), rules.concurrency)
  // Several events in a row, and nobody said how long to wait: ever fewer calls find out whether it is over.
  const doubt = pace.isTold ? 0 : Math.max(0, pace.strikes - 1)
  return Math.max(1, Math.floor(limit / 2 ** doubt))
}

/** When something may be sent again, epoch ms; in the past when it may be now. */
export function opensAt({ pausedUntil, quota }: Pace): number {
  return Math.max(pausedUntil, quota?.until ?? 0)
}

/** What a caller with another way is told while it would have to wait: the provider has been overloaded for too long. */
export function overloadOf({ overloads, overload }: Pace, now: number): Said | undefined {
  if (overloads < FEW || !overload || now >= overload.until) return undefined
  const { message, since } = overload
  return { message, since }
}

/** What a caller is told whom a used-up quota turns away. */
export function quotaOf({ quota }: Pace, now: number): (Said & { until: number }) | undefined {
  return quota && now < quota.until ? quota : undefined
}

/** A call that ended: when it was sent, in epoch ms, how many others are out still, and whether the limit was in use. */
export type Ended = { sentAt: number; others: number; isUsed: boolean }

/** The pace after a call. */
export function paceAfter(pace: Pace, report: PaceReport, ended: Ended, now: number): Pace {
  switch (report.kind) {
    case 'unrelated':
      return pace
    case 'done': {
      const { quota: _, overload: __, ...rest } = pace
      // What is not used is not tried either.
      const growth = ended.isUsed ? (pace.isFresh ? 1 : 1 / Math.floor(pace.limit)) : 0
      return { ...rest, limit: pace.limit + growth, strikes: 0, overloads: 0 }
    }
    case 'throttled':
      return throttled(pace, report, ended, now)
    case 'quota': {
      const delayMs = Math.min(report.retryAfterMs ?? QUOTA_MS, LONGEST_QUOTA_MS)
      return { ...pace, quota: { message: report.message, since: now, until: now + delayMs } }
    }
  }
}

function throttled(
  pace: Pace,
  { retryAfterMs, isOverload, message = '' }: Extract<PaceReport, { kind: 'throttled' }>,
  { sentAt, others }: Ended,
  now: number,
): Pace {
  const own = retryAfterMs === undefined ? undefined : Math.min(retryAfterMs, LONGEST_PAUSE_MS)
  const isLong = own !== undefined && own > LONG_OVERLOAD_MS
  // Its own delay alone: for how long a rate limit pauses is no overload.
  const overloadFor = (ms: number) => ({
    message,
    since: pace.overload?.since ?? now,
    until: Math.max(now + ms, pace.overload?.until ?? 0),
  })
  // One of many that met the same congestion: the others may be what the provider has room for, and it may last longer.
  if (sentAt <= pace.cutAt)
    return {
      ...pace,
      limit: pace.strikes > 0 ? Math.max(pace.leastLimit, Math.min(pace.limit, others)) : pace.limit,
      pausedUntil: Math.max(pace.pausedUntil, now + (own ?? 0)),
      ...(isOverload && isLong ? { overloads: FEW, overload: overloadFor(own) } : {}),
    }
  const strikes = pace.strikes + 1
  // Until a call goes well, more refusals say that it lasts, not that there were too many.
  const cut = strikes > 1 ? 1 : own === undefined ? DEEP_CUT : SLIGHT_CUT
  const leastLimit = Math.max(1, pace.limit * cut)
  const leastMs = Math.min(LEAST_PAUSE_MS * strikes, LONGEST_LEAST_MS)
  const backoffMs = Math.min(FIRST_PAUSE_MS * 2 ** (strikes - 1), LONGEST_BACKOFF_MS)
  const pauseMs = Math.max(own ?? backoffMs, leastMs)
  return {
    ...pace,
    limit: Math.max(leastLimit, Math.min(pace.limit, others)),
    isFresh: false,
    cutAt: now,
    leastLimit,
    pausedUntil: Math.max(pace.pausedUntil, now + pauseMs),
    strikes,
    isTold: own !== undefined,
    ...(isOverload ? { overloads: isLong ? FEW : pace.overloads + 1, overload: overloadFor(pauseMs) } : {}),
  }
}

/** The pace under rules that the operator may have changed. */
export function underRules(pace: Pace, { concurrency }: PaceRules): Pace {
  return pace.limit > concurrency ? { ...pace, limit: concurrency } : pace
}

/** For how long calls travel to the provider longer or shorter than others, in ms. */
const TRAVEL_MS = 1_000

/** `perMinute` as a sliding window: no more than `calls` in any `windowMs`. Not one call every so often: a few pictures
 *  need not wait for each other, and a full window passes through any counter of the provider's, wherever its minute
 *  begins. Rates that are no whole number have a window of another length. */
export function windowOf({ perMinute }: PaceRules): { calls: number; windowMs: number } | undefined {
  if (perMinute === undefined) return undefined
  const calls = Math.max(1, Math.floor(perMinute))
  return { calls, windowMs: Math.ceil((calls * 60_000) / perMinute) + TRAVEL_MS }
}

/** What the verdict on a call tells the gate. */
export function reportOf({ outcome, charged, next, retryAfterMs, message }: Verdict): PaceReport {
  if (outcome === 'quota_exhausted') return { kind: 'quota', message, retryAfterMs }
  if (next === 'wait')
    return { kind: 'throttled', retryAfterMs, isOverload: outcome === 'unavailable', message }
  return { kind: charged === 'yes' || outcome === 'no_image' || outcome === 'refused' ? 'done' : 'unrelated' }
}

// What became of one provider call: was it charged, may it be repeated, what shall the user be told.
// Silence is never free, and a status that a front end may have made up is `unknown`.
import { type Answer, type ProviderError, readError, textOf } from './answer.ts'
import type { Charged, Provider } from './providers.ts'
import type { FallbackReason } from './request.ts'

export const OUTCOMES = [
  'succeeded', // a picture is stored
  'refused', // the provider's safety rules
  'no_image', // a 200 without a picture
  'rate_limited', // 429, wait
  'quota_exhausted', // 429 that names a per-day quota
  'unavailable', // 503 and other statuses that the provider's row calls free
  'unreachable', // the request was not sent whole
  'unauthorised', // the provider key, or the money behind it
  'model_gone', // 404
  'rejected', // 400, 413 and their like: the request is wrong
  'provider_error', // any other status, or an error inside a 200
  'timed_out', // sent, no answer in time
  'cut_off', // sent, the answer did not arrive whole
  'malformed', // the answer is not what the contract says
  'not_stored', // a picture was paid for and could not be stored
  'orphaned', // the process ended between sending and storing
  'expired', // the deadline passed before it could be sent
  'cancelled', // by its caller, before it could cost anything more
] as const
export type Outcome = (typeof OUTCOMES)[number]

export type Verdict = {
  outcome: Outcome
  charged: Charged
  /** `wait`: free, and to be sent again until the deadline. `retry`: free, and worth a few tries. */
  next: 'wait' | 'retry' | 'stop'
  /** The provider's own delay, in ms, when it named one. */
  retryAfterMs?: number
  /** Which fallbacks may follow; absent when none may. */
  reason?: FallbackReason
  /** For people: the provider's words, or ours. */
  message: string
}

/** An answer that is not a 200. `body` is what was read of it, capped; `retryAfter` the header; `now`, epoch ms, is for a
 *  date in it. */
export function classifyStatus(
  status: number,
  body: string,
  retryAfter: string | null,
  provider: Provider,
  now: number,
): Verdict {
  const error = readError(parse(body))
  const message = error?.message ?? `${provider.id} answered ${status}${body ? `: ${excerpt(body)}` : ''}`
  const free = provider.freeStatuses.includes(status)
  const delay = delayOf(error, retryAfter, now)
  if (status === 429 && namesDailyQuota(error))
    return {
      outcome: 'quota_exhausted',
      charged: free ? 'no' : 'unknown',
      next: 'stop',
      reason: free ? 'unavailable' : 'uncertain',
      message,
    }
  if (status === 429 && free)
    return { outcome: 'rate_limited', charged: 'no', next: 'wait', ...delay, message }
  if (status === 503 && free)
    return { outcome: 'unavailable', charged: 'no', next: 'wait', ...delay, reason: 'unavailable', message }
  if (free)
    return { outcome: 'unavailable', charged: 'no', next: 'retry', ...delay, reason: 'unavailable', message }
  if (KEY_STATUSES.includes(status) || namesBadKey(error))
    return { outcome: 'unauthorised', charged: 'no', next: 'stop', reason: 'unavailable', message }
  if (status === 404)
    return { outcome: 'model_gone', charged: 'no', next: 'stop', reason: 'unavailable', message }
  if (status >= 400 && status < 500 && !MAY_HAVE_GONE_ON.includes(status))
    return { outcome: 'rejected', charged: 'no', next: 'stop', reason: 'failed', message }
  return { outcome: 'provider_error', ...UNKNOWN, message }
}

/** A provider's words without the key that it was called with, which some repeat: plain, or as it stands in an
 *  address. */
export function withoutKey(words: string, key: string): string {
  // A shorter one is no key, and would be found in words that have nothing to do with it.
  if (key.length < SHORTEST_KEY) return words
  return words.replaceAll(key, HIDDEN_KEY).replaceAll(encodeURIComponent(key), HIDDEN_KEY)
}

const SHORTEST_KEY = 6
const HIDDEN_KEY = '(the provider key)'

/** A 200 that was read to its end; `hasPicture` says whether one of its pictures is stored and is the result,
 *  `unreadable` how many of its image parts hold no picture that is known here. */
export function classifyAnswer(
  answer: Answer,
  hasPicture: boolean,
  unreadable: number,
  provider: Provider,
): Verdict {
  if (hasPicture) return { outcome: 'succeeded', charged: 'yes', next: 'stop', message: '' }
  if (answer.error) {
    const message = answer.error.message ?? 'the answer holds an error instead of a picture'
    return { outcome: 'provider_error', ...UNKNOWN, message }
  }
  // The provider has delivered by its own count, and will hardly take it back.
  if (unreadable > 0) {
    const message = 'what the answer holds in place of a picture is none of a known type'
    return { outcome: 'malformed', ...UNKNOWN, message }
  }
  const words = answer.finishMessage ?? textOf(answer.parts)
  const charged = provider.chargesOnRefusal
  const why = answer.blockReason ?? answer.finishReason
  // Moderation before the drawing gives no reason: an empty answer for which no token was written.
  const unexplained = answer.finishReason === undefined || answer.finishReason === 'STOP'
  const silentlyModerated =
    unexplained && answer.parts.length === 0 && answer.usage?.candidatesTokenCount === 0
  if (answer.blockReason || REFUSALS.includes(answer.finishReason ?? '') || silentlyModerated)
    return { outcome: 'refused', charged, next: 'stop', reason: 'refused', message: sentence(why, words) }
  return { outcome: 'no_image', charged, next: 'stop', reason: 'no_image', message: sentence(why, words) }
}

/** No usable answer. `sent` says whether the whole request had left: a JSON body that did not arrive whole cannot have
 *  been carried out. */
export function classifySilence(
  what: 'timed_out' | 'cut_off' | 'malformed' | 'not_stored' | 'orphaned' | 'lost',
  sent: boolean,
  message: string,
): Verdict {
  if (what === 'lost')
    return sent
      ? { outcome: 'cut_off', ...UNKNOWN, message }
      : { outcome: 'unreachable', charged: 'no', next: 'retry', reason: 'unavailable', message }
  if (what === 'not_stored') return { outcome: what, charged: 'yes', next: 'stop', message }
  return { outcome: what, ...UNKNOWN, message }
}

/** Nobody can say whether the call was carried out: it is not repeated, and only a fallback on `uncertain` follows. */
const UNKNOWN = { charged: 'unknown', next: 'stop', reason: 'uncertain' } as const

/** Statuses that speak of the key: unknown, without money, without leave. */
const KEY_STATUSES = [401, 402, 403]

/** Statuses below 500 behind which the call may have gone on. */
const MAY_HAVE_GONE_ON = [408, 409, 425, 429, 499]

/** Finish reasons that are a refusal (Google's enum, 2026-10). */
const REFUSALS = [
  'SAFETY',
  'RECITATION',
  'BLOCKLIST',
  'PROHIBITED_CONTENT',
  'SPII',
  'IMAGE_SAFETY',
  'IMAGE_PROHIBITED_CONTENT',
  'IMAGE_RECITATION',
  'IMAGE_OTHER',
]

/** The delay a provider asked for: `RetryInfo.retryDelay` (fractional seconds as text), else `Retry-After`, in seconds or
 *  as a date (RFC 9110, 10.2.3; only the form of 5.6.7 that senders may use). A date that has passed is no delay. */
function delayOf(
  error: ProviderError | undefined,
  retryAfter: string | null,
  now: number,
): { retryAfterMs?: number } {
  const info = error?.details.find((d) => words(d['@type']).endsWith('google.rpc.RetryInfo'))
  const header = retryAfter?.trim() ?? ''
  const seconds = /^(\d+(?:\.\d+)?)s$/.exec(words(info?.retryDelay))?.[1] ?? /^\d+$/.exec(header)?.[0]
  if (seconds !== undefined) return { retryAfterMs: Math.ceil(Number(seconds) * 1000) }
  const at = HTTP_DATE.test(header) ? Date.parse(header) : Number.NaN
  return Number.isNaN(at) ? {} : { retryAfterMs: Math.max(0, at - now) }
}

const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/

/** Per-day and per-minute limits use the same prose: only the quota's id tells. */
function namesDailyQuota(error: ProviderError | undefined): boolean {
  const violations = (error?.details ?? []).flatMap((d): unknown[] =>
    Array.isArray(d.violations) ? d.violations : [],
  )
  return violations.some((violation) => {
    const { quotaId, quota_id } = (violation ?? {}) as { quotaId?: unknown; quota_id?: unknown }
    return /per_?day/i.test(words(quotaId ?? quota_id))
  })
}

/** A member of an untrusted object as text: anything else is empty, and not asked how it prints. */
function words(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function namesBadKey(error: ProviderError | undefined): boolean {
  return (error?.details ?? []).some((d) => d.reason === 'API_KEY_INVALID')
}

function sentence(why: string | undefined, words: string | undefined): string {
  const reason = why && why !== 'STOP' ? `${why}: ` : ''
  return `${reason}${words ?? 'the answer holds no picture and no explanation'}`
}

function parse(body: string): unknown {
  try {
    const value: unknown = JSON.parse(body)
    // A stream without `alt=sse` answers errors as a list of one.
    return Array.isArray(value) ? value[0] : value
  } catch {
    return undefined
  }
}

function excerpt(body: string): string {
  const plain = body
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
  return plain.length > 200 ? `${plain.slice(0, 200)}…` : plain
}

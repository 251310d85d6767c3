// What the drop-ins have in common: options that a caller may set without leaving its client's own contract, and headers
// that say what proofsheet knows beside the client's own answer.
import type { Context } from 'hono'
import { type GenerationView, isEnded } from '../../core/api.ts'
import type { Market } from '../../core/market.ts'
import type { AppEnv } from '../env.ts'
import { idempotencyKey } from './input.ts'

/** Seconds within which a throttled call of a drop-in must get its turn: its caller waits, and nobody should pay for a
 *  picture after having left. */
export const DROP_IN_DEADLINE_S = 300

/** Seconds that a drop-in waits for its picture: the deadline above, and the longest provider call. */
export const DROP_IN_WAIT_S = 900

export type CallOptions = {
  key: string | undefined
  /** Pictures as Base64 in the answer, or by their addresses. */
  delivery: 'inline' | 'url'
  /** The client says that it repeats a call whose answer it did not get. */
  isRepeat: boolean
  /** The retry shield is on. */
  isShielded: boolean
  /** For how long the client waits at least, in ms, where it said so. */
  patienceMs: number | undefined
}

/** The options of a call: `Idempotency-Key`, `?delivery=url` or `x-proofsheet-delivery: url`,
 *  `x-proofsheet-shield: off`, and the openai client's `x-stainless-retry-count`. Throws `invalid_key`. */
export function callOptions(c: Context<AppEnv>): CallOptions {
  const delivery = c.req.query('delivery') ?? c.req.header('x-proofsheet-delivery')
  return {
    key: idempotencyKey(c.req.header('idempotency-key')),
    delivery: delivery === 'url' ? 'url' : 'inline',
    isRepeat: Number(c.req.header('x-stainless-retry-count') ?? 0) > 0,
    isShielded: c.req.header('x-proofsheet-shield') !== 'off',
    patienceMs: patienceOf(c.req.header('x-server-timeout')),
  }
}

/** Google's clients send the time after which they leave, in seconds, rounded up. */
function patienceOf(header: string | undefined): number | undefined {
  const seconds = /^\s*(\d{1,6}(?:\.\d+)?)\s*$/.exec(header ?? '')?.[1]
  return seconds === undefined || Number(seconds) === 0 ? undefined : Math.max(0, Number(seconds) - 1) * 1_000
}

/** A model as drop-ins name it: its id, alias or short name, by a provider's id and `/` where a certain one is to make
 *  it (`apiyi/nano-banana-pro`). */
export function modelAndProvider(name: string, market: Market): { model: string; provider?: string } {
  const plain = name.replace(/^models\//, '')
  const [first, ...rest] = plain.split('/')
  const isProvider = rest.length > 0 && market.sellers.some((seller) => seller.id === first)
  return isProvider ? { model: rest.join('/'), provider: first! } : { model: plain }
}

/** What proofsheet says beside a drop-in's answer: ids, addresses of pictures, cost in USD, whether money is gone. */
export function resultHeaders(views: readonly GenerationView[], replayed = false): Record<string, string> {
  const costs = views.map((view) => view.cost.actual)
  const cost = costs.some((c) => c === null) ? 'unknown' : String(sum(costs as number[]))
  const charges = views.flatMap((view) => view.attempts.map((attempt) => attempt.charged))
  // What has not ended may still be charged.
  const isOpen = views.some((view) => !isEnded(view.status))
  const charged = isOpen || charges.includes('unknown') ? 'unknown' : charges.includes('yes') ? 'yes' : 'no'
  const images = views.flatMap((view) => (view.image ? [view.image.url] : []))
  return {
    'x-proofsheet-generation': views.map((view) => view.id).join(', '),
    ...(images.length > 0 ? { 'x-proofsheet-image': images.join(', ') } : {}),
    'x-proofsheet-cost': cost,
    'x-proofsheet-charged': charged,
    ...(views.some((view) => view.emulated) ? { 'x-proofsheet-emulated': 'true' } : {}),
    ...(replayed ? { 'idempotent-replayed': 'true' } : {}),
  }
}

/** In whole micro-USD, so that no digit is invented. */
function sum(usd: readonly number[]): number {
  return usd.reduce((total, each) => total + Math.round(each * 1_000_000), 0) / 1_000_000
}

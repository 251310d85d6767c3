// Whether a call may be sent now, and what it may cost: what is asked before an attempt begins.
import { quote } from '../../core/cost.ts'
import { marketOf, type Seller } from '../../core/market.ts'
import { findModel } from '../../core/models.ts'
import type { MicroUsd } from '../../core/money.ts'
import type { GenerationRequest } from '../../core/request.ts'
import type { Env } from '../env.ts'
import { reserveRow } from '../money/ledger.ts'
import { gateStub } from '../objects.ts'
import { type Entry, gateName } from '../providers/gate.ts'
import type { Said } from '../providers/pace.ts'
import { tellAll, tellIndex } from './debts.ts'
import { bounded } from './ending.ts'
import { hasFallback } from './policy.ts'
import type { Attempt, Ending, GenerationRecord } from './record.ts'
import { withPlace } from './state.ts'
import type { Rim } from './store.ts'
import { draftOf } from './wish.ts'
import { PATIENCE_MS, within } from './within.ts'

/** Delay before a gate that could not be reached is asked again, in ms. */
const GATE_DELAY_MS = 5_000

/** For how long index and ledger may delay a call, in ms. */
const ANNOUNCE_MS = 3_000

/** Who would be called by a route now, and the gate before it; undefined when nobody sells it here any more. */
export type Way = { seller: Seller; model: string; gate: string }

export function wayOf(env: Env, record: GenerationRecord, route: number): Way | undefined {
  const { provider, model } = record.routes[route]!
  try {
    const seller = marketOf(env).sellers.find((s) => s.id === provider)
    return seller?.configured ? { seller, model, gate: gateName(env, seller, model) } : undefined
  } catch {
    // A configuration that cannot be read: the attempt says what is wrong with it.
    return undefined
  }
}

/** Whether a call may be sent now; with the lease that its gate gives for it, or, at the end of what need not be sent, how
 *  it ended. `later`: epoch ms. */
export type Permit =
  | { kind: 'go'; place?: { gate: string; lease: string } }
  | { kind: 'later'; at: number }
  | { kind: 'unsent'; ending: Ending }

/** Asks the gate for a call. Nothing is sent while it cannot be reached. */
export async function permitFor(
  rim: Rim,
  record: GenerationRecord,
  way: Way | undefined,
  route: number,
): Promise<Permit> {
  // Nobody sells it here any more: the attempt says so, and calls nobody.
  if (!way) return { kind: 'go' }
  const { env, store, log, now } = rim
  const { gate, seller } = way
  const later = (at: number): Permit => ({ kind: 'later', at: Math.min(at, record.deadlineAt) })
  // A lease that was not given back would be taken for lost, and with it what the provider said of the pace.
  const isHeld = () => store.state()!.owed.leaving.some((place) => place.gate === gate)
  if (isHeld()) await tellAll(rim)
  if (isHeld()) return later(now() + GATE_DELAY_MS)
  store.change((state) => withPlace(state, { gate }))
  const { concurrency, perMinute } = seller
  const hasOther = hasFallback(record, route, 'unavailable')
  try {
    const entry = await within<Entry>(PATIENCE_MS, async () =>
      gateStub(env, gate).enter(record.id, { concurrency, perMinute }, hasOther),
    )
    if (entry.kind === 'go') return { kind: 'go', place: { gate, lease: entry.lease } }
    if (entry.kind === 'wait') return later(entry.recheckAt)
    return { kind: 'unsent', ending: unsentEnding(entry, now()) }
  } catch (error) {
    log({ event: 'gate_unavailable', generation: record.id, error: String(error) })
    return later(now() + GATE_DELAY_MS)
  }
}

/** Whether index and ledger have heard, in time, of an attempt that is about to be sent. */
export async function foretell(
  { env, log }: Rim,
  record: GenerationRecord,
  attempt: Attempt,
): Promise<boolean> {
  try {
    await within(ANNOUNCE_MS, () => tellIndex(env.DB, record, [reserveRow(record, attempt)]))
    return true
  } catch (error) {
    log({ event: 'index_unavailable', generation: record.id, error: String(error) })
    return false
  }
}

/** What one call may cost at most; null when that is not known. */
export function atMostOf(record: GenerationRecord, way: Way | undefined): MicroUsd | null {
  const model = way && findModel(way.model)
  if (!way || !model) return null
  const draft = draftOf(record.request as GenerationRequest, record.conversation)
  const price = quote(draft, { provider: way.seller.id, model, row: way.seller.prices[model.id] })
  return price.unknown.length > 0 ? null : price.atMost
}

/** How an attempt ends that the gate does not let pass: nothing is sent, and fallbacks may follow. */
function unsentEnding(entry: Extract<Entry, Said>, now: number): Ending {
  const outcome = entry.kind === 'quota' ? 'quota_exhausted' : 'unavailable'
  const since = new Date(entry.since).toISOString()
  const message = `not sent, because the provider has said since ${since}: ${entry.message}`
  return bounded({
    verdict: { outcome, charged: 'no', next: 'stop', reason: 'unavailable', message },
    costMicroUsd: 0,
    endedAt: now,
  })
}

// The plan: which pictures are made, why, by whom and for how much. A function of manifest, lock and market; it asks
// nobody and changes nothing.
import { type Quote, total } from '../../core/cost.ts'
import type { Market } from '../../core/market.ts'
import { DEFAULT_SIZE, type Size } from '../../core/models.ts'
import type { Sha256 } from '../../core/request.ts'
import { basisOf, quoteRoutes, routesOf } from '../../core/routes.ts'
import type { Item } from '../manifest/item.ts'
import { keyOf, type Lock, type LockEntry } from '../state/lock.ts'
import { differences, fingerprintOf, type Inputs, inputsOf, promptBytes } from './inputs.ts'

/** `retry`: the last try ended without a picture. `refused` and `uncertain`: so did it, and it is not repeated by
 *  itself, because it may have been charged for nothing again. `blocked`: what it is made from has no picture and will
 *  get none. `same`: another item's picture is this one. */
export const PLAN_STATES = [
  'new',
  'changed',
  'retry',
  'done',
  'same',
  'refused',
  'uncertain',
  'blocked',
] as const
export type PlanState = (typeof PLAN_STATES)[number]

export type PlanItem = {
  item: Item
  state: PlanState
  /** Why, for `changed`, `retry`, `refused` and `uncertain`; for `same`: the id of the other item. */
  reasons: string[]
  inputs: Inputs
  fingerprint: string
  edition: number
  key: string
  provider: string
  size: Size
  quote: Quote
  /** The price row and its date; absent when there is none. */
  basis?: string
  /** What the lock knows of this very key. */
  entry?: LockEntry
}

export type Plan = {
  items: PlanItem[]
  /** What was made for items that are no longer in the manifest. */
  orphans: LockEntry[]
  emulated: boolean
  /** The sum over what is to be made. */
  quote: Quote
}

/** What to repeat on purpose. */
export type Repeat = { refused: boolean; uncertain: boolean }

/** States whose items are made by `run`. */
export function isToMake(state: PlanState): boolean {
  return state === 'new' || state === 'changed' || state === 'retry'
}

/** The plan. `urls` holds the digest of every reference that is given by its address. Items must have passed the checks
 *  of the manifest: every model has a route, every `from` an item, no cycle. */
export function planOf(
  items: readonly Item[],
  lock: Lock,
  market: Market,
  urls: ReadonlyMap<string, string>,
  repeat: Repeat,
  sha256: Sha256,
): Plan {
  const byKey = new Map([...lock.values()].map((entry) => [entry.key, entry]))
  const keys = new Map<string, string>()
  const planned = new Map<string, PlanItem>()
  const firstOfKey = new Map<string, string>()
  for (const item of upstreamFirst(items)) {
    const inputs = inputsOf(item, { urls, keys })
    const fingerprint = fingerprintOf(inputs, sha256)
    const verdict = stateOf(item, inputs, fingerprint, lock, byKey, market.emulated, repeat)
    const key = keyOf(fingerprint, verdict.edition)
    keys.set(item.id, key)
    const twin = firstOfKey.get(key)
    const twinIsMade = twin !== undefined && isToMake(planned.get(twin)!.state)
    if (twin === undefined) firstOfKey.set(key, item.id)
    const lost = isToMake(verdict.state)
      ? upstreamOf(item).find((id) => isLost(planned.get(id)!.state))
      : undefined
    const route = routesOf(market, item)
    if ('problem' in route) throw new Error(`${item.id}: ${route.message}`)
    planned.set(item.id, {
      item,
      inputs,
      fingerprint,
      key,
      ...verdict,
      ...(twinIsMade && isToMake(verdict.state) ? { state: 'same', reasons: [twin] } : {}),
      ...(lost === undefined ? {} : { state: 'blocked', reasons: [`${lost} has no picture`] }),
      provider: route.first.seller.id,
      size: item.size ?? DEFAULT_SIZE,
      quote: quoteRoutes(route, {
        size: item.size ?? DEFAULT_SIZE,
        promptBytes: promptBytes(item),
        references: item.references.length,
      }),
      ...(route.first.seller.prices[item.model] ? { basis: basisOf(route.first) } : {}),
    })
  }
  const inOrder = items.map((item) => planned.get(item.id)!)
  const ids = new Set(items.map((item) => item.id))
  // A renamed item has taken its picture along.
  const ownKeys = new Set(keys.values())
  return {
    items: inOrder,
    orphans: [...lock.values()].filter((entry) => !ids.has(entry.id) && !ownKeys.has(entry.key)),
    emulated: market.emulated,
    quote: total(inOrder.filter((p) => isToMake(p.state)).map((p) => p.quote)),
  }
}

/** The items so that each comes after those it is made from. */
export function upstreamFirst(items: readonly Item[]): Item[] {
  const byId = new Map(items.map((item) => [item.id, item]))
  const ordered = new Set<Item>()
  const visit = (item: Item) => {
    if (ordered.has(item)) return
    for (const id of upstreamOf(item)) visit(byId.get(id)!)
    ordered.add(item)
  }
  for (const item of items) visit(item)
  return [...ordered]
}

/** The items that an item is made from. */
export function upstreamOf({ references }: Item): string[] {
  return references.flatMap((reference) => (reference.kind === 'from' ? [reference.item] : []))
}

/** States whose items get no picture by themselves. */
export function isLost(state: PlanState): boolean {
  return state === 'refused' || state === 'uncertain' || state === 'blocked'
}

type Verdict = { state: PlanState; reasons: string[]; edition: number; entry?: LockEntry }

function stateOf(
  item: Item,
  inputs: Inputs,
  fingerprint: string,
  lock: Lock,
  byKey: ReadonlyMap<string, LockEntry>,
  emulated: boolean,
  repeat: Repeat,
): Verdict {
  const own = lock.get(item.id)
  // An item that was renamed is found by its fingerprint.
  const entry = own?.fingerprint === fingerprint ? own : byKey.get(fingerprint)
  if (!entry)
    return own
      ? { state: 'changed', reasons: differences(own.inputs, inputs), edition: 1 }
      : { state: 'new', reasons: [], edition: 1 }
  const { edition } = entry
  if (entry.emulated && !emulated)
    // What was tried with the emulator says nothing of what was bought: editions begin anew.
    return { state: 'new', reasons: ['so far only the emulator drew it'], edition: 1, entry }
  const last = [`last time: ${entry.error?.code ?? entry.status}, ${chargeOf(entry)}`]
  const again: Verdict = { state: 'retry', reasons: last, edition: edition + 1, entry }
  switch (entry.status) {
    case 'succeeded':
      return { state: 'done', reasons: [], edition, entry }
    case 'refused':
      return repeat.refused ? again : { state: 'refused', reasons: last, edition, entry }
    case 'uncertain':
      return repeat.uncertain ? again : { state: 'uncertain', reasons: last, edition, entry }
    case 'queued':
    case 'running':
      return { state: 'retry', reasons: ['it was still being made'], edition, entry }
    case 'failed':
    case 'cancelled':
      return again
  }
}

function chargeOf({ charged, cost }: LockEntry): string {
  switch (charged) {
    case 'no':
      return 'not charged'
    case 'yes':
      return cost === null ? 'charged' : `charged $${cost}`
    case 'unknown':
      return 'not known whether it was charged'
  }
}

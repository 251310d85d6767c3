// The plan: which pictures are made, why, by whom and for how much. A function of manifest, lock and market; it asks
// nobody and changes nothing.
import { type Quote, total } from '../../core/cost.ts'
import type { Market } from '../../core/market.ts'
import { DEFAULT_SIZE, type Size } from '../../core/models.ts'
import type { PriceRow } from '../../core/prices.ts'
import type { Sha256 } from '../../core/request.ts'
import { basisOf, quoteRoutes, routesOf } from '../../core/routes.ts'
import type { Item } from '../manifest/item.ts'
import { type Lock, type LockEntry, slotOf } from '../state/lock.ts'
import { keyOf } from '../state/tries.ts'
import { fingerprintOf, type Inputs, inputsOf, promptBytes } from './inputs.ts'
import { type Families, familiesOf, meant, upstreamFirst, upstreamOf } from './upstream.ts'
import { recordsOf, verdictOf } from './verdict.ts'

/** `underway`: the worker makes it already, and it was agreed to then. `same`: another item's picture is this one.
 *  `blocked`: what it is made from has no picture and gets none now. The others are said of the lock, in verdict.ts. */
export const PLAN_STATES = [
  'new',
  'changed',
  'retry',
  'redo',
  'underway',
  'done',
  'same',
  'refused',
  'uncertain',
  'blocked',
] as const
export type PlanState = (typeof PLAN_STATES)[number]

export type PlanItem = {
  /** As in the manifest, but every `from` names the one item that is meant. */
  item: Item
  /** Its place in the lock. */
  slot: string
  /** Whether the run is about it. Nothing else is made. */
  selected: boolean
  state: PlanState
  /** Why, in words; for `same`: the id of the other item. */
  reasons: string[]
  inputs: Inputs
  fingerprint: string
  edition: number
  /** The highest edition that was tried. */
  highest: number
  key: string
  provider: string
  size: Size
  quote: Quote
  /** The price row and its date, and what it counts; absent when there is none. */
  basis?: string
  pricedBy?: PriceRow['unit']
  /** What the lock knows of this very fingerprint: its picture, if there is one. */
  entry?: LockEntry
  /** What stands in its place in the lock and was another picture. */
  previous?: LockEntry
  /** Who makes it already, where it is `underway`. */
  underway?: Underway
  /** The id of a picture to pick, itself or another of its samples, before this one is made. */
  awaits?: string
}

export type Plan = {
  items: PlanItem[]
  /** What was made for items that are no longer in the manifest. */
  orphans: LockEntry[]
  emulated: boolean
  /** The profile that lies over all items. */
  profile?: string
  /** The sum over what is to be made. */
  quote: Quote
}

/** What to repeat on purpose. */
export type Repeat = { refused: boolean; uncertain: boolean }

/** Who makes a picture already: a batch, or nobody by name where an earlier run left it to the worker. */
export type Underway = { batch?: string }

/** What a plan is made against. */
export type PlanContext = {
  lock: Lock
  market: Market
  /** The digest of every reference that is given by its address. */
  urls: ReadonlyMap<string, string>
  repeat: Repeat
  /** What the worker makes already, by key. */
  underway?: ReadonlyMap<string, Underway> | undefined
  /** Ids of items to make again although they are made. */
  redo?: ReadonlySet<string> | undefined
  /** Ids of the items that the run is about; absent: all. */
  selected?: ReadonlySet<string> | undefined
  profile?: string | undefined
  sha256: Sha256
}

/** States whose items `run` makes when they are selected. */
export function lacksPicture(state: PlanState): boolean {
  return isBought(state) || state === 'underway'
}

function isBought(state: PlanState): boolean {
  return state === 'new' || state === 'changed' || state === 'retry' || state === 'redo'
}

/** Whether `run` makes it. */
export function isToMake({ selected, state }: Pick<PlanItem, 'selected' | 'state'>): boolean {
  return selected && lacksPicture(state)
}

/** What `run` makes, in the order of the manifest. */
export function toMake({ items }: Pick<Plan, 'items'>): PlanItem[] {
  return items.filter(isToMake)
}

/** What `run` buys of that; it waits for the rest. */
export function toBuy(plan: Pick<Plan, 'items'>): PlanItem[] {
  return toMake(plan).filter(({ state }) => isBought(state))
}

/** States whose items get no picture by themselves. */
function isLost(state: PlanState): boolean {
  return state === 'refused' || state === 'uncertain' || state === 'blocked'
}

/** The plan. Items must have passed the checks of the manifest: every model has a route, every `from` an item, no cycle. */
export function planOf(items: readonly Item[], context: PlanContext): Plan {
  const { lock, market, urls, repeat, underway, redo, selected, profile, sha256 } = context
  const { emulated } = market
  const records = recordsOf(lock, profile)
  const families = familiesOf(items)
  const keys = new Map<string, string>()
  const planned = new Map<string, PlanItem>()
  const makers = new Map<string, string>()
  for (const written of upstreamFirst(items, families)) {
    const { item, unpicked } = resolve(written, families, planned)
    const inputs = inputsOf(item, { urls, keys })
    const fingerprint = fingerprintOf(inputs, sha256)
    const again = { ...repeat, redo: redo?.has(item.id) ?? false }
    const verdict = verdictOf(item, inputs, fingerprint, records, emulated, again)
    const key = keyOf(fingerprint, verdict.edition)
    keys.set(item.id, key)
    const route = routesOf(market, item)
    if ('problem' in route) throw new Error(`${item.id}: ${route.message}`)
    const size = item.size ?? DEFAULT_SIZE
    const row = route.first.seller.prices[item.model]
    const draft: PlanItem = {
      item,
      slot: slotOf({ id: item.id, profile }),
      selected: selected?.has(item.id) ?? true,
      inputs,
      fingerprint,
      key,
      ...verdict,
      provider: route.first.seller.id,
      size,
      quote: quoteRoutes(route, { size, promptBytes: promptBytes(item), references: item.references.length }),
      ...(row ? { basis: basisOf(route.first), pricedBy: row.unit } : {}),
      ...(isBought(verdict.state) ? underwayAs(underway?.get(key)) : {}),
    }
    const obstacle = lacksPicture(verdict.state)
      ? (unpicked?.reason ?? obstacleOf(draft, planned))
      : undefined
    const maker = isToMake(draft) ? makers.get(key) : undefined
    if (obstacle !== undefined)
      planned.set(item.id, {
        ...draft,
        state: 'blocked',
        reasons: [obstacle],
        ...(unpicked ? { awaits: unpicked.pick } : {}),
      })
    else if (maker !== undefined) planned.set(item.id, { ...draft, state: 'same', reasons: [maker] })
    else {
      planned.set(item.id, draft)
      if (isToMake(draft)) makers.set(key, item.id)
    }
  }
  const inOrder = items.map((item) => planned.get(item.id)!)
  const fingerprints = new Set(inOrder.map((p) => p.fingerprint))
  return {
    items: inOrder,
    // A renamed item has taken its picture along. Another profile has items of its own.
    orphans: [...lock.values()].filter(
      (entry) => entry.profile === profile && !planned.has(entry.id) && !fingerprints.has(entry.fingerprint),
    ),
    emulated,
    ...(profile === undefined ? {} : { profile }),
    quote: total(inOrder.filter(isToMake).map((p) => p.quote)),
  }
}

/** What is different of an item that the worker makes already. */
function underwayAs(underway: Underway | undefined): Partial<PlanItem> {
  if (!underway) return {}
  const { batch } = underway
  const reason = batch === undefined ? 'it is still being made' : `in ${batch}, handed over already`
  return { state: 'underway', reasons: [reason], underway, quote: total([]) }
}

/** The item with the one sample in every `from`: the picked one, else the first. `unpicked`: what it waits for. */
function resolve(
  item: Item,
  families: Families,
  planned: ReadonlyMap<string, PlanItem>,
): { item: Item; unpicked?: Unpicked } {
  if (!item.references.some((reference) => reference.kind === 'from')) return { item }
  let unpicked: Unpicked | undefined
  const references = item.references.map((reference) => {
    if (reference.kind !== 'from') return reference
    const samples = meant(reference.item, families)
    const picked = samples.find(({ id }) => isPicked(planned.get(id)!))
    if (!picked && reference.wait) unpicked ??= waiting(reference.item, samples)
    return { ...reference, item: (picked ?? samples[0]!).id }
  })
  return { item: { ...item, references }, ...(unpicked === undefined ? {} : { unpicked }) }
}

function isPicked({ state, entry }: PlanItem): boolean {
  return state === 'done' && entry?.review === 'picked'
}

/** Why an item waits for a person, and what they could pick. */
type Unpicked = { reason: string; pick: string }

function waiting(from: string, samples: readonly Item[]): Unpicked {
  const among = samples.length > 1 ? ` (${samples.length} samples)` : ''
  return { reason: `waits for a pick of ${from}${among}`, pick: (samples[1] ?? samples[0]!).id }
}

/** Why what an item is made from has no picture when the run is over. */
function obstacleOf(
  { item, selected }: PlanItem,
  planned: ReadonlyMap<string, PlanItem>,
): string | undefined {
  for (const id of upstreamOf(item)) {
    const upstream = planned.get(id)!
    if (isLost(upstream.state)) return `${id} has no picture`
    if (selected && !upstream.selected && lacksPicture(upstream.state)) {
      const lack = upstream.state === 'changed' ? 'has changed' : 'has no picture yet'
      return `${id} ${lack} and is not selected (+${item.id} selects it too)`
    }
  }
  return undefined
}

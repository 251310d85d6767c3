// Items, entries and a market for the tests of plan and engine: the least that is valid, changed by what a test is about.
import { type Market, marketOf } from '../../core/market.ts'
import { sha256 } from '../../runner/digest.ts'
import type { Item } from '../../runner/manifest/item.ts'
import { type Plan, type PlanContext, type PlanItem, planOf } from '../../runner/plan/plan.ts'
import type { Lock, LockEntry } from '../../runner/state/lock.ts'

/** A market with a key of Google and of APIYI. */
export const market = marketOf({ GOOGLE_API_KEY: 'g', APIYI_API_KEY: 'a' })

/** A market that only the emulator stands behind. */
export const emulated = marketOf({ EMULATOR_URL: 'http://emulator' })

export function item(id: string, changes: Partial<Item> = {}): Item {
  return {
    id,
    base: id.replace(/#.*/, ''),
    sample: Number(id.split('#')[1] ?? 1),
    tags: [],
    model: 'gemini-3.1-flash-image',
    prompt: `a picture of ${id}`,
    parameters: {},
    fallback: [],
    references: [],
    line: 1,
    ...changes,
  }
}

export function from(id: string): Item['references'][number] {
  return { kind: 'from', item: id }
}

type PlanOptions = {
  market?: Market
  emulated?: boolean
  refused?: boolean
  uncertain?: boolean
  redo?: string[]
  selected?: string[]
  profile?: string
  underway?: PlanContext['underway']
}

export function plan(items: readonly Item[], lock: Lock = new Map(), options: PlanOptions = {}): Plan {
  const { refused = false, uncertain = false, redo, selected, profile } = options
  return planOf(items, {
    lock,
    market: options.market ?? (options.emulated ? emulated : market),
    urls: new Map(),
    repeat: { refused, uncertain },
    redo: redo && new Set(redo),
    selected: selected && new Set(selected),
    profile,
    underway: options.underway,
    sha256,
  })
}

/** The entry that a finished item leaves in the lock. */
export function entry(planned: PlanItem, changes: Partial<LockEntry> = {}): LockEntry {
  return {
    id: planned.item.id,
    key: planned.key,
    fingerprint: planned.fingerprint,
    edition: planned.edition,
    inputs: planned.inputs,
    generation: `gen_${planned.item.id}`,
    status: 'succeeded',
    provider: planned.provider,
    model: planned.item.model,
    emulated: false,
    image: {
      url: `http://worker/images/${planned.item.id}.png`,
      mimeType: 'image/png',
      bytes: 3,
      width: 1,
      height: 1,
      sha256: '0'.repeat(64),
    },
    cost: 0.067,
    charged: 'yes',
    recordedAt: 1,
    ...changes,
  }
}

/** The lock after everything in a plan was made. */
export function lockOf(made: Plan, changes: Partial<LockEntry> = {}): Lock {
  return new Map(made.items.map((p) => [p.item.id, entry(p, changes)]))
}

/** `id state` of every item. */
export function states(made: Plan): Record<string, string> {
  return Object.fromEntries(made.items.map((p) => [p.item.id, p.state]))
}

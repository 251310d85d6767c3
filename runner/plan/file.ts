// A plan on disk: what somebody looked at and agreed to, so that `run --plan` buys that and nothing else. What has changed
// since is told in words; the plan itself is made again, because only so its prices are today's.
import { z } from 'zod'
import { type Quote, unknownExpected } from '../../core/cost.ts'
import { formatUsd, fromUsd, type MicroUsd, toUsd } from '../../core/money.ts'
import { PRICE_TABLE_VERSION } from '../../core/prices.ts'
import type { Layers } from '../manifest/load.ts'
import { isToMake, type Plan, type PlanItem, type Repeat, toMake } from './plan.ts'
import type { Terms } from './select.ts'

const FORMAT = 'proofsheet-saved-plan'

const Texts = z.array(z.string())
const Usd = z.number().nonnegative().nullable()

const SavedSchema = z.object({
  format: z.literal(FORMAT),
  version: z.literal(1),
  /** Path of the manifest, as it was given. */
  manifest: z.string(),
  layers: z.object({ profile: z.string().optional(), set: Texts, vars: Texts }),
  selection: z.object({ include: Texts, exclude: Texts }),
  repeat: z.object({ refused: z.boolean(), uncertain: z.boolean() }),
  redo: z.boolean(),
  /** Address of the worker, or `embedded worker`. */
  worker: z.string(),
  emulated: z.boolean(),
  pricesAsOf: z.string(),
  /** Given where the plan was for so many pictures at most. */
  limit: z.int().positive().optional(),
  /** USD that the run may spend, where the plan was made under a limit. */
  maxCost: z.number().nonnegative().optional(),
  /** What is to be made. USD; null when it is not known. */
  items: z.array(
    z.object({ id: z.string(), key: z.string(), provider: z.string(), expected: Usd, atMost: Usd }),
  ),
  /** Ids of what is the same picture as one of these. */
  along: Texts,
  expected: Usd,
  atMost: Usd,
})

/** A plan that was saved. */
export type SavedPlan = z.output<typeof SavedSchema>

/** How a plan was asked for. */
export type Asked = {
  manifest: string
  layers: Layers
  selection: Terms
  repeat: Repeat
  redo: boolean
  /** At most so many pictures. */
  limit?: number | undefined
  /** What the run may spend. */
  maxCost?: MicroUsd | undefined
  worker: string
}

/** A file that holds no plan. The message says what is wrong with it. */
export class PlanFileError extends Error {
  override name = 'PlanFileError'
}

/** The plan as it is saved. */
export function savedPlan(plan: Plan, { layers, selection, limit, maxCost, ...asked }: Asked): SavedPlan {
  return {
    format: FORMAT,
    version: 1,
    ...asked,
    layers: {
      ...(layers.profile === undefined ? {} : { profile: layers.profile }),
      set: [...layers.set],
      vars: [...layers.vars],
    },
    selection: { include: [...selection.include], exclude: [...selection.exclude] },
    emulated: plan.emulated,
    pricesAsOf: PRICE_TABLE_VERSION,
    ...(limit === undefined ? {} : { limit }),
    ...(maxCost === undefined ? {} : { maxCost: toUsd(maxCost) }),
    items: toMake(plan).map(({ item, key, provider, quote }) => {
      return { id: item.id, key, provider, ...usdOf(quote) }
    }),
    along: plan.items.filter((p) => p.selected && p.state === 'same').map(({ item }) => item.id),
    ...usdOf(plan.quote),
  }
}

function usdOf(quote: Quote): { expected: number | null; atMost: number | null } {
  return {
    expected: unknownExpected(quote).length === 0 ? toUsd(quote.expected) : null,
    atMost: quote.unknown.length === 0 ? toUsd(quote.atMost) : null,
  }
}

/** What a saved plan begins with: the mark of a file that the next one may replace. */
export const PLAN_BEGINS = new RegExp(`^\\{\\s*"format":\\s*"${FORMAT}"`)

/** The text of a saved plan. */
export function writePlan(saved: SavedPlan): string {
  return `${JSON.stringify(saved, null, 2)}\n`
}

/** Reads a saved plan; `path` is for the message. Throws PlanFileError. */
export function readPlan(text: string, path: string): SavedPlan {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new PlanFileError(
      `${path} is no saved plan: it is not JSON; proofsheet plan --out ${path} writes one`,
    )
  }
  const about = z.object({ format: z.literal(FORMAT), version: z.number() }).safeParse(value)
  if (!about.success)
    throw new PlanFileError(`${path} is no saved plan; proofsheet plan --out ${path} writes one`)
  if (about.data.version !== 1)
    throw new PlanFileError(
      `${path} was saved by a newer proofsheet (version ${about.data.version}); plan again, or upgrade`,
    )
  const parsed = SavedSchema.safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new PlanFileError(
    `${path} is damaged at \`${issue!.path.join('.')}\`; proofsheet plan --out ${path} writes it anew`,
  )
}

const MOST_NAMED = 3

/** What differs between a saved plan and the one of now, in words; empty when the saved one still holds. What was made in
 *  the meantime is no difference: it is only not bought any more. `isPart`: the plan of now is of a part of it. */
export function staleness(saved: SavedPlan, plan: Plan, isPart = false): string[] {
  const now = new Map(plan.items.map((p) => [p.item.id, p]))
  const then = new Map(saved.items.map((item) => [item.id, item]))
  const left = saved.items.filter(({ id }) => (isPart ? !now.has(id) : !now.get(id)?.selected))
  const came = toMake(plan).filter((p) => !then.has(p.item.id))
  const open = saved.items.flatMap((item) => {
    const p = now.get(item.id)
    return p && isToMake(p) ? [{ item, p }] : []
  })
  const fingerprint = (key: string) => key.replace(/-\d+$/, '')
  const changed = open.filter(({ item, p }) => fingerprint(item.key) !== p.fingerprint)
  // What cost nothing may be tried again at the price that was agreed to.
  const isPaid = (p: PlanItem) => p.entry !== undefined && p.entry.charged !== 'no'
  const tried = open.filter(
    ({ item, p }) => item.key !== p.key && fingerprint(item.key) === p.fingerprint && isPaid(p),
  )
  const moved = open.filter(({ item, p }) => item.provider !== p.provider)
  const ids = (list: readonly { p: { item: { id: string } } }[]) => list.map(({ p }) => p.item.id)
  return [
    ...told(
      left.map((item) => item.id),
      'no longer in the manifest, or not selected',
    ),
    ...told(
      came.map((p) => p.item.id),
      'to be made and not in the plan',
    ),
    ...told(ids(changed), 'changed'),
    ...told(ids(tried), 'paid for in the meantime without a picture'),
    ...moved
      .slice(0, 1)
      .map(
        ({ item, p }) =>
          `${item.id} would now be made by ${p.provider}, not ${item.provider}${moved.length > 1 ? `, and so would ${moved.length - 1} more` : ''}`,
      ),
    ...(saved.emulated === plan.emulated
      ? []
      : [plan.emulated ? 'the emulator draws now' : 'it was planned with the emulator; now it is bought']),
    ...prices(open),
  ]
}

function told(ids: readonly string[], what: string): string[] {
  if (ids.length === 0) return []
  const shown = ids.slice(0, MOST_NAMED).join(', ')
  return [`${what}: ${ids.length > MOST_NAMED ? `${shown} and ${ids.length - MOST_NAMED} more` : shown}`]
}

const FIGURES = ['expected', 'atMost'] as const

type Open = { item: SavedPlan['items'][number]; p: PlanItem }

/** Of what is still to be made: what the rest would cost then, and what it costs now. */
function prices(open: readonly Open[]): string[] {
  const differ = (test: (then: number | null, now: number | null) => boolean) =>
    open.filter(({ item, p }) => FIGURES.some((figure) => test(item[figure], usdOf(p.quote)[figure])))
  const lost = differ((then, now) => then !== null && now === null)
  const came = differ((then, now) => then === null && now !== null)
  const unknown = [...new Set(lost.flatMap(({ p }) => p.quote.unknown))]
  return [
    ...(unknown.length > 0 ? [`a price is not known any more: ${unknown.join(', ')}`] : []),
    ...told(
      came.map(({ item }) => item.id),
      'the price was not known, and now is',
    ),
    ...dearer(open),
  ]
}

function dearer(open: readonly Open[]): string[] {
  for (const figure of FIGURES) {
    const both = open.filter(({ item, p }) => item[figure] !== null && usdOf(p.quote)[figure] !== null)
    const then = sum(both.map(({ item }) => fromUsd(item[figure]!) ?? 0))
    const now = sum(both.map(({ p }) => p.quote[figure]))
    const may = figure === 'expected' ? 'is expected to cost' : 'may cost up to'
    if (now > then) return [`what is still to be made ${may} ${formatUsd(now)}, no longer ${formatUsd(then)}`]
  }
  return []
}

function sum(amounts: readonly MicroUsd[]): MicroUsd {
  return amounts.reduce((all, one) => all + one, 0)
}

// A plan on disk: what somebody looked at and agreed to, so that `run --plan` buys that and nothing else. What has changed
// since is told in words; the plan itself is made again, because only so its prices are today's.
import { z } from 'zod'
import { formatUsd, fromUsd, toUsd } from '../../core/money.ts'
import { PRICE_TABLE_VERSION } from '../../core/prices.ts'
import type { Layers } from '../manifest/load.ts'
import { isToMake, type Plan, type Repeat, toMake } from './plan.ts'
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
  /** What is to be made. */
  items: z.array(z.object({ id: z.string(), key: z.string(), provider: z.string() })),
  /** USD; null when it is not known. */
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
  worker: string
}

/** A file that holds no plan. The message says what is wrong with it. */
export class PlanFileError extends Error {
  override name = 'PlanFileError'
}

/** The plan as it is saved. */
export function savedPlan(plan: Plan, { layers, selection, ...asked }: Asked): SavedPlan {
  const known = plan.quote.unknown.length === 0
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
    items: toMake(plan).map(({ item, key, provider }) => ({ id: item.id, key, provider })),
    expected: known ? toUsd(plan.quote.expected) : null,
    atMost: known ? toUsd(plan.quote.atMost) : null,
  }
}

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
 *  the meantime is no difference: it is only not bought any more. */
export function staleness(saved: SavedPlan, plan: Plan): string[] {
  const now = new Map(plan.items.map((p) => [p.item.id, p]))
  const then = new Map(saved.items.map((item) => [item.id, item]))
  const left = saved.items.filter(({ id }) => !now.get(id)?.selected)
  const came = toMake(plan).filter((p) => !then.has(p.item.id))
  const open = saved.items.flatMap((item) => {
    const p = now.get(item.id)
    return p && isToMake(p) ? [{ item, p }] : []
  })
  const fingerprint = (key: string) => key.replace(/-\d+$/, '')
  const changed = open.filter(({ item, p }) => fingerprint(item.key) !== p.fingerprint)
  const tried = open.filter(({ item, p }) => item.key !== p.key && fingerprint(item.key) === p.fingerprint)
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
    ...told(ids(tried), 'tried in the meantime without a picture'),
    ...moved
      .slice(0, 1)
      .map(
        ({ item, p }) =>
          `${item.id} would now be made by ${p.provider}, not ${item.provider}${moved.length > 1 ? `, and so would ${moved.length - 1} more` : ''}`,
      ),
    ...(saved.emulated === plan.emulated
      ? []
      : [plan.emulated ? 'the emulator draws now' : 'it was planned with the emulator; now it is bought']),
    ...prices(saved, plan),
  ]
}

function told(ids: readonly string[], what: string): string[] {
  if (ids.length === 0) return []
  const shown = ids.slice(0, MOST_NAMED).join(', ')
  return [`${what}: ${ids.length > MOST_NAMED ? `${shown} and ${ids.length - MOST_NAMED} more` : shown}`]
}

function prices(saved: SavedPlan, { quote }: Plan): string[] {
  if (saved.atMost === null) return []
  const [expected, atMost] = [fromUsd(saved.expected ?? 0), fromUsd(saved.atMost)]
  if (quote.unknown.length > 0) return [`a price is not known any more: ${quote.unknown.join(', ')}`]
  if (expected !== undefined && quote.expected > expected)
    return [`it is expected to cost ${formatUsd(quote.expected)}, no longer ${formatUsd(expected)}`]
  if (atMost !== undefined && quote.atMost > atMost)
    return [`it may cost up to ${formatUsd(quote.atMost)}, no longer ${formatUsd(atMost)}`]
  return []
}

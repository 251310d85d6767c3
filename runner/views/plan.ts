// The plan as lines: what is made and why, and the price by provider, model and size. Knows no terminal.
import { total } from '../../core/cost.ts'
import { findModel } from '../../core/models.ts'
import { PRICE_TABLE_VERSION } from '../../core/prices.ts'
import { isToMake, type Plan, type PlanItem, type PlanState } from '../plan/plan.ts'
import { amount, count, quoted } from './format.ts'
import { alignRows } from './table.ts'

const SIGNS: Record<PlanState, string> = {
  new: '+ new',
  changed: '~ changed',
  retry: '! retry',
  same: '≡ same',
  refused: '! refused',
  uncertain: '? uncertain',
  blocked: '- blocked',
  done: '= done',
}

/** Items of one state that are listed one by one when they have reasons. */
const LISTED = 20

export type PlanContext = { manifest: string; worker: string }

/** The plan, without a word on what to do next. */
export function planLines(plan: Plan, { manifest, worker }: PlanContext): string[] {
  const toMake = plan.items.filter((p) => isToMake(p.state))
  return [
    `${manifest} → ${worker}, prices of ${PRICE_TABLE_VERSION}`,
    ...(Object.keys(SIGNS) as PlanState[]).flatMap((state) => stateLines(state, plan.items)),
    ...(plan.orphans.length > 0 ? orphanLines(plan) : []),
    ...(toMake.length > 0 ? ['', ...priceLines(plan, toMake)] : []),
  ]
}

/** What stands behind the worker, in one phrase. */
export function workerPhrase(plan: Pick<Plan, 'emulated'>, worker: string): string {
  return plan.emulated ? `${worker}, EMULATED: no provider key is set, nothing is bought` : worker
}

function stateLines(state: PlanState, items: readonly PlanItem[]): string[] {
  const found = items.filter((p) => p.state === state)
  if (found.length === 0) return []
  const head = `  ${SIGNS[state].padEnd(12)} ${String(found.length).padStart(5)}`
  const reasoned = found.some((p) => p.reasons.length > 0)
  if (state === 'done') return [head]
  if (!reasoned) return [`${head}   ${listed(found.map((p) => p.item.id))}`]
  const rows = found.slice(0, LISTED).map((p) => [p.item.id, p.reasons.join(', ')])
  const rest = found.length > LISTED ? [`and ${found.length - LISTED} more`] : []
  const lines = [...alignRows(rows, ['left', 'left']), ...rest]
  return lines.map((line, index) => `${index === 0 ? head : ' '.repeat(head.length)}   ${line}`)
}

function orphanLines({ orphans }: Plan): string[] {
  const head = `  ${'- orphan'.padEnd(12)} ${String(orphans.length).padStart(5)}`
  return [`${head}   ${listed(orphans.map((o) => o.id))} (no longer in the manifest; kept)`]
}

function listed(ids: readonly string[]): string {
  const shown = ids.slice(0, 6).join(', ')
  return ids.length > 6 ? `${shown} and ${ids.length - 6} more` : shown
}

function priceLines(plan: Plan, toMake: readonly PlanItem[]): string[] {
  const groups = Map.groupBy(toMake, (p) => [p.provider, p.item.model, p.size].join('\n'))
  const rows = [...groups.values()].map((group) => {
    const [{ provider, item, size }] = group as [PlanItem]
    const sum = total(group.map((p) => p.quote))
    return [
      provider,
      findModel(item.model)?.short ?? item.model,
      size,
      String(group.length),
      each(group),
      quoted(sum.expected, sum),
      quoted(sum.atMost, sum),
    ]
  })
  const { quote } = plan
  const table = alignRows(
    [
      ['provider', 'model', 'size', 'pictures', 'each', 'expected', 'at most'],
      ...rows.sort(([a], [b]) => (a! < b! ? -1 : a! > b! ? 1 : 0)),
      ['', '', '', String(toMake.length), '', quoted(quote.expected, quote), quoted(quote.atMost, quote)],
    ],
    ['left', 'left', 'left', 'right', 'right', 'right', 'right'],
  )
  const references = new Set(
    toMake.flatMap((p) =>
      p.item.references.flatMap((r) => (r.kind === 'from' ? [] : [r.kind === 'file' ? r.path : r.url])),
    ),
  )
  return [
    ...table.map((line) => `  ${line}`),
    ...quote.unknown.map((what) => `  ? not known: ${what}`),
    ...(references.size > 0 ? [`  made from ${count(references.size, 'reference image')}`] : []),
    ...[...new Set(toMake.flatMap((p) => p.basis ?? []))].sort().map((basis) => `  price: ${basis}`),
  ]
}

/** The price of one picture of a group, or its range. */
function each(group: readonly PlanItem[]): string {
  const prices = group.map((p) => p.quote.expected)
  const [low, high] = [Math.min(...prices), Math.max(...prices)]
  const { quote } = group[0]!
  if (amount(low) === amount(high)) return quoted(low, quote)
  return `${quoted(low, quote)}–${amount(high).slice(1)}`
}

// The price of a plan: a table by provider, model and size, what is missing from it, and how it stands to the budget.
import { total } from '../../core/cost.ts'
import { findModel } from '../../core/models.ts'
import type { MicroUsd } from '../../core/money.ts'
import { type Fit, fitOf } from '../plan/budget.ts'
import type { Compared } from '../plan/compare.ts'
import { durationOf } from '../plan/duration.ts'
import { type Plan, type PlanItem, toBuy } from '../plan/plan.ts'
import { amount, count, quotedAtMost, quotedExpected, roughly } from './format.ts'
import { type Align, alignRows } from './table.ts'

export type PriceContext = {
  /** What the run may cost. */
  limit?: MicroUsd | undefined
  /** Pictures in flight, for the duration. */
  inFlight?: number | undefined
}

const VERDICTS: Record<Fit, string> = {
  fits: '✓',
  maybe: '✗ at most is over it: the run stops there',
  over: '✗ the run stops there',
  unknown: '? a price is not known',
}

/** The lines of the price of what is to be made. */
export function priceLines(plan: Plan, { limit, inFlight }: PriceContext): string[] {
  const pictures = toBuy(plan)
  const { quote } = plan
  const groups = Map.groupBy(pictures, (p) => [p.provider, p.item.model, p.size].join('\n'))
  const rows = [...groups.values()].map(rowOf).sort(([a], [b]) => (a! < b! ? -1 : a! > b! ? 1 : 0))
  const budget = limit === undefined ? '' : `budget ${amount(limit)} ${VERDICTS[fitOf(quote, limit)]}`
  const sums = [quotedExpected(quote), quotedAtMost(quote)]
  const table = alignRows(
    [
      ['provider', 'model', 'size', 'pictures', 'each', 'expected', 'at most', ''],
      ...rows,
      ['', '', '', String(pictures.length), '', ...sums, budget],
    ],
    ['left', 'left', 'left', 'right', 'right', 'right', 'right', 'left'],
  )
  const seconds = inFlight === undefined ? undefined : durationOf(plan, inFlight)
  return [
    ...table,
    ...quote.unknown.map((what) => `? not known: ${what}`),
    ...inputLines(pictures),
    ...[...new Set(pictures.flatMap((p) => p.basis ?? []))].sort().map((basis) => `price: ${basis}`),
    ...(seconds === undefined ? [] : [`${roughly(seconds)} at ${inFlight} in flight`]),
  ].map((line) => `  ${line}`)
}

function rowOf(group: readonly PlanItem[]): string[] {
  const [{ provider, item, size }] = group as [PlanItem]
  const sum = total(group.map((p) => p.quote))
  const model = findModel(item.model)?.short ?? item.model
  return [provider, model, size, String(group.length), each(group), quotedExpected(sum), quotedAtMost(sum)]
}

/** The price of one picture of a group, or its range. */
function each(group: readonly PlanItem[]): string {
  const sorted = group.map((p) => p.quote).sort((a, b) => a.expected - b.expected)
  const [low, high] = [quotedExpected(sorted[0]!), quotedExpected(sorted.at(-1)!)]
  return low === high || low === '?' ? low : `${low}–${amount(sorted.at(-1)!.expected).slice(1)}`
}

/** What is uploaded, and where every input picture is billed, how many there are in all requests together. */
function inputLines(pictures: readonly PlanItem[]): string[] {
  const sources = new Set(
    pictures.flatMap((p) =>
      p.item.references.flatMap((r) => (r.kind === 'from' ? [] : [r.kind === 'file' ? r.path : r.url])),
    ),
  )
  const billed = pictures.filter((p) => p.pricedBy === 'token' && p.item.references.length > 0)
  const inputs = billed.reduce((sum, p) => sum + p.item.references.length, 0)
  return [
    ...(sources.size > 0 ? [`made from ${count(sources.size, 'reference image')}`] : []),
    ...(inputs > 0
      ? [`billed by tokens: ${count(inputs, 'input picture')} in ${count(billed.length, 'request')}`]
      : []),
  ]
}

/** The price of the plan beside that of other offers. */
export function compareLines(plan: Plan, offers: readonly Compared[]): string[] {
  const pictures = toBuy(plan).length
  const rows = offers.map(({ provider, model, possible, quote, configured, obstacle, impossible }) => [
    findModel(model)?.short ?? model,
    provider,
    String(possible),
    ...(possible === 0 ? ['–', '–'] : [quotedExpected(quote), quotedAtMost(quote)]),
    [
      ...(configured ? [] : ['no key']),
      ...(obstacle === undefined ? [] : [`${impossible} impossible (${obstacle.split(';')[0]})`]),
      ...(possible > 0 ? quote.unknown.map((what) => `not known: ${what}`) : []),
    ].join('; '),
  ])
  const own = ['this plan', '', String(pictures), quotedExpected(plan.quote), quotedAtMost(plan.quote), '']
  const align: Align[] = ['left', 'left', 'right', 'right', 'right', 'left']
  return alignRows([['model', 'provider', 'pictures', 'expected', 'at most', ''], own, ...rows], align).map(
    (line) => `  ${line}`,
  )
}

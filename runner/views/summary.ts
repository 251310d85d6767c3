// The end of a run: where each picture is, what became of the others, what it cost beside what was expected, and what to
// do next.
import { formatUsd, type MicroUsd } from '../../core/money.ts'
import type { Plan, PlanState } from '../plan/plan.ts'
import type { RunEvent, Summary } from '../run/events.ts'
import type { LockEntry } from '../state/lock.ts'
import { amount, count, duration, quoted, quotedAtMost, quotedExpected } from './format.ts'
import { alignRows } from './table.ts'

export type RunResult = {
  plan: Plan
  summary: Summary
  made: readonly LockEntry[]
  failures: readonly Extract<RunEvent, { type: 'failed' }>[]
  /** Paths by id, as shown. */
  files: ReadonlyMap<string, string>
  /** Pictures that were found on the worker before the run began: not bought by it. */
  adopted: number
  ms: number
}

export type ClosingContext = {
  lockPath: string
  /** What the run was allowed to spend. */
  limit?: MicroUsd | undefined
  /** The command under which the addresses answer again. */
  dev?: string | undefined
  /** The command that goes on. */
  again: string
}

/** Ids that are named one by one. */
const NAMED = 6

/** One line per picture, in the order of the manifest: id, address, file. */
export function pictureLines({ plan, made, files }: Pick<RunResult, 'plan' | 'made' | 'files'>): string[] {
  const rows = inOrder(plan, made).map(({ id, image, emulated }) => {
    return [id, image!.url, files.get(id) ?? '', ...(emulated ? ['emulated'] : [])]
  })
  return alignRows(rows, ['left', 'left', 'left', 'left'])
}

/** Entries in the order of the manifest, whatever the order in which they were made. */
export function inOrder(plan: Plan, made: readonly LockEntry[]): LockEntry[] {
  const byId = new Map(made.map((entry) => [entry.id, entry]))
  return plan.items.flatMap(({ item }) => byId.get(item.id) ?? [])
}

/** What happened, what it cost, what to do next. */
export function closingLines(result: RunResult, context: ClosingContext): string[] {
  const { plan, summary, made, failures, adopted, ms } = result
  const { lockPath, limit, dev, again } = context
  const of = (status: 'refused' | 'uncertain') =>
    failures.filter(({ failure }) => failure.status === status).map(({ id }) => id)
  return [
    '',
    `${countsOf(summary)} in ${duration(ms)}: ${money(result)}`,
    ...(limit === undefined ? [] : [`the limit of this run was ${formatUsd(limit)}`]),
    ...(summary.unpriced > 0
      ? [
          'not everything is in that sum: of some attempts the price, or whether they were charged, is not known',
        ]
      : []),
    ...adoptedLines(adopted + (summary.found ?? 0)),
    ...endedLines('refused', of('refused')),
    ...endedLines('uncertain', of('uncertain')),
    ...openEnds(plan),
    `${lockPath} holds the catalog.${dev && made.length > 0 ? ` The addresses answer while this runs: ${dev}` : ''}`,
    ...nextLines(summary, again),
  ]
}

/** What was found on the worker, in words. */
export function adoptedLines(adopted: number): string[] {
  if (adopted === 0) return []
  return [`${count(adopted, 'picture')} found on the worker, made before and not in this sum`]
}

/** What was not tried in this run and is not by itself, and how it is. */
export function openEnds(plan: Plan): string[] {
  const blocked = idsIn(plan, 'blocked').length
  return [
    ...askedAgain(plan),
    ...(blocked > 0 ? [`${count(blocked, 'picture')} blocked; plan says by what`] : []),
  ]
}

/** What is repeated only when one asks for it. */
export function askedAgain(plan: Plan): string[] {
  return [
    ...endedLines('refused', idsIn(plan, 'refused'), ' last time'),
    ...endedLines('uncertain', idsIn(plan, 'uncertain'), ' since last time'),
  ]
}

function idsIn({ items }: Plan, state: PlanState): string[] {
  return items.filter((p) => p.selected && p.state === state).map((p) => p.item.id)
}

function countsOf({ made, failed, refused, uncertain, blocked, left }: Summary): string {
  return [
    `${count(made, 'picture')} made`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(refused > 0 ? [`${refused} refused`] : []),
    ...(uncertain > 0 ? [`${uncertain} uncertain`] : []),
    ...(blocked > 0 ? [`${blocked} blocked`] : []),
    ...(left > 0 ? [`${left} left`] : []),
  ].join(', ')
}

function money({ plan, summary }: RunResult): string {
  const { quote } = plan
  const isNothing = summary.spent === 0 && summary.unpriced === 0
  const unknown = Array<string>(summary.unpriced).fill('')
  const actual = isNothing ? amount(0) : quoted(summary.spent, { unknown })
  const foreseen = `expected ${quotedExpected(quote)}, at most ${quotedAtMost(quote)}`
  return plan.emulated
    ? `${actual} at list prices (${foreseen}); nothing was bought, the emulator drew them`
    : `${actual} (${foreseen})`
}

function endedLines(status: 'refused' | 'uncertain', ids: readonly string[], when = ''): string[] {
  if (ids.length === 0) return []
  const named = ids.slice(0, NAMED).join(', ')
  const more = ids.length > NAMED ? ` and ${ids.length - NAMED} more` : ''
  const doubt = status === 'uncertain' ? ', perhaps charged' : ''
  return [`${ids.length} ${status}${when}${doubt}: ${named}${more}; --${status} asks again`]
}

function nextLines(
  { left, failed, stopped, withheld = 0, found = 0, made, spent }: Summary,
  again: string,
): string[] {
  if (stopped === 'budget' && withheld > 0) return [`To go on once their prices are known:  ${again}`]
  if (stopped === 'budget' && made + found + spent === 0)
    return ['Nothing fits under this limit: raise `budget.max` in the manifest, or --max-cost.']
  if (stopped === 'token_budget')
    return [`To go on once the token may spend more; nothing is bought twice:  ${again}`]
  if (left > 0) return [`To go on where this ended; nothing is bought twice:  ${again}`]
  return failed > 0 ? [`To try what failed once more:  ${again}`] : []
}

// The end of a run: where each picture is, what became of the others, what it cost beside what was expected, and what to
// do next.
import { formatUsd, type MicroUsd } from '../../core/money.ts'
import type { Plan, PlanState } from '../plan/plan.ts'
import type { RunEvent, StopReason, Summary } from '../run/events.ts'
import type { LockEntry } from '../state/lock.ts'
import { listed } from './fold.ts'
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
    failures
      .filter(({ failure }) => failure.status === status)
      .map(({ id, failure: { emulated = false } }) => ({ id, emulated }))
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

/** How many pictures the worker made and this machine has not got yet, in words. */
export function unfetchedLines(unfetched: number): string[] {
  if (unfetched === 0) return []
  return [
    `${count(unfetched, 'picture')} made on the worker and not fetched yet; run fetches what is missing and buys nothing`,
  ]
}

/** What was not tried in this run and is not by itself, and how it is. */
export function openEnds(plan: Plan): string[] {
  const blocked = endedIn(plan, 'blocked').length
  return [
    ...askedAgain(plan),
    ...(blocked > 0 ? [`${count(blocked, 'picture')} blocked; plan says by what`] : []),
  ]
}

/** What is repeated only when one asks for it. */
export function askedAgain(plan: Plan): string[] {
  return [
    ...endedLines('refused', endedIn(plan, 'refused'), ' last time'),
    ...endedLines('uncertain', endedIn(plan, 'uncertain'), ' since last time'),
  ]
}

/** A picture that did not come to be; `emulated`: nothing was bought. */
type Lost = { id: string; emulated: boolean }

function endedIn({ items }: Plan, state: PlanState): Lost[] {
  return items
    .filter((p) => p.selected && p.state === state)
    .map(({ item: { id }, entry }) => ({ id, emulated: entry?.emulated ?? false }))
}

function countsOf({ made, failed, refused, uncertain, blocked, left, held = 0 }: Summary): string {
  return [
    `${count(made, 'picture')} made`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(refused > 0 ? [`${refused} refused`] : []),
    ...(uncertain > 0 ? [`${uncertain} uncertain`] : []),
    ...(blocked > 0 ? [`${blocked} blocked`] : []),
    ...(held > 0 ? [`${held} left to the worker`] : []),
    ...(left > held ? [`${left - held} left`] : []),
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

function endedLines(status: 'refused' | 'uncertain', lost: readonly Lost[], when = ''): string[] {
  if (lost.length === 0) return []
  const ids = lost.map(({ id }) => id)
  const doubt = status === 'uncertain' && lost.some(({ emulated }) => !emulated) ? ', perhaps charged' : ''
  return [`${lost.length} ${status}${when}${doubt}: ${listed(ids, NAMED)}; --${status} asks again`]
}

/** What has to change before it makes sense to go on. */
const ONCE: Partial<Record<StopReason, string>> = {
  unauthorised: 'once the key is accepted',
  unavailable: 'later',
  unwritable: 'once files can be written',
  token_budget: 'once the token may spend more',
  model: 'with another model',
  alike: 'once the cause is gone',
}

function nextLines(
  { left, failed, stopped, withheld = 0, found = 0, made, spent }: Summary,
  again: string,
): string[] {
  if (stopped === 'budget' && withheld > 0) return [`To go on once their prices are known:  ${again}`]
  if (stopped === 'budget' && made + found + spent === 0)
    return ['Nothing fits under this limit: raise `budget.max` in the manifest, or --max-cost.']
  const once = stopped && ONCE[stopped]
  if (once && left + failed > 0) return [`To go on ${once}; nothing is bought twice:  ${again}`]
  if (left > 0) return [`To go on where this ended; nothing is bought twice:  ${again}`]
  return failed > 0 ? [`To try what failed once more:  ${again}`] : []
}

// The plan as lines: what is made and why, and the price of it. Each picture is counted once, and a catalog of thousands
// fits on a screen. Knows no terminal.
import { PRICE_TABLE_VERSION } from '../../core/prices.ts'
import { DEFAULT_MANIFEST } from '../flags.ts'
import { type Plan, type PlanItem, type PlanState, toBuy, toMake } from '../plan/plan.ts'
import { commandLine } from './command.ts'
import { type Fold, foldOf, listed } from './fold.ts'
import { type PriceContext, priceLines } from './prices.ts'
import { alignRows } from './table.ts'

const SIGNS: Record<PlanState, string> = {
  new: '+ new',
  changed: '~ changed',
  retry: '! retry',
  redo: '± redo',
  underway: '> underway',
  same: '≡ same',
  refused: '! refused',
  uncertain: '? uncertain',
  blocked: '- blocked',
  done: '= done',
}

/** Reasons of one state that are listed one by one. */
const LISTED = 20

export type PlanHead = PriceContext & { manifest: string; worker: string }

/** The plan, without a word on what to do next. */
export function planLines(plan: Plan, { manifest, worker, ...context }: PlanHead): string[] {
  const selected = plan.items.filter((p) => p.selected)
  const isWhole = selected.length === plan.items.length
  const fold = foldOf(plan.items.map((p) => p.item.id))
  const head = [
    `${manifest} → ${worker}`,
    ...(plan.profile === undefined ? [] : [`profile ${plan.profile}`]),
    ...(isWhole ? [] : [`${selected.length} of ${plan.items.length} selected`]),
    `prices of ${PRICE_TABLE_VERSION}`,
  ]
  return [
    head.join(', '),
    ...(Object.keys(SIGNS) as PlanState[]).flatMap((state) =>
      stateLines(
        state,
        selected.filter((p) => p.state === state),
        fold,
      ),
    ),
    ...(plan.orphans.length > 0 && isWhole ? orphanLines(plan) : []),
    ...pickLines(selected, manifest, plan.profile),
    ...(toBuy(plan).length > 0 ? ['', ...priceLines(plan, context)] : []),
  ]
}

/** What stands behind the worker, in one phrase. */
export function workerPhrase(plan: Pick<Plan, 'emulated'>, worker: string): string {
  return plan.emulated ? `${worker}, EMULATED: no provider key is set, nothing is bought` : worker
}

/** What was done and what to do next: `command` makes what the plan says, `why` explains an item when its id follows. */
export function nextLine(plan: Plan, { command, why }: { command: string; why: string }): string {
  const pictures = toBuy(plan)
  if (pictures.length === 0)
    return toMake(plan).length === 0
      ? 'There is nothing to make.'
      : `There is nothing to buy. To wait for what is under way and fetch it:  ${command}`
  // The item that is most worth asking about.
  const states: PlanState[] = ['changed', 'retry', 'redo', 'new']
  const example = states.flatMap((state) => pictures.find((p) => p.state === state) ?? [])[0]!
  return `Nothing was sent.  ${command}\nWhy one of them:   ${why} ${example.item.id}`
}

function stateLines(state: PlanState, found: readonly PlanItem[], fold: Fold): string[] {
  if (found.length === 0) return []
  const head = headOf(SIGNS[state], found.length)
  const said = state === 'done' ? marks(found) : ''
  // What is made has nothing to say, mostly.
  const told = state === 'done' ? found.filter((p) => p.reasons.length > 0) : found
  const lines = [...(state === 'done' ? [said] : []), ...reasonLines(state, told, fold)]
  return lines.map((line, index) => `${index === 0 ? head : ' '.repeat(head.length)}   ${line}`.trimEnd())
}

function reasonLines(state: PlanState, found: readonly PlanItem[], fold: Fold): string[] {
  const groups = reasonGroups(state, found)
  const rows = [...groups]
    .slice(0, LISTED)
    .map(([reason, group]) => [listed(fold(group.map((p) => p.item.id))), reason])
  const left = [...groups].slice(LISTED).reduce((sum, [, group]) => sum + group.length, 0)
  return [...alignRows(rows, ['left', 'left']), ...(left > 0 ? [`and ${left} more`] : [])]
}

function headOf(sign: string, n: number): string {
  return `  ${sign.padEnd(12)} ${String(n).padStart(5)}`
}

/** What people said of the pictures. */
function marks(found: readonly PlanItem[]): string {
  const of = (review: string) => found.filter((p) => p.entry?.review === review).length
  return [
    ...(of('picked') > 0 ? [`${of('picked')} picked`] : []),
    ...(of('rejected') > 0 ? [`${of('rejected')} rejected`] : []),
  ].join(', ')
}

/** Items by why they are in their state; where nearly every one has a reason of its own, the items that reasons name are
 *  told by their folder. */
function reasonGroups(state: PlanState, found: readonly PlanItem[]): Map<string, PlanItem[]> {
  const words = (p: PlanItem) => (state === 'same' ? `as ${p.reasons[0]}` : p.reasons.join(', '))
  const groups = Map.groupBy(found, words)
  if (groups.size <= LISTED) return groups
  const tops = new Set(found.flatMap(({ item }) => item.references.flatMap(topOf)))
  return Map.groupBy(found, (p) => words(p).replace(/[^\s,()+]+\/[^\s,()]+/g, (id) => shortened(id, tops)))
}

function topOf(reference: PlanItem['item']['references'][number]): string[] {
  return reference.kind === 'from' ? [reference.item.split('/')[0]!] : []
}

function shortened(id: string, tops: ReadonlySet<string>): string {
  const top = id.split('/')[0]!
  return tops.has(top) ? `${top}/*` : id
}

/** How to pick what pictures wait for, by the example of the first one. */
function pickLines(found: readonly PlanItem[], manifest: string, profile: string | undefined): string[] {
  const waiting = found.find((p) => p.awaits !== undefined)
  if (!waiting) return []
  const flags = { '-m': manifest === DEFAULT_MANIFEST ? undefined : manifest, '--profile': profile }
  return [`  pick one with: ${commandLine('pick', waiting.awaits, flags)}`]
}

function orphanLines({ orphans }: Plan): string[] {
  const ids = listed(orphans.map((o) => o.id))
  return [`${headOf('- orphan', orphans.length)}   ${ids} (no longer in the manifest; kept)`]
}

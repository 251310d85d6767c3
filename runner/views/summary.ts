// The end of a run: where each picture is, and what it cost against what was expected.
import type { Plan, PlanState } from '../plan/plan.ts'
import type { Summary } from '../run/events.ts'
import type { LockEntry } from '../state/lock.ts'
import { count, duration, quoted } from './format.ts'
import { alignRows } from './table.ts'

export type RunResult = {
  plan: Plan
  summary: Summary
  made: readonly LockEntry[]
  /** Paths by id, as shown. */
  files: ReadonlyMap<string, string>
  /** USD of everything that ended; null where not known. */
  spent: readonly (number | null)[]
  ms: number
}

/** One line per picture, in the order of the manifest: id, address, file. */
export function pictureLines({ plan, made, files }: RunResult): string[] {
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

/** What happened, what it cost, what to do next. `dev`: the command under which the addresses answer again. */
export function closingLines(
  { plan, summary, made, spent, ms }: RunResult,
  { lockPath, dev }: { lockPath: string; dev?: string | undefined },
): string[] {
  const counts = [
    `${count(summary.made, 'picture')} made`,
    ...(summary.failed > 0 ? [`${summary.failed} failed`] : []),
    ...(summary.blocked > 0 ? [`${summary.blocked} blocked`] : []),
    ...(summary.left > 0 ? [`${summary.left} left`] : []),
  ]
  const known = spent.filter((usd) => usd !== null).reduce((sum, usd) => sum + usd, 0)
  const missing = spent.some((usd) => usd === null)
  const actual = quoted(Math.round(known * 1e6), { unknown: missing ? ['cost'] : [] })
  const expected = quoted(plan.quote.expected, plan.quote)
  const money = plan.emulated
    ? `${actual} at list prices (expected ${expected}); nothing was bought, the emulator drew them`
    : `${actual} (expected ${expected})`
  return [
    '',
    `${counts.join(', ')} in ${duration(ms)}: ${money}`,
    ...(missing
      ? [
          'not everything is in that sum: of some attempts the price, or whether they were charged, is not known',
        ]
      : []),
    ...openEnds(plan),
    `${lockPath} holds the catalog.${dev && made.length > 0 ? ` The addresses answer while this runs: ${dev}` : ''}`,
    ...(summary.left > 0 ? ['The same command continues; nothing is bought twice.'] : []),
  ]
}

/** What is not tried again by itself, and how it is. */
export function openEnds(plan: Plan): string[] {
  const of = (state: PlanState) => plan.items.filter((p) => p.state === state).length
  const [refused, uncertain, blocked] = [of('refused'), of('uncertain'), of('blocked')]
  return [
    ...(refused > 0 ? [`${count(refused, 'picture')} refused last time; --refused asks again`] : []),
    ...(uncertain > 0
      ? [`${count(uncertain, 'picture')} uncertain, perhaps charged already; --uncertain asks again`]
      : []),
    ...(blocked > 0 ? [`${count(blocked, 'picture')} blocked, for want of what they are made from`] : []),
  ]
}

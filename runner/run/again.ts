// The command that goes on where a run ended, as one types it.
import { formatUsd } from '../../core/money.ts'
import { DEFAULT_CONCURRENCY } from '../flags.ts'
import { commandLine } from '../views/command.ts'
import { foldOf } from '../views/fold.ts'
import type { RunResult } from '../views/summary.ts'
import { wantedOf } from './engine.ts'
import type { RunOptions } from './options.ts'

/** The same command, changed. How progress is shown is nobody's next step. A saved plan says what is made. */
export function repeating(options: RunOptions, changes: Partial<RunOptions> = {}): string {
  const o = { ...options, ...changes }
  const made = {
    '--worker': o.worker,
    '--profile': o.profile,
    '--set': o.set,
    '--var': o.var,
    '-s': o.select,
    '-x': o.exclude,
    '--redo': o.redo,
    '--refused': o.refused,
    '--uncertain': o.uncertain,
  }
  return commandLine('run', o.plan === undefined ? o.manifest : undefined, {
    ...(o.plan === undefined ? made : { '--plan': o.plan }),
    '--attach': o.attach,
    '--max-cost': o.maxCost === undefined ? undefined : formatUsd(o.maxCost).slice(1),
    '--limit': o.limit,
    '-j': o.concurrency === DEFAULT_CONCURRENCY ? undefined : o.concurrency,
    '--out-dir': o.outDir,
    '--no-download': !o.download,
    '--fail-fast': o.failFast,
    '--yes': o.yes,
  })
}

/** The command that buys one picture again. Who types it is asked for the price. */
export function buyingAgain({ plan: _, ...options }: RunOptions, id: string): string {
  return repeating(options, { redo: true, select: [id], exclude: [], yes: false })
}

/** The command that goes on. What was bought again is made: only what is left of it is still to be bought again, and the
 *  price of that is asked for. A saved plan stands for one purchase of each picture: what was paid for in vain is outside
 *  of it. */
export function continuing(options: RunOptions, { plan, summary, made, failures }: RunResult): string {
  const { plan: file, ...others } = options
  const failed = failures.filter(
    ({ failure: { status, code } }) => status === 'failed' && code !== 'not_saved',
  )
  const isOutside = file !== undefined && failed.some(({ failure }) => failure.charged === 'yes')
  if (!options.redo && !isOutside) return repeating(options)
  if (file !== undefined && !isOutside && summary.left > 0) return repeating(options, { yes: false })
  const ended = new Set([...made, ...failures].map(({ id }) => id))
  for (const { id } of failed) ended.delete(id)
  const left = wantedOf(plan).filter(({ item }) => !ended.has(item.id))
  if (left.length === 0) return repeating(others, { redo: false })
  const fold = foldOf(plan.items.map(({ item }) => item.id))
  const select = fold(left.map(({ item }) => item.id))
  return repeating(others, { select, exclude: [], yes: false })
}

// The command that goes on where a run ended, as one types it.
import { formatUsd } from '../../core/money.ts'
import type { RunOptions } from '../commands/run.ts'
import { DEFAULT_CONCURRENCY } from '../flags.ts'
import { commandLine } from '../views/command.ts'
import type { RunResult } from '../views/summary.ts'
import { wantedOf } from './engine.ts'

/** The same command, changed. How progress is shown is nobody's next step. */
export function repeating(options: RunOptions, changes: Partial<RunOptions> = {}): string {
  const o = { ...options, ...changes }
  return commandLine('run', o.manifest, {
    '--worker': o.worker,
    '--profile': o.profile,
    '--set': o.set,
    '--var': o.var,
    '-s': o.select,
    '-x': o.exclude,
    '--redo': o.redo,
    '--refused': o.refused,
    '--uncertain': o.uncertain,
    '--max-cost': o.maxCost === undefined ? undefined : formatUsd(o.maxCost).slice(1),
    '--limit': o.limit,
    '-j': o.concurrency === DEFAULT_CONCURRENCY ? undefined : o.concurrency,
    '--out-dir': o.outDir,
    '--no-download': !o.download,
    '--fail-fast': o.failFast,
    '--yes': o.yes,
  })
}

/** The command that goes on. What was bought again is made: only what is left of it is still to be bought again. */
export function continuing(options: RunOptions, { plan, summary, made, failures }: RunResult): string {
  if (!options.redo) return repeating(options)
  if (summary.left === 0) return repeating(options, { redo: false })
  const ended = new Set([...made, ...failures].map(({ id }) => id))
  const left = wantedOf(plan).filter(({ item }) => !ended.has(item.id))
  return repeating(options, { select: left.map(({ item }) => item.id), exclude: [] })
}

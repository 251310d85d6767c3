// proofsheet plan: what would be made, why, and for how much. Sends no picture request; writes the plan where --out says.
import { formatUsd, type MicroUsd } from '../../core/money.ts'
import { EXIT, type ExitCode } from '../exit.ts'
import {
  DEFAULT_CONCURRENCY,
  flagsOf,
  layersOf,
  type ManifestFlags,
  type RepeatFlags,
  type SelectionFlags,
} from '../flags.ts'
import type { Io } from '../io.ts'
import { limitOf } from '../plan/budget.ts'
import { compare } from '../plan/compare.ts'
import { PLAN_BEGINS, savedPlan, writePlan } from '../plan/file.ts'
import { toMake } from '../plan/plan.ts'
import { find } from '../plan/select.ts'
import { why } from '../plan/why.ts'
import { type Prepared, prepare } from '../prepare.ts'
import { missingPictures } from '../run/fetch.ts'
import { outFolder } from '../run/save.ts'
import { targetOf } from '../target.ts'
import { commandLine } from '../views/command.ts'
import { compareJson, planJson } from '../views/json.ts'
import { nextLine, planLines, workerPhrase } from '../views/plan.ts'
import { compareLines } from '../views/prices.ts'
import { askedAgain, unfetchedLines } from '../views/summary.ts'

export type PlanOptions = ManifestFlags &
  SelectionFlags &
  RepeatFlags & {
    manifest: string
    /** USD that the run would be given, in micro-USD. */
    maxCost?: MicroUsd
    /** At most so many pictures. */
    limit?: number
    /** Explains these items in place of the plan. */
    why?: string
    /** Saves the plan in this file. */
    out?: string
    /** Prices the plan elsewhere: models, or `true` for all. */
    compare?: string[] | true
    json: boolean
    exitCode: boolean
  }

export async function plan(options: PlanOptions, io: Io): Promise<ExitCode> {
  const { manifest, worker, refused, uncertain, redo, limit } = options
  const selection = { include: options.select, exclude: options.exclude }
  const repeat = { refused, uncertain }
  const layers = layersOf(options)
  const kind = { name: 'saved plan', flag: '--out', begins: PLAN_BEGINS } as const
  const target = options.out === undefined ? undefined : targetOf(options.out, kind, manifest, io)
  const prepared = await prepare(
    { manifest, worker, layers, selection, repeat, redo, limit, warn: true },
    false,
    io,
  )
  try {
    const { plan, session } = prepared
    const { maxCost } = options
    const asked = { manifest, layers, selection, repeat, redo, limit, maxCost, worker: session.name }
    target?.write(writePlan(savedPlan(plan, asked)), prepared.sources)
    const text = answer(prepared, options, await unfetchedOf(prepared, options, io))
    if (options.json && options.why === undefined) io.stdout.data(text)
    else io.stdout.write(text)
    return options.exitCode && toMake(plan).length > 0 ? EXIT.toMake : EXIT.done
  } finally {
    await prepared.session.release()
  }
}

/** How many pictures of the plan only the worker has. */
async function unfetchedOf({ plan, adopted }: Prepared, { manifest }: PlanOptions, io: Io): Promise<number> {
  // Of what the lock knows one may have wished it away.
  const items = plan.items.filter(({ key }) => adopted.has(key))
  return (await missingPictures({ ...plan, items }, outFolder({ manifest }, io.cwd))).length
}

function answer(prepared: Prepared, options: PlanOptions, unfetched: number): string {
  const { plan, session, market, manifest } = prepared
  const context = {
    limit: limitOf(manifest.budget, options.maxCost),
    inFlight: DEFAULT_CONCURRENCY,
  }
  const { json, compare: names } = options
  if (options.why !== undefined) {
    const found = find(plan, options.why, '--why')
    return found.map((p) => `${why(plan, p).join('\n')}\n`).join('')
  }
  if (names !== undefined) {
    const offers = compare(plan, market, names === true ? [] : names)
    if (json) return `${JSON.stringify(compareJson(plan, offers), null, 2)}\n`
    return `${compareLines(plan, offers).join('\n')}\nNothing was sent.\n`
  }
  if (json) return `${JSON.stringify(planJson(plan, session.name, context), null, 2)}\n`
  const head = { manifest: options.manifest, worker: workerPhrase(plan, session.name), ...context }
  const lines = [...planLines(plan, head), ...unfetchedLines(unfetched), ...askedAgain(plan)]
  return `${[...lines, nextLine(plan, commands(options))].join('\n')}\n`
}

/** What makes this plan, and what explains it. */
function commands(options: PlanOptions): { command: string; why: string } {
  const { manifest, out } = options
  const flags = {
    ...flagsOf(options),
    '--limit': options.limit?.toString(),
    '--max-cost': options.maxCost === undefined ? undefined : formatUsd(options.maxCost).slice(1),
  }
  return {
    command:
      out === undefined
        ? commandLine('run', manifest, flags)
        : commandLine('run', undefined, { '--plan': out }),
    why: `${commandLine('plan', manifest, flags)} --why`,
  }
}

// `run --plan FILE`: the flags under which a plan was saved, in place of those of the command line, and the check that it
// still holds.
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { isEnded } from '../../core/api.ts'
import { fromUsd, type MicroUsd } from '../../core/money.ts'
import { UsageError } from '../exit.ts'
import { DEFAULT_MANIFEST, type ManifestFlags, type RepeatFlags, type SelectionFlags } from '../flags.ts'
import { PlanFileError, readPlan, type SavedPlan, staleness } from '../plan/file.ts'
import type { Plan } from '../plan/plan.ts'
import type { Terms } from '../plan/select.ts'
import { type Lock, slotOf } from '../state/lock.ts'

export type PlanFlags = ManifestFlags &
  SelectionFlags &
  RepeatFlags & { manifest: string; limit?: number; maxCost?: MicroUsd }

/** Reads a saved plan. Throws UsageError. */
export function openPlan(path: string, cwd: string): SavedPlan {
  try {
    return readPlan(readFileSync(resolve(cwd, path), 'utf8'), path)
  } catch (error) {
    if (error instanceof PlanFileError) throw new UsageError(error.message)
    const { code } = error as NodeJS.ErrnoException
    if (code === undefined) throw error
    if (code === 'ENOENT')
      throw new UsageError(`there is no saved plan ${path}; proofsheet plan --out ${path} writes one`)
    throw new UsageError(`the saved plan ${path} cannot be read: ${(error as Error).message}`)
  }
}

/** The flags that a saved plan stands for. A flag that would change what it says is a UsageError. */
export function flagsOf(saved: SavedPlan, given: PlanFlags, path: string, cwd: string): PlanFlags {
  const changing = [
    ...(given.profile === undefined ? [] : ['--profile']),
    ...(given.set.length > 0 ? ['--set'] : []),
    ...(given.var.length > 0 ? ['--var'] : []),
    ...(given.select.length > 0 ? ['-s'] : []),
    ...(given.exclude.length > 0 ? ['-x'] : []),
    ...(['redo', 'refused', 'uncertain'] as const).flatMap((flag) => (given[flag] ? [`--${flag}`] : [])),
  ]
  if (changing.length > 0)
    throw new UsageError(`${path} says what is made: leave ${changing.join(', ')} out, or plan again with it`)
  const isOther = resolve(cwd, given.manifest) !== resolve(cwd, saved.manifest)
  if (isOther && given.manifest !== DEFAULT_MANIFEST)
    throw new UsageError(`${path} is a plan of ${saved.manifest}, not of ${given.manifest}`)
  const { profile, set, vars } = saved.layers
  const worker = given.worker ?? (/^https?:/.test(saved.worker) ? saved.worker : undefined)
  return {
    manifest: saved.manifest,
    ...(worker === undefined ? {} : { worker }),
    ...(profile === undefined ? {} : { profile }),
    set,
    var: vars,
    select: saved.selection.include,
    exclude: saved.selection.exclude,
    ...saved.repeat,
    redo: saved.redo,
    ...(given.limit === undefined ? {} : { limit: given.limit }),
    ...lowerOf(given.maxCost, saved.maxCost === undefined ? undefined : fromUsd(saved.maxCost)),
  }
}

function lowerOf(...limits: readonly (MicroUsd | undefined)[]): { maxCost?: MicroUsd } {
  const known = limits.filter((limit) => limit !== undefined)
  return known.length === 0 ? {} : { maxCost: Math.min(...known) }
}

/** What is left of a saved plan, and how to ask for it. */
export type Rest = { saved: SavedPlan; selection: Terms | ReadonlySet<string>; redo: boolean }

/** What of a saved plan is still to be asked for. A plan of so many pictures is of those very ones. What it buys again,
 *  and has bought already, is not bought once more. */
export function restOf(saved: SavedPlan, lock: Lock): Rest {
  const isOver = ({ id, key }: SavedPlan['items'][number]) => {
    const entry = lock.get(slotOf({ id, profile: saved.layers.profile }))
    const tries = entry ? [entry, ...(entry.before ?? [])] : []
    return tries.some((past) => past.key === key && isEnded(past.status))
  }
  const { redo } = saved
  const over = new Set(redo ? saved.items.filter(isOver).map(({ id }) => id) : [])
  const ids = [...saved.items.map(({ id }) => id), ...saved.along]
  if (over.size === 0)
    return { saved, selection: saved.limit === undefined ? saved.selection : new Set(ids), redo }
  const items = saved.items.filter(({ id }) => !over.has(id))
  const rest = { ...saved, items }
  if (items.length === 0) return { saved: rest, selection: new Set(ids), redo: false }
  return { saved: rest, selection: new Set(ids.filter((id) => !over.has(id))), redo }
}

/** Throws UsageError when a saved plan is no longer what would be made. `worker`: who would make it now. */
export function mustHold(
  saved: SavedPlan,
  plan: Plan,
  { worker, path, isPart }: { worker: string; path: string; isPart: boolean },
): void {
  const moved = saved.worker === worker ? [] : [`it was planned for ${saved.worker}, not for ${worker}`]
  const stale = [...moved, ...staleness(saved, plan, isPart)]
  if (stale.length === 0) return
  const list = stale.map((line) => `  ${line}`).join('\n')
  throw new UsageError(`${path} does not hold any more; plan again:\n${list}\nNothing was sent.`)
}

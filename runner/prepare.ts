// From a manifest on disk to its plan: what all verbs that know of prices and states have in common. Sends no picture
// request.
import { resolve } from 'node:path'
import { isEnded } from '../core/api.ts'
import { type Checked, checked, digestsOf, type ManifestOptions } from './check.ts'
import { sha256 } from './digest.ts'
import { UsageError } from './exit.ts'
import type { Io } from './io.ts'
import { lacksPicture, type Plan, type PlanItem, planOf, type Repeat, type Underway } from './plan/plan.ts'
import { firstOf, select, type Terms } from './plan/select.ts'
import { adopt } from './run/adopt.ts'
import { underwayIn } from './run/underway.ts'
import { type HandedOver, unfetchedBatches } from './state/batches.ts'
import { type Lock, type LockEntry, merge, slotOf } from './state/lock.ts'
import { openState, type State } from './state/state.ts'
import { asLatest, keyOf } from './state/tries.ts'
import { listed } from './views/fold.ts'
import { count } from './views/format.ts'

export type Prepared = Checked & {
  state: State
  plan: Plan
  /** Keys that the lock did not know and the worker did: bought before. */
  adopted: ReadonlySet<string>
}

export type PrepareOptions = ManifestOptions & {
  /** Terms, the very ids, or a choice from the plan of everything; default: everything. */
  selection?: Terms | ReadonlySet<string> | ((whole: Plan) => ReadonlySet<string>)
  repeat: Repeat
  /** What is selected is bought again. */
  redo?: boolean
  /** At most so many pictures. */
  limit?: number | undefined
  /** Whether the worker is asked for what the lock does not know; default: yes. */
  lookup?: boolean
}

const EVERYTHING: Terms = { include: [], exclude: [] }

/** Loads, checks and plans. What the worker made before is taken into the plan; `remember` says whether it is also
 *  written down. Throws ManifestRejected, SelectionError, UsageError, and what openSession throws. */
export async function prepare(options: PrepareOptions, remember: boolean, io: Io): Promise<Prepared> {
  const { selection = EVERYTHING, redo = false, limit, lookup = true } = options
  if (redo && 'include' in selection && selection.include.length === 0)
    throw new UsageError("--redo buys again what is made: say what with -s, as in -s packshot/mug or -s '**'")
  const checkedManifest = await checked(options, io)
  try {
    const state = openState(resolve(io.cwd, options.manifest), { pid: io.pid, startedAt: io.now() })
    if (state.unreadable > 0)
      io.stderr.write(
        `${state.lockPath}: ${count(state.unreadable, 'line')} cannot be read; looked up on the worker\n`,
      )
    const { name: url } = checkedManifest.session
    const batches = unfetchedBatches(resolve(io.cwd, options.manifest)).filter(({ worker }) => worker === url)
    const asked = { repeat: options.repeat, remember, lookup, batches }
    const { whole, planWith, adopted } = await planner(checkedManifest, state, asked, io)
    if (state.unreadable > 0) for (const line of lostLines(whole, state)) io.stderr.write(`${line}\n`)
    const selected = chosen(whole, selection)
    const again = redo && selected ? { redo: selected } : {}
    const wished = selected ? planWith({ selected, ...again }) : whole
    const plan = limit === undefined ? wished : planWith({ selected: firstOf(wished, limit), ...again })
    return { ...checkedManifest, state, plan, adopted }
  } catch (error) {
    await checkedManifest.session.release()
    throw error
  }
}

/** `batches`: those that may still be under way. */
type Asked = { repeat: Repeat; remember: boolean; lookup: boolean; batches: readonly HandedOver[] }

type Choice = { selected?: ReadonlySet<string>; redo?: ReadonlySet<string> }

/** The plan of everything, and how to plan again, after all that the worker knows was taken in; `adopted` are the keys of
 *  what only the worker knew. */
async function planner(
  { manifest, session, market, downloads }: Checked,
  state: State,
  { repeat, remember, lookup, batches }: Asked,
  io: Io,
): Promise<{ whole: Plan; planWith: (choice: Choice) => Plan; adopted: ReadonlySet<string> }> {
  const { items, profile, prices } = manifest
  const urls = digestsOf(downloads)
  let lock = state.lock()
  const underway = new Map<string, Underway>()
  const planWith = (choice: Choice) =>
    planOf(items, { lock, market, urls, repeat, underway, profile, sha256, ...choice })
  let whole = planWith({})
  const adopted = new Set<string>()
  // Keys of what is made from a picture follow from the key of that picture: each round may reveal more.
  for (const asked = new Set<string>(); lookup && session.hasHistory; whole = planWith({})) {
    const unknown = whole.items.flatMap((p) => keyed(p, adopted)).filter((p) => !asked.has(p.key))
    if (unknown.length === 0) break
    for (const { key } of unknown) asked.add(key)
    const found = await adopt(unknown, await session.client(), { now: io.now, terms: { profile, prices } })
    if (found.length === 0) break
    const latest = found.map((entry) => asLatest(entry, lock.get(slotOf(entry))))
    for (const { key, status } of found) if (!isEnded(status)) underway.set(key, {})
    for (const entry of latest) {
      adopted.add(entry.key)
      if (remember) state.record(entry)
    }
    lock = merge(lock, new Map(latest.map((entry) => [slotOf(entry), entry])))
  }
  if (lookup && batches.length > 0) {
    for (const [key, one] of await underwayIn(batches, await session.client())) underway.set(key, one)
    whole = planWith({})
  }
  if (remember) for (const entry of broughtBack(whole, lock)) state.record({ ...entry, recordedAt: io.now() })
  return { whole, planWith, adopted }
}

/** The keys under which the worker may know more of an item: its own; and after an ending that is not repeated by itself,
 *  or a picture that the lock did not know of, the one that a repetition on purpose would have had. */
function keyed(planned: PlanItem, adopted: ReadonlySet<string>): PlanItem[] {
  const { state, highest, fingerprint, key } = planned
  if (lacksPicture(state)) return [planned]
  if (state !== 'refused' && state !== 'uncertain' && !adopted.has(key)) return []
  return [{ ...planned, edition: highest + 1, key: keyOf(fingerprint, highest + 1) }]
}

/** Pictures that their places held before, and that are meant again. */
function broughtBack(plan: Plan, lock: Lock): LockEntry[] {
  return plan.items.flatMap(({ state, slot, entry }) => {
    const isBack = state === 'done' && entry && slotOf(entry) === slot
    return isBack && lock.get(slot)?.fingerprint !== entry.fingerprint ? [entry] : []
  })
}

/** What could not be read of the lock, and is to be made as if it never was. */
function lostLines({ items }: Plan, { spokenOf }: State): string[] {
  const lost = items.filter(({ item, state }) => spokenOf.has(item.id) && lacksPicture(state))
  if (lost.length === 0) return []
  const were = lost.length === 1 ? 'was' : 'were'
  const ids = listed(lost.map(({ item }) => item.id))
  return [
    `${count(lost.length, 'picture')} of those lines ${were} not found on the worker and would be bought again: ${ids}`,
  ]
}

function chosen(
  plan: Plan,
  selection: NonNullable<PrepareOptions['selection']>,
): ReadonlySet<string> | undefined {
  if (typeof selection === 'function') return selection(plan)
  if (!('include' in selection)) return selection
  return selection.include.length + selection.exclude.length === 0 ? undefined : select(plan, selection)
}

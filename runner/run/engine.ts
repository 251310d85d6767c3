// Runs a plan: items in parallel, each as soon as the pictures it is made from are there and the purse has room for it.
// Keeps going past a failure, blocks what depends on it, and stops starting when going on makes no sense.
import { formatUsd, type MicroUsd } from '../../core/money.ts'
import { isSystemError } from '../exit.ts'
import { type Plan, type PlanItem, toMake } from '../plan/plan.ts'
import { upstreamOf } from '../plan/upstream.ts'
import { type LockEntry, slotOf } from '../state/lock.ts'
import type { Emit, StopReason, Summary } from './events.ts'
import { failureOf, notAsked, notRecorded, notSaved, unpricedMessage } from './failures.ts'
import { type Failure, intentOf, type Made } from './make.ts'
import { type Blocked, orderOf } from './order.ts'
import { openPurse, reserve, room, settleReserved } from './purse.ts'
import { createWatch } from './stops.ts'

export type EngineEffects = {
  make: (item: PlanItem, upstream: ReadonlyMap<string, LockEntry>, signal: AbortSignal) => Promise<Made>
  /** Keeps an entry for good; done before the picture is fetched. */
  record: (entry: LockEntry) => void
  /** Saves the picture of an entry; the path, or undefined when pictures are not downloaded. */
  save: (item: PlanItem, entry: LockEntry, signal: AbortSignal) => Promise<string | undefined>
  emit: Emit
  now: () => number
}

export type EngineOptions = {
  /** Items in flight. */
  concurrency: number
  /** What the run may spend. Under a limit nothing is started whose price is not known. */
  limit?: MicroUsd | undefined
  /** Stop at the first failure. */
  failFast?: boolean
  /** The pictures are made without this run: what a failure says of the rest counts at the end only, and this is what an
   *  interruption says. */
  elsewhere?: string | undefined
  /** Aborted once: no further item is started. */
  stop: AbortSignal
  /** Aborted: what is in flight is left to the worker. */
  leave: AbortSignal
}

/** Makes what the plan says. A failed item is an event, not an error; throws only on a bug. */
export async function runPlan(
  plan: Plan,
  { concurrency, limit, failFast = false, elsewhere, stop, leave }: EngineOptions,
  fx: EngineEffects,
): Promise<Summary> {
  const wanted = wantedOf(plan)
  const planned = new Map(wanted.map((p) => [p.item.id, p]))
  const entries = new Map<string, LockEntry>()
  for (const p of plan.items)
    if (p.state === 'done' && p.entry) entries.set(p.item.id, own(p, p.entry, plan.profile))
  recordRenamed(plan, fx.record)

  const counts = { made: 0, found: 0, failed: 0, refused: 0, uncertain: 0, blocked: 0, spent: 0, unpriced: 0 }
  const watch = createWatch({ failFast })
  const ended = Promise.withResolvers<void>()
  let purse = openPurse(limit)
  let inFlight = 0
  let withheld = 0
  let held = 0
  let stopped: StopReason | undefined
  let wouldStop: StopReason | undefined
  let bug: unknown

  const halt = (reason: StopReason, message: string) => {
    if (stopped) return
    stopped = reason
    const going = reason === 'interrupted' && elsewhere !== undefined ? { elsewhere: true as const } : {}
    fx.emit({ type: 'stopping', reason, message, inFlight, ...going })
  }
  const onStop = () => {
    halt('interrupted', elsewhere ?? 'interrupted')
    if (inFlight === 0) ended.resolve()
  }
  stop.addEventListener('abort', onStop)

  const order = orderOf(
    wanted.map((p) => ({ id: p.item.id, needs: needsOf(p) })),
    (id) => entries.has(id),
  )
  const ready = [...order.ready]
  let next = 0
  const block = (blocked: readonly Blocked[]) => {
    counts.blocked += blocked.length
    for (const { id, by } of blocked) fx.emit({ type: 'blocked', id, by })
  }
  block(order.blocked)

  /** Starts as many as may be in flight and as the purse has room for. */
  const advance = () => {
    while (!stopped && !bug && inFlight < concurrency && next < ready.length) {
      const p = planned.get(ready[next]!)!
      const ceiling = ceilingOf(p)
      if (limit !== undefined && ceiling === undefined) {
        withheld++
        next++
        continue
      }
      const fit = room(purse, ceiling ?? 0)
      if (fit === 'later') break
      if (fit === 'never') {
        const rest = formatUsd(Math.max(0, limit! - purse.spent))
        halt(
          'budget',
          `${p.item.id} may cost up to ${formatUsd(ceiling!)}, and of the limit of ${formatUsd(limit!)} only ${rest} is left`,
        )
        break
      }
      next++
      void work(p, ceiling ?? 0)
    }
    if (inFlight === 0) ended.resolve()
  }

  const work = async (p: PlanItem, ceiling: MicroUsd) => {
    const startedAt = fx.now()
    inFlight++
    purse = reserve(purse, ceiling)
    let cost: number | null = null
    let made: Made | undefined
    try {
      fx.emit({ type: 'start', id: p.item.id })
      made = await outcomeOf(p)
      cost = costHere(p, made)
      if (made.kind === 'left') return
      const unwritten = made.entry && writtenDown(made.entry)
      if (unwritten) fail(p, notRecorded(p.item.id, made, unwritten), startedAt)
      else if (made.kind === 'made') await keep(p, made, startedAt)
      else fail(p, made.failure, startedAt, made.found)
    } catch (error) {
      const failure = made ? undefined : failureOf(error)
      if (failure) cost = failure.cost
      if (failure && !leave.aborted) fail(p, failure, startedAt)
      if (!failure && !leave.aborted) bug ??= error
      if (leave.aborted && elsewhere === undefined) held++
      // Nothing was asked for here, so nothing of what it costs is this run's.
      if (leave.aborted && elsewhere !== undefined) cost = 0
    } finally {
      inFlight--
      const actual = cost === null ? null : Math.round(cost * 1e6)
      purse = settleReserved(purse, ceiling, actual)
      if (actual === null) counts.unpriced++
      else counts.spent += actual
      advance()
    }
  }

  const outcomeOf = async (p: PlanItem): Promise<Made> => {
    if (p.state === 'same') return { kind: 'made', entry: own(p, entries.get(p.reasons[0]!)!, plan.profile) }
    // Else a run that is killed now would leave a picture behind that nobody asks for again.
    const unwritten = p.state === 'redo' ? writtenDown(intentOf(p, fx.now(), plan)) : undefined
    if (unwritten) return { kind: 'failed', failure: notAsked(p.item.id, unwritten) }
    return fx.make(p, entries, leave)
  }

  /** What the disk says when it does not take an entry. */
  const writtenDown = (entry: LockEntry): Error | undefined => {
    try {
      fx.record(entry)
      return undefined
    } catch (error) {
      if (isSystemError(error)) return error
      throw error
    }
  }

  /** A picture that could not be saved is still there for what is made from it; the next run fetches it again. */
  const keep = async (p: PlanItem, { entry, found }: Extract<Made, { kind: 'made' }>, startedAt: number) => {
    entries.set(p.item.id, entry)
    watch.made()
    const { id } = p.item
    const origin = {
      ...(p.state === 'same' ? { shared: true as const } : {}),
      ...(found ? { found } : {}),
    }
    const tell = (file?: string) => {
      counts[found ? 'found' : 'made']++
      fx.emit({ type: 'made', id, entry, ...(file ? { file } : {}), ...origin, ms: fx.now() - startedAt })
    }
    try {
      tell(await fx.save(p, entry, leave))
    } catch (error) {
      // Left to the worker, as was asked: the next run fetches it.
      if (leave.aborted) tell()
      else {
        counts.failed++
        fx.emit({ type: 'failed', id, failure: notSaved(entry, error), ms: fx.now() - startedAt })
      }
    }
    ready.push(...order.made(id))
  }

  const fail = (p: PlanItem, failure: Failure, startedAt: number, found?: true) => {
    counts[failure.status]++
    const origin = found ? { found } : {}
    fx.emit({ type: 'failed', id: p.item.id, failure, ...origin, ms: fx.now() - startedAt })
    const stopping = watch.failed(failure)
    if (stopping && (elsewhere === undefined || stopping.reason === 'unwritable'))
      halt(stopping.reason, stopping.message)
    wouldStop ??= stopping?.reason
    block(order.lost(p.item.id))
  }

  if (stop.aborted) onStop()
  advance()
  await ended.promise
  stop.removeEventListener('abort', onStop)
  if (bug) throw bug
  if (withheld > 0) halt('budget', unpricedMessage(withheld))
  const { found, ...told } = counts
  const left = wanted.length - found - told.made - told.failed - told.refused - told.uncertain - told.blocked
  return {
    ...told,
    left,
    ...(found > 0 ? { found } : {}),
    ...(withheld > 0 ? { withheld } : {}),
    ...(held > 0 ? { held } : {}),
    ...(stopped || wouldStop ? { stopped: stopped ?? wouldStop! } : {}),
  }
}

/** What a run of this plan makes: what is bought, and what is the same picture as one of these. */
export function wantedOf(plan: Plan): PlanItem[] {
  const bought = new Set(toMake(plan))
  return plan.items.filter((p) => bought.has(p) || (p.state === 'same' && p.selected))
}

/** Keeps the pictures of items that were renamed, or that are the same as another's, under their own ids. */
export function recordRenamed(plan: Plan, record: EngineEffects['record']): void {
  for (const p of plan.items)
    if (p.state === 'done' && p.entry && slotOf(p.entry) !== p.slot) record(own(p, p.entry, plan.profile))
}

function needsOf(p: PlanItem): string[] {
  return p.state === 'same' ? [p.reasons[0]!] : upstreamOf(p.item)
}

/** The most an item may cost; undefined when that is not known. */
function ceilingOf({ state, quote }: PlanItem): MicroUsd | undefined {
  if (state === 'same') return 0
  return quote.unknown.length > 0 ? undefined : quote.atMost
}

/** A picture of another item, or of another profile, in this item's place. */
function own({ item, inputs }: PlanItem, { profile: _, ...entry }: LockEntry, profile?: string): LockEntry {
  return { ...entry, id: item.id, inputs, ...(profile === undefined ? {} : { profile }) }
}

/** USD that an item cost this run. What another item or an earlier run paid for is free. */
function costHere({ state }: PlanItem, made: Made): number | null {
  if (state === 'same' || made.kind === 'left' || made.found) return 0
  return made.kind === 'made' ? made.entry.cost : made.failure.cost
}

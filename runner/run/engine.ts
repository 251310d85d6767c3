// Runs a plan: items in parallel, each as soon as the pictures it is made from are there. Keeps going past a failure,
// blocks what depends on it, and stops starting when going on makes no sense.
import PQueue from 'p-queue'
import { WorkerProblem, WorkerUnreachable } from '../client.ts'
import { isLost, isToMake, type Plan, type PlanItem, upstreamOf } from '../plan/plan.ts'
import type { LockEntry } from '../state/lock.ts'
import type { Emit, StopReason, Summary } from './events.ts'
import { type Failure, type Made, refusalOf } from './make.ts'

export type EngineEffects = {
  make: (item: PlanItem, upstream: ReadonlyMap<string, LockEntry>, signal: AbortSignal) => Promise<Made>
  /** Keeps an entry for good; done before the picture is fetched. */
  record: (entry: LockEntry) => void
  /** Saves the picture of an entry; the path, or undefined when pictures are not downloaded. */
  save: (entry: LockEntry) => Promise<string | undefined>
  emit: Emit
  now: () => number
}

export type EngineOptions = {
  /** Items in flight. */
  concurrency: number
  /** Aborted once: no further item is started. */
  stop: AbortSignal
  /** Aborted: what is in flight is left to the worker. */
  leave: AbortSignal
}

/** Outcomes after which every further item would end the same way. */
const SYSTEMIC: Record<string, StopReason> = { unauthorised: 'unauthorised', quota_exhausted: 'unavailable' }

/** Makes what the plan says. A failed item is an event, not an error; throws only on a bug. */
export async function runPlan(
  plan: Plan,
  { concurrency, stop, leave }: EngineOptions,
  fx: EngineEffects,
): Promise<Summary> {
  const queue = new PQueue({ concurrency })
  const planned = new Map(plan.items.map((p) => [p.item.id, p]))
  const entries = new Map<string, LockEntry>()
  for (const p of plan.items) if (p.state === 'done' && p.entry) entries.set(p.item.id, own(p, p.entry))
  recordRenamed(plan, fx.record)
  const waiting = new Set(plan.items.filter((p) => isToMake(p.state) || p.state === 'same'))
  const summary: Summary = { made: 0, failed: 0, blocked: 0, left: 0 }
  const wanted = waiting.size
  let inFlight = 0
  let bug: unknown

  const halt = (reason: StopReason, message: string) => {
    if (summary.stopped) return
    summary.stopped = reason
    queue.clear()
    fx.emit({ type: 'stopping', reason, message, inFlight })
  }
  const onStop = () => halt('interrupted', 'interrupted')
  stop.addEventListener('abort', onStop)

  /** Starts what has become ready, and blocks what never will. */
  const advance = () => {
    for (const p of [...waiting]) {
      const needs = p.state === 'same' ? [p.reasons[0]!] : upstreamOf(p.item)
      const missing = needs.find((id) => !entries.has(id))
      if (missing === undefined) {
        waiting.delete(p)
        if (!summary.stopped) void queue.add(() => work(p))
      } else if (isGone(missing)) {
        waiting.delete(p)
        lost.add(p.item.id)
        summary.blocked++
        fx.emit({ type: 'blocked', id: p.item.id, by: missing })
        return advance()
      }
    }
  }
  const lost = new Set<string>()
  const isGone = (id: string) => lost.has(id) || isLost(planned.get(id)!.state)

  const work = async (p: PlanItem) => {
    const startedAt = fx.now()
    inFlight++
    fx.emit({ type: 'start', id: p.item.id })
    try {
      const made = p.state === 'same' ? twin(p, entries) : await fx.make(p, entries, leave)
      if (made.entry) fx.record(made.entry)
      if (made.kind === 'made') await keep(p, made.entry, startedAt)
      else fail(p, made.failure, fx.now() - startedAt)
    } catch (error) {
      const failure = failureOf(error)
      if (failure && !leave.aborted) fail(p, failure, fx.now() - startedAt)
      if (!failure && !leave.aborted) {
        bug ??= error
        queue.clear()
      }
    } finally {
      inFlight--
    }
    advance()
  }

  /** A picture that could not be saved is still there for what is made from it; the next run fetches it again. */
  const keep = async (p: PlanItem, entry: LockEntry, startedAt: number) => {
    entries.set(p.item.id, entry)
    try {
      const file = await fx.save(entry)
      summary.made++
      const shared = p.state === 'same' ? { shared: true as const } : {}
      fx.emit({
        type: 'made',
        id: p.item.id,
        entry,
        ...(file ? { file } : {}),
        ...shared,
        ms: fx.now() - startedAt,
      })
    } catch (error) {
      const { charged, cost } = entry
      const message = `it is made, but could not be saved: ${(error as Error).message}`
      summary.failed++
      const failure = { code: 'not_saved', message, charged, cost }
      fx.emit({ type: 'failed', id: p.item.id, failure, ms: fx.now() - startedAt })
    }
  }

  const fail = (p: PlanItem, failure: Failure, ms: number) => {
    lost.add(p.item.id)
    summary.failed++
    fx.emit({ type: 'failed', id: p.item.id, failure, ms })
    const reason =
      SYSTEMIC[failure.code] ?? (failure.code === 'unreachable_worker' ? 'unavailable' : undefined)
    if (reason) halt(reason, failure.message)
  }

  advance()
  await queue.onIdle()
  stop.removeEventListener('abort', onStop)
  if (bug) throw bug
  summary.left = wanted - summary.made - summary.failed - summary.blocked
  return summary
}

/** Keeps the pictures of items that were renamed, or that are the same as another's, under their own ids. */
export function recordRenamed(plan: Plan, record: EngineEffects['record']): void {
  for (const p of plan.items)
    if (p.state === 'done' && p.entry && p.entry.id !== p.item.id) record(own(p, p.entry))
}

/** Another item's picture under this item's id. */
function own({ item, inputs }: PlanItem, entry: LockEntry): LockEntry {
  return { ...entry, id: item.id, inputs }
}

function twin(p: PlanItem, entries: ReadonlyMap<string, LockEntry>): Made {
  return { kind: 'made', entry: own(p, entries.get(p.reasons[0]!)!) }
}

/** The failure behind an error, or undefined for a bug. */
function failureOf(error: unknown): Failure | undefined {
  if (error instanceof WorkerProblem) return refusalOf(error)
  if (error instanceof WorkerUnreachable)
    return { code: 'unreachable_worker', message: error.message, charged: 'unknown', cost: null }
  // A file that has gone, a full disk: the item's fault, not the program's.
  const { code } = error as NodeJS.ErrnoException
  if (code !== undefined && error instanceof Error && 'syscall' in error)
    return { code: 'unreadable', message: error.message, charged: 'no', cost: 0 }
  return undefined
}

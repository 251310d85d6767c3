// The part of a run in which pictures come: missing ones are fetched, wanted ones are made or followed, each is written
// down and saved, and how it goes is told in events. Who makes them is passed in.
import { relative } from 'node:path'
import PQueue from 'p-queue'
import type { MicroUsd } from '../../core/money.ts'
import type { Client } from '../client.ts'
import type { PlanItem } from '../plan/plan.ts'
import type { Prepared } from '../prepare.ts'
import type { LockEntry } from '../state/lock.ts'
import type { Blocked } from '../views/result.ts'
import type { RunResult } from '../views/summary.ts'
import { buyingAgain } from './again.ts'
import { type EngineEffects, type EngineOptions, recordRenamed, runPlan } from './engine.ts'
import type { Emit, RunEvent, Summary } from './events.ts'
import { fetchMissing, type Missing } from './fetch.ts'
import type { Interrupts } from './interrupts.ts'
import { createMaker } from './make.ts'
import type { RunOptions } from './options.ts'
import { fileOf, isSaved, savePicture } from './save.ts'

export type Work = Pick<EngineOptions, 'concurrency' | 'elsewhere'> & {
  wanted: readonly PlanItem[]
  missing: readonly Missing[]
  /** Where pictures go. */
  folder: string
  limit: MicroUsd | undefined
  /** Makes the items; default: asks the worker for each. */
  make?: EngineEffects['make']
  /** Given the way to tell what happens beside the pictures, before anything does. */
  hear?: (tell: Emit) => void
}

/** `unfetched`: pictures that could not be had; `notFetched`: those that were not tried any more after Ctrl-C. */
export type Ended = RunResult & { blocked: readonly Blocked[]; unfetched: number; notFetched: number }

/** Where pictures of a plan lie. */
export function placesOf({ plan, state }: Pick<Prepared, 'plan' | 'state'>, folder: string) {
  const planned = new Map(plan.items.map((p) => [p.item.id, p]))
  const before = state.lock()
  const placeOf = (id: string, entry: LockEntry) => fileOf(planned.get(id)!.item, entry, folder)
  return {
    placeOf,
    /** Where the item's last picture is meant to be. */
    previousOf(id: string) {
      const entry = before.get(planned.get(id)!.slot)
      return entry?.image ? placeOf(id, entry) : undefined
    },
    /** Where the picture of an entry is, when it is there. */
    async savedAt(id: string, entry: LockEntry) {
      const path = placeOf(id, entry)
      return (await isSaved(entry, path)) ? path : undefined
    },
  }
}

export type WorkEffects = {
  now: () => number
  /** Where the command was given: files are named from there. */
  cwd: string
  emit: Emit
}

/** Fetches what is missing and has made what is wanted. The clock starts when the worker is there. */
export async function work(
  prepared: Prepared,
  { wanted, missing, folder, limit, concurrency, elsewhere, make, hear }: Work,
  options: RunOptions,
  { stop, leave }: Interrupts,
  client: Client | undefined,
  { now, cwd, emit: tell }: WorkEffects,
): Promise<Ended> {
  const { manifest, plan, state, downloads, adopted } = prepared
  const { folder: stateFolder } = state
  const { profile } = plan
  const { placeOf, previousOf, savedAt } = placesOf(prepared, folder)

  const files = new Map<string, string>()
  const made: LockEntry[] = []
  const failures: Extract<RunEvent, { type: 'failed' }>[] = []
  const blocked: Blocked[] = []
  let fetching = { failed: 0, left: 0 }
  let summary = NOTHING
  const startedAt = now()
  const emit = (told: RunEvent) => {
    const event = 'file' in told && told.file ? { ...told, file: relative(cwd, told.file) } : told
    tell(event)
    if (event.type === 'made') made.push(event.entry)
    if (event.type === 'made' && event.file) files.set(event.id, event.file)
    if (event.type === 'failed') failures.push(event)
    if (event.type === 'blocked') blocked.push(event)
  }
  hear?.(emit)
  // Of the pictures that are followed any number may come at once.
  const saving = new PQueue({ concurrency: options.concurrency })
  if (client && missing.length > 0) {
    const again = (id: string) => buyingAgain(options, id)
    const { concurrency } = options
    fetching = await fetchMissing(missing, client, {
      stateFolder,
      concurrency,
      stop,
      leave,
      again,
      emit,
      record: state.record,
      now,
    })
  }
  if (client && wanted.length > 0)
    summary = await runPlan(
      plan,
      { concurrency, limit, failFast: options.failFast, elsewhere, stop, leave },
      {
        make:
          make ??
          createMaker({
            client,
            now,
            fileOf: savedAt,
            download: (url) => downloads.get(url)!,
            terms: { profile, prices: manifest.prices, perImage: manifest.budget.perImage },
          }),
        record: state.record,
        async save({ item: { id } }, entry, signal) {
          if (!options.download) return undefined
          const path = placeOf(id, entry)
          const save = () =>
            savePicture(entry, path, client, { stateFolder, previous: previousOf(id), signal })
          await saving.add(save)
          return path
        },
        emit,
        now,
      },
    )
  // Renamed pictures are written down even when nothing else is to be done.
  else recordRenamed(plan, state.record)
  emit({ type: 'summary', summary })
  const found = plan.items.filter((p) => p.state === 'done' && adopted.has(p.key)).length
  const ms = now() - startedAt
  const unfetched = fetching.failed
  return {
    plan,
    summary,
    made,
    failures,
    files,
    adopted: found,
    ms,
    blocked,
    unfetched,
    notFetched: fetching.left,
  }
}

/** The summary of a run that had nothing to make. */
const NOTHING: Summary = {
  made: 0,
  failed: 0,
  refused: 0,
  uncertain: 0,
  blocked: 0,
  left: 0,
  spent: 0,
  unpriced: 0,
}

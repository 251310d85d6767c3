// proofsheet run: makes what the plan says; it is also how one resumes and retries. Nothing is bought before the price
// was shown and accepted.
import { relative, resolve } from 'node:path'
import type { MicroUsd } from '../../core/money.ts'
import type { Client } from '../client.ts'
import { EXIT, type ExitCode } from '../exit.ts'
import { layersOf, type ManifestFlags, type RepeatFlags, type SelectionFlags } from '../flags.ts'
import type { Io } from '../io.ts'
import { LOCAL_PORT } from '../local/options.ts'
import { limitOf } from '../plan/budget.ts'
import type { Plan, PlanItem } from '../plan/plan.ts'
import { type Prepared, prepare } from '../prepare.ts'
import { accepted } from '../run/accept.ts'
import { buyingAgain, continuing, repeating } from '../run/again.ts'
import { recordRenamed, runPlan, wantedOf } from '../run/engine.ts'
import type { RunEvent, Summary } from '../run/events.ts'
import { fetchMissing, type Missing, missingPictures } from '../run/fetch.ts'
import { createMaker } from '../run/make.ts'
import { fileOf, isSaved, outFolder, savePicture } from '../run/save.ts'
import { flagsOf, mustHold, openPlan, restOf } from '../run/saved.ts'
import { removeLostDrafts } from '../state/drafts.ts'
import type { Lock, LockEntry } from '../state/lock.ts'
import { warnOfNeighbours } from '../state/neighbours.ts'
import { openState } from '../state/state.ts'
import { commandLine } from '../views/command.ts'
import { count } from '../views/format.ts'
import { planLines, workerPhrase } from '../views/plan.ts'
import { type ProgressKind, progressOf } from '../views/progress.ts'
import { type Blocked, resultJson } from '../views/result.ts'
import { adoptedLines, closingLines, openEnds, pictureLines, type RunResult } from '../views/summary.ts'

export type RunOptions = ManifestFlags &
  SelectionFlags &
  RepeatFlags & {
    manifest: string
    /** A saved plan: what is made is what it says, or nothing. */
    plan?: string
    yes: boolean
    concurrency: number
    download: boolean
    /** Where pictures go; default: `out/` beside the manifest. */
    outDir?: string
    /** What the run may spend; the manifest's budget may be less. */
    maxCost?: MicroUsd
    /** At most so many pictures. */
    limit?: number
    failFast: boolean
    json: boolean
    progress: ProgressKind
  }

export async function run(given: RunOptions, io: Io): Promise<ExitCode> {
  const saved = given.plan === undefined ? undefined : openPlan(given.plan, io.cwd)
  const options = saved ? { ...given, ...flagsOf(saved, given, given.plan!, io.cwd) } : given
  const { manifest, worker, refused, uncertain, limit } = options
  const rest = saved && restOf(saved, lockOf(manifest, io))
  const { selection, redo } = rest ?? {
    selection: { include: options.select, exclude: options.exclude },
    redo: options.redo,
  }
  const layers = layersOf(options)
  const repeat = { refused, uncertain }
  const prepared = await prepare(
    { manifest, worker, layers, selection, repeat, redo, limit, warn: true },
    true,
    io,
  )
  try {
    if (rest) {
      const isPart = limit !== undefined
      mustHold(rest.saved, prepared.plan, { worker: prepared.session.name, path: given.plan!, isPart })
    }
    return await carryOut(prepared, options, io)
  } finally {
    try {
      for (const line of prepared.state.fold()) io.stderr.write(`${line}\n`)
    } finally {
      await prepared.session.release()
    }
  }
}

function lockOf(manifest: string, io: Io): Lock {
  return openState(resolve(io.cwd, manifest), { pid: io.pid, startedAt: io.now() }).lock()
}

async function carryOut(prepared: Prepared, options: RunOptions, io: Io): Promise<ExitCode> {
  const { manifest, plan, session, state } = prepared
  await removeLostDrafts(state.folder)
  const folder = outFolder(options, io.cwd)
  const isTalking = options.progress !== 'quiet' && options.progress !== 'json'
  const say = (line: string) => isTalking && io.stderr.write(`${line}\n`)
  const limit = limitOf(manifest.budget, options.maxCost)
  const wanted = wantedOf(plan)
  const missing = options.download ? await missingPictures(plan, folder) : []

  const worker = workerPhrase(plan, session.name)
  const context = { manifest: options.manifest, worker, limit, inFlight: options.concurrency }
  for (const line of planLines(plan, context)) say(line)
  if (options.download && options.outDir === undefined) {
    const written = wanted.filter((p) => p.item.output === undefined).map((p) => p.item.id)
    const slots = [...written, ...missing.map(({ id }) => id)].map((id) => ({ id, profile: plan.profile }))
    for (const line of warnOfNeighbours(state.lockPath, state.lock(), slots)) say(line)
  }
  const offer = { plan, wanted: wanted.length, limit, budget: manifest.budget, yes: options.yes }
  if (wanted.length > 0 && !(await accepted(offer, io))) return EXIT.usage

  const ended = await make(prepared, { wanted, missing, folder, limit }, options, io)
  const { summary, unfetched, notFetched } = ended
  if (options.json)
    io.stdout.data(`${JSON.stringify(resultJson(ended, { limit, blocked: ended.blocked }), null, 2)}\n`)
  else for (const line of pictureLines(ended)) io.stdout.write(`${line}\n`)
  if (wanted.length > 0) {
    const lockPath = relative(io.cwd, state.lockPath)
    const dev = await devCommand(prepared, options)
    const again = continuing(options, ended)
    for (const line of closingLines(ended, { lockPath, limit, dev, again })) say(line)
  } else {
    const done = plan.items.filter((p) => p.selected && p.state === 'done').length
    if (missing.length === 0)
      say(
        `${openEnds(plan).length > 0 ? 'There is nothing to start' : 'There is nothing to do'}: ${count(done, 'picture')} made.`,
      )
    if (notFetched > 0)
      say(`${count(notFetched, 'picture')} still to be fetched; to go on:  ${repeating(options)}`)
    for (const line of [...adoptedLines(ended.adopted), ...openEnds(plan)]) say(line)
  }
  return notFetched > 0 ? EXIT.interrupted : exitCodeOf(summary, unfetched, plan)
}

/** The client. A Ctrl-C while the worker starts is heard, and heeded as soon as it runs. */
async function connected(session: Prepared['session'], ignore: () => void): Promise<Client> {
  try {
    return await session.client()
  } catch (error) {
    ignore()
    throw error
  }
}

type Work = {
  wanted: readonly PlanItem[]
  missing: readonly Missing[]
  /** Where pictures go. */
  folder: string
  limit: MicroUsd | undefined
}

/** `unfetched`: pictures that could not be had; `notFetched`: those that were not tried any more after Ctrl-C. */
type Ended = RunResult & { blocked: readonly Blocked[]; unfetched: number; notFetched: number }

/** Fetches what is missing, makes what is wanted, and shows how it goes. */
async function make(
  { manifest, plan, session, state, downloads, adopted }: Prepared,
  { wanted, missing, folder, limit }: Work,
  options: RunOptions,
  io: Io,
): Promise<Ended> {
  const { concurrency, failFast } = options
  const { folder: stateFolder } = state
  const { quote, emulated, profile } = plan
  const before = state.lock()
  const planned = new Map(plan.items.map((p) => [p.item.id, p]))
  const placeOf = (id: string, entry: LockEntry) => fileOf(planned.get(id)!.item, entry, folder)
  const previousOf = (id: string) => {
    const entry = before.get(planned.get(id)!.slot)
    return entry?.image ? placeOf(id, entry) : undefined
  }

  const files = new Map<string, string>()
  const made: LockEntry[] = []
  const failures: Extract<RunEvent, { type: 'failed' }>[] = []
  const blocked: Blocked[] = []
  let fetching = { failed: 0, left: 0 }
  let summary = NOTHING
  // An embedded worker takes a moment to start: that is no part of the run.
  const { stop, leave, ignore } = interrupts(io)
  const client = wanted.length + missing.length > 0 ? await connected(session, ignore) : undefined
  const startedAt = io.now()
  const { stderr, now, every } = io
  const progress = progressOf(options.progress, { stderr, total: wanted.length, quote, emulated, now, every })
  const emit = (told: RunEvent) => {
    const event = 'file' in told && told.file ? { ...told, file: relative(io.cwd, told.file) } : told
    progress.event(event)
    if (event.type === 'made') made.push(event.entry)
    if (event.type === 'made' && event.file) files.set(event.id, event.file)
    if (event.type === 'failed') failures.push(event)
    if (event.type === 'blocked') blocked.push(event)
  }
  try {
    if (client && missing.length > 0) {
      const again = (id: string) => buyingAgain(options, id)
      fetching = await fetchMissing(missing, client, { stateFolder, concurrency, stop, leave, again, emit })
    }
    if (client && wanted.length > 0)
      summary = await runPlan(
        plan,
        { concurrency, limit, failFast, stop, leave },
        {
          make: createMaker({
            client,
            now,
            fileOf: async (id, entry) => {
              const path = placeOf(id, entry)
              return (await isSaved(entry, path)) ? path : undefined
            },
            download: (url) => downloads.get(url)!,
            terms: { profile, prices: manifest.prices, perImage: manifest.budget.perImage },
          }),
          record: state.record,
          async save({ item: { id } }, entry, signal) {
            if (!options.download) return undefined
            const path = placeOf(id, entry)
            await savePicture(entry, path, client, { stateFolder, previous: previousOf(id), signal })
            return path
          },
          emit,
          now,
        },
      )
    // Renamed pictures are written down even when nothing else is to be done.
    else recordRenamed(plan, state.record)
    emit({ type: 'summary', summary })
  } finally {
    progress.end()
    ignore()
  }
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

/** The command under which the addresses of an embedded worker answer again: it must listen where this one did. */
async function devCommand({ session }: Prepared, { manifest }: RunOptions): Promise<string | undefined> {
  if (!session.isEmbedded) return undefined
  const { port } = new URL((await session.client()).url)
  return port === String(LOCAL_PORT) ? commandLine('dev', manifest, {}) : undefined
}

function interrupts(io: Io) {
  const stop = new AbortController()
  const leave = new AbortController()
  const ignore = io.onInterrupt(() => (stop.signal.aborted ? leave : stop).abort())
  return { stop: stop.signal, leave: leave.signal, ignore }
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

function exitCodeOf(summary: Summary, unfetched: number, plan: Plan): ExitCode {
  const { failed, refused, uncertain, blocked, left } = summary
  switch (summary.stopped) {
    case 'unauthorised':
      return EXIT.unauthorised
    case 'unavailable':
    case 'unwritable':
      return EXIT.unavailable
    case 'budget':
      return EXIT.budget
    case 'interrupted':
      if (left > 0) return EXIT.interrupted
  }
  const lacking = failed + refused + uncertain + blocked + unfetched + openEnds(plan).length
  return lacking > 0 ? EXIT.incomplete : EXIT.done
}

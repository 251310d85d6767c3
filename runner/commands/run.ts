// proofsheet run: makes what the plan says; it is also how one resumes and retries. Nothing is bought before the price
// was shown and accepted.
import { relative, resolve } from 'node:path'
import type { Client } from '../client.ts'
import { EXIT, type ExitCode, UsageError } from '../exit.ts'
import type { Io } from '../io.ts'
import { LOCAL_PORT } from '../local/options.ts'
import { isToMake, type Plan } from '../plan/plan.ts'
import { type Prepared, prepare } from '../prepare.ts'
import { recordRenamed, runPlan } from '../run/engine.ts'
import type { Summary } from '../run/events.ts'
import { createMaker } from '../run/make.ts'
import { fileOf, isSaved, savePicture } from '../run/save.ts'
import type { LockEntry } from '../state/lock.ts'
import { count, quoted } from '../views/format.ts'
import { planLines, workerPhrase } from '../views/plan.ts'
import { type ProgressKind, progressOf } from '../views/progress.ts'
import { closingLines, inOrder, openEnds, pictureLines } from '../views/summary.ts'

export type RunOptions = {
  manifest: string
  worker?: string
  yes: boolean
  concurrency: number
  download: boolean
  /** Where pictures go; default: `out/` beside the manifest. */
  outDir?: string
  refused: boolean
  uncertain: boolean
  json: boolean
  progress: ProgressKind
}

export async function run(options: RunOptions, io: Io): Promise<ExitCode> {
  const { manifest, worker, refused, uncertain } = options
  const prepared = await prepare({ manifest, worker, repeat: { refused, uncertain } }, true, io)
  try {
    return await carryOut(prepared, options, io)
  } finally {
    try {
      prepared.state.fold()
    } finally {
      await prepared.session.release()
    }
  }
}

async function carryOut(
  { plan, session, state, downloads }: Prepared,
  options: RunOptions,
  io: Io,
): Promise<ExitCode> {
  const folder = outFolder(options, io.cwd)
  const isTalking = options.progress !== 'quiet' && options.progress !== 'json'
  const say = (line: string) => isTalking && io.stderr.write(`${line}\n`)
  if (isTalking)
    say(planLines(plan, { manifest: options.manifest, worker: workerPhrase(plan, session.name) }).join('\n'))

  const missing = options.download ? await missingPictures(plan, folder) : []
  const toMake = plan.items.filter((p) => isToMake(p.state)).length
  if (toMake === 0) {
    recordRenamed(plan, state.record)
    const unfetched =
      missing.length > 0 ? await fetchMissing(missing, folder, await session.client(), say) : 0
    if (missing.length === 0)
      say(
        `There is nothing to do: ${count(plan.items.filter((p) => p.state === 'done').length, 'picture')} made.`,
      )
    if (options.json) io.stdout.write(`${JSON.stringify(resultJson({ plan, ...NOTHING }), null, 2)}\n`)
    for (const line of openEnds(plan)) say(line)
    return unfetched + openEnds(plan).length > 0 ? EXIT.incomplete : EXIT.done
  }
  if (!(await accepted(plan, toMake, options, io))) return EXIT.usage

  const client = await session.client()
  const unfetched = await fetchMissing(missing, folder, client, say)
  const before = state.lock()
  const startedAt = io.now()
  const progress = progressOf(options.progress, {
    stderr: io.stderr,
    total: toMake + plan.items.filter((p) => p.state === 'same').length,
    now: io.now,
  })
  const { stop, leave, ignore } = interrupts(io)
  const files = new Map<string, string>()
  const made: LockEntry[] = []
  const spent: (number | null)[] = []
  let summary: Summary
  try {
    summary = await runPlan(
      plan,
      { concurrency: options.concurrency, stop, leave },
      {
        make: createMaker({
          client,
          now: io.now,
          fileOf: async (entry) => ((await isSaved(entry, folder)) ? fileOf(entry, folder) : undefined),
          download: (url) => downloads.get(url)!,
        }),
        record: state.record,
        save: async (entry) =>
          options.download ? await savePicture(entry, folder, client, before.get(entry.id)) : undefined,
        emit: (event) => {
          progress.event(event)
          if (event.type === 'made') {
            made.push(event.entry)
            if (!event.shared) spent.push(event.entry.cost)
            if (event.file) files.set(event.entry.id, relative(io.cwd, event.file))
          }
          if (event.type === 'failed') spent.push(event.failure.cost)
        },
        now: io.now,
      },
    )
    progress.event({ type: 'summary', summary })
  } finally {
    progress.end()
    ignore()
  }
  const result = { plan, summary, made, files, spent, ms: io.now() - startedAt }
  if (options.json) io.stdout.write(`${JSON.stringify(resultJson(result), null, 2)}\n`)
  else
    io.stdout.write(
      pictureLines(result)
        .map((line) => `${line}\n`)
        .join(''),
    )
  for (const line of closingLines(result, {
    lockPath: relative(io.cwd, state.lockPath),
    dev: session.isEmbedded && isLocalPort(client.url) ? `proofsheet dev ${options.manifest}` : undefined,
  }))
    say(line)
  return exitCodeOf({ ...summary, failed: summary.failed + unfetched }, plan)
}

/** Whether an embedded worker listens where `dev` does. */
function isLocalPort(url: string): boolean {
  return new URL(url).port === String(LOCAL_PORT)
}

function outFolder({ manifest, outDir }: RunOptions, cwd: string): string {
  return outDir ? resolve(cwd, outDir) : resolve(cwd, manifest, '..', 'out')
}

/** What is made but not on disk. */
async function missingPictures(plan: Plan, folder: string): Promise<LockEntry[]> {
  const made = plan.items.flatMap((p) =>
    p.state === 'done' && p.entry ? [{ ...p.entry, id: p.item.id }] : [],
  )
  const saved = await Promise.all(made.map((entry) => isSaved(entry, folder)))
  return made.filter((_, index) => !saved[index])
}

/** Fetches pictures that are made but not on disk; the number of those that could not be had. */
async function fetchMissing(
  missing: readonly LockEntry[],
  folder: string,
  client: Client,
  say: (line: string) => unknown,
): Promise<number> {
  let failed = 0
  for (const entry of missing) {
    try {
      const { image } = await client.generation(entry.generation, 0)
      if (!image) continue
      await savePicture({ ...entry, image }, folder, client)
      say(`fetched ${entry.id}`)
    } catch (error) {
      failed++
      say(`✗ ${entry.id}  could not be fetched: ${(error as Error).message}`)
    }
  }
  return failed
}

/** The result of a run that had nothing to make. */
const NOTHING = {
  summary: { made: 0, failed: 0, blocked: 0, left: 0 },
  made: [],
  files: new Map<string, string>(),
}

/** An emulated run costs nothing; every other one asks, or wants `--yes`. */
async function accepted(plan: Plan, toMake: number, { yes }: RunOptions, io: Io): Promise<boolean> {
  if (plan.emulated || yes) return true
  const { quote } = plan
  const price = `${quoted(quote.expected, quote)} expected, ${quoted(quote.atMost, quote)} at most`
  if (!io.interactive)
    throw new UsageError(
      `this buys ${count(toMake, 'picture')} for ${price}; add --yes to buy without being asked. Nothing was sent.`,
    )
  const yesSaid = await io.confirm(`Buy ${count(toMake, 'picture')} for ${price}?`)
  if (!yesSaid) io.stderr.write('Nothing was sent.\n')
  return yesSaid
}

function interrupts(io: Io) {
  const stop = new AbortController()
  const leave = new AbortController()
  const ignore = io.onInterrupt(() => (stop.signal.aborted ? leave : stop).abort())
  return { stop: stop.signal, leave: leave.signal, ignore }
}

function exitCodeOf(summary: Summary, plan: Plan): ExitCode {
  switch (summary.stopped) {
    case 'interrupted':
      return summary.left > 0 ? EXIT.interrupted : endOf(summary, plan)
    case 'unauthorised':
      return EXIT.unauthorised
    case 'unavailable':
      return EXIT.unavailable
    default:
      return endOf(summary, plan)
  }
}

/** The code of a run that came to its end. */
function endOf({ failed, blocked }: Summary, plan: Plan): ExitCode {
  return failed + blocked > 0 || openEnds(plan).length > 0 ? EXIT.incomplete : EXIT.done
}

function resultJson({
  plan,
  summary,
  made,
  files,
}: {
  plan: Plan
  summary: Summary
  made: LockEntry[]
  files: Map<string, string>
}) {
  return {
    format: 'proofsheet-run',
    version: 1,
    emulated: plan.emulated,
    summary,
    pictures: inOrder(plan, made).map(({ id, image, generation, provider, model, cost }) => ({
      id,
      url: image?.url ?? null,
      file: files.get(id) ?? null,
      width: image?.width ?? null,
      height: image?.height ?? null,
      generation,
      provider,
      model,
      cost,
    })),
  }
}

// proofsheet run: makes what the plan says; it is also how one resumes and retries. Nothing is bought before the price
// was shown and accepted.
import { resolve } from 'node:path'
import { EXIT, type ExitCode, UsageError } from '../exit.ts'
import { layersOf } from '../flags.ts'
import type { Io } from '../io.ts'
import { limitOf } from '../plan/budget.ts'
import { type Prepared, prepare } from '../prepare.ts'
import { accepted } from '../run/accept.ts'
import { mustFit } from '../run/detach.ts'
import { wantedOf } from '../run/engine.ts'
import { missingPictures } from '../run/fetch.ts'
import { interrupts } from '../run/interrupts.ts'
import type { RunOptions } from '../run/options.ts'
import { outFolder } from '../run/save.ts'
import { flagsOf, mustHold, openPlan, restOf } from '../run/saved.ts'
import type { Ended } from '../run/work.ts'
import { removeLostDrafts } from '../state/drafts.ts'
import type { Lock } from '../state/lock.ts'
import { warnOfNeighbours } from '../state/neighbours.ts'
import { openState } from '../state/state.ts'
import { planLines, workerPhrase } from '../views/plan.ts'
import { sayer } from '../views/say.ts'
import { attach } from './attach.ts'
import { detach, mustOutlive } from './detach.ts'
import { finish, shown } from './finish.ts'

export async function run(given: RunOptions, io: Io): Promise<ExitCode> {
  if (given.attach !== undefined) return attach(given, given.attach, io)
  const saved = given.plan === undefined ? undefined : openPlan(given.plan, io.cwd)
  const options = saved ? { ...given, ...flagsOf(saved, given, given.plan!, io.cwd) } : given
  const { manifest, worker, refused, uncertain, limit } = options
  if (options.detach) {
    mustOutlive('--detach', worker, io)
    if (options.failFast)
      throw new UsageError(
        'no failure ends a batch: leave --fail-fast out, or run without --detach. Nothing was sent.',
      )
  }
  const rest = saved && restOf(saved, lockOf(manifest, io))
  const { selection, redo } = rest ?? {
    selection: { include: options.select, exclude: options.exclude },
    redo: options.redo,
  }
  const layers = layersOf(options)
  const repeat = { refused, uncertain }
  const buys = true
  const prepared = await prepare(
    { manifest, worker, layers, selection, repeat, redo, limit, warn: true, buys },
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
  const { concurrency, download } = options
  await removeLostDrafts(state.folder)
  const folder = outFolder(options, io.cwd)
  const say = sayer(options.progress, io.stderr)
  const limit = limitOf(manifest.budget, options.maxCost)
  const wanted = wantedOf(plan)
  const missing = download && !options.detach ? await missingPictures(plan, folder) : []

  const worker = workerPhrase(plan, session.name)
  for (const line of planLines(plan, {
    manifest: options.manifest,
    worker,
    limit,
    ...(options.detach ? {} : { inFlight: concurrency }),
  }))
    say(line)
  if (download && options.outDir === undefined) {
    const written = wanted.filter((p) => p.item.output === undefined).map((p) => p.item.id)
    const slots = [...written, ...missing.map(({ id }) => id)].map((id) => ({ id, profile: plan.profile }))
    for (const line of warnOfNeighbours(state.lockPath, state.lock(), slots)) say(line)
  }
  if (options.detach) mustFit(plan, limit)
  const offer = { plan, wanted: wanted.length, limit, budget: manifest.budget, yes: options.yes }
  if (wanted.length > 0 && !(await accepted(offer, io))) return EXIT.usage
  if (options.detach && wanted.length > 0) return detach(prepared, folder, options, io)

  const tasks = { wanted, missing, folder, limit, concurrency }
  // An embedded worker takes a moment to start: a Ctrl-C meanwhile is heard, and heeded as soon as it runs.
  const heard = interrupts(io)
  let ended: Ended
  try {
    const client = wanted.length + missing.length > 0 ? await session.client() : undefined
    ended = await shown(prepared, tasks, options, heard, client, io)
  } finally {
    heard.ignore()
  }
  return finish(prepared, tasks, ended, options, io)
}

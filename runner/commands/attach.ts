// proofsheet run --attach: follows a batch that was handed over, writes down what it makes and fetches the pictures. Asks for no
// picture itself; leaving it leaves the batch running.
import { resolve } from 'node:path'
import { EXIT, type ExitCode, exitOf, UsageError } from '../exit.ts'
import { layersOf } from '../flags.ts'
import type { Io } from '../io.ts'
import type { Plan, PlanItem } from '../plan/plan.ts'
import { type Prepared, prepare } from '../prepare.ts'
import { wantedOf } from '../run/engine.ts'
import type { Emit } from '../run/events.ts'
import { missingPictures } from '../run/fetch.ts'
import { follow, type Stranger } from '../run/follow.ts'
import { interrupts } from '../run/interrupts.ts'
import type { RunOptions } from '../run/options.ts'
import { outFolder } from '../run/save.ts'
import type { Ended } from '../run/work.ts'
import {
  type HandedOver,
  knownBatches,
  lastBatch,
  rememberFetched,
  unfetchedBatches,
} from '../state/batches.ts'
import { removeLostDrafts } from '../state/drafts.ts'
import type { Lock } from '../state/lock.ts'
import { triesOf } from '../state/tries.ts'
import { batchLine, strangerLines } from '../views/batch.ts'
import { commandLine } from '../views/command.ts'
import { sayer } from '../views/say.ts'
import { mustOutlive } from './detach.ts'
import { finish, shown } from './finish.ts'

/** Follows the batch with this id; without one every batch of the manifest that is not fetched yet, one after the other,
 *  or else the last one. Throws UsageError, and what prepare throws. */
export async function attach(given: RunOptions, wanted: string | true, io: Io): Promise<ExitCode> {
  let code: ExitCode = EXIT.done
  for (const target of chosen(given, wanted, io)) {
    const next = await attachTo(target, given, io)
    if (ENDS_ALL.includes(next)) return next
    if (next > code) code = next
  }
  return code
}

/** What would end the next one in the same way. */
const ENDS_ALL: readonly ExitCode[] = [EXIT.unauthorised, EXIT.unavailable, EXIT.interrupted]

/** A batch to follow; `known`: what this machine remembers of it. */
type Target = { id: string; known?: HandedOver | undefined }

async function attachTo(target: Target, given: RunOptions, io: Io): Promise<ExitCode> {
  const { attach: _, ...options } = target.known ? { ...given, ...flagsOf(given, target.known, io) } : given
  mustOutlive('--attach', options.worker, io)
  const { manifest, worker, refused, uncertain } = options
  const { keys, ids } = aboutOf(target)
  // What was changed since has another key, and is left of what was asked for.
  const selection = ({ items }: Plan) =>
    new Set(items.flatMap(({ key, item: { id } }) => (!keys || keys.has(key) || ids.has(id) ? id : [])))
  const repeat = { refused, uncertain }
  const prepared = await prepare(
    { manifest, worker, layers: layersOf(options), selection, repeat, lookup: false, buys: false },
    false,
    io,
  )
  try {
    return await followed(target, prepared, options, io)
  } finally {
    for (const line of prepared.state.fold()) io.stderr.write(`${line}\n`)
    await prepared.session.release()
  }
}

/** Flags that say what is made, which a batch says itself. */
const SAID = {
  plan: '--plan',
  detach: '--detach',
  redo: '--redo',
  limit: '--limit',
  maxCost: '--max-cost',
  failFast: '--fail-fast',
} as const

/** What a batch is about, as far as this machine knows. */
function aboutOf({ known }: Target): { keys: ReadonlySet<string> | undefined; ids: ReadonlySet<string> } {
  return { keys: known && new Set(known.keys), ids: new Set(known?.items) }
}

/** Which batches are meant. */
function chosen(given: RunOptions, wanted: string | true, io: Io): Target[] {
  const changing = [
    ...(given.select.length > 0 ? ['-s'] : []),
    ...(given.exclude.length > 0 ? ['-x'] : []),
    ...Object.entries(SAID).flatMap(([name, flag]) => (given[name as keyof typeof SAID] ? [flag] : [])),
  ]
  if (changing.length > 0)
    throw new UsageError(`a batch says itself what is made: leave ${changing.join(', ')} out with --attach`)
  const manifest = resolve(io.cwd, given.manifest)
  if (wanted !== true) {
    if (!/^bat_[0-9a-z]{26}$/.test(wanted)) throw new UsageError(noBatchId(wanted))
    return [{ id: wanted, known: knownBatches(manifest).find(({ batch }) => batch === wanted) }]
  }
  const last = lastBatch(manifest)
  if (!last)
    throw new UsageError(
      `no batch of ${given.manifest} was handed over from here; run --detach does that, and --attach takes the id of one`,
    )
  const url = (given.worker ?? io.env.PROOFSHEET_URL)?.replace(/\/+$/, '')
  const isHere = ({ worker }: HandedOver) => !url || worker === url
  const unfetched = unfetchedBatches(manifest).filter(isHere)
  if (unfetched.length > 0) return unfetched.map((known) => ({ id: known.batch, known }))
  if (!isHere(last))
    throw new UsageError(
      `the last batch of ${given.manifest}, ${last.batch}, was handed over to ${last.worker} and not to ${url}: name that one with --worker or PROOFSHEET_URL`,
    )
  return [{ id: last.batch, known: last }]
}

function noBatchId(text: string): string {
  if (text.startsWith('bat_'))
    return `${JSON.stringify(text)} is no id of a batch: that is bat_ and 26 letters and digits, as run --detach prints it`
  return `${JSON.stringify(text)} is no id of a batch; the manifest stands before --attach: ${commandLine('run', text, { '--attach': true })}`
}

/** The flags of the batch; those that are given come first. */
function flagsOf(given: RunOptions, known: HandedOver, io: Io): Partial<RunOptions> {
  const profile = given.profile ?? known.profile
  return {
    // The address that the environment gives need not be in the next command.
    ...(given.worker || io.env.PROOFSHEET_URL ? {} : { worker: known.worker }),
    ...(profile === undefined ? {} : { profile }),
    set: given.set.length > 0 ? given.set : known.set,
    var: given.var.length > 0 ? given.var : known.var,
    refused: given.refused || known.refused,
    uncertain: given.uncertain || known.uncertain,
  }
}

async function followed(
  target: Target,
  prepared: Awaited<ReturnType<typeof prepare>>,
  options: RunOptions,
  io: Io,
): Promise<ExitCode> {
  const { id, known } = target
  const { keys, ids } = aboutOf(target)
  const { manifest, plan, session, state } = prepared
  const say = sayer(options.progress, io.stderr)
  await removeLostDrafts(state.folder)
  const client = await session.client()
  const before = state.lock()
  say(batchLine(await client.batch(id), client.url))
  const folder = outFolder(options, io.cwd)
  const wanted = wantedOf(plan)
  const missing = options.download ? await missingPictures(plan, folder) : []
  const heard = interrupts(io, true)
  const { sleep, now } = io
  let tell: Emit = () => {}
  const onOutage = (message: string) => tell({ type: 'outage', message })
  const terms = { profile: plan.profile, prices: manifest.prices }
  const claimed = new Set(wanted.map(({ key }) => key))
  const following = follow(id, { keys, claimed }, { client, sleep, now, terms, onOutage }, heard.leave)
  let broken: unknown
  const tasks = { wanted, missing, folder, limit: undefined, concurrency: Number.POSITIVE_INFINITY }
  try {
    const ended = await shown(
      prepared,
      {
        ...tasks,
        hear: (given) => {
          tell = given
        },
        elsewhere: `${id} goes on without this command; to follow it again:  ${commandLine('run', options.manifest, { '--attach': id })}`,
        async make(p, _, leave) {
          try {
            return await following.make(p, leave)
          } catch (error) {
            if (!leave.aborted) broken ??= error
            // Of what follows nothing is known either; nothing is lost by that.
            heard.leaveNow()
            throw error
          }
        },
      },
      options,
      heard,
      client,
      io,
    )
    const batch = await following.ended.catch((error: unknown) => {
      if (!heard.leave.aborted) broken ??= error
      return undefined
    })
    const strange = batch ? strangersOf(following.strangers(), prepared, before, known) : []
    for (const line of strangerLines(strange, options.manifest)) say(line)
    // What is left of a batch that goes on is followed; what is none of it is made.
    const next = batch ? options : { ...options, attach: id }
    const code = await finish(prepared, tasks, ended, next, io)
    const fatal = broken === undefined ? undefined : exitOf(broken)
    if (broken !== undefined && !fatal) throw broken
    if (fatal?.message) io.stderr.write(`proofsheet: ${fatal.message}\n`)
    if (fatal) return fatal.code
    if (!batch) return code === EXIT.done ? EXIT.interrupted : code
    if (isFetched(ended)) rememberFetched(resolve(io.cwd, options.manifest), id)
    const about = new Set([...ids, ...strange.flatMap(({ item }) => item ?? [])])
    return code === EXIT.done && leftOf(wanted, ended).some((one) => about.has(one)) ? EXIT.incomplete : code
  } finally {
    heard.leaveNow()
    heard.ignore()
  }
}

/** Whether nothing of what was made is still to be fetched. */
function isFetched({ failures, unfetched, notFetched, summary }: Ended): boolean {
  const isSaved = failures.every(
    ({ failure }) => failure.code !== 'not_saved' && failure.code !== 'unwritable',
  )
  return isSaved && unfetched + notFetched === 0 && summary.stopped !== 'interrupted'
}

/** Items that are wanted and that the batch has not made, or tried to. */
function leftOf(wanted: readonly PlanItem[], { made, failures, blocked }: Ended): string[] {
  const ended = new Set([...made, ...failures, ...blocked].map(({ id }) => id))
  return wanted.flatMap(({ item: { id } }) => (ended.has(id) ? [] : id))
}

/** Lines that ended and that the manifest does not want. What the lock knows is no news. */
function strangersOf(
  results: readonly Stranger[],
  { plan }: Pick<Prepared, 'plan'>,
  lock: Lock,
  known: HandedOver | undefined,
): Stranger[] {
  const tried = [...lock.values()].flatMap(triesOf)
  const keys = new Set([...tried, ...plan.items].map(({ key }) => key))
  const names = new Map(known?.keys.map((key, index) => [key, known.items[index]]))
  return results.flatMap((one) => {
    const item = one.item ?? names.get(one.key)
    return keys.has(one.key) ? [] : { ...one, ...(item === undefined ? {} : { item }) }
  })
}

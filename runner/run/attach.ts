// `run --attach`: follows a batch that was handed over, writes down what it makes and fetches the pictures. Asks for no
// picture itself; leaving it leaves the batch running.
import { resolve } from 'node:path'
import { STATUSES } from '../../core/api.ts'
import type { BatchResult, BatchView } from '../../core/batch.ts'
import { EXIT, type ExitCode, exitOf, UsageError } from '../exit.ts'
import { layersOf } from '../flags.ts'
import type { Io } from '../io.ts'
import type { Plan } from '../plan/plan.ts'
import { prepare } from '../prepare.ts'
import { type HandedOver, lastBatch } from '../state/batches.ts'
import { removeLostDrafts } from '../state/drafts.ts'
import type { Lock } from '../state/lock.ts'
import { triesOf } from '../state/tries.ts'
import { commandLine } from '../views/command.ts'
import { listed } from '../views/fold.ts'
import { count } from '../views/format.ts'
import { mustOutlive } from './detach.ts'
import { wantedOf } from './engine.ts'
import { missingPictures } from './fetch.ts'
import { finish, sayer } from './finish.ts'
import { follow } from './follow.ts'
import { interrupts } from './interrupts.ts'
import type { RunOptions } from './options.ts'
import { outFolder } from './save.ts'
import { work } from './work.ts'

/** Follows the batch with this id, or the last one of the manifest. Throws UsageError, and what prepare throws. */
export async function attach(given: RunOptions, wanted: string | true, io: Io): Promise<ExitCode> {
  const { id, keys, options: asked } = chosen(given, wanted, io)
  const { attach: _, ...options } = asked
  mustOutlive('--attach', options.worker, io)
  const { manifest, worker, refused, uncertain } = options
  const selection = ({ items }: Plan) =>
    new Set(items.filter(({ key }) => !keys || keys.has(key)).map(({ item }) => item.id))
  const repeat = { refused, uncertain }
  const prepared = await prepare(
    { manifest, worker, layers: layersOf(options), selection, repeat, lookup: false, buys: false },
    false,
    io,
  )
  try {
    return await followed(id, keys, prepared, options, io)
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

/** Which batch is meant, and the flags that it was planned under where they are known. */
function chosen(given: RunOptions, wanted: string | true, io: Io) {
  const changing = [
    ...(given.select.length > 0 ? ['-s'] : []),
    ...(given.exclude.length > 0 ? ['-x'] : []),
    ...Object.entries(SAID).flatMap(([name, flag]) => (given[name as keyof typeof SAID] ? [flag] : [])),
  ]
  if (changing.length > 0)
    throw new UsageError(`a batch says itself what is made: leave ${changing.join(', ')} out with --attach`)
  if (wanted !== true && !/^bat_[0-9a-z]{26}$/.test(wanted))
    throw new UsageError(
      `${JSON.stringify(wanted)} is no id of a batch; the manifest stands before --attach: ${commandLine('run', wanted, { '--attach': true })}`,
    )
  const last = lastBatch(resolve(io.cwd, given.manifest))
  const id = wanted === true ? last?.batch : wanted
  if (id === undefined)
    throw new UsageError(
      `no batch of ${given.manifest} was handed over from here; run --detach does that, and --attach takes the id of one`,
    )
  const known = last?.batch === id ? last : undefined
  const url = given.worker ?? io.env.PROOFSHEET_URL
  if (wanted === true && url && known && url.replace(/\/+$/, '') !== known.worker)
    throw new UsageError(
      `the last batch of ${given.manifest}, ${id}, was handed over to ${known.worker} and not to ${url}: name that one with --worker or PROOFSHEET_URL`,
    )
  return {
    id,
    keys: known && new Set(known.keys),
    options: known ? { ...given, ...flagsOf(given, known, io) } : given,
  }
}

/** The flags of the batch; those that are given come first. */
function flagsOf(given: RunOptions, known: HandedOver, io: Io): Partial<RunOptions> {
  const profile = given.profile ?? known.profile
  return {
    worker: given.worker ?? io.env.PROOFSHEET_URL ?? known.worker,
    ...(profile === undefined ? {} : { profile }),
    set: given.set.length > 0 ? given.set : known.set,
    var: given.var.length > 0 ? given.var : known.var,
    refused: given.refused || known.refused,
    uncertain: given.uncertain || known.uncertain,
  }
}

async function followed(
  id: string,
  keys: ReadonlySet<string> | undefined,
  prepared: Awaited<ReturnType<typeof prepare>>,
  options: RunOptions,
  io: Io,
): Promise<ExitCode> {
  const { manifest, plan, session, state } = prepared
  const say = sayer(options, io)
  await removeLostDrafts(state.folder)
  const client = await session.client()
  const before = state.lock()
  say(headLine(await client.batch(id), client.url))
  const folder = outFolder(options, io.cwd)
  const wanted = wantedOf(plan)
  const missing = options.download ? await missingPictures(plan, folder) : []
  const heard = interrupts(io, true)
  const { sleep, now } = io
  const terms = { profile: plan.profile, prices: manifest.prices }
  const following = follow(id, keys, { client, sleep, now, terms }, heard.leave)
  let broken: unknown
  const tasks = { wanted, missing, folder, limit: undefined, concurrency: Number.POSITIVE_INFINITY }
  try {
    const ended = await work(
      prepared,
      {
        ...tasks,
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
    if (batch) for (const line of strangers(following.unclaimed(), plan, before, options.manifest)) say(line)
    // What is left of a batch that goes on is followed; what is none of it is made.
    const next = batch ? options : { ...options, attach: id }
    const code = await finish(prepared, tasks, ended, next, io)
    const known = broken === undefined ? undefined : exitOf(broken)
    if (broken !== undefined && !known) throw broken
    if (known?.message) io.stderr.write(`proofsheet: ${known.message}\n`)
    if (known) return known.code
    return batch || code !== EXIT.done ? code : EXIT.interrupted
  } finally {
    heard.leaveNow()
    heard.ignore()
  }
}

function headLine({ id, status, total, counts }: BatchView, url: string): string {
  const facts = (['waiting', ...STATUSES] as const).flatMap((name) =>
    counts[name] > 0 ? [`${counts[name]} ${name}`] : [],
  )
  return `${id} on ${url}, ${status}: ${count(total, 'picture')}, ${facts.join(', ')}`
}

/** What the batch made and the manifest does not want, in words. What the lock knows is no news. */
function strangers(results: readonly BatchResult[], plan: Plan, lock: Lock, manifest: string): string[] {
  const tried = [...lock.values()].flatMap(triesOf)
  const keys = new Set([...tried, ...plan.items].map(({ key }) => key))
  const strange = results.filter(({ key }) => !keys.has(key))
  if (strange.length === 0) return []
  const names = strange.map(({ generation, line }) => generation?.metadata.item ?? `line ${line}`)
  const [are, stay] = strange.length === 1 ? ['is', 'stays'] : ['are', 'stay']
  return [
    `${count(strange.length, 'picture')} of the batch ${are} not what ${manifest} asks for now, and ${stay} on the worker: ${listed(names)}`,
  ]
}

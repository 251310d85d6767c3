// `run --detach`: what is wanted is handed over to the worker as one batch, under the keys that an ordinary run would use,
// so that a run that comes later finds the pictures and buys nothing.
import { resolve } from 'node:path'
import PQueue from 'p-queue'
import { MAX_BATCH_LINES } from '../../core/batch.ts'
import { formatUsd, type MicroUsd } from '../../core/money.ts'
import {
  type Client,
  type WireLine,
  type WireLineReference,
  type WireReference,
  WorkerProblem,
} from '../client.ts'
import { sha256 } from '../digest.ts'
import { EXIT, type ExitCode, OverBudget, UsageError } from '../exit.ts'
import type { Io } from '../io.ts'
import { type Plan, type PlanItem, toMake } from '../plan/plan.ts'
import { familiesOf, upstreamFirst } from '../plan/upstream.ts'
import type { Prepared } from '../prepare.ts'
import { rememberBatch } from '../state/batches.ts'
import { commandLine } from '../views/command.ts'
import { count } from '../views/format.ts'
import { sayer } from './finish.ts'
import { intentOf, requestOf } from './make.ts'
import type { RunOptions } from './options.ts'
import { createUploader, type Uploader } from './references.ts'
import { placesOf } from './work.ts'

/** Items whose references are uploaded side by side. */
const UPLOADS = 8

/** Throws UsageError where the worker would end with this command. */
export function mustOutlive(flag: string, worker: string | undefined, io: Pick<Io, 'env'>): void {
  if (worker || io.env.PROOFSHEET_URL) return
  throw new UsageError(
    `${flag} needs a worker that stays when this command has ended: set PROOFSHEET_URL and PROOFSHEET_TOKEN. The one on this machine ends with its commands; run without ${flag}. Nothing was sent.`,
  )
}

/** Throws OverBudget and UsageError for what cannot be handed over: nobody stops a batch at a limit on the way. */
export function mustFit(plan: Plan, limit: MicroUsd | undefined): void {
  const wanted = toMake(plan).length
  if (wanted > MAX_BATCH_LINES)
    throw new UsageError(
      `a batch holds at most ${count(MAX_BATCH_LINES, 'picture')}, and these are ${wanted}: add --limit ${MAX_BATCH_LINES}, and hand over the rest afterwards. Nothing was sent.`,
    )
  if (limit === undefined || wanted === 0) return
  const { atMost, unknown } = plan.quote
  if (unknown.length > 0)
    throw new OverBudget(
      `under the limit of ${formatUsd(limit)} nothing is handed over whose price is not known: ${unknown.join(', ')}; give it in \`prices\` of the manifest. Nothing was sent.`,
    )
  if (atMost > limit)
    throw new OverBudget(
      `this may cost up to ${formatUsd(atMost)}, the limit is ${formatUsd(limit)}, and a batch does not stop on the way: hand over fewer with --limit or -s, or run without --detach. Nothing was sent.`,
    )
}

/** Uploads what the pictures are made from, hands them over, and says how they are followed. Throws WorkerProblem,
 *  WorkerUnreachable, UsageError, and what the file system says. */
export async function handOver(
  prepared: Prepared,
  folder: string,
  options: RunOptions,
  io: Io,
): Promise<ExitCode> {
  const { plan, session, state, downloads } = prepared
  const { manifest, set, var: vars, refused, uncertain } = options
  const client = await session.client()
  const uploader = createUploader({
    client,
    fileOf: placesOf(prepared, folder).savedAt,
    download: (url) => downloads.get(url)!,
  })
  const lines = await linesOf(prepared, client, uploader)
  // Else a run that comes later would not know under which keys they were bought again.
  for (const p of toMake(plan)) if (p.state === 'redo') state.record(intentOf(p, io.now(), plan))
  const { id } = await makeBatch(client, lines)
  const profile = plan.profile === undefined ? {} : { profile: plan.profile }
  const keys = lines.map(({ key }) => key)
  const layers = { ...profile, set, var: vars, refused, uncertain }
  rememberBatch(resolve(io.cwd, manifest), { batch: id, worker: client.url, ...layers, keys })

  const follow = commandLine('run', manifest, {
    '--attach': id,
    '--worker': options.worker,
    '--profile': plan.profile,
    '--set': set,
    '--var': vars,
    '--refused': refused,
    '--uncertain': uncertain,
    '--out-dir': options.outDir,
    '--no-download': !options.download,
  })
  if (options.json)
    io.stdout.data(
      `${JSON.stringify({ format: 'proofsheet-batch', version: 1, batch: id, worker: client.url, pictures: lines.length }, null, 2)}\n`,
    )
  else io.stdout.write(`${id}\n`)
  const say = sayer(options, io)
  say(
    `${count(lines.length, 'picture')} handed over to ${client.url}, which makes them without this machine.`,
  )
  say(`To follow and fetch them:  ${follow}`)
  return EXIT.done
}

/** The lines of a batch: every picture after those it is made from. */
async function linesOf(
  { plan, manifest }: Prepared,
  client: Client,
  uploader: Uploader,
): Promise<WireLine[]> {
  const planned = new Map(plan.items.map((p) => [p.item.id, p]))
  const { signal } = new AbortController()
  const terms = { profile: plan.profile, prices: manifest.prices, perImage: manifest.budget.perImage }
  const known = new Map<string, Promise<WireReference>>()

  const earlier = async (p: PlanItem): Promise<WireReference> => {
    const { generation } = p.entry!
    if (await isThere(client, generation)) return { generation }
    const uploaded = await uploader.picture(p.item.id, p.entry!, signal)
    if (uploaded) return uploaded
    throw new UsageError(
      `the worker does not know the picture of ${p.item.id}, and it is not on disk: proofsheet run fetches or makes it again. Nothing was sent.`,
    )
  }
  const referenceOf = async (
    reference: PlanItem['item']['references'][number],
  ): Promise<WireLineReference> => {
    if (reference.kind !== 'from') return uploader.given(reference, signal)
    const upstream = planned.get(reference.item)!
    if (upstream.state !== 'done') return { key: upstream.key }
    const found = known.get(reference.item) ?? earlier(upstream)
    known.set(reference.item, found)
    return found
  }

  const wanted = new Set(toMake(plan).map(({ item }) => item))
  const items = plan.items.map(({ item }) => item)
  const inOrder = upstreamFirst(items, familiesOf(items)).filter((item) => wanted.has(item))
  const uploads = new PQueue({ concurrency: UPLOADS })
  return uploads.addAll(
    inOrder.map(({ id, references }) => async () => {
      const p = planned.get(id)!
      const sent = await Promise.all(references.map(referenceOf))
      // An earlier line is named as in a batch alone; all else is as in a request.
      return { ...requestOf(p, sent as WireReference[], terms), key: p.key }
    }),
  )
}

async function isThere(client: Client, generation: string): Promise<boolean> {
  try {
    const { image } = await client.generation(generation, 0)
    return image !== null && image.deletedAt === undefined
  } catch (error) {
    if (error instanceof WorkerProblem && error.problem.status === 404) return false
    throw error
  }
}

/** The batch of these lines. Its key follows from them, so that a repetition joins it; one that is over or cancelled makes
 *  nothing any more, and the next one takes its place. */
async function makeBatch(client: Client, lines: readonly WireLine[]) {
  const digest = sha256(JSON.stringify(lines))
  for (let number = 1; ; number++) {
    const batch = await client.makeBatch(number === 1 ? digest : `${digest}-${number}`, lines)
    if (batch.status === 'running') return batch
  }
}

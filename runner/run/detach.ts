// Handing over: what is wanted goes to the worker as one batch, under the keys that an ordinary run would use,
// so that a run that comes later finds the pictures and buys nothing.
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
import { sha256OfLines } from '../digest.ts'
import { OverBudget, UsageError } from '../exit.ts'
import { type Plan, type PlanItem, toMake } from '../plan/plan.ts'
import { familiesOf, upstreamFirst, upstreamOf } from '../plan/upstream.ts'
import type { Prepared } from '../prepare.ts'
import type { HandedOver } from '../state/batches.ts'
import { count } from '../views/format.ts'
import { intentOf, requestOf } from './make.ts'
import { createUploader, type Uploader } from './references.ts'
import { placesOf } from './work.ts'

/** A batch that was handed over. */
type Batch = Pick<HandedOver, 'batch' | 'worker' | 'keys' | 'items' | 'digest' | 'number'>

type Handing = {
  /** Where pictures lie. */
  folder: string
  /** The batch that was handed over before. */
  last: Batch | undefined
  /** What the manifest is called. */
  manifest: string
  now: () => number
}

/** Items whose references are uploaded side by side. */
const UPLOADS = 8

/** What is handed over: what no batch makes yet, and of the rest what that is made from, because a line names only lines of
 *  its own batch. A picture that is in two batches is made once. */
export function toHandOver(plan: Plan): PlanItem[] {
  const wanted = toMake(plan)
  const planned = new Map(wanted.map((p) => [p.item.id, p]))
  const handed = new Set(wanted.filter(({ underway }) => underway?.batch === undefined))
  // A set that grows while it is walked is walked to its end.
  for (const { item } of handed)
    for (const id of upstreamOf(item)) {
      const upstream = planned.get(id)
      if (upstream) handed.add(upstream)
    }
  return wanted.filter((p) => handed.has(p))
}

/** Throws OverBudget and UsageError for what cannot be handed over: nobody stops a batch at a limit on the way. */
export function mustFit(plan: Plan, limit: MicroUsd | undefined): void {
  const wanted = toHandOver(plan).length
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

/** Uploads what the pictures are made from and hands them over. Throws
 *  WorkerProblem, WorkerUnreachable, UsageError, and what the file system says. */
export async function handOver(prepared: Prepared, { folder, last, manifest, now }: Handing): Promise<Batch> {
  const { plan, session, state, downloads } = prepared
  const client = await session.client()
  const uploader = createUploader({
    client,
    fileOf: placesOf(prepared, folder).savedAt,
    download: (url) => downloads.get(url)!,
  })
  const lines = await linesOf(prepared, client, uploader)
  // Else a run that comes later would not know under which keys they were bought again.
  for (const p of toMake(plan)) if (p.state === 'redo') state.record(intentOf(p, now(), plan))
  const handed = inOrderOf(plan)
  const { profile } = plan
  // So that a list of batches tells them apart.
  const metadata = {
    manifest,
    ...(profile === undefined ? {} : { profile }),
    pictures: String(handed.length),
  }
  const batch = await makeBatch(client, lines, last, metadata)
  return {
    ...batch,
    worker: client.url,
    keys: handed.map(({ key }) => key),
    items: handed.map(({ item }) => item.id),
  }
}

/** The lines of a batch: every picture after those it is made from. Each is put together when it is read, because all of
 *  them may be large. */
async function linesOf(
  { plan, manifest }: Prepared,
  client: Client,
  uploader: Uploader,
): Promise<Iterable<WireLine>> {
  const planned = new Map(plan.items.map((p) => [p.item.id, p]))
  const { signal } = new AbortController()
  const terms = { profile: plan.profile, prices: manifest.prices, perImage: manifest.budget.perImage }
  const known = new Map<string, Promise<WireReference>>()

  const earlier = async (p: PlanItem): Promise<WireReference> => {
    const { generation } = p.entry!
    if (await isThere(client, generation)) return { generation }
    const uploaded = await uploader.picture(p.item.id, p.entry!, signal)
    if (uploaded) return uploaded
    await mustBeAllowed(client)
    throw new UsageError(
      `${client.url} has no picture of ${p.item.id} for this token (it is another workspace's, was deleted, or the storage is gone), and it is not on disk here: take the token it was made with, or buy it again with --redo -s ${p.item.id}. Nothing was sent.`,
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

  const uploads = new PQueue({ concurrency: UPLOADS })
  const ready = await uploads.addAll(
    inOrderOf(plan).map((planned) => async () => ({
      planned,
      references: await Promise.all(planned.item.references.map(referenceOf)),
    })),
  )
  return {
    *[Symbol.iterator]() {
      // An earlier line is named as in a batch alone; all else is as in a request.
      for (const { planned, references } of ready)
        yield { ...requestOf(planned, references as WireReference[], terms), key: planned.key }
    },
  }
}

/** What is handed over, every picture after those it is made from. */
function inOrderOf(plan: Plan): PlanItem[] {
  const handed = new Map(toHandOver(plan).map((p) => [p.item, p]))
  const items = plan.items.map(({ item }) => item)
  return upstreamFirst(items, familiesOf(items)).flatMap((item) => handed.get(item) ?? [])
}

/** Whether this token may hand anything over is asked with an empty batch, which no worker takes: a token that may only
 *  read would be told of the wrong obstacle. Throws WorkerProblem where it may not. */
async function mustBeAllowed(client: Client): Promise<void> {
  try {
    await client.makeBatch('nothing', [])
  } catch (error) {
    if (!(error instanceof WorkerProblem) || error.problem.code === 'forbidden') throw error
  }
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
 *  nothing any more, and the next one takes its place. Those before the last one that this machine knows are not asked. */
export async function makeBatch(
  client: Pick<Client, 'url' | 'makeBatch'>,
  lines: Iterable<WireLine>,
  last: Batch | undefined,
  metadata: Record<string, string> = {},
): Promise<Pick<Batch, 'batch' | 'digest' | 'number'>> {
  const digest = sha256OfLines(both(metadata, lines))
  const isSame = last?.digest === digest && last.worker === client.url
  for (let number = isSame ? last.number : 1; ; number++) {
    const { id, status } = await client.makeBatch(
      number === 1 ? digest : `${digest}-${number}`,
      lines,
      metadata,
    )
    if (status === 'running') return { batch: id, digest, number }
  }
}

/** What a batch is: its lines, and what stands beside them. */
function* both(metadata: object, lines: Iterable<WireLine>): Generator<object> {
  yield metadata
  yield* lines
}

// One item, made: references are uploaded, the picture is asked for under its key and waited for. Buys nothing twice,
// because the worker knows the key.
import { readFile } from 'node:fs/promises'
import { type GenerationView, isEnded } from '../../core/api.ts'
import { type MicroUsd, toUsd } from '../../core/money.ts'
import { type Client, type WireReference, type WireRequest, WorkerProblem } from '../client.ts'
import type { ItemReference } from '../manifest/item.ts'
import type { Plan, PlanItem } from '../plan/plan.ts'
import type { LockEntry } from '../state/lock.ts'
import { costOf, type Prices } from './cost.ts'

/** Why an item has no picture. `code` is the worker's problem or outcome. */
export type Failure = {
  code: string
  /** `refused` and `uncertain` are not repeated by themselves. */
  status: 'failed' | 'refused' | 'uncertain'
  /** May hold the model's own words, of any length. */
  message: string
  charged: 'no' | 'yes' | 'unknown'
  /** USD; null when it is not known. */
  cost: number | null
}

/** `found`: it had ended before it was asked for. Another run paid for it. */
export type Made =
  | { kind: 'made'; entry: LockEntry; found?: true }
  | { kind: 'failed'; failure: Failure; entry?: LockEntry; found?: true }

export type MakeEffects = {
  client: Client
  now: () => number
  /** Where the picture of an item lies on disk, when it does. */
  fileOf: (id: string, entry: LockEntry) => Promise<string | undefined>
  /** Where the content of an address was saved, and its type. */
  download: (url: string) => { path: string; sha256: string; mimeType: string }
  terms?: Terms
}

/** What the manifest says of all its items at once. */
export type Terms = {
  profile?: string | undefined
  /** Prices that hold in place of the worker's. */
  prices?: Prices
  /** The most that a picture may cost, with all its attempts; the worker refuses it beforehand. */
  perImage?: MicroUsd | undefined
}

/** Seconds of one long poll. */
const POLL_S = 50

/** A maker of items. It uploads each reference once. */
export function createMaker(fx: MakeEffects) {
  const terms = fx.terms ?? {}
  const uploads = new Map<string, Promise<void>>()
  const upload = (sha256: string, mimeType: string, path: string, signal: AbortSignal) => {
    const known = uploads.get(sha256)
    if (known) return known
    const started = fx.client.putReference(sha256, mimeType, () => readFile(path), signal)
    uploads.set(sha256, started)
    // A failed upload may be tried again by the next item that needs it.
    started.catch(() => uploads.delete(sha256))
    return started
  }

  const referenceOf = async (
    reference: ItemReference,
    upstream: ReadonlyMap<string, LockEntry>,
    signal: AbortSignal,
  ) => {
    switch (reference.kind) {
      case 'file':
        await upload(reference.sha256, reference.mimeType, reference.path, signal)
        return { sha256: reference.sha256 }
      case 'url': {
        const { path, sha256, mimeType } = fx.download(reference.url)
        await upload(sha256, mimeType, path, signal)
        return { sha256 }
      }
      case 'from':
        return { generation: upstream.get(reference.item)!.generation }
    }
  }

  /** The upstream pictures as uploads: for a worker that did not make them itself. */
  const asUploads = async (
    references: readonly ItemReference[],
    upstream: ReadonlyMap<string, LockEntry>,
    signal: AbortSignal,
  ) => {
    const result: WireReference[] = []
    for (const reference of references) {
      if (reference.kind !== 'from') {
        result.push(await referenceOf(reference, upstream, signal))
        continue
      }
      const entry = upstream.get(reference.item)!
      const file = await fx.fileOf(reference.item, entry)
      if (!file) return undefined
      await upload(entry.image!.sha256, entry.image!.mimeType, file, signal)
      result.push({ sha256: entry.image!.sha256 })
    }
    return result
  }

  /** Makes the item. `upstream` holds the entry of every item it is made from. Throws WorkerUnreachable. */
  return async function make(
    planned: PlanItem,
    upstream: ReadonlyMap<string, LockEntry>,
    signal: AbortSignal,
  ): Promise<Made> {
    const { item, key } = planned
    const ask = async (references: WireReference[]) =>
      fx.client.generate(key, requestOf(planned, references, terms), POLL_S, signal)
    let answer: Awaited<ReturnType<Client['generate']>>
    try {
      answer = await ask(await Promise.all(item.references.map((r) => referenceOf(r, upstream, signal))))
    } catch (error) {
      if (!(error instanceof WorkerProblem)) throw error
      const missing = error.problem.code === 'reference_not_found'
      const references = missing ? await asUploads(item.references, upstream, signal) : undefined
      if (!references) return { kind: 'failed', failure: refusalOf(error) }
      try {
        answer = await ask(references)
      } catch (second) {
        if (!(second instanceof WorkerProblem)) throw second
        return { kind: 'failed', failure: refusalOf(second) }
      }
    }
    let { view } = answer
    const found = answer.replayed && isEnded(view.status) ? { found: true as const } : {}
    try {
      while (!isEnded(view.status)) view = await fx.client.generation(view.id, POLL_S, signal)
    } catch (error) {
      if (!(error instanceof WorkerProblem)) throw error
      return lostSight(entryOf(planned, view, fx.now(), terms), error)
    }
    const entry = entryOf(planned, view, fx.now(), terms)
    if (view.status === 'succeeded') return { kind: 'made', entry, ...found }
    return { kind: 'failed', failure: failureOf(view, entry), entry, ...found }
  }
}

/** The worker took it and then refused to say how it goes: it may be paid for, and the next run asks again. */
function lostSight(seen: LockEntry, { problem }: WorkerProblem): Made {
  const message = `the worker took it (generation ${seen.generation}) and no longer says what becomes of it: ${problem.detail}; run again, it is asked for under the same key`
  const unknown = { charged: 'unknown', cost: null } as const
  const failure: Failure = { code: problem.code, status: 'failed', message, ...unknown }
  return { kind: 'failed', failure, entry: { ...seen, ...unknown } }
}

/** What the lock keeps of a picture that is about to be bought again on purpose: so that a run that comes after this one
 *  asks for it under the very same key. It has no generation yet. */
export function intentOf(
  { item, key, fingerprint, edition, inputs, provider }: PlanItem,
  recordedAt: number,
  { profile, emulated }: Pick<Plan, 'profile' | 'emulated'>,
): LockEntry {
  return {
    id: item.id,
    key,
    fingerprint,
    edition,
    inputs,
    generation: '',
    status: 'queued',
    provider,
    model: item.model,
    emulated,
    cost: null,
    charged: 'no',
    ...(profile === undefined ? {} : { profile }),
    recordedAt,
  }
}

/** The request of an item, as the worker takes it. */
export function requestOf(
  { item, provider }: Pick<PlanItem, 'item' | 'provider'>,
  references: WireReference[],
  { prices = {}, perImage }: Terms = {},
): WireRequest {
  // The worker would hold the ceiling against its own prices.
  const models = [item.model, ...item.fallback.map(({ model }) => model)]
  const isOurs = Object.values(prices).some((rows) => models.some((model) => rows[model]))
  return {
    ...item.parameters,
    model: item.model,
    provider,
    prompt: item.prompt,
    ...(references.length > 0 ? { references } : {}),
    ...(item.size ? { size: item.size } : {}),
    ...(item.aspect ? { aspect: item.aspect } : {}),
    ...(item.fallback.length > 0 ? { fallback: item.fallback } : {}),
    ...(perImage !== undefined && perImage > 0 && !isOurs ? { maxCost: toUsd(perImage) } : {}),
    metadata: { ...item.metadata, item: item.id },
  }
}

/** What the lock keeps of a generation. */
export function entryOf(
  planned: PlanItem,
  view: GenerationView,
  recordedAt: number,
  { profile, prices = {} }: Terms = {},
): LockEntry {
  const { item, key, fingerprint, edition, inputs } = planned
  return {
    id: item.id,
    key,
    fingerprint,
    edition,
    inputs,
    generation: view.id,
    status: view.status,
    provider: view.provider,
    model: view.model,
    emulated: view.emulated,
    ...(view.image ? { image: view.image } : {}),
    cost: costOf(view, prices),
    charged: chargedOf(view),
    ...(view.error ? { error: view.error } : {}),
    ...(profile === undefined ? {} : { profile }),
    recordedAt,
  }
}

/** Whether any attempt was charged. */
function chargedOf(view: GenerationView): LockEntry['charged'] {
  const all = view.attempts.map((attempt) => attempt.charged)
  if (all.includes('unknown')) return 'unknown'
  return all.includes('yes') ? 'yes' : 'no'
}

function failureOf(view: GenerationView, { charged, cost }: LockEntry): Failure {
  const { code, message } = view.error ?? { code: view.status, message: '' }
  // Two keys are about: the worker's token and the provider's.
  const said =
    code === 'unauthorised'
      ? `${view.provider} refuses its key: ${message}`
      : code === 'quota_exhausted'
        ? `${view.provider}: ${message}`
        : message
  // The model may have explained itself beside the reason that the provider gives.
  const text = view.text?.trim()
  const isNews = text && !said.includes(text)
  const status = view.status === 'refused' || view.status === 'uncertain' ? view.status : 'failed'
  return { code, status, message: isNews ? `${said}\n${text}`.trim() : said, charged, cost }
}

/** A request that the worker did not accept. */
export function refusalOf({ problem }: WorkerProblem): Failure {
  const { code, detail, charged } = problem
  const status = charged === 'unknown' ? 'uncertain' : 'failed'
  return { code, status, message: detail, charged, cost: charged === 'no' ? 0 : null }
}

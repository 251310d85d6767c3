// One item, made: references are uploaded, the picture is asked for under its key and waited for. Buys nothing twice,
// because the worker knows the key.
import { readFile } from 'node:fs/promises'
import type { GenerationView } from '../../core/api.ts'
import { isEnded } from '../../core/api.ts'
import { type Client, type WireRequest, WorkerProblem } from '../client.ts'
import type { ItemReference } from '../manifest/item.ts'
import type { PlanItem } from '../plan/plan.ts'
import type { LockEntry } from '../state/lock.ts'

/** Why an item has no picture. `code` is the worker's problem or outcome. */
export type Failure = {
  code: string
  message: string
  charged: 'no' | 'yes' | 'unknown'
  /** USD; null when it is not known. */
  cost: number | null
}

export type Made =
  | { kind: 'made'; entry: LockEntry }
  | { kind: 'failed'; failure: Failure; entry?: LockEntry }

export type MakeEffects = {
  client: Client
  now: () => number
  /** Where the picture of an item lies on disk, when it does. */
  fileOf: (entry: LockEntry) => Promise<string | undefined>
  /** Where the content of an address was saved, and its type. */
  download: (url: string) => { path: string; sha256: string; mimeType: string }
}

/** Seconds of one long poll. */
const POLL_S = 50

/** A maker of items. It uploads each reference once. */
export function createMaker(fx: MakeEffects) {
  const uploads = new Map<string, Promise<void>>()
  const upload = (sha256: string, mimeType: string, path: string) => {
    const known = uploads.get(sha256)
    if (known) return known
    const started = fx.client.putReference(sha256, mimeType, () => readFile(path))
    uploads.set(sha256, started)
    // A failed upload may be tried again by the next item that needs it.
    started.catch(() => uploads.delete(sha256))
    return started
  }

  const referenceOf = async (reference: ItemReference, upstream: ReadonlyMap<string, LockEntry>) => {
    switch (reference.kind) {
      case 'file':
        await upload(reference.sha256, reference.mimeType, reference.path)
        return { sha256: reference.sha256 }
      case 'url': {
        const { path, sha256, mimeType } = fx.download(reference.url)
        await upload(sha256, mimeType, path)
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
  ) => {
    const result: WireRequest[] = []
    for (const reference of references) {
      if (reference.kind !== 'from') {
        result.push(await referenceOf(reference, upstream))
        continue
      }
      const entry = upstream.get(reference.item)!
      const file = await fx.fileOf(entry)
      if (!file) return undefined
      await upload(entry.image!.sha256, entry.image!.mimeType, file)
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
    const ask = async (references: WireRequest[]) =>
      fx.client.generate(key, requestOf(planned, references), POLL_S, signal)
    let view: GenerationView
    try {
      view = await ask(await Promise.all(item.references.map((r) => referenceOf(r, upstream))))
    } catch (error) {
      if (!(error instanceof WorkerProblem)) throw error
      const missing = error.problem.code === 'reference_not_found'
      const references = missing ? await asUploads(item.references, upstream) : undefined
      if (!references) return { kind: 'failed', failure: refusalOf(error) }
      try {
        view = await ask(references)
      } catch (second) {
        if (!(second instanceof WorkerProblem)) throw second
        return { kind: 'failed', failure: refusalOf(second) }
      }
    }
    while (!isEnded(view.status)) view = await fx.client.generation(view.id, POLL_S, signal)
    const entry = entryOf(planned, view, fx.now())
    if (view.status === 'succeeded') return { kind: 'made', entry }
    return { kind: 'failed', failure: failureOf(view, entry), entry }
  }
}

/** The request of an item, as the worker takes it. */
export function requestOf(
  { item, provider }: Pick<PlanItem, 'item' | 'provider'>,
  references: WireRequest[],
) {
  return {
    ...item.parameters,
    model: item.model,
    provider,
    prompt: item.prompt,
    ...(references.length > 0 ? { references } : {}),
    ...(item.size ? { size: item.size } : {}),
    ...(item.aspect ? { aspect: item.aspect } : {}),
    ...(item.fallback.length > 0 ? { fallback: item.fallback } : {}),
    metadata: { ...item.metadata, item: item.id },
  }
}

/** What the lock keeps of an ended generation. */
export function entryOf(planned: PlanItem, view: GenerationView, recordedAt: number): LockEntry {
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
    cost: view.cost.actual,
    charged: chargedOf(view),
    ...(view.error ? { error: view.error } : {}),
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
  const { code, message } = view.error ?? { code: view.status, message: view.text ?? '' }
  // Two keys are about: the worker's token and the provider's.
  const said = code === 'unauthorised' ? `${view.provider} refuses its key: ${message}` : message
  return { code, message: said, charged, cost }
}

/** A request that the worker did not accept. */
export function refusalOf({ problem }: WorkerProblem): Failure {
  const { code, detail, charged } = problem
  return { code, message: detail, charged, cost: charged === 'no' ? 0 : null }
}

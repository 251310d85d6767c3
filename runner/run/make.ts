// One item, made: references are uploaded, the picture is asked for under its key and waited for. Buys nothing twice,
// because the worker knows the key.
import { type GenerationView, isEnded } from '../../core/api.ts'
import { type MicroUsd, toUsd } from '../../core/money.ts'
import { type Client, type WireReference, type WireRequest, WorkerProblem } from '../client.ts'
import type { ItemReference } from '../manifest/item.ts'
import type { Plan, PlanItem } from '../plan/plan.ts'
import type { LockEntry } from '../state/lock.ts'
import { costOf, type Prices } from './cost.ts'
import { createUploader, type ReferenceEffects } from './references.ts'

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
  /** The emulator was asked: nothing was bought, and `cost` is a list price. */
  emulated?: true
}

/** `found`: it had ended before it was asked for. Another run paid for it. */
export type Tried =
  | { kind: 'made'; entry: LockEntry; found?: true }
  | { kind: 'failed'; failure: Failure; entry?: LockEntry; found?: true }

/** `left`: nobody is asked for it. */
export type Made = Tried | { kind: 'left' }

export type MakeEffects = ReferenceEffects & { client: Client; now: () => number; terms?: Terms }

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
  const { given, picture } = createUploader(fx)

  /** `known`: the worker made the earlier pictures itself, and knows them. Undefined where one is neither there nor here. */
  const referencesOf = async (
    references: readonly ItemReference[],
    upstream: ReadonlyMap<string, LockEntry>,
    known: boolean,
    signal: AbortSignal,
  ): Promise<WireReference[] | undefined> => {
    const found = await Promise.all(
      references.map((reference) => {
        if (reference.kind !== 'from') return given(reference, signal)
        const entry = upstream.get(reference.item)!
        return known ? { generation: entry.generation } : picture(reference.item, entry, signal)
      }),
    )
    return found.every((reference) => reference !== undefined) ? found : undefined
  }

  /** Makes the item. `upstream` holds the entry of every item it is made from. Throws WorkerUnreachable. */
  return async function make(
    planned: PlanItem,
    upstream: ReadonlyMap<string, LockEntry>,
    signal: AbortSignal,
  ): Promise<Tried> {
    const { item, key } = planned
    const ask = async (known: boolean) => {
      const references = await referencesOf(item.references, upstream, known, signal)
      return references && fx.client.generate(key, requestOf(planned, references, terms), POLL_S, signal)
    }
    let answer: Awaited<ReturnType<typeof ask>>
    try {
      answer = await ask(true)
    } catch (error) {
      if (!(error instanceof WorkerProblem)) throw error
      try {
        answer = NOT_THERE.includes(error.problem.code) ? await ask(false) : undefined
      } catch (second) {
        if (!(second instanceof WorkerProblem)) throw second
        return { kind: 'failed', failure: refusalOf(second) }
      }
      if (!answer) return { kind: 'failed', failure: refusalOf(error) }
    }
    let { view } = answer!
    // What was under way when it was planned is paid for by whoever handed it over.
    const found = answer!.replayed && (isEnded(view.status) || planned.state === 'underway')
    try {
      while (!isEnded(view.status)) view = await fx.client.generation(view.id, POLL_S, signal)
    } catch (error) {
      if (!(error instanceof WorkerProblem)) throw error
      return lostSight(entryOf(planned, view, fx.now(), terms), error)
    }
    return { ...madeOf(planned, view, fx.now(), terms), ...(found ? { found } : {}) }
  }
}

/** Problems that say that the worker has no such picture. */
const NOT_THERE = ['reference_not_found', 'gone']

/** What came of a generation that has ended. */
export function madeOf(planned: PlanItem, view: GenerationView, recordedAt: number, terms: Terms): Tried {
  const entry = entryOf(planned, view, recordedAt, terms)
  if (view.status === 'succeeded') return { kind: 'made', entry }
  return { kind: 'failed', failure: failureOf(view, entry), entry }
}

/** The worker took it and then refused to say how it goes: it may be paid for, and the next run asks again. */
function lostSight(seen: LockEntry, { problem }: WorkerProblem): Tried {
  const message = `the worker took it (generation ${seen.generation}) and no longer says what becomes of it: ${problem.detail}; run again, it is asked for under the same key`
  const unknown = { charged: 'unknown', cost: null } as const
  const emulated = seen.emulated ? { emulated: true as const } : {}
  const failure: Failure = { code: problem.code, status: 'failed', message, ...unknown, ...emulated }
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

function failureOf(view: GenerationView, { charged, cost, emulated }: LockEntry): Failure {
  const { code, message } = view.error ?? { code: view.status, message: '' }
  const said = wordsOf(code, message, view.provider)
  // The model may have explained itself beside the reason that the provider gives.
  const text = view.text?.trim()
  const isNews = text && !said.includes(text)
  const status = view.status === 'refused' || view.status === 'uncertain' ? view.status : 'failed'
  return {
    code,
    status,
    message: isNews ? `${said}\n${text}`.trim() : said,
    charged,
    cost,
    ...(emulated ? { emulated: true as const } : {}),
  }
}

/** What the worker says of an ending, with what a person has to know beside it. */
function wordsOf(code: string, message: string, provider: string): string {
  switch (code) {
    // Two keys are about: the worker's token and the provider's.
    case 'unauthorised':
      return `${provider} refuses its key: ${message}`
    case 'quota_exhausted':
      return `${provider}: ${message}`
    case 'expired':
      return `${message || 'its deadline passed before it could be sent'}; run again to try once more`
    case 'cancelled':
      return `${message || 'it was cancelled before it was sent'}; run again to have it made after all`
    default:
      return message
  }
}

/** A request that the worker did not accept. */
export function refusalOf({ problem }: WorkerProblem): Failure {
  const { code, charged, detail } = problem
  const status = charged === 'unknown' ? 'uncertain' : 'failed'
  return {
    // Providers may be unavailable, too; here it is the worker.
    code: code === 'unavailable' ? 'unreachable_worker' : code,
    status,
    message: detail,
    charged,
    cost: charged === 'no' ? 0 : null,
  }
}

// The clients of a soak: they ask, leave, come back, ask twice at once, cancel, and hand over batches. A client goes on
// until it has its answer or the soak says that it is over; what it was told is kept, to be compared with how things ended.
import { exports } from 'cloudflare:workers'
import type { GenerationView, ProblemView } from '../../../core/api.ts'
import type { BatchView } from '../../../core/batch.ts'
import { generationId } from '../../../worker/generation/name.ts'
import { SHIELD_MS } from '../../../worker/generation/shield.ts'
import { deliver } from '../../worker/setup/batch.ts'
import { env } from '../../worker/setup/bindings.ts'
import type { Chance } from './chance.ts'
import { type BatchWish, WHO, type Wish } from './demand.ts'

/** What a client was told in the end; neither when it had no answer before the soak was over. */
export type Told = {
  wish: Wish
  view?: GenerationView
  problem?: ProblemView
  /** A cancel that was confirmed. */
  isCancelled?: boolean
}

export type ToldOfBatch = { wish: BatchWish; batch?: BatchView; problem?: ProblemView }

/** Calls the worker for one of WHO. */
export type Call = (who: number, path: string, init?: RequestInit) => Promise<Response>

/** Problems after which a client asks again. */
const PASSING = ['unavailable', 'internal', 'too_many_requests']

/** Whoever asks again waits so long first, in ms. */
const AGAIN_MS = 400

const worker = (exports as unknown as { default: Fetcher }).default

export function clientsOf(tokens: readonly string[], chance: Chance) {
  let isOver = false
  /** Things that must not be, seen by clients. */
  const complaints: string[] = []

  async function call(who: number, path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers)
    headers.set('authorization', `Bearer ${tokens[who]}`)
    return worker.fetch(`https://proofsheet.test${path}`, { ...init, headers })
  }

  /** The answer; undefined when none came. */
  async function heard<T>(
    who: number,
    path: string,
    init?: RequestInit,
  ): Promise<{ status: number; body: T } | undefined> {
    try {
      const response = await call(who, path, init)
      return { status: response.status, body: await response.json<T>() }
    } catch {
      return undefined
    }
  }

  async function pursue(wish: Wish): Promise<Told> {
    const { who, key, request, waitS, leavesAfterMs } = wish
    for (let tries = 0; !isOver; tries++) {
      const headers: Record<string, string> = {
        prefer: waitS === 0 ? 'respond-async' : `wait=${waitS}`,
        ...(key === undefined ? {} : { 'idempotency-key': key }),
        ...(key === undefined && tries > 0 ? { 'x-stainless-retry-count': String(tries) } : {}),
      }
      const leaves = tries === 0 && leavesAfterMs !== undefined
      const answer = await heard<GenerationView | ProblemView>(who, '/api/generations', {
        method: 'POST',
        headers,
        body: JSON.stringify(request),
        ...(leaves ? { signal: AbortSignal.timeout(leavesAfterMs) } : {}),
      })
      if (!answer) continue
      if (!('code' in answer.body)) {
        const view = await follow(who, answer.body as GenerationView)
        return view ? { wish, view } : { wish }
      }
      if (!PASSING.includes(answer.body.code)) return { wish, problem: answer.body }
      await scheduler.wait(AGAIN_MS)
    }
    return { wish }
  }

  /** The generation at its end, as far as it is lived to see. */
  async function follow(who: number, first: GenerationView): Promise<GenerationView | undefined> {
    let view = first
    while (view.finishedAt === null && !isOver) {
      const answer = await heard<GenerationView>(who, `/api/generations/${view.id}?wait=2`)
      if (answer?.status === 200) view = answer.body
      else if (answer?.status === 404) complaints.push(`${view.id} was accepted and is not found`)
      if (answer?.status !== 200) await scheduler.wait(AGAIN_MS)
    }
    return view.finishedAt === null ? undefined : view
  }

  async function wants(wish: Wish): Promise<Told> {
    await scheduler.wait(wish.startsAt)
    const cancelling = cancels(wish)
    const twins = await Promise.all(Array.from({ length: wish.twins }, () => pursue(wish)))
    const ids = new Set(twins.flatMap(({ view }) => view?.id ?? []))
    if (ids.size > 1) complaints.push(`${wish.words}: one key, several generations ${[...ids]}`)
    const told = twins.find(({ view }) => view) ?? twins.find(({ problem }) => problem) ?? twins[0]!
    await repeats(told)
    return { ...told, isCancelled: await cancelling }
  }

  /** A client without keys that was given no picture for its money asks again at once, and is given the same. */
  async function repeats({ wish, view }: Told): Promise<void> {
    if (wish.key !== undefined || !view || view.image || isOver) return
    if (view.attempts.every(({ charged }) => charged === 'no')) return
    const endedMs = Date.now() - Date.parse(view.finishedAt!)
    // The shield forgets after a minute, and a machine may be slow.
    if (endedMs > SHIELD_MS / 2) return
    const body = JSON.stringify(wish.request)
    const answer = await heard<GenerationView>(wish.who, '/api/generations', { method: 'POST', body })
    if (!answer || answer.status >= 300 || answer.body.id === view.id) return
    complaints.push(
      `${wish.words}: the shield let a repeat through ${endedMs} ms after the end: ${JSON.stringify([view, answer.body])}`,
    )
  }

  async function cancels({ key, who, cancelledAfterMs }: Wish): Promise<boolean> {
    if (key === undefined || cancelledAfterMs === undefined) return false
    await scheduler.wait(cancelledAfterMs)
    const id = generationId(WHO[who]!.workspace, key)
    const answer = await heard<GenerationView>(who, `/api/generations/${id}/cancel`, { method: 'POST' })
    return answer?.status === 200
  }

  async function handsOver(wish: BatchWish): Promise<ToldOfBatch> {
    await scheduler.wait(wish.startsAt)
    const { who, key, lines, cancelledAfterMs } = wish
    while (!isOver) {
      const answer = await heard<BatchView | ProblemView>(who, '/api/batches', {
        method: 'POST',
        headers: { 'idempotency-key': key, 'content-type': 'application/json' },
        body: JSON.stringify({ requests: lines, ...(wish.webhook ? { webhook: wish.webhook } : {}) }),
      })
      if (answer && 'code' in answer.body && !PASSING.includes(answer.body.code))
        return { wish, problem: answer.body }
      if (answer && 'id' in answer.body) {
        const batch = answer.body
        await Promise.all([delivers(batch), cancelsBatch(who, batch, cancelledAfterMs)])
        return { wish, batch }
      }
      await scheduler.wait(AGAIN_MS)
    }
    return { wish }
  }

  /** The queue delivers what it has delivered already. */
  async function delivers({ id, total }: BatchView): Promise<void> {
    for (let times = 0; times < 4 && !isOver; times++) {
      await scheduler.wait(chance.whole(100, 2_000))
      const lines = Array.from({ length: 5 }, () => chance.whole(1, total))
      await deliver([
        { batch: id, lines },
        { batch: id, lines },
      ]).catch(() => {})
    }
  }

  async function cancelsBatch(who: number, { id }: BatchView, afterMs: number | undefined): Promise<void> {
    if (afterMs === undefined) return
    await scheduler.wait(afterMs)
    while (!isOver) {
      const answer = await heard(who, `/api/batches/${id}/cancel`, { method: 'POST' })
      if (answer?.status === 200) return
      await scheduler.wait(AGAIN_MS)
    }
  }

  return {
    complaints,
    wants,
    handsOver,
    call,
    /** Clients that have no answer yet leave for good. */
    over(): void {
      isOver = true
    },
  }
}

/** What the emulator was told beforehand. */
export async function order(path: '/faults' | '/limits', body: unknown): Promise<void> {
  const response = await fetch(`${env.EMULATOR}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  if (response.status !== 204) throw new Error(`${response.status} ${await response.text()}`)
}

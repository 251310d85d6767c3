// The worker as the runner calls it. Every answer is checked against the schemas both sides share. A call that the
// network lost is sent again: each of them is safe to repeat, because a purchase always carries its key.
import type { z } from 'zod'
import {
  EstimateSchema,
  type EstimateView,
  GenerationSchema,
  type GenerationView,
  ModelsSchema,
  type ModelsView,
  ProblemSchema,
  type ProblemView,
  StoredReferenceSchema,
} from '../core/api.ts'

/** The worker refused a call; nothing was bought by it. */
export class WorkerProblem extends Error {
  override name = 'WorkerProblem'
  readonly problem: ProblemView

  constructor(problem: ProblemView) {
    super(problem.detail)
    this.problem = problem
  }
}

/** The worker could not be reached, or what answers there is no proofsheet worker. */
export class WorkerUnreachable extends Error {
  override name = 'WorkerUnreachable'
}

export type ClientEffects = {
  fetch: typeof fetch
  sleep: (ms: number, signal?: AbortSignal) => Promise<void>
}

/** The answer to a request for a picture. */
export type Asked = {
  view: GenerationView
  /** It was asked for under this key before, and not by this very call: it is not bought by it. */
  replayed: boolean
}

/** A request body of `POST /api/generations`, before it is parsed. */
export type WireRequest = Record<string, unknown>

export type Client = {
  url: string
  models(): Promise<ModelsView>
  estimate(requests: readonly WireRequest[]): Promise<EstimateView>
  /** Asks for a picture and waits for at most `waitS` seconds. The same key never buys twice. */
  generate(key: string, request: WireRequest, waitS: number, signal?: AbortSignal): Promise<Asked>
  generation(id: string, waitS: number, signal?: AbortSignal): Promise<GenerationView>
  /** Uploads a reference unless it is there. */
  putReference(
    sha256: string,
    mimeType: string,
    bytes: () => Promise<Uint8Array>,
    signal?: AbortSignal,
  ): Promise<void>
  /** The bytes behind a picture's address. An abort breaks them off, too. */
  download(url: string, signal?: AbortSignal): Promise<Response>
}

/** Tries of a call that the network or a restart of the worker lost, and the delay before the second, in ms. */
const TRIES = 5
const FIRST_DELAY_MS = 500

/** Seconds within which an answer is there, beyond what the call asks the worker to wait; and for a picture. */
const ANSWER_S = 30
const DOWNLOAD_S = 300

type Patience = { signal?: AbortSignal | undefined; waitS?: number }

/** A client of the worker at `url`. */
export function createClient(url: string, token: string, fx: ClientEffects): Client {
  const base = url.replace(/\/+$/, '')

  /** Sends until there is an answer that `read` can take in whole. */
  async function send<T>(
    path: string,
    init: RequestInit,
    { signal, waitS = 0 }: Patience,
    read: (response: Response, tries: number) => Promise<T>,
  ): Promise<T> {
    const url = path.startsWith('http') ? path : `${base}${path}`
    // A picture may be served from elsewhere: the token is the worker's alone.
    const auth: Record<string, string> =
      new URL(url).origin === new URL(base).origin ? { authorization: `Bearer ${token}` } : {}
    for (let tries = 1; ; tries++) {
      try {
        const timeout = AbortSignal.timeout((waitS + ANSWER_S) * 1_000)
        const response = await fx.fetch(url, {
          ...init,
          headers: { ...auth, ...init.headers },
          signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
        })
        if (response.status < 500 || tries === TRIES) return await read(response, tries)
        await response.body?.cancel()
      } catch (cause) {
        if (signal?.aborted) throw cause
        if (tries === TRIES)
          throw new WorkerUnreachable(`the worker at ${base} cannot be reached: ${reasonOf(cause)}`, {
            cause,
          })
      }
      await fx.sleep(FIRST_DELAY_MS * 2 ** (tries - 1), signal)
    }
  }

  async function call<S extends z.ZodType>(...words: Parameters<typeof ask<S>>): Promise<z.output<S>> {
    return (await ask(...words)).value
  }

  async function ask<S extends z.ZodType>(
    schema: S,
    path: string,
    init: RequestInit = {},
    patience: Patience = {},
  ): Promise<{ value: z.output<S>; replayed: boolean }> {
    const { ok, status, body, replayed } = await send(path, init, patience, async (response, tries) => ({
      ok: response.ok,
      status: response.status,
      body: parse(await response.text()),
      // A try before this one may have been what bought it.
      replayed: tries === 1 && response.headers.get('idempotent-replayed') === 'true',
    }))
    if (ok) {
      const result = schema.safeParse(body)
      if (result.success) return { value: result.data as z.output<S>, replayed }
    }
    const problem = ProblemSchema.safeParse(body)
    if (problem.success) throw new WorkerProblem(problem.data)
    throw new WorkerUnreachable(
      `${base}${path.split('?')[0]} answered ${status}, which is not the answer of a proofsheet worker`,
    )
  }

  const post = (path: string, body: unknown, headers: Record<string, string>, patience: Patience = {}) =>
    [
      path,
      {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json', ...headers },
      },
      patience,
    ] as const

  return {
    url: base,
    models: () => call(ModelsSchema, '/api/models'),
    estimate: (requests) => call(EstimateSchema, ...post('/api/estimate', { requests }, {})),
    async generate(key, request, waitS, signal) {
      const headers = { 'idempotency-key': `"${key}"`, prefer: `wait=${waitS}` }
      const sent = post('/api/generations', request, headers, { signal, waitS })
      const { value, replayed } = await ask(GenerationSchema, ...sent)
      return { view: value, replayed }
    },
    generation: (id, waitS, signal) =>
      call(GenerationSchema, `/api/generations/${id}?wait=${waitS}`, {}, { signal, waitS }),
    async putReference(sha256, mimeType, bytes, signal) {
      const path = `/api/references/${sha256}`
      const isThere = await send(path, { method: 'HEAD' }, { signal }, async ({ ok }) => ok)
      if (isThere) return
      const body = await bytes()
      const init = {
        method: 'PUT',
        body: body as Uint8Array<ArrayBuffer>,
        headers: { 'content-type': mimeType, 'content-length': String(body.byteLength) },
      }
      await call(StoredReferenceSchema, path, init, { signal })
    },
    download: (url, signal) =>
      send(url, {}, { signal, waitS: DOWNLOAD_S }, async (response) => {
        if (!response.ok) throw new WorkerUnreachable(`${url} answered ${response.status}`)
        return response
      }),
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** fetch says "fetch failed"; the reason is one level down. */
function reasonOf(error: unknown): string {
  const { cause, message } = error as Error
  return cause instanceof Error ? cause.message || String((cause as NodeJS.ErrnoException).code) : message
}

// The worker as the runner calls it: by the table that the worker declares its routes from (core/contract.ts). Every
// answer is checked against its schema. A call that the network lost is sent again: each of them is safe to repeat,
// because a purchase always carries its key.
import type { z } from 'zod'
import {
  type EstimateView,
  type GenerationView,
  type ModelsView,
  ProblemSchema,
  type ProblemView,
} from '../core/api.ts'
import { type AnswerOf, addressOf, type CallOf, CONTRACT, type Endpoint } from '../core/contract.ts'
import type { RequestSchema } from '../core/request.ts'

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
export type WireRequest = z.input<typeof RequestSchema>

/** A reference of a request. */
export type WireReference = NonNullable<WireRequest['references']>[number]

/** A request whose price is asked for. `key`: the Idempotency-Key it would be sent with. */
export type WireQuestion = WireRequest & { key?: string | undefined }

export type Client = {
  url: string
  models(): Promise<ModelsView>
  estimate(requests: readonly WireQuestion[]): Promise<EstimateView>
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

  /** Calls an endpoint and checks what it answers. Throws WorkerProblem and WorkerUnreachable. */
  async function call<const E extends Endpoint>(
    endpoint: E,
    given: CallOf<E>,
    patience: Patience = {},
  ): Promise<{ value: AnswerOf<E>; replayed: boolean }> {
    const path = addressOf(endpoint, given as Addressed)
    const init = { method: endpoint.method.toUpperCase(), ...sentWith(given as Sent) }
    const { ok, status, body, replayed } = await send(path, init, patience, async (response, tries) => ({
      ok: response.ok,
      status: response.status,
      body: parse(await response.text()),
      // A try before this one may have been what bought it.
      replayed: tries === 1 && response.headers.get('idempotent-replayed') === 'true',
    }))
    if (ok) {
      const result = (endpoint.answer as z.ZodType).safeParse(body)
      if (result.success) return { value: result.data as AnswerOf<E>, replayed }
    }
    const problem = ProblemSchema.safeParse(body)
    if (problem.success) throw new WorkerProblem(problem.data)
    throw new WorkerUnreachable(
      `${base}${path.split('?')[0]} answered ${status}, which is not the answer of a proofsheet worker`,
    )
  }

  return {
    url: base,
    models: async () => (await call(CONTRACT.models, {})).value,
    estimate: async (requests) =>
      (await call(CONTRACT.estimate, { body: { requests: [...requests] } })).value,
    async generate(key, request, waitS, signal) {
      const headers = { 'idempotency-key': `"${key}"`, prefer: `wait=${waitS}` }
      const { value, replayed } = await call(
        CONTRACT.makeGeneration,
        { body: request, headers },
        { signal, waitS },
      )
      return { view: value, replayed }
    },
    async generation(id, waitS, signal) {
      const given = { params: { id }, query: { wait: String(waitS) } }
      return (await call(CONTRACT.readGeneration, given, { signal, waitS })).value
    },
    async putReference(sha256, mimeType, bytes, signal) {
      const params = { sha256 }
      const path = addressOf(CONTRACT.readReference, { params })
      const isThere = await send(path, { method: 'HEAD' }, { signal }, async ({ ok }) => ok)
      if (isThere) return
      const body = { mimeType, bytes: await bytes() }
      await call(CONTRACT.putReference, { params, body }, { signal })
    },
    download: (url, signal) =>
      send(url, {}, { signal, waitS: DOWNLOAD_S }, async (response) => {
        if (!response.ok) throw new WorkerUnreachable(`${url} answered ${response.status}`)
        return response
      }),
  }
}

type Addressed = Parameters<typeof addressOf>[1]
type Sent = { headers?: Record<string, string>; body?: object }

/** Headers and body of a call: JSON, or the bytes of an image. */
function sentWith({ headers = {}, body }: Sent): Pick<RequestInit, 'headers' | 'body'> {
  if (body === undefined) return { headers }
  if ('bytes' in body && body.bytes instanceof Uint8Array) {
    const { mimeType, bytes } = body as { mimeType: string; bytes: Uint8Array<ArrayBuffer> }
    const about = { 'content-type': mimeType, 'content-length': String(bytes.byteLength) }
    return { headers: { ...headers, ...about }, body: bytes }
  }
  return { headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(body) }
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

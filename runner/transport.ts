// How a call reaches the worker: by the table that the worker declares its routes from (core/contract.ts). Every answer is
// checked against its schema. A call that the network lost, or that the worker was too busy for, is sent again: each of
// them is safe to repeat, because a purchase always carries its key.
import type { z } from 'zod'
import { ProblemSchema, type ProblemView } from '../core/api.ts'
import { type AnswerOf, addressOf, type CallOf, type Endpoint } from '../core/contract.ts'

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

/** How long an answer is waited for: until `signal`, or `waitS` seconds beyond what any answer takes. */
export type Patience = { signal?: AbortSignal | undefined; waitS?: number | undefined }

export type Transport = {
  /** The worker's address, no trailing slash. */
  base: string
  /** Sends until there is an answer that `read` can take in whole; every try asks for its `init` anew where that is a
   *  function. Throws WorkerUnreachable. */
  send<T>(
    path: string,
    init: RequestInit | (() => RequestInit),
    patience: Patience,
    read: (response: Response, tries: number) => Promise<T>,
  ): Promise<T>
  /** Calls an endpoint and checks what it answers. Throws WorkerProblem and WorkerUnreachable. */
  call<const E extends Endpoint>(
    endpoint: E,
    given: CallOf<E> | LinedCallOf<E>,
    patience?: Patience,
  ): Promise<{ value: AnswerOf<E>; replayed: boolean }>
  /** Calls an endpoint whose answer is NDJSON, and checks each line as it comes. Throws as `call` does; a stream that
   *  breaks off is a WorkerUnreachable. */
  lines<const E extends Endpoint>(
    endpoint: E,
    given: CallOf<E>,
    patience?: Patience,
  ): AsyncGenerator<AnswerOf<E>, void, undefined>
}

/** A call whose body is NDJSON, one of `lines` a line: they are read as the network takes them, and again for another try. */
type LinedCallOf<E extends Endpoint> = Omit<CallOf<E>, 'body'> & { lines: Iterable<object> }

/** Tries of a call that the network or a restart of the worker lost, and the delay before the second, in ms. */
export const TRIES = 5
const FIRST_DELAY_MS = 500

/** The delay after "too many requests" that names none, in ms. */
const BUSY_DELAY_MS = 1_000

/** Seconds within which an answer is there, beyond what the call asks the worker to wait. */
const ANSWER_S = 30

/** The way to the worker at `url`. */
export function openTransport(url: string, token: string, fx: ClientEffects): Transport {
  const base = url.replace(/\/+$/, '')

  const send: Transport['send'] = async (path, init, { signal, waitS = 0 }, read) => {
    const url = path.startsWith('http') ? path : `${base}${path}`
    // A picture may be served from elsewhere: the token is the worker's alone.
    const auth: Record<string, string> =
      new URL(url).origin === new URL(base).origin ? { authorization: `Bearer ${token}` } : {}
    for (let tries = 1; ; tries++) {
      try {
        const timeout = AbortSignal.timeout((waitS + ANSWER_S) * 1_000)
        const { headers, ...rest } = typeof init === 'function' ? init() : init
        const response = await fx.fetch(url, {
          ...rest,
          headers: { ...auth, ...headers },
          signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
        })
        const busyMs = await busyFor(response)
        if (busyMs !== undefined) {
          // Nothing went wrong: it is the token's turn again in a while.
          tries--
          await fx.sleep(busyMs, signal)
          continue
        }
        if (response.status < 500 || tries === TRIES) return await read(response, tries)
        await response.body?.cancel()
      } catch (cause) {
        if (signal?.aborted) throw cause
        if (tries === TRIES) throw unreachable(base, cause)
      }
      await fx.sleep(FIRST_DELAY_MS * 2 ** (tries - 1), signal)
    }
  }

  const call: Transport['call'] = async (endpoint, given, patience = {}) => {
    const path = addressOf(endpoint, given as Addressed)
    const init = () => ({ method: endpoint.method.toUpperCase(), ...sentWith(given as Sent) })
    const { ok, status, body, replayed } = await send(path, init, patience, async (response, tries) => ({
      ok: response.ok,
      status: response.status,
      body: parse(await response.text()),
      // A try before this one may have been what bought it.
      replayed: tries === 1 && response.headers.get('idempotent-replayed') === 'true',
    }))
    if (ok) {
      const result = (endpoint.answer as z.ZodType).safeParse(body)
      if (result.success) return { value: result.data as AnswerOf<typeof endpoint>, replayed }
    }
    throw refusal(path, status, body)
  }

  const refusal = (path: string, status: number, body: unknown) => {
    const problem = ProblemSchema.safeParse(body)
    if (problem.success) return new WorkerProblem(problem.data)
    return new WorkerUnreachable(
      `${base}${path.split('?')[0]} answered ${status}, which is not the answer of a proofsheet worker`,
    )
  }

  return {
    base,
    send,
    call,
    async *lines(endpoint, given, patience = {}) {
      const path = addressOf(endpoint, given as Addressed)
      const init = () => ({ method: endpoint.method.toUpperCase(), ...sentWith(given as Sent) })
      const response = await send(path, init, patience, async (answer) => answer)
      if (!response.ok) throw refusal(path, response.status, parse(await response.text()))
      try {
        for await (const line of linesOf(response.body)) {
          const result = (endpoint.answer as z.ZodType).safeParse(parse(line))
          if (!result.success) throw refusal(path, response.status, undefined)
          yield result.data as AnswerOf<typeof endpoint>
        }
      } catch (cause) {
        if (patience.signal?.aborted || cause instanceof WorkerUnreachable) throw cause
        throw unreachable(base, cause)
      }
    },
  }
}

type Addressed = Parameters<typeof addressOf>[1]
type Sent = { headers?: Record<string, string>; body?: object; lines?: Iterable<object> }

/** Headers and body of a call: JSON, the bytes of an image, or NDJSON a line at a time, because a batch may be large. */
function sentWith({ headers = {}, body, lines }: Sent): RequestInit {
  if (lines) {
    const type = { 'content-type': 'application/x-ndjson' }
    return { headers: { ...headers, ...type }, body: ReadableStream.from(bytesOf(lines)), duplex: 'half' }
  }
  if (body === undefined) return { headers }
  if ('bytes' in body && body.bytes instanceof Uint8Array) {
    const { mimeType, bytes } = body as { mimeType: string; bytes: Uint8Array<ArrayBuffer> }
    const about = { 'content-type': mimeType, 'content-length': String(bytes.byteLength) }
    return { headers: { ...headers, ...about }, body: bytes }
  }
  return { headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(body) }
}

function* bytesOf(lines: Iterable<object>): Generator<Uint8Array> {
  const encoder = new TextEncoder()
  for (const line of lines) yield encoder.encode(`${JSON.stringify(line)}\n`)
}

/** For how long the worker asks this token to keep away, in ms; undefined when it does not. */
async function busyFor(response: Response): Promise<number | undefined> {
  if (response.status !== 429) return undefined
  const problem = ProblemSchema.safeParse(parse(await response.clone().text()))
  if (problem.data?.code !== 'too_many_requests') return undefined
  await response.body?.cancel()
  return problem.data.retryAfterMs ?? BUSY_DELAY_MS
}

/** The lines of a body as they arrive, without empty ones. */
async function* linesOf(body: ReadableStream<Uint8Array> | null): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder()
  let begun = ''
  for await (const chunk of body ?? []) {
    const [...whole] = `${begun}${decoder.decode(chunk, { stream: true })}`.split('\n')
    begun = whole.pop()!
    for (const line of whole) if (line.trim() !== '') yield line
  }
  if (begun.trim() !== '') yield begun
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function unreachable(base: string, cause: unknown): WorkerUnreachable {
  return new WorkerUnreachable(`the worker at ${base} cannot be reached: ${reasonOf(cause)}`, { cause })
}

/** fetch says "fetch failed"; the reason is one level down. */
function reasonOf(error: unknown): string {
  const { cause, message } = error as Error
  return cause instanceof Error ? cause.message || String((cause as NodeJS.ErrnoException).code) : message
}

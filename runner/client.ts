// The worker as the runner calls it: each call by its name, over transport.ts.
import type { z } from 'zod'
import type { EstimateView, GenerationView, ModelsView } from '../core/api.ts'
import type { BatchLineSchema, BatchResult, BatchView } from '../core/batch.ts'
import { addressOf, CONTRACT } from '../core/contract.ts'
import type { RequestSchema } from '../core/request.ts'
import { type ClientEffects, openTransport, WorkerUnreachable } from './transport.ts'

export { WorkerProblem, WorkerUnreachable } from './transport.ts'

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

/** A line of a batch, before it is parsed. */
export type WireLine = z.input<typeof BatchLineSchema> & { key: string }

/** A reference of a line: also the picture of another line. */
export type WireLineReference = NonNullable<WireLine['references']>[number]

export type Client = {
  url: string
  models(): Promise<ModelsView>
  estimate(requests: readonly WireQuestion[]): Promise<EstimateView>
  /** Asks for a picture and waits for at most `waitS` seconds. The same key never buys twice. */
  generate(key: string, request: WireRequest, waitS: number, signal?: AbortSignal): Promise<Asked>
  generation(id: string, waitS: number, signal?: AbortSignal): Promise<GenerationView>
  /** Hands a batch over. The same key is the same batch. The lines are read once for every try. */
  makeBatch(
    key: string,
    lines: Iterable<WireLine>,
    metadata?: Record<string, string>,
    signal?: AbortSignal,
  ): Promise<BatchView>
  batch(id: string, signal?: AbortSignal): Promise<BatchView>
  /** The lines that ended after the one with the number `after`, and for `waitS` seconds those that end. */
  batchResults(
    id: string,
    range: { after: number; waitS: number },
    signal?: AbortSignal,
  ): AsyncIterable<BatchResult>
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

/** Seconds in which a picture is there, and in which a batch is taken in. */
const DOWNLOAD_S = 300
const BATCH_S = 120

/** A client of the worker at `url`. */
export function createClient(url: string, token: string, fx: ClientEffects): Client {
  const { base, send, call, lines } = openTransport(url, token, fx)
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
    async makeBatch(key, lines, metadata = {}, signal) {
      const query = Object.keys(metadata).length > 0 ? { query: { metadata: JSON.stringify(metadata) } } : {}
      const given = { headers: { 'idempotency-key': `"${key}"` }, ...query, lines }
      return (await call(CONTRACT.makeBatch, given, { signal, waitS: BATCH_S })).value
    },
    batch: async (id, signal) => (await call(CONTRACT.readBatch, { params: { id } }, { signal })).value,
    batchResults: (id, { after, waitS }, signal) =>
      lines(
        CONTRACT.batchResults,
        { params: { id }, query: { after: String(after), wait: String(waitS) } },
        { signal, waitS },
      ),
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

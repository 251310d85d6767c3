// Batches as a client hands them over, and the queue's deliveries as the platform makes them.
import {
  createExecutionContext,
  createMessageBatch,
  getQueueResult,
  runInDurableObject,
} from 'cloudflare:test'
import { vi } from 'vitest'
import type { BatchResult, BatchView } from '../../../core/batch.ts'
import { consume } from '../../../worker/batches/consumer.ts'
import type { BatchMessage } from '../../../worker/batches/message.ts'
import type { Env } from '../../../worker/env.ts'
import { batchId } from '../../../worker/generation/name.ts'
import { ask } from './ask.ts'
import { env } from './bindings.ts'

export type Asked = Record<string, unknown>

/** A line of a batch; a small picture of Nano Banana 2 at APIYI ($0.055) unless told otherwise. */
export const line = (asked: Asked) => ({
  model: 'nano-banana-2',
  provider: 'apiyi',
  size: '512',
  ...asked,
})

/** Hands lines over as NDJSON. */
export function handOver(
  lines: readonly Asked[],
  headers: Record<string, string> = {},
  changes: Record<string, unknown> = {},
): Promise<Response> {
  return handOverText(lines.map((asked) => JSON.stringify(line(asked))).join('\n'), headers, changes)
}

export function handOverText(
  body: BodyInit,
  headers: Record<string, string> = {},
  changes: Record<string, unknown> = {},
): Promise<Response> {
  const init = { method: 'POST', body, headers: { 'content-type': 'application/x-ndjson', ...headers } }
  return ask('/api/batches', init, changes)
}

/** The batch of an answer that accepted it. */
export async function accepted(response: Response): Promise<BatchView> {
  if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}`)
  return response.json()
}

export async function batchOf(id: string): Promise<BatchView> {
  return (await ask(`/api/batches/${id}`)).json()
}

/** Results, as they come within `wait` seconds. */
export async function resultsOf(id: string, wait = 60, after = 0): Promise<BatchResult[]> {
  const response = await ask(`/api/batches/${id}/results?wait=${wait}&after=${after}`)
  return new TextDecoder()
    .decode(await response.bytes())
    .split('\n')
    .filter((row) => row !== '')
    .map((row) => JSON.parse(row) as BatchResult)
}

export const objectOf = (id: string) => env.BATCH.get(env.BATCH.idFromName(id))

/** Hands lines over as a batch whose queue is the test's: what its object sends is kept here, and the test delivers. */
export async function held(
  lines: readonly Asked[],
  options: { token?: string; headers?: Record<string, string> } = {},
): Promise<{ id: string; sent: BatchMessage[]; response: Response }> {
  const key = crypto.randomUUID()
  const id = batchId('default', key)
  const sent: BatchMessage[] = []
  const QUEUE = {
    sendBatch: async (messages: Iterable<{ body: BatchMessage }>) => {
      for (const { body } of messages) sent.push(body)
    },
  }
  await runInDurableObject(objectOf(id), (object) => {
    Object.assign(object, { env: { ...env, QUEUE } })
  })
  const headers: Record<string, string> = { 'idempotency-key': key, ...options.headers }
  if (options.token) headers.authorization = `Bearer ${options.token}`
  const response = await handOver(lines, headers)
  return { id, sent, response }
}

/** Waits until the object has sent this many lines in all. */
export function sentLines(sent: readonly BatchMessage[], count: number): Promise<number[]> {
  return vi.waitFor(() => {
    const lines = sent.flatMap((message) => message.lines)
    if (lines.length < count) throw new Error(`sent ${lines.length} of ${count}`)
    return lines
  }, 20_000)
}

/** Delivers messages to the consumer; what it said of each. `delays`: seconds until those come again that it wants again. */
export async function deliver(
  messages: readonly BatchMessage[],
  {
    attempts = 1,
    queue = 'proofsheet-batches',
    changes = {},
  }: { attempts?: number; queue?: string; changes?: Record<string, unknown> } = {},
) {
  const batch = createMessageBatch(
    queue,
    messages.map((body) => ({ id: crypto.randomUUID(), timestamp: new Date(), attempts, body })),
  )
  const delays: (number | undefined)[] = []
  for (const message of batch.messages) {
    const retry = message.retry.bind(message)
    message.retry = (options) => {
      delays.push(options?.delaySeconds)
      retry(options)
    }
  }
  await consume(batch, { ...env, ...changes } as Env, { now: Date.now, log: () => {} })
  return { ...(await getQueueResult(batch, createExecutionContext())), delays }
}

/** Waits until a batch is as wanted. */
export function until(id: string, isSo: (batch: BatchView) => boolean): Promise<BatchView> {
  return vi.waitFor(
    async () => {
      const batch = await batchOf(id)
      if (!isSo(batch)) throw new Error(JSON.stringify(batch))
      return batch
    },
    { timeout: 30_000, interval: 100 },
  )
}

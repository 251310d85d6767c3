// What the worker sends by itself, as OpenAPI's webhooks: docs/reliability.md tells when, and how often it tries.
import type { OpenAPIHono } from '@hono/zod-openapi'
import { z } from 'zod'
import { GenerationSchema, isEnded, STATUSES } from '../../core/api.ts'
import { BatchSchema } from '../../core/batch.ts'
import type { AppEnv } from '../env.ts'
import { BATCH, GENERATION } from './examples.ts'

type Registry = OpenAPIHono<AppEnv>['openAPIRegistry']

const HEADERS = z.object({
  'webhook-id': z.string().describe('The same for every try of a message: a repeated one is known by it.'),
  'webhook-timestamp': z.string().describe('Of this try, in seconds since 1970.'),
  'webhook-signature': z.string().describe('`v1,` and the HMAC-SHA256 of both and the body, as Base64.'),
})

const RESPONSES = {
  '2XX': { description: 'Taken.' },
  410: { description: 'Not wanted any more: it is not tried again.' },
  default: { description: 'Tried again later.' },
}

/** Adds the messages to a description. */
export function registerWebhooks(registry: Registry): void {
  const message = (type: z.ZodType<string>, data: z.ZodType) =>
    z.object({ type, timestamp: z.iso.datetime(), data })
  const endings = STATUSES.filter(isEnded).map((status) => `generation.${status}`)
  const register = (name: string, summary: string, schema: z.ZodType, example: unknown) =>
    registry.registerWebhook({
      method: 'post',
      path: name,
      operationId: name.replace('.', '_'),
      summary,
      description: 'Sent to the `webhook` of the request, signed as Standard Webhooks say.',
      tags: ['Webhooks'],
      security: [],
      request: {
        headers: HEADERS,
        body: { required: true, content: { 'application/json': { schema, example } } },
      },
      responses: RESPONSES,
    })
  register(
    'generation.ended',
    'A generation has ended, or what is known of its end has changed',
    message(z.enum(endings as [string, ...string[]]), GenerationSchema),
    { type: 'generation.succeeded', timestamp: GENERATION.finishedAt, data: GENERATION },
  )
  const ended = { ...BATCH, status: 'ended', finishedAt: '2026-11-21T09:31:00.000Z' }
  register('batch.ended', 'All lines of a batch have ended', message(z.literal('batch.ended'), BatchSchema), {
    type: 'batch.ended',
    timestamp: ended.finishedAt,
    data: ended,
  })
}

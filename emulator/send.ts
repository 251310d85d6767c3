// How an answer leaves: whole, in pieces, cut off, or not at all. Knows the socket; decides nothing.
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { HttpBindings } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import type { Context } from 'hono'
import type { RpcError } from '../core/gemini/rpc.ts'
import type { Clock } from './clock.ts'
import type { AnswerPlan, Plan } from './plan.ts'
import { lengthOf, piecesOf, streamOf, type Trouble } from './wire.ts'
import type { Call, Charge } from './witness.ts'

export type Env = { Bindings: Partial<HttpBindings> }

/** The planned answer. With `charge` it is noted whether the client took all of it. */
export function send(
  c: Context<Env>,
  plan: AnswerPlan,
  json: unknown,
  images: Buffer[],
  charge: Charge | undefined,
  sleep: Clock['sleep'],
): Response {
  const pieces = () => piecesOf(json, images, plan.style)
  const ended = (delivered: boolean) => {
    if (charge) charge.delivered = delivered
  }
  const { cutAt, stallAt, trickle } = plan.style
  const signal = c.req.raw.signal
  const at = cutAt ?? stallAt
  const trouble: Trouble = {
    ...(at === undefined
      ? {}
      : {
          broken: {
            bytes: Math.floor(lengthOf(pieces()) * Math.min(at, 1)),
            cut: (controller) => (cutAt === undefined ? gone(signal) : cut(c, controller)),
          },
        }),
    ...(trickle ? { trickle: { bytes: trickle.bytes, pause: () => sleep(trickle.ms, signal) } } : {}),
  }
  return new Response(streamOf(pieces(), ended, trouble), {
    headers: { 'content-type': 'application/json; charset=UTF-8' },
  })
}

/** An answer that is fixed beforehand. `now`: epoch ms, for a date in it. */
export function answerAsItIs(
  { status, headers, body, retryAtMs }: Plan & { kind: 'raw' },
  now: number,
): Response {
  const date = retryAtMs === undefined ? {} : { 'retry-after': new Date(now + retryAtMs).toUTCString() }
  return new Response(body === '' ? null : body, { status, headers: { ...headers, ...date } })
}

/** Every answer of a provider bears the id of its call, by which the bill names it. */
export function signed(call: Call, response: Response): Response {
  if (response !== RESPONSE_ALREADY_SENT) response.headers.set('x-request-id', call.id)
  return response
}

/** An error in the vendor's shape. */
export function sendError(error: RpcError): Response {
  return new Response(JSON.stringify(error.body, null, 2), {
    status: error.code,
    headers: { 'content-type': 'application/json; charset=UTF-8' },
  })
}

/** Ends the connection without any answer. */
export function destroy(c: Context<Env>): Response {
  if (c.env?.outgoing) {
    c.env.outgoing.destroy()
    return RESPONSE_ALREADY_SENT
  }
  return new Response(
    new ReadableStream({
      start: (controller) => controller.error(new Error('the emulator closed the connection')),
    }),
  )
}

// What was written must leave the machine first, or the client sees no answer at all instead of half of one.
async function cut(c: Context<Env>, controller: ReadableStreamDefaultController): Promise<void> {
  const outgoing = c.env?.outgoing
  if (!outgoing) return controller.error(new Error('the emulator cut the connection'))
  while (!outgoing.destroyed && (!outgoing.headersSent || outgoing.writableLength > 0)) await nextTurn()
  outgoing.socket?.destroySoon()
}

/** Nobody reads this answer; 499 is what a front end would log. */
export function leave(call: Call): Response {
  call.outcome = 'client-left'
  call.status = 499
  return new Response(null, { status: 499 })
}

/** Resolves when the client has left. */
export function gone(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}

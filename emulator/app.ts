// The emulator's HTTP surface: generateContent as a provider answers it, and the witness beside it.
// Order of a call: noted, key, model, body, fate, charge, drawing while it waits, sending. Leaving after the charge changes
// nothing.
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { HttpBindings } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { type Context, Hono } from 'hono'
import { RpcError } from '../core/gemini/rpc.ts'
import type { Model, Size } from '../core/models.ts'
import { answerOf } from './answer.ts'
import { type Clock, realClock } from './clock.ts'
import { aspectOf, drawAll, seedOf } from './draw.ts'
import { readMarkers } from './faults.ts'
import { createMischief, type FaultRule } from './mischief.ts'
import { drawPicture, type Picture } from './picture.ts'
import { type AnswerPlan, countedPictures } from './plan.ts'
import { quickDrawing } from './quick.ts'
import { MAX_BODY_BYTES, readRequest, tooLarge, type Wanted } from './request.ts'
import { checkKey, shopOf } from './shop.ts'
import { type Effort, refusalUsageOf, rejectionUsageOf, type UsageMetadata, usageOf } from './usage.ts'
import { lengthOf, piecesOf, streamOf } from './wire.ts'
import { type Call, type Charge, createWitness } from './witness.ts'

export type EmulatorOptions = Partial<Clock> & {
  /** How long a picture takes before its answer begins, drawing included, in ms; 0 by default. Errors take no time. */
  latencyMs?: number | ((request: { model: string; size: Size; prompt: string }) => number)
  /** Faults that occur without being asked for. */
  faults?: readonly FaultRule[]
  /** `quick` is for measurements only: marked copies of one picture instead of drawings (quick.ts). */
  drawing?: 'full' | 'quick'
}

type Env = { Bindings: Partial<HttpBindings> }

/** A provider of its own, with an empty record. Works on a Node server and through `app.request`; only on a server can
 *  a connection be destroyed, elsewhere the body ends in an error. */
export function createEmulator(options: EmulatorOptions = {}) {
  const { now, sleep } = { ...realClock, ...options }
  const witness = createWitness(now)
  const mischief = createMischief(options.faults ?? [])
  const published = new Map<string, Picture>()
  const takes = new Map<string, number>()
  const draw = options.drawing === 'quick' ? quickDrawing(drawPicture) : drawPicture
  const app = new Hono<Env>()

  app.get('/calls', (c) => c.json({ calls: witness.calls() }))
  app.get('/bill', (c) => c.json({ charges: witness.bill() }))
  app.post('/reset', (c) => {
    reset()
    return c.body(null, 204)
  })
  app.get('/pictures/:name', (c) => {
    const picture = published.get(c.req.param('name'))
    if (!picture) return c.notFound()
    return c.body(new Uint8Array(picture.bytes), 200, { 'content-type': picture.mimeType })
  })
  app.post('/:provider/:version{v1(?:beta)?}/models/:method', async (c) => {
    const [, wireId, method] = /^(.*):([^:]*)$/.exec(c.req.param('method')) ?? []
    const call = witness.arrive(c.req.param('provider'), wireId ?? c.req.param('method'))
    try {
      if (method !== 'generateContent') throw notServed(`${c.req.method} ${c.req.path}`)
      return await generate(c, call)
    } catch (error) {
      const answer = error instanceof RpcError ? error : bug(error)
      call.outcome = answer.status
      call.status = answer.code
      return sendError(answer)
    }
  })
  app.notFound((c) => sendError(notServed(`${c.req.method} ${c.req.path}`)))
  app.onError((error) => sendError(bug(error)))

  /** A model draws another picture each time, unless the request fixes the seed: so does this one, in a fixed order. */
  function takeOf(seed: string, wanted: Wanted): string {
    if (wanted.seed !== undefined) return seed
    const take = (takes.get(seed) ?? 0) + 1
    takes.set(seed, take)
    return take === 1 ? seed : `${seed} take ${take}`
  }

  async function generate(c: Context<Env>, call: Call): Promise<Response> {
    const shop = shopOf(call.provider)
    checkKey(shop, c.req.raw.headers, new URL(c.req.url).searchParams)
    const model = shop.modelOf(call.model)
    if (!model) throw unknownModel(call.model, c.req.param('version') ?? '')
    const wanted = readRequest(await readBytes(c.req.raw), model, shop)
    const { markers, plain } = readMarkers(wanted.prompt)
    const aspect = aspectOf(wanted, model)
    Object.assign(call, { prompt: plain, size: wanted.size, aspect, references: wanted.references.length })

    const fate = mischief.fateOf(wanted, markers, call.model, shop.chargesOnRefusal !== 'no')
    const { plan } = fate
    const seed = takeOf(seedOf(wanted, plain, model, aspect), wanted)
    const effort: Effort = {
      model,
      size: wanted.size,
      textBytes: wanted.textBytes,
      references: wanted.references.length,
      thinkingLevel: wanted.thinking.level,
      seed,
    }
    const usage = plan.kind === 'answer' ? usageFor(plan, effort) : usageOf(effort, 1)
    const pictures = plan.kind === 'answer' ? countedPictures(plan) : 1
    const charge = fate.charged
      ? witness.charge(call, model.id, shop.priceOf(model), usage, pictures)
      : undefined
    const fault = fate.faults.at(-1)

    if (plan.kind === 'rpc') {
      call.outcome = fault ?? plan.error.status
      call.status = plan.error.code
      return sendError(plan.error)
    }
    const signal = c.req.raw.signal
    const origin = new URL(c.req.url).origin
    const drawing =
      plan.kind === 'answer'
        ? drawAll(plan, wanted, plain, model, seed, (picture) => publish(origin, call, picture), draw)
        : undefined
    // Heard below; until then nobody listens.
    drawing?.catch(() => {})
    if (plan.kind === 'hang') await gone(signal)
    else await sleep(latencyOf(model, wanted, plain) + (plan.kind === 'answer' ? plan.delayMs : 0), signal)
    if (signal.aborted || plan.kind === 'hang') return leave(call)
    if (plan.kind === 'drop') {
      call.outcome = fault ?? 'drop'
      return destroy(c)
    }
    if (plan.kind === 'raw') {
      call.outcome = fault ?? 'raw'
      call.status = plan.status
      return new Response(plan.body, { status: plan.status, headers: { 'content-type': plan.type } })
    }
    const { parts, pictures: images } = await drawing!
    if (signal.aborted) return leave(call)
    call.outcome = fault ?? (images.length > 0 ? 'picture' : 'text')
    call.status = 200
    const json = answerOf(plan, parts, { usage, modelVersion: call.model, seed })
    return send(c, plan, json, images, charge)
  }

  function latencyOf(model: Model, { size }: Wanted, prompt: string): number {
    const { latencyMs = 0 } = options
    return typeof latencyMs === 'number' ? latencyMs : latencyMs({ model: model.id, size, prompt })
  }

  // Shaped like the signed links of an object store, with an `&` that the answer escapes.
  function publish(origin: string, call: Call, picture: Picture): string {
    const name = `${call.id}-${published.size + 1}.${picture.mimeType === 'image/png' ? 'png' : 'jpg'}`
    published.set(name, picture)
    return `${origin}/pictures/${name}?Expires=${Math.floor(now() / 1000) + 86_400}&Signature=emulated`
  }

  function reset(): void {
    witness.reset()
    mischief.reset()
    published.clear()
    takes.clear()
  }

  return { app, calls: witness.calls, bill: witness.bill, reset }
}

function usageFor(plan: AnswerPlan, effort: Effort): UsageMetadata {
  if (plan.usage === 'refused') return refusalUsageOf(effort)
  if (plan.usage === 'rejected') return rejectionUsageOf(effort)
  return usageOf(effort, countedPictures(plan))
}

function send(
  c: Context<Env>,
  plan: AnswerPlan,
  json: unknown,
  images: Buffer[],
  charge: Charge | undefined,
): Response {
  const pieces = () => piecesOf(json, images, plan.style)
  const ended = (delivered: boolean) => {
    if (charge) charge.delivered = delivered
  }
  const { cutAt } = plan.style
  const broken =
    cutAt === undefined
      ? undefined
      : {
          bytes: Math.floor(lengthOf(pieces()) * Math.min(cutAt, 1)),
          cut: (controller: ReadableStreamDefaultController) => cut(c, controller),
        }
  return new Response(streamOf(pieces(), ended, broken), {
    headers: { 'content-type': 'application/json; charset=UTF-8' },
  })
}

function sendError(error: RpcError): Response {
  return new Response(JSON.stringify(error.body, null, 2), {
    status: error.code,
    headers: { 'content-type': 'application/json; charset=UTF-8' },
  })
}

function destroy(c: Context<Env>): Response {
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

// Nobody reads this answer; 499 is what a front end would log.
function leave(call: Call): Response {
  call.outcome = 'client-left'
  call.status = 499
  return new Response(null, { status: 499 })
}

function gone(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}

async function readBytes(request: Request): Promise<Uint8Array> {
  if (Number(request.headers.get('content-length')) > MAX_BODY_BYTES) throw tooLarge()
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of request.body ?? []) {
    length += chunk.byteLength
    if (length > MAX_BODY_BYTES) throw tooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function unknownModel(wireId: string, version: string): RpcError {
  return new RpcError(
    'NOT_FOUND',
    `models/${wireId} is not found for API version ${version}, or is not supported for generateContent. Call ListModels to see the list of available models and their supported methods.`,
  )
}

// The message is told: whoever meets it is debugging the emulator.
function bug(error: unknown): RpcError {
  return new RpcError('INTERNAL', `The emulator itself failed: ${error}`)
}

function notServed(what: string): RpcError {
  return new RpcError('NOT_FOUND', `The emulator does not serve ${what}.`)
}

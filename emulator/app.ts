// The emulator's HTTP surface: generateContent as a provider answers it, and the witness beside it.
// Order of a call: noted, key, model, body, fate, charge, drawing while it waits, sending. Leaving after the charge changes
// nothing.
import { type Context, Hono } from 'hono'
import { RpcError } from '../core/gemini/rpc.ts'
import type { Aspect, Model, Size } from '../core/models.ts'
import { answerOf } from './answer.ts'
import { type Clock, realClock } from './clock.ts'
import { controlOf } from './control.ts'
import { aspectOf, drawAll, seedOf } from './draw.ts'
import { type Marker, readMarkers } from './faults.ts'
import { createLimits, type LimitRule } from './limits.ts'
import { createMischief, type FaultRule } from './mischief.ts'
import { drawPicture, type Picture } from './picture.ts'
import { type AnswerPlan, countedPictures } from './plan.ts'
import { quickDrawing } from './quick.ts'
import { MAX_BODY_BYTES, readRequest, tooLarge, type Wanted } from './request.ts'
import { answerAsItIs, destroy, type Env, gone, leave, send, sendError, signed } from './send.ts'
import { checkKey, type Shop, shopOf } from './shop.ts'
import { type Effort, refusalUsageOf, rejectionUsageOf, type UsageMetadata, usageOf } from './usage.ts'
import { type Call, createWitness } from './witness.ts'

export type EmulatorOptions = Partial<Clock> & {
  /** How long a picture takes before its answer begins, drawing included, in ms; 0 by default. Errors take no time. */
  latencyMs?: number | ((request: { model: string; size: Size; prompt: string }) => number)
  /** Faults that occur without being asked for. */
  faults?: readonly FaultRule[]
  /** What each provider allows; nothing is limited by default. */
  limits?: readonly LimitRule[]
  /** `quick` is for measurements only: marked copies of one picture instead of drawings (quick.ts). */
  drawing?: 'full' | 'quick'
}

/** A request that is understood and let in. */
type Accepted = {
  shop: Shop
  model: Model
  wanted: Wanted
  markers: readonly Marker[]
  plain: string
  aspect: Aspect
}

/** A provider of its own, with an empty record. Works on a Node server and through `app.request`; only on a server can
 *  a connection be destroyed, elsewhere the body ends in an error. */
export function createEmulator(options: EmulatorOptions = {}) {
  const { now, sleep } = { ...realClock, ...options }
  const clocks = new Map<string, number>()
  const nowAt = (provider: string) => clocks.get(provider) ?? now()
  const witness = createWitness(nowAt)
  const mischief = createMischief(options.faults ?? [])
  const limits = createLimits(options.limits ?? [])
  const published = new Map<string, Picture>()
  const takes = new Map<string, number>()
  const draw = options.drawing === 'quick' ? quickDrawing(drawPicture) : drawPicture
  const app = new Hono<Env>()

  const setClock = (provider: string, at: number | undefined) =>
    void (at === undefined ? clocks.delete(provider) : clocks.set(provider, at))
  app.route('/', controlOf({ witness, limits, mischief, setClock, reset }))
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
      return signed(call, await generate(c, call))
    } catch (error) {
      const answer = error instanceof RpcError ? error : bug(error)
      call.outcome = answer.status
      call.status = answer.code
      return signed(call, sendError(answer))
    }
  })
  app.notFound((c) => sendError(notServed(`${c.req.method} ${c.req.path}`)))
  app.onError((error) => sendError(error instanceof RpcError ? error : bug(error)))

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

    const leaveQueue = limits.enter(call.provider, call.model, nowAt(call.provider))
    try {
      return await serve(c, call, { shop, model, wanted, markers, plain, aspect })
    } finally {
      leaveQueue()
    }
  }

  async function serve(
    c: Context<Env>,
    call: Call,
    { shop, model, wanted, markers, plain, aspect }: Accepted,
  ): Promise<Response> {
    const { provider } = call
    const refusalCharged = shop.chargesOnRefusal !== 'no'
    const fate = mischief.fateOf(wanted, markers, { provider, model: call.model, refusalCharged })
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
      return answerAsItIs(plan, nowAt(call.provider))
    }
    const { parts, pictures: images } = await drawing!
    if (signal.aborted) return leave(call)
    call.outcome = fault ?? (images.length > 0 ? 'picture' : 'text')
    call.status = 200
    const json = answerOf(plan, parts, { usage, modelVersion: call.model, seed })
    return send(c, plan, json, images, charge, sleep)
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
    limits.reset()
    clocks.clear()
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

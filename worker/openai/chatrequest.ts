// The body of a chat completion as a picture that is asked for. Chat clients send what a text model takes: what cannot
// matter to a picture is passed over, what would buy the wrong thing is refused while it costs nothing.
import type { Market, Seller } from '../../core/market.ts'
import { DEFAULT_SIZE, type Model, type Size } from '../../core/models.ts'
import { type GenerationRequest, ParametersSchema } from '../../core/request.ts'
import { routeOf } from '../../core/routes.ts'
import { DROP_IN_DEADLINE_S } from '../http/dropin.ts'
import { invalidField } from './errors.ts'
import { chooseModel } from './models.ts'
import { shapeFields, shapeOf } from './size.ts'

type Json = { readonly [key: string]: unknown }

/** What a body says beside its messages. */
export type ChatSettings = {
  request: Omit<GenerationRequest, 'prompt' | 'references'>
  model: Model
  /** The caller reads `message.images`; else it may read text only. */
  readsImages: boolean
  isStream: boolean
  /** A stream ends with its usage. */
  includesUsage: boolean
}

/** Reads everything but `messages`. Throws OpenAiError, naming the field. */
export function readSettings(body: Json, market: Market): ChatSettings {
  if (typeof (body.model ?? '') !== 'string')
    throw invalidField('model', 'model: must be text', 'invalid_type')
  refuseOther(body)
  const { model, provider } = chooseModel((body.model ?? undefined) as string | undefined, market)
  const route = routeOf(market, model, provider)
  const seller = 'seller' in route ? route.seller : undefined
  const modalities = readModalities(body.modalities)
  const shape = shapeOf(model, shapeFields(body))
  return {
    request: {
      model: model.id,
      provider,
      modalities,
      ...shape,
      ...readParameters(body, shape.size, model, seller),
      deadline: DROP_IN_DEADLINE_S,
    },
    model,
    readsImages: Array.isArray(body.modalities) && modalities.includes('IMAGE'),
    isStream: body.stream === true,
    includesUsage: object(body.stream_options).include_usage === true,
  }
}

/** What a picture cannot be. A caller that needs JSON or a tool's call (chat clients ask so for titles and tags) would pay
 *  for a picture and have no use of it; tools that are only offered are never called. */
function refuseOther(body: Json): void {
  const n = body.n ?? 1
  if (n !== 1)
    throw invalidField(
      'n',
      'n: must be 1 in a chat; /openai/v1/images/generations makes several pictures at once',
    )
  const format = object(body.response_format).type ?? 'text'
  if (format !== 'text')
    throw invalidField(
      'response_format',
      `response_format: ${JSON.stringify(format)} is not possible, the models here draw; leave it out`,
      'unsupported_value',
    )
  for (const name of ['tool_choice', 'function_call']) {
    const choice = body[name] ?? 'auto'
    if (choice !== 'auto' && choice !== 'none')
      throw invalidField(
        name,
        `${name}: no tool is ever called here, the models draw; leave it out`,
        'unsupported_value',
      )
  }
}

/** What the answer may hold: words and a picture unless the caller says less. */
function readModalities(value: unknown): ('TEXT' | 'IMAGE')[] {
  if (value === undefined || value === null) return ['TEXT', 'IMAGE']
  const list = Array.isArray(value) ? value.map((each) => String(each).toLowerCase()) : []
  const known = list.length > 0 && list.every((each) => each === 'text' || each === 'image')
  if (!known) throw invalidField('modalities', 'modalities: must be a list of "image" and "text"')
  return (['TEXT', 'IMAGE'] as const).filter((each) => (list as string[]).includes(each.toLowerCase()))
}

/** Parameters by their names here, with those that callers know them by. */
const NAMES = {
  temperature: 'temperature',
  topP: 'top_p',
  seed: 'seed',
  maxOutputTokens: 'max_tokens',
} as const

function readParameters(body: Json, size: Size | undefined, model: Model, seller: Seller | undefined) {
  const given = {
    temperature: body.temperature ?? undefined,
    topP: body.top_p ?? undefined,
    seed: body.seed ?? undefined,
    maxOutputTokens: readMaxTokens(body.max_completion_tokens ?? body.max_tokens ?? undefined, size, model),
  }
  const parsed = ParametersSchema.safeParse(given)
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!
    const name = NAMES[path[0] as keyof typeof NAMES]
    throw invalidField(name, `${name}: ${message}`)
  }
  const thinking = readThinking(body, model, seller)
  return { ...parsed.data, ...(thinking ? { thinking } : {}) }
}

/** The most tokens of an answer. Clients mean its words, with a default of some hundred; the picture counts too, and one
 *  that does not fit is cut off and charged. So what is too little is passed over, and what is too much is lowered. */
function readMaxTokens(value: unknown, size: Size | undefined, model: Model): unknown {
  const picture = model.tokens.image[size ?? DEFAULT_SIZE]
  if (typeof value !== 'number' || picture === undefined) return value
  if (value >= 1 && value < picture + model.tokens.overhead.atMost) return undefined
  return Math.min(value, model.limits.outputTokens ?? value)
}

/** `reasoning_effort` as the model's own level, where it has one of that name; it is a wish, never an error. */
function readThinking(body: Json, model: Model, seller: Seller | undefined) {
  const effort = body.reasoning_effort ?? object(body.reasoning).effort
  const level = model.thinking.find((known) => known === effort)
  const isTaken = !seller?.thinkingModels || seller.thinkingModels.includes(model.id)
  return level && isTaken ? { level } : undefined
}

function object(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {}
}

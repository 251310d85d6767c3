// The models as clients of the OpenAI API see and name them: what a configured provider sells, by Google's own ids.
// Short names, aliases and `provider/model` are understood as well.
import type { Market } from '../../core/market.ts'
import { findModel, MODELS, type Model } from '../../core/models.ts'
import { modelAndProvider } from '../http/dropin.ts'
import { OpenAiError } from './errors.ts'

/** What a call without a model gets: the first of these that DEFAULT_PROVIDER sells, else any configured provider. */
const PREFERRED = ['nano-banana-2.1', 'nano-banana-2', 'nano-banana-pro', 'nano-banana-2-lite', 'nano-banana']

export type Chosen = { model: Model; provider?: string }

/** The model of a call. Throws OpenAiError `model_not_found`, which lists what there is: OpenAI's own models are not
 *  made here, and none of ours takes their place unasked. */
export function chooseModel(name: string | undefined, market: Market): Chosen {
  if (name === undefined || name === '') return defaultModel(market)
  const { model, provider } = modelAndProvider(name, market)
  const found = findModel(model)
  if (!found) throw modelNotFound(name, market)
  return { model: found, ...(provider ? { provider } : {}) }
}

/** `GET /models`. */
export function modelList(market: Market) {
  return { object: 'list', data: sold(market).map(entryOf) }
}

/** `GET /models/:id`. Throws OpenAiError `model_not_found`. */
export function modelEntry(name: string, market: Market) {
  const { model, provider } = modelAndProvider(name, market)
  const found = sold(market, provider).find((each) => each === findModel(model))
  if (!found) throw modelNotFound(name, market)
  return entryOf(found)
}

/** `created`: when it became generally available, epoch seconds; 0 where that is not known. */
function entryOf({ id, lifecycle }: Model) {
  const created = lifecycle.since ? Date.parse(lifecycle.since) / 1_000 : 0
  return { id, object: 'model', created, owned_by: 'google' }
}

function defaultModel(market: Market): Chosen {
  const sellers = market.defaultProvider ? [market.defaultProvider, undefined] : [undefined]
  for (const seller of sellers) {
    const models = sold(market, seller)
    const short = PREFERRED.find((name) => models.some((model) => model.short === name))
    const model = models.find((each) => each.short === short)
    if (model) return { model }
  }
  throw new OpenAiError(
    { status: 400, type: 'invalid_request_error', code: 'not_configured', param: 'model' },
    'this worker has no provider with a key yet, so no model to use',
  )
}

/** What configured providers sell, or one of them. */
function sold(market: Market, provider?: string): Model[] {
  const sellers = market.sellers.filter((s) => s.configured && (provider === undefined || s.id === provider))
  return MODELS.filter((model) => sellers.some((seller) => seller.wire[model.id]))
}

function modelNotFound(name: string, market: Market): OpenAiError {
  const models = sold(market).map(({ id, short }) => `${id} (${short})`)
  return new OpenAiError(
    { status: 404, type: 'invalid_request_error', code: 'model_not_found', param: 'model' },
    `there is no model ${JSON.stringify(name)} here; there are ${models.join(', ') || 'none yet'}`,
  )
}

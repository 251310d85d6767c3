// The models as Google lists them: those that a configured provider sells, by their canonical ids.
import { invalid } from '../../core/gemini/rpc.ts'
import type { Market } from '../../core/market.ts'
import { findModel, MODELS, type Model } from '../../core/models.ts'
import { modelAndProvider } from '../http/dropin.ts'

/** Google's page size when none is asked for, and its largest (ai.google.dev, models.list, 2026-10). */
const PAGE = 50
const LARGEST_PAGE = 1000

/** `GET /models`. Throws RpcError 400 for a page that cannot be. */
export function listModels(market: Market, { pageSize, pageToken }: Record<string, string | undefined>) {
  const size = pageSize === undefined || pageSize === '0' ? PAGE : wholeNumber(pageSize, 'page_size')
  const from = pageToken ? wholeNumber(pageToken, 'page_token') : 0
  const sold = MODELS.filter((model) => sellersOf(model, market).length > 0)
  const to = from + Math.min(size, LARGEST_PAGE)
  return {
    models: sold.slice(from, to).map((model) => entryOf(model, market)),
    ...(to < sold.length ? { nextPageToken: String(to) } : {}),
  }
}

/** `GET /models/{name}`: by id, alias or short name, also of one provider; undefined when nobody here sells it. */
export function modelEntry(market: Market, name: string) {
  const { model: named, provider } = modelAndProvider(name, market)
  const model = findModel(named)
  const sellers = model ? sellersOf(model, market) : []
  const isSold = provider === undefined ? sellers.length > 0 : sellers.some((s) => s.id === provider)
  return model && isSold ? entryOf(model, market) : undefined
}

function sellersOf(model: Model, { sellers }: Market) {
  return sellers.filter((seller) => seller.configured && seller.wire[model.id])
}

function entryOf(model: Model, market: Market) {
  const { inputTokens, outputTokens } = model.limits
  const sellers = sellersOf(model, market)
  return {
    name: `models/${model.id}`,
    // Google's field is required and free of meaning; ours says which generation it is.
    version: /\d+(\.\d+)?/.exec(model.id)?.[0] ?? '1',
    displayName: model.name,
    description: descriptionOf(
      model,
      sellers.map((seller) => seller.name),
    ),
    ...(inputTokens === null ? {} : { inputTokenLimit: inputTokens }),
    ...(outputTokens === null ? {} : { outputTokenLimit: outputTokens }),
    supportedGenerationMethods: ['generateContent', 'countTokens'],
    // Defaults of the image models (Vertex model pages, 2026-10).
    temperature: 1,
    topP: 0.95,
    topK: 64,
    maxTemperature: Math.max(...sellers.map((seller) => seller.maxTemperature)),
    thinking: model.thinking.length > 0,
  }
}

function descriptionOf({ sizes, references, lifecycle }: Model, sellers: readonly string[]): string {
  const state = lifecycle.status === 'deprecated' ? ' Deprecated by Google.' : ''
  return `Pictures of ${sizes.join(', ')} from text and up to ${references.max} images, made by ${sellers.join(', ')}.${state}`
}

function wholeNumber(text: string, field: string): number {
  if (!/^\d{1,9}$/.test(text))
    throw invalid(`Invalid value at '${field}': ${JSON.stringify(text.slice(0, 80))}`)
  return Number(text)
}

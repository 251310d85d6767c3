// Who is being impersonated: the first path segment picks a provider, and with it keys, wire ids, prices and habits.
// Knows core's tables and what relays have been seen to do differently; nothing of bodies or pictures.

import { invalidKey, RpcError } from '../core/gemini/rpc.ts'
import { findModel, MODELS, type Model } from '../core/models.ts'
import { PRICES, type PriceRow } from '../core/prices.ts'
import { type Charged, PROVIDERS } from '../core/providers.ts'

export type Shop = {
  id: string
  /** Whether `x-goog-api-key` and `?key=` open it; Bearer always does. */
  takesGoogleKey: boolean
  /** The model that a wire id means here, or undefined. */
  modelOf(wireId: string): Model | undefined
  /** Undefined where the provider has no price row: its charges have no amount. */
  priceOf(model: Model): PriceRow | undefined
  chargesOnRefusal: Charged
  /** Image parts in snake_case are dropped without a word, and the picture ignores them (APIYI overview). */
  ignoresSnakeCaseImages: boolean
  /** `image/jpg` counts as `image/jpeg` (APIYI overview). */
  takesJpg: boolean
  /** `fileData` is understood. */
  takesFileUri: boolean
  /** Too large a `maxOutputTokens` is lowered instead of refused (Tokaify's own sample sends 100000). */
  lowersOutputTokens: boolean
}

/** The shop of a path segment. An id that core does not know is a Bearer relay that sells every model. */
export function shopOf(id: string): Shop {
  const provider = PROVIDERS.find((p) => p.id === id)
  return {
    id,
    takesGoogleKey: provider?.auth === 'x-goog-api-key',
    modelOf: (wireId) =>
      provider
        ? MODELS.find((model) => provider.wire[model.id] === wireId)
        : MODELS.find((model) => model === findModel(wireId) && model.short !== wireId),
    priceOf: (model) => PRICES.find((row) => row.provider === id && row.model === model.id),
    chargesOnRefusal: provider?.chargesOnRefusal ?? 'unknown',
    ignoresSnakeCaseImages: id === 'apiyi',
    takesJpg: id === 'apiyi',
    takesFileUri: provider?.fileUri ?? true,
    lowersOutputTokens: id === 'tokaify',
  }
}

/** Checks the caller's key: any will do but none and `bad-key`.
 *  @throws RpcError as the provider answers. */
export function checkKey(shop: Shop, headers: Headers, query: URLSearchParams): void {
  const bearer = /^Bearer\s+(\S+)\s*$/i.exec(headers.get('authorization') ?? '')?.[1]
  const google = shop.takesGoogleKey ? headers.get('x-goog-api-key') || query.get('key') : undefined
  const key = bearer || google
  if (key === 'bad-key') throw invalidKey()
  if (key) return
  throw shop.takesGoogleKey
    ? new RpcError(
        'PERMISSION_DENIED',
        "Method doesn't allow unregistered callers (callers without established identity). " +
          'Please use API Key or other form of API consumer identity to call this API.',
      )
    : new RpcError('UNAUTHENTICATED', 'No API key was given. Send "Authorization: Bearer <key>".')
}

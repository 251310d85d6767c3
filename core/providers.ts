// Who sells the models: address, auth style, wire ids and billing habits, all as data, because relays differ from Google
// in nothing else. Operators add and change providers with `PROVIDERS`; this file merges and checks that.
import { z } from 'zod'
import { findModel, MODELS, type Model } from './models.ts'
import { PRICES, type PriceRow, PriceSchema } from './prices.ts'

/** Three-valued on purpose: what is not established is `unknown`, never a guess. */
export type Charged = 'no' | 'yes' | 'unknown'

export type Provider = {
  id: string
  name: string
  /** No trailing slash; the path is always `/v1beta/models/{wire id}:generateContent`. */
  baseUrl: string
  auth: 'bearer' | 'x-goog-api-key'
  /** Where a system text goes: the top-level field, or a first turn with `role: "model"` (APIYI's documented form). */
  system: 'systemInstruction' | 'model-turn'
  /** Canonical model id → the id this provider expects. A model without one is not sold here. */
  wire: Readonly<Record<string, string>>
  /** Whether a 200 that was refused, or has no picture, is billed. */
  chargesOnRefusal: Charged
  /** Statuses after which nothing was billed and the same request may be sent again. Any 5xx that is not listed may
   *  hide a call that went on, and is not repeated. */
  freeStatuses: readonly number[]
  /** Largest request body in bytes, Base64 included. */
  maxRequestBytes: number
  /** Models that take `thinkingConfig`; absent: all that can think. */
  thinkingModels?: readonly string[]
  /** Whether `fileData.fileUri` is fetched by the provider. */
  fileUri: boolean
  /** Search grounding may be asked for. */
  search: boolean
  /** Host suffix of pictures that are answered as a temporary URL in a text part (APIYI's NB-OSS keys). */
  pictureUrlHost?: string
  /** Highest `temperature`. */
  maxTemperature: number
}

const REQUEST_BYTES = 100 * 1024 * 1024

const everyModel = Object.fromEntries(MODELS.map((m) => [m.id, m.id]))

/** Built-in providers, in the order in which a request without a provider tries them. */
export const PROVIDERS: readonly Provider[] = [
  {
    id: 'google',
    name: 'Google Gemini API',
    baseUrl: 'https://generativelanguage.googleapis.com',
    auth: 'x-goog-api-key',
    system: 'systemInstruction',
    wire: everyModel,
    // No general statement of Google's exists; its finish message sometimes says "you will not be charged".
    chargesOnRefusal: 'unknown',
    freeStatuses: [429, 500, 503],
    maxRequestBytes: REQUEST_BYTES,
    fileUri: true,
    search: true,
    maxTemperature: 2,
  },
  {
    id: 'apiyi',
    name: 'APIYI',
    baseUrl: 'https://api.apiyi.com',
    auth: 'bearer',
    system: 'model-turn',
    // It sells the preview ids and routes them to the released models (since 2026-06-20).
    wire: {
      'gemini-3-pro-image': 'gemini-3-pro-image-preview',
      'gemini-3.1-flash-image': 'gemini-3.1-flash-image-preview',
      'gemini-3.1-flash-lite-image': 'gemini-3.1-flash-lite-image',
      'gemini-2.5-flash-image': 'gemini-2.5-flash-image',
    },
    chargesOnRefusal: 'yes',
    // "Failed requests are not billed", but its front end may answer 500 for a call that went on.
    freeStatuses: [429, 503],
    maxRequestBytes: REQUEST_BYTES,
    thinkingModels: ['gemini-3.1-flash-image'],
    fileUri: true,
    search: false,
    pictureUrlHost: 'oss-us-west-1.aliyuncs.com',
    maxTemperature: 2,
  },
  {
    id: 'tokaify',
    name: 'Tokaify',
    baseUrl: 'https://api.tokaify.com',
    auth: 'bearer',
    system: 'systemInstruction',
    wire: { 'gemini-3-pro-image': 'gemini-3-pro-image-preview' },
    chargesOnRefusal: 'unknown',
    // Nothing is documented: a 429 or 503 is the provider's refusal to start (RFC 9110, RFC 6585).
    freeStatuses: [429, 503],
    maxRequestBytes: REQUEST_BYTES,
    fileUri: false,
    search: true,
    maxTemperature: 2,
  },
]

const ModelName = z.string().refine((name) => findModel(name) !== undefined, 'unknown model')

/** `PROVIDERS`: a JSON object of provider id → what differs from the built-in row, or a whole new provider. Its key is
 *  read from the secret named by `keyVariable`, by default `<ID>_API_KEY`. */
export const ProvidersConfigSchema = z.record(
  z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, 'lower-case letters, digits and dashes'),
  z.strictObject({
    name: z.string().optional(),
    baseUrl: z.url({ protocol: /^https?$/ }).optional(),
    auth: z.enum(['bearer', 'x-goog-api-key']).optional(),
    system: z.enum(['systemInstruction', 'model-turn']).optional(),
    wire: z.record(ModelName, z.string().min(1)).optional(),
    prices: z.record(ModelName, PriceSchema).optional(),
    chargesOnRefusal: z.enum(['no', 'yes', 'unknown']).optional(),
    freeStatuses: z.array(z.int().min(400).max(599)).optional(),
    maxRequestBytes: z.int().positive().optional(),
    thinkingModels: z.array(ModelName).optional(),
    fileUri: z.boolean().optional(),
    search: z.boolean().optional(),
    pictureUrlHost: z.string().optional(),
    maxTemperature: z.number().positive().optional(),
    keyVariable: z.string().optional(),
  }),
)

/** A provider as this deployment uses it. */
export type Seller = Provider & {
  /** The call can be made: there is a key, or the emulator stands in. */
  configured: boolean
  /** Prices in force here, by canonical model id. */
  prices: Readonly<Record<string, PriceRow>>
}

/** What a deployment sells, and whether its pictures are drawn by the emulator. */
export type Market = { sellers: readonly Seller[]; defaultProvider?: string; emulated: boolean }

/** Everything a market is made of; the values of the worker's vars and secrets, or of the runner's environment. */
export type MarketVariables = Readonly<Record<string, unknown>>

export class ConfigurationError extends Error {
  override name = 'ConfigurationError'
}

/** The market of an environment. Reads `PROVIDERS`, `DEFAULT_PROVIDER`, `EMULATOR_URL`, `<ID>_API_KEY` and
 *  `<ID>_BASE_URL`. The emulator is used only where no provider key is set at all.
 *  @throws ConfigurationError when `PROVIDERS` or `DEFAULT_PROVIDER` is not usable. */
export function marketOf(variables: MarketVariables): Market {
  const overrides = readOverrides(text(variables.PROVIDERS))
  const ids = [...PROVIDERS.map((p) => p.id), ...Object.keys(overrides).filter((id) => !builtIn(id))]
  const emulator = text(variables.EMULATOR_URL)
  const keyed = ids.filter((id) => text(variables[keyVariable(id, overrides[id])]))
  const emulated = keyed.length === 0 && emulator !== undefined
  const sellers = ids.map((id): Seller => {
    const { prices, keyVariable: _, wire, ...changes } = overrides[id] ?? {}
    const provider = { ...(builtIn(id) ?? blankProvider(id)), ...changes } as Provider
    const baseUrl = emulated
      ? `${emulator}/${id}`
      : (text(variables[`${constant(id)}_BASE_URL`]) ?? provider.baseUrl)
    if (!baseUrl) throw new ConfigurationError(`PROVIDERS.${id} has no baseUrl`)
    return {
      ...provider,
      baseUrl: baseUrl.replace(/\/+$/, ''),
      wire: { ...provider.wire, ...byCanonicalId(wire) },
      configured: emulated || keyed.includes(id),
      prices: pricesOf(id, byCanonicalId(prices)),
    }
  })
  const defaultProvider = text(variables.DEFAULT_PROVIDER)
  if (defaultProvider && !ids.includes(defaultProvider))
    throw new ConfigurationError(`DEFAULT_PROVIDER is ${defaultProvider}; known are ${ids.join(', ')}`)
  return { sellers, emulated, ...(defaultProvider ? { defaultProvider } : {}) }
}

/** The name of the secret that holds a provider's key. */
export function keyVariableOf(providerId: string, variables: MarketVariables): string {
  return keyVariable(providerId, readOverrides(text(variables.PROVIDERS))[providerId])
}

type Overrides = z.output<typeof ProvidersConfigSchema>

function readOverrides(json: string | undefined): Overrides {
  if (!json) return {}
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch (error) {
    throw new ConfigurationError(`PROVIDERS is not JSON: ${(error as Error).message}`)
  }
  const parsed = ProvidersConfigSchema.safeParse(value)
  if (!parsed.success) throw new ConfigurationError(`PROVIDERS: ${z.prettifyError(parsed.error)}`)
  return parsed.data
}

function builtIn(id: string): Provider | undefined {
  return PROVIDERS.find((p) => p.id === id)
}

/** What a new provider is taken for until the operator says otherwise: a Bearer relay that says nothing of billing. */
export function blankProvider(id: string): Provider {
  return {
    id,
    name: id,
    baseUrl: '',
    auth: 'bearer',
    system: 'systemInstruction',
    wire: {},
    chargesOnRefusal: 'unknown',
    freeStatuses: [429, 503],
    maxRequestBytes: REQUEST_BYTES,
    fileUri: false,
    search: true,
    maxTemperature: 2,
  }
}

function pricesOf(provider: string, overrides: Record<string, z.output<typeof PriceSchema>>) {
  const rows = PRICES.filter((row) => row.provider === provider).map((row) => [row.model, row])
  const own = Object.entries(overrides).map(([model, rate]) => [
    model,
    { provider, model, source: 'PROVIDERS of this deployment', ...rate },
  ])
  return Object.fromEntries([...rows, ...own]) as Record<string, PriceRow>
}

function byCanonicalId<T>(record: Record<string, T> | undefined): Record<string, T> {
  return Object.fromEntries(Object.entries(record ?? {}).map(([name, value]) => [findModel(name)!.id, value]))
}

function keyVariable(id: string, override: Overrides[string] | undefined): string {
  return override?.keyVariable ?? `${constant(id)}_API_KEY`
}

function constant(id: string): string {
  return id.toUpperCase().replaceAll('-', '_')
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** Who would make this picture: a seller and the model. */
export type Route = { seller: Seller; model: Model }

/** Why no route was found. */
export type NoRoute = { problem: 'unknown_provider' | 'not_sold' | 'not_configured'; message: string }

/** The seller of a model: the named one, else the default one, else the first configured one that sells it. */
export function routeOf(market: Market, model: Model, provider?: string): Route | NoRoute {
  const wanted = provider ?? market.defaultProvider
  const sells = (s: Seller) => s.wire[model.id] !== undefined
  const configured = market.sellers.filter((s) => s.configured)
  const names = (sellers: readonly Seller[]) => sellers.map((s) => s.id).join(', ') || 'none'
  if (wanted === undefined) {
    const seller = configured.find(sells)
    if (seller) return { seller, model }
    const able = market.sellers.filter(sells)
    return {
      problem: 'not_configured',
      message: `no configured provider sells ${model.short}; it is sold by ${names(able)}, configured: ${names(configured)}`,
    }
  }
  const seller = market.sellers.find((s) => s.id === wanted)
  if (!seller)
    return {
      problem: 'unknown_provider',
      message: `unknown provider ${wanted}; known: ${names(market.sellers)}`,
    }
  if (!sells(seller))
    return {
      problem: 'not_sold',
      message: `${wanted} does not sell ${model.short}; it is sold by ${names(market.sellers.filter(sells))}`,
    }
  if (!seller.configured)
    return {
      problem: 'not_configured',
      message: `there is no key for provider ${wanted}; configured: ${names(configured)}`,
    }
  return { seller, model }
}

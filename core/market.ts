// What one deployment sells: the built-in providers, changed and completed by its environment. Operators add a relay with
// `PROVIDERS`; this file merges and checks that.
import { z } from 'zod'
import { findModel } from './models.ts'
import { PRICES, type PriceRow, PriceSchema } from './prices.ts'
import { blankProvider, PROVIDERS, type Provider } from './providers.ts'

const URL_FORM = z.url({ protocol: /^https?$/ })

const ModelName = z.string().refine((name) => findModel(name) !== undefined, 'unknown model')

/** A record says of a bad key only that it is bad; this says what is wrong with it. */
const byKey: z.core.$ZodErrorMap = (issue) =>
  issue.code === 'invalid_key' ? issue.issues[0]?.message : undefined

/** `PROVIDERS`: a JSON object of provider id → what differs from the built-in row, or a whole new provider. Its key is
 *  read from the secret named by `keyVariable`, by default `<ID>_API_KEY`. */
export const ProvidersConfigSchema = z.record(
  z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, 'lower-case letters, digits and dashes'),
  z.strictObject({
    name: z.string().optional(),
    baseUrl: z.url({ protocol: /^https?$/ }).optional(),
    auth: z.enum(['bearer', 'x-goog-api-key']).optional(),
    system: z.enum(['systemInstruction', 'model-turn']).optional(),
    wire: z.record(ModelName, z.string().min(1), { error: byKey }).optional(),
    prices: z.record(ModelName, PriceSchema, { error: byKey }).optional(),
    chargesOnRefusal: z.enum(['no', 'yes', 'unknown']).optional(),
    freeStatuses: z.array(z.int().min(400).max(599)).optional(),
    maxRequestBytes: z.int().positive().optional(),
    thinkingModels: z.array(ModelName).optional(),
    fileUri: z.boolean().optional(),
    pictureUrlHost: z.string().optional(),
    maxTemperature: z.number().positive().optional(),
    concurrency: z.int().positive().max(1_000).optional(),
    perMinute: z.number().positive().optional(),
    keyVariable: z.string().optional(),
  }),
  { error: byKey },
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
    const { prices, keyVariable: _, wire, thinkingModels, ...changes } = overrides[id] ?? {}
    const provider = { ...(builtIn(id) ?? blankProvider(id)), ...changes } as Provider
    const baseUrl = emulated
      ? `${emulator.replace(/\/+$/, '')}/${id}`
      : (text(variables[`${constant(id)}_BASE_URL`]) ?? provider.baseUrl)
    if (!baseUrl) throw new ConfigurationError(`PROVIDERS.${id} has no baseUrl`)
    if (!URL_FORM.safeParse(baseUrl).success)
      throw new ConfigurationError(
        `the address of provider ${id}, ${JSON.stringify(baseUrl)}, is no http(s) URL`,
      )
    return {
      ...provider,
      ...(thinkingModels ? { thinkingModels: thinkingModels.map((name) => findModel(name)!.id) } : {}),
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

/** The market with some of its prices replaced, by provider and canonical model id. */
export function withPrices(
  market: Market,
  prices: Readonly<Record<string, Readonly<Record<string, PriceRow>>>>,
): Market {
  const sellers = market.sellers.map((seller) => ({
    ...seller,
    prices: { ...seller.prices, ...prices[seller.id] },
  }))
  return { ...market, sellers }
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

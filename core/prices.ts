// What providers charge: one row per provider and model, with its source and the date it was checked. A pair without a
// row has no price, which is shown as `?` and never as 0 (promise 4). Operators override rows; see providers.ts.
import { z } from 'zod'
import { fromUsd, type MicroUsd } from './money.ts'

export type PriceRow = {
  provider: string
  /** Canonical model id. */
  model: string
  /** Where the figures come from, and the ISO date they were last checked (absent: the source bears no date). */
  source: string
  checkedOn?: string
} & Rate

/** `request`: one flat price. `token`: micro-USD per million tokens, by what the tokens are. */
export type Rate =
  | { unit: 'request'; microUsd: MicroUsd }
  | { unit: 'token'; inputPerMillion: MicroUsd; textPerMillion: MicroUsd; imagePerMillion: MicroUsd }

function perRequest(usd: number): Rate {
  return { unit: 'request', microUsd: fromUsd(usd)! }
}

/** Rates in USD per million tokens: input; text and thinking out; image out. */
function perMillion(input: number, text: number, image: number): Rate {
  return {
    unit: 'token',
    inputPerMillion: fromUsd(input)!,
    textPerMillion: fromUsd(text)!,
    imagePerMillion: fromUsd(image)!,
  }
}

const GOOGLE = { provider: 'google', source: 'Gemini API price page, standard tier' }
const APIYI_SEED = { provider: 'apiyi', source: 'APIYI Nano Banana overview' }
const APIYI_PAGE = { provider: 'apiyi', source: 'APIYI price page after 2026-06-30' }

export const PRICES: readonly PriceRow[] = [
  { ...GOOGLE, model: 'gemini-3-pro-image', checkedOn: '2026-10-07', ...perMillion(2, 12, 120) },
  { ...GOOGLE, model: 'gemini-3.1-flash-image', checkedOn: '2026-10-07', ...perMillion(0.5, 3, 60) },
  { ...GOOGLE, model: 'gemini-nano-banana-2.1', checkedOn: '2026-10-07', ...perMillion(1.5, 7.5, 30) },
  { ...GOOGLE, model: 'gemini-3.1-flash-lite-image', checkedOn: '2026-10-07', ...perMillion(0.25, 1.5, 30) },
  { ...GOOGLE, model: 'gemini-2.5-flash-image', checkedOn: '2026-07-22', ...perMillion(0.3, 2.5, 30) },
  { ...APIYI_SEED, model: 'gemini-3-pro-image', ...perRequest(0.09) },
  { ...APIYI_SEED, model: 'gemini-3.1-flash-image', ...perRequest(0.055) },
  { ...APIYI_PAGE, model: 'gemini-3.1-flash-lite-image', ...perRequest(0.025) },
  { ...APIYI_SEED, model: 'gemini-2.5-flash-image', ...perRequest(0.02) },
  // Tokaify bills by "model and channel ratios" and prints no figure: no row.
]

/** Names the state of the table above; kept with everything that was priced by it. */
export const PRICE_TABLE_VERSION = '2026-11-21'

const Usd = z
  .number()
  .refine((usd) => fromUsd(usd) !== undefined, 'an amount of USD, not negative, with at most six decimals')

/** A price as an operator writes it, in USD: flat per request, or per million tokens. */
export const PriceSchema = z
  .union(
    [
      z.strictObject({ perRequest: Usd }),
      z.strictObject({ inputPerMillion: Usd, textPerMillion: Usd, imagePerMillion: Usd }),
    ],
    'a price is {perRequest}, or {inputPerMillion, textPerMillion, imagePerMillion}, in USD',
  )
  .transform(
    (price): Rate =>
      'perRequest' in price
        ? perRequest(price.perRequest)
        : perMillion(price.inputPerMillion, price.textPerMillion, price.imagePerMillion),
  )

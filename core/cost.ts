// What a picture will cost (quote) and what it did cost (settle): the same sums over the same rows.
// Promise 4: what the table does not price is named in `unknown`, never counted as 0.
import type { Model, Size } from './models.ts'
import type { MicroUsd } from './money.ts'
import type { PriceRow } from './prices.ts'

/** A price before the picture. `expected`: made at the first try. `atMost`: every attempt that may be billed. Both are
 *  the sum of what is known. */
export type Quote = {
  expected: MicroUsd
  atMost: MicroUsd
  /** What is missing from `atMost`, and unless told otherwise from `expected`; empty when nothing is. */
  unknown: readonly string[]
  /** What of that is missing from `atMost` alone, because only a fallback has no price; absent when nothing is. */
  unknownFallbacks?: readonly string[]
}

/** What a quote needs to know of a picture. */
export type Draft = {
  size: Size
  /** UTF-8 bytes of prompt and system text. */
  promptBytes: number
  references: number
  /** A search may be billed beside the picture; by how much is not known. */
  isGrounded?: boolean
}

/** One way to have the picture made, with its price row when there is one. */
export type PricedRoute = { provider: string; model: Model; row: PriceRow | undefined }

/** Whether a fallback is reached after an attempt that may have been billed, or after one that was not. */
export type PricedFallback = PricedRoute & { afterCharged: boolean; afterFree: boolean }

/** The price of one picture by its first route, and by the dearest chain of fallbacks. Pure; rounds up once per sum. */
export function quote(draft: Draft, first: PricedRoute, fallbacks: readonly PricedFallback[] = []): Quote {
  const own = priceOf(draft, first)
  const chain = fallbacks.map((fallback) => ({ fallback, price: priceOf(draft, fallback) }))
  // The most that can be billed once each route is about to be sent, from the last to the first: a list of fallbacks
  // comes from a caller, and walking every path through it would take exponential time.
  const onward: { fallback: PricedFallback; worst: MicroUsd }[] = []
  const worstFrom = (here: MicroUsd): MicroUsd =>
    onward.reduce((most, { fallback, worst }) => {
      const charged = fallback.afterCharged ? here + worst : 0
      return Math.max(most, charged, fallback.afterFree ? worst : 0)
    }, here)
  for (const { fallback, price } of chain.toReversed())
    onward.push({ fallback, worst: worstFrom(price.atMost) })
  return {
    expected: own.expected,
    atMost: worstFrom(own.atMost),
    ...missing(
      own.unknown,
      chain.flatMap((c) => c.price.unknown),
    ),
  }
}

/** What is missing from `expected`. */
export function unknownExpected({ unknown, unknownFallbacks = [] }: Quote): readonly string[] {
  return unknownFallbacks.length === 0 ? unknown : unknown.filter((what) => !unknownFallbacks.includes(what))
}

/** The sum of quotes. */
export function total(quotes: readonly Quote[]): Quote {
  return {
    expected: quotes.reduce((sum, q) => sum + q.expected, 0),
    atMost: quotes.reduce((sum, q) => sum + q.atMost, 0),
    ...missing(
      quotes.flatMap(unknownExpected),
      quotes.flatMap((q) => q.unknownFallbacks ?? []),
    ),
  }
}

/** What is missing from both figures, and what from `atMost`; a thing that is missing from both is not told twice. */
function missing(first: readonly string[], fallbacks: readonly string[]) {
  const unknown = new Set(first)
  const atMostOnly = [...new Set(fallbacks)].filter((what) => !unknown.has(what))
  return {
    unknown: [...unknown, ...atMostOnly],
    ...(atMostOnly.length > 0 ? { unknownFallbacks: atMostOnly } : {}),
  }
}

function priceOf(draft: Draft, route: PricedRoute): Quote {
  const picture = pictureOf(draft, route)
  if (!draft.isGrounded) return picture
  return { ...picture, unknown: [...picture.unknown, `the price of a search at ${route.provider}`] }
}

function pictureOf(draft: Draft, { provider, model, row }: PricedRoute): Quote {
  if (!row) return { expected: 0, atMost: 0, unknown: [`the price of ${model.short} at ${provider}`] }
  if (row.unit === 'request') return { expected: row.microUsd, atMost: row.microUsd, unknown: [] }
  const { image, inputImage, overhead } = model.tokens
  const imageTokens = image[draft.size]
  const missing = [
    ...(imageTokens === undefined ? [`output tokens of ${model.short} at ${draft.size}`] : []),
    ...(inputImage === null && draft.references > 0 ? [`tokens per input image of ${model.short}`] : []),
  ]
  const referenceTokens = draft.references * (inputImage ?? 0)
  const sum = (promptTokens: number, textTokens: number) =>
    tokenCost(row, {
      input: promptTokens + referenceTokens,
      text: textTokens,
      image: imageTokens ?? 0,
    })
  return {
    // About four bytes make a token; at most, every byte is one.
    expected: sum(Math.ceil(draft.promptBytes / 4), overhead.expected),
    atMost: sum(draft.promptBytes, overhead.atMost),
    unknown: missing,
  }
}

/** `usageMetadata` of an answer. It comes from the provider and is not trusted: every field may be absent. */
export type Usage = {
  promptTokenCount?: number | undefined
  candidatesTokenCount?: number | undefined
  thoughtsTokenCount?: number | undefined
  toolUsePromptTokenCount?: number | undefined
  totalTokenCount?: number | undefined
  promptTokensDetails?: readonly ModalityCount[] | undefined
  candidatesTokensDetails?: readonly ModalityCount[] | undefined
}

/** Tokens of one modality (`TEXT`, `IMAGE`, …). */
export type ModalityCount = { modality?: string | undefined; tokenCount?: number | undefined }

/** What an answered and billed attempt cost, or undefined where row or usage do not say. `pictures` is the number of
 *  image parts in the answer. Rounded up to a whole micro-USD. */
export function settle(
  row: PriceRow | undefined,
  usage: Usage | undefined,
  pictures: number,
): MicroUsd | undefined {
  if (!row) return undefined
  if (row.unit === 'request') return row.microUsd
  if (usage?.promptTokenCount === undefined) return undefined
  const details = usage.candidatesTokensDetails?.filter((d) => d.modality === 'IMAGE') ?? []
  const image = details.reduce((sum, d) => sum + (d.tokenCount ?? 0), 0)
  // Without the IMAGE detail the two output rates cannot be told apart.
  if (image === 0 && pictures > 0) return undefined
  const toolUse = usage.toolUsePromptTokenCount ?? 0
  // Refusals count thinking in both candidates and thoughts: only the total is right (92 calls, reported 2026-08-27).
  const output =
    usage.totalTokenCount === undefined
      ? (usage.candidatesTokenCount ?? 0) + (usage.thoughtsTokenCount ?? 0)
      : usage.totalTokenCount - usage.promptTokenCount - toolUse
  return tokenCost(row, {
    input: usage.promptTokenCount + toolUse,
    text: Math.max(0, output - image),
    image,
  })
}

function tokenCost(
  row: Extract<PriceRow, { unit: 'token' }>,
  tokens: { input: number; text: number; image: number },
): MicroUsd {
  const millionths =
    tokens.input * row.inputPerMillion + tokens.text * row.textPerMillion + tokens.image * row.imagePerMillion
  return Math.ceil(millionths / 1_000_000)
}

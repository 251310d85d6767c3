// What a call asks for: the body read strictly against fields.ts, then against what the model can do.
// Promise: a request that the vendor documents as an error is an error here, in the vendor's shape.

import { checkCandidates, readModalities, readThinkingLevel } from '../core/gemini/config.ts'
import { checkedContents } from '../core/gemini/contents.ts'
import { type Body, type Content, readBody } from '../core/gemini/fields.ts'
import { invalid, type RpcError } from '../core/gemini/rpc.ts'
import { ASPECTS, type Aspect, DEFAULT_SIZE, type Model, SIZES, type Size } from '../core/models.ts'
import { type Reference, readReferences } from './references.ts'
import type { Shop } from './shop.ts'

/** Largest body, Base64 included (Gemini API since 2026-01). */
export const MAX_BODY_BYTES = 100 * 1024 * 1024

export type Wanted = {
  /** Every text of the user, joined; markers still in it. */
  prompt: string
  /** UTF-8 bytes of all text, the system's included: what the prompt tokens are made from. */
  textBytes: number
  references: Reference[]
  size: Size
  /** Absent: the last input image's, else 1:1. */
  aspect: Aspect | undefined
  modalities: { text: boolean; image: boolean }
  seed: number | undefined
  thinking: { level: string | undefined; include: boolean }
}

/** Reads a body, in bytes as it came.
 *  @throws RpcError 400 as the vendor answers it. */
export function readRequest(bytes: Uint8Array, model: Model, shop: Shop): Wanted {
  const body = readBody(habits(parse(bytes), shop))
  const contents = checkedContents(body)
  const config = body.generationConfig ?? {}
  checkNumbers(config, model, shop)
  checkTools(body, model)
  const texts = textsOf(contents, ['user', undefined])
  return {
    prompt: texts.join('\n').trim(),
    textBytes: Buffer.byteLength(
      [...textsOf(contents), ...textsOf(body.systemInstruction ? [body.systemInstruction] : [])].join(''),
    ),
    references: readReferences(contents, model, shop),
    size: readSize(config.imageConfig?.imageSize, model),
    aspect: readAspect(config.imageConfig?.aspectRatio, model),
    modalities: modalitiesOf(config.responseModalities),
    seed: config.seed,
    thinking: {
      level: readThinkingLevel(config.thinkingConfig?.thinkingLevel),
      include: config.thinkingConfig?.includeThoughts === true,
    },
  }
}

/** The answer to a body over the limit. */
export function tooLarge(): RpcError {
  return invalid(`Request payload size exceeds the limit: ${MAX_BODY_BYTES} bytes.`)
}

function parse(bytes: Uint8Array): unknown {
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    throw invalid(`Invalid JSON payload received. ${(error as Error).message}`)
  }
  return json
}

/** Applies what a relay does to a body before the model sees it. */
function habits(json: unknown, shop: Shop): unknown {
  if (!shop.ignoresSnakeCaseImages) return json
  const { contents, ...rest } = (json ?? {}) as { contents?: unknown }
  if (!Array.isArray(contents)) return json
  const isSnake = (part: unknown) =>
    typeof part === 'object' &&
    part !== null &&
    Object.entries(part).some(
      ([name, value]) =>
        name === 'inline_data' ||
        name === 'file_data' ||
        (/^(inline|file)Data$/.test(name) && Object.keys(value ?? {}).some((key) => key.includes('_'))),
    )
  return {
    ...rest,
    contents: contents.map((content) =>
      Array.isArray(content?.parts)
        ? { ...content, parts: content.parts.filter((part: unknown) => !isSnake(part)) }
        : content,
    ),
  }
}

function checkNumbers(config: NonNullable<Body['generationConfig']>, model: Model, shop: Shop): void {
  checkCandidates(config.candidateCount)
  const { temperature, maxOutputTokens } = config
  if (temperature !== undefined && (temperature < 0 || temperature > 2))
    throw invalid(
      `* GenerateContentRequest.generation_config.temperature: temperature must be in the range [0.0, 2.0]. Got ${temperature}.`,
    )
  const most = model.limits.outputTokens
  const tooMany = maxOutputTokens !== undefined && most !== null && maxOutputTokens > most
  if (maxOutputTokens !== undefined && (maxOutputTokens < 1 || (tooMany && !shop.lowersOutputTokens)))
    throw invalid(
      `Unable to submit request because it has a maxOutputTokens value of ${maxOutputTokens} but the supported range is from 1 (inclusive) to ${(most ?? 32_768) + 1} (exclusive). Update the value and try again.`,
    )
}

/** Models that take no Google Search grounding (Google's model pages, 2026-10). */
const WITHOUT_SEARCH = ['gemini-3.1-flash-lite-image']

function checkTools(body: Body, model: Model): void {
  const asksSearch = body.tools?.some((tool) => /"google_?search"/i.test(JSON.stringify(tool)))
  if (asksSearch && WITHOUT_SEARCH.includes(model.id)) throw invalid('Search Grounding is not supported.')
}

function readSize(wanted: string | undefined, model: Model): Size {
  if (wanted === undefined) return DEFAULT_SIZE
  if (!model.sendsSize) throw invalid('Image size is not supported by this model.')
  const size = SIZES.find((known) => known === wanted && model.sizes.includes(known))
  if (size) return size
  throw invalid(`Invalid image size "${wanted}". Supported values: ${model.sizes.join(', ')}.`)
}

function readAspect(wanted: string | undefined, model: Model): Aspect | undefined {
  if (wanted === undefined) return undefined
  const aspect = ASPECTS.find((known) => known === wanted && model.aspects.includes(known))
  if (aspect) return aspect
  throw invalid(`Invalid aspect ratio "${wanted}". Supported values: ${model.aspects.join(', ')}.`)
}

function modalitiesOf(wanted: readonly string[] | undefined): Wanted['modalities'] {
  const names = readModalities(wanted) ?? ['TEXT', 'IMAGE']
  return { text: names.includes('TEXT'), image: names.includes('IMAGE') }
}

function textsOf(contents: readonly Content[], roles?: readonly (string | undefined)[]): string[] {
  return contents
    .filter((content) => !roles || roles.includes(content.role || undefined))
    .flatMap((content) => (content.parts ?? []).flatMap((part) => part.text ?? []))
}

// What Google would have answered: from the provider's answer as it was kept, with the pictures out of R2. Knows what a
// client of this surface expects beyond the provider's own words: one final picture, in the first place; usage; ids.
import type { Json } from '../../core/answer.ts'
import { DEFAULT_SIZE, findModel } from '../../core/models.ts'
import { type KeptAnswer, type KeptPart, keptOfEnding } from '../generation/kept.ts'
import { type GenerationRecord, resultOf } from '../generation/record.ts'
import { Base64Of } from '../stream/json.ts'
import type { StoredPicture } from '../stream/picture.ts'

/** A `GenerateContentResponse` in which pictures are Base64Of. */
export type NativeAnswer = {
  candidates?: readonly { content?: { role: 'model'; parts: readonly Json[] }; [told: string]: unknown }[]
  promptFeedback?: Json
  usageMetadata: Json
  modelVersion: string
  responseId: string
}

export type AnswerOptions = {
  delivery: 'inline' | 'url'
  /** Where pictures are served from, no trailing slash. */
  imagesUrl: string
  /** `result-first` puts the final picture before all that is no thought: published samples read `parts[0]`, even where
   *  text was asked for as well. `as-it-came` keeps the provider's order. */
  order: 'result-first' | 'as-it-came'
}

/** The answer to a generation that ended with a provider's 200. `kept` is missing where its commit record was lost. */
export function answerOf(
  record: GenerationRecord,
  kept: KeptAnswer | undefined,
  options: AnswerOptions,
): NativeAnswer {
  const last = resultOf(record)!
  const ending = last.ending!
  const { candidate, promptFeedback, usageMetadata, ...answer } = kept ?? keptOfEnding(ending)
  const result = ending.picture?.key
  const includeThoughts = record.conversation?.includeThoughts ?? false
  const shown = partsShown(answer.parts, result, includeThoughts)
  const parts = (options.order === 'result-first' ? resultFirst(shown, result) : shown).map((part) =>
    'part' in part ? part.part : pictureOf(part, options),
  )
  // A relay that leaves the reason out has still come to its end when there is a picture.
  const reason = result !== undefined && candidate?.finishReason === undefined ? { finishReason: 'STOP' } : {}
  const content = parts.length > 0 ? { content: { role: 'model' as const, parts } } : {}
  return {
    ...(candidate ? { candidates: [{ ...content, ...candidate, ...reason }] } : {}),
    ...(promptFeedback ? { promptFeedback } : {}),
    usageMetadata: usageOf(usageMetadata, record, shown),
    modelVersion: answer.modelVersion ?? record.routes[last.route]!.model,
    responseId: answer.responseId ?? record.id,
  }
}

type ShownPart = { part: Json } | { picture: StoredPicture; more: Json }

/** What the client sees: no drafts, and thoughts only where they were asked for (their pictures are not kept else). A
 *  picture that is the result though it came as a thought is none any more: clients would pass over it. */
function partsShown(
  parts: readonly KeptPart[],
  result: string | undefined,
  includeThoughts: boolean,
): ShownPart[] {
  return parts.flatMap((part): ShownPart[] => {
    if ('part' in part) return part.part.thought && !includeThoughts ? [] : [part]
    const { picture, more } = part
    if (!picture) return []
    const { thought: _, ...rest } = more
    return [{ picture, more: picture.key === result ? rest : more }]
  })
}

function resultFirst(parts: readonly ShownPart[], result: string | undefined): ShownPart[] {
  const isThought = (part: ShownPart) => ('part' in part ? part.part : part.more).thought === true
  const isResult = (part: ShownPart) => 'picture' in part && part.picture.key === result
  return [
    ...parts.filter(isThought),
    ...parts.filter(isResult),
    ...parts.filter((part) => !isThought(part) && !isResult(part)),
  ]
}

function pictureOf(
  { picture, more }: { picture: StoredPicture; more: Json },
  { delivery, imagesUrl }: AnswerOptions,
): Json {
  const { mimeType } = picture
  if (delivery === 'inline') return { inlineData: { mimeType, data: new Base64Of(picture) }, ...more }
  const fileUri = `${imagesUrl}/${picture.key.replace(/^pictures\//, '')}`
  return { fileData: { mimeType, fileUri }, ...more }
}

/** The provider's own report, which clients expect to name the tokens of pictures: where it does not, the documented
 *  number stands there. */
function usageOf(usage: Json = {}, record: GenerationRecord, parts: readonly ShownPart[]): Json {
  const pictures = parts.filter((part) => 'picture' in part && !part.more.thought).length
  const details = Array.isArray(usage.candidatesTokensDetails) ? usage.candidatesTokensDetails : []
  if (pictures === 0 || details.some((detail) => detail?.modality === 'IMAGE')) return usage
  const model = findModel(record.routes[resultOf(record)!.route]!.model)
  const each = model?.tokens.image[record.request.size ?? DEFAULT_SIZE]
  if (each === undefined) return usage
  return {
    ...usage,
    candidatesTokensDetails: [...details, { modality: 'IMAGE', tokenCount: pictures * each }],
  }
}

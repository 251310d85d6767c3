// A provider's answer in the Gemini dialect, read from its JSON after the pictures were taken out (each `data` string
// replaced by its index). Nothing in it is trusted: any field may be absent, null or in snake_case.
import type { ModalityCount, Usage } from './cost.ts'

/** `more`: what else a part says (`thoughtSignature`, …), verbatim under camelCase names; absent when it says nothing. */
export type AnswerPart =
  | { kind: 'text'; text: string; thought: boolean; more?: Json }
  /** `picture`: which one, in the order of the answer, from 0. */
  | { kind: 'picture'; picture: number; label: string | undefined; thought: boolean; more?: Json }
  /** A part of another kind (`functionCall`, `executableCode`, …), verbatim under a camelCase name. */
  | { kind: 'other'; part: Json }

type PicturePart = Extract<AnswerPart, { kind: 'picture' }>

export type Answer = {
  parts: readonly AnswerPart[]
  finishReason: string | undefined
  finishMessage: string | undefined
  blockReason: string | undefined
  usage: Usage | undefined
  modelVersion: string | undefined
  responseId: string | undefined
  /** What the first candidate says beside its content: reasons, ratings, sources, whatever else came. In camelCase, as
   *  are the next two; undefined where the answer has none. */
  candidate: Json | undefined
  promptFeedback: Json | undefined
  usageMetadata: Json | undefined
  /** An error object inside a 200. */
  error: ProviderError | undefined
}

/** `google.rpc.Status` as JSON. */
export type ProviderError = {
  code: number | undefined
  status: string | undefined
  message: string | undefined
  details: readonly Json[]
}

export type Json = { readonly [key: string]: unknown }

/** Reads an answer. Never throws; what is not there is undefined or empty. */
export function readAnswer(json: unknown): Answer {
  const root = object(json)
  const candidates = list(root.candidates)
  // One is asked for. If more came, the one with a picture counts, wherever it stands: it is paid for.
  const first = candidates.find((each) => partsOf(each).some(isPicture)) ?? candidates[0]
  const candidate = object(first)
  const { content: _, ...told } = candidate
  const feedback = either(root, 'promptFeedback', 'prompt_feedback')
  const usage = either(root, 'usageMetadata', 'usage_metadata')
  return {
    parts: partsOf(first),
    finishReason: text(either(candidate, 'finishReason', 'finish_reason')),
    finishMessage: text(either(candidate, 'finishMessage', 'finish_message')),
    blockReason: text(either(object(feedback), 'blockReason', 'block_reason')),
    usage: readUsage(usage),
    modelVersion: text(either(root, 'modelVersion', 'model_version')),
    responseId: text(either(root, 'responseId', 'response_id')),
    candidate: isObject(first) ? object(camelCased(told)) : undefined,
    promptFeedback: isObject(feedback) ? object(camelCased(feedback)) : undefined,
    usageMetadata: isObject(usage) ? object(camelCased(usage)) : undefined,
    error: readError(json),
  }
}

/** Whether the model searched before it answered: a search is billed beside the picture. */
export function isGrounded({ candidate }: Pick<Answer, 'candidate'>): boolean {
  return Object.values(object(candidate?.groundingMetadata)).some(
    (found) => found !== null && found !== '' && (typeof found !== 'object' || Object.keys(found).length > 0),
  )
}

/** The error object of a body, if it holds one. */
export function readError(json: unknown): ProviderError | undefined {
  const { error } = object(json)
  if (error === undefined || error === null) return undefined
  const { code, status, message, details } = object(error)
  return {
    code: number(code),
    status: text(status),
    message: text(message) ?? text(error),
    details: list(details).map(object),
  }
}

/** Which of the answer's pictures is the result: the last one that is no thought; if there is none and the model ended
 *  as it should, the last thought. Text between pictures means that the earlier ones are wanted too: they are `others`,
 *  the rest are drafts. `isStored` leaves out what was no picture after all.
 *  (Google: the last image of the thinking is the final one; relays flag drafts by nothing but their order.) */
export function chooseResult(
  { parts, finishReason }: Pick<Answer, 'parts' | 'finishReason'>,
  isStored: (picture: number) => boolean,
): { result: number | undefined; isThought: boolean; others: number[] } {
  const pictures = parts.filter((part) => part.kind === 'picture' && isStored(part.picture)) as PicturePart[]
  const finals = pictures.filter((part) => !part.thought)
  const isWhole = finishReason === undefined || finishReason === 'STOP'
  const result = finals.at(-1) ?? (isWhole ? pictures.at(-1) : undefined)
  const others = finals.filter((picture, index) => {
    const next = finals[index + 1]
    if (!next) return false
    const between = parts.slice(parts.indexOf(picture) + 1, parts.indexOf(next))
    return between.some((part) => part.kind === 'text' && !part.thought && part.text.trim() !== '')
  })
  return {
    result: result?.picture,
    isThought: result?.thought ?? false,
    others: others.map((p) => p.picture),
  }
}

/** The text of an answer without its thoughts, or undefined. */
export function textOf(parts: readonly AnswerPart[]): string | undefined {
  const texts = parts.flatMap((part) => (part.kind === 'text' && !part.thought ? [part.text] : []))
  return texts.join('').trim() || undefined
}

function partsOf(candidate: unknown): AnswerPart[] {
  return list(object(object(candidate).content).parts).flatMap(readPart)
}

function isPicture(part: AnswerPart): part is PicturePart {
  return part.kind === 'picture'
}

function readPart(value: unknown): AnswerPart[] {
  const part = camelTop(object(value))
  const { thought: said, text: words, inlineData, ...rest } = part
  const thought = said === true
  const more = Object.keys(rest).length > 0 ? { more: rest } : {}
  const inline = object(inlineData)
  const picture = number(inline.data)
  if (picture !== undefined) {
    const label = text(either(inline, 'mimeType', 'mime_type'))
    return [{ kind: 'picture', picture, label, thought, ...more }]
  }
  if (typeof words === 'string') return [{ kind: 'text', text: words, thought, ...more }]
  return 'more' in more ? [{ kind: 'other', part: { ...rest, ...(thought ? { thought } : {}) } }] : []
}

function readUsage(value: unknown): Usage | undefined {
  if (!isObject(value)) return undefined
  const usage = object(value)
  return {
    promptTokenCount: number(either(usage, 'promptTokenCount', 'prompt_token_count')),
    candidatesTokenCount: number(either(usage, 'candidatesTokenCount', 'candidates_token_count')),
    thoughtsTokenCount: number(either(usage, 'thoughtsTokenCount', 'thoughts_token_count')),
    toolUsePromptTokenCount: number(either(usage, 'toolUsePromptTokenCount', 'tool_use_prompt_token_count')),
    totalTokenCount: number(either(usage, 'totalTokenCount', 'total_token_count')),
    promptTokensDetails: readDetails(either(usage, 'promptTokensDetails', 'prompt_tokens_details')),
    candidatesTokensDetails: readDetails(
      either(usage, 'candidatesTokensDetails', 'candidates_tokens_details'),
    ),
  }
}

function readDetails(details: unknown): ModalityCount[] | undefined {
  if (!Array.isArray(details)) return undefined
  return details.map(object).map((d) => ({
    modality: text(d.modality),
    tokenCount: number(either(d, 'tokenCount', 'token_count')),
  }))
}

function either(json: Json, camel: string, snake: string): unknown {
  return json[camel] ?? json[snake]
}

/** Keys in camelCase at every level: for what holds the vendor's own names only. */
function camelCased(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(camelCased)
  if (!isObject(value)) return value
  return camelTop(Object.fromEntries(Object.entries(value).map(([key, member]) => [key, camelCased(member)])))
}

/** Keys in camelCase; what stands under them may hold names of a caller's own (arguments of a function). */
function camelTop(json: Json): Json {
  const camel = (key: string) => key.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
  const members = Object.entries(json).filter(([, member]) => member !== null)
  return Object.fromEntries(members.map(([key, member]) => [camel(key), member]))
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function object(value: unknown): Json {
  return isObject(value) ? value : {}
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function number(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined
}

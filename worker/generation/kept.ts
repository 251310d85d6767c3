// The provider's answer as it is kept beside the ending of its attempt: in the order and words in which it came, with the
// stored pictures in the places of their bytes. A native client is answered from it, and a failure is diagnosed by it.
// It may hold megabytes of signatures: it lies in the commit record alone, never in the object or the index.
import type { Answer, AnswerPart, Json } from '../../core/answer.ts'
import type { StoredPicture } from '../stream/picture.ts'
import type { Ending } from './record.ts'

/** A part: as it came; or a picture, null when it was not kept (a draft, a thought), and what else the part said. */
export type KeptPart = { part: Json } | { picture: StoredPicture | null; more: Json }

export type KeptAnswer = {
  parts: readonly KeptPart[]
  /** What the candidate said beside its content; absent when there was no candidate. */
  candidate?: Json
  promptFeedback?: Json
  usageMetadata?: Json
  modelVersion?: string
  responseId?: string
}

/** The answer with its pictures. `stored` gives a picture that stays in the bucket, by its index in the answer. */
export function keptOf(answer: Answer, stored: (picture: number) => StoredPicture | undefined): KeptAnswer {
  const { candidate, promptFeedback, usageMetadata, modelVersion, responseId } = answer
  return {
    parts: answer.parts.map((part) => keptPart(part, stored)),
    ...(candidate ? { candidate } : {}),
    ...(promptFeedback ? { promptFeedback } : {}),
    ...(usageMetadata ? { usageMetadata } : {}),
    ...(modelVersion ? { modelVersion } : {}),
    ...(responseId ? { responseId } : {}),
  }
}

/** What an ending alone tells of the answer: for attempts whose commit record is lost. */
export function keptOfEnding(ending: Ending): KeptAnswer {
  const { picture, others = [], text, finishReason, usage, modelVersion, responseId, verdict } = ending
  const pictures = picture ? [...others, picture] : []
  const isBlocked = verdict.outcome === 'refused' && finishReason === undefined
  return {
    parts: [
      ...(text === undefined ? [] : [{ part: { text } }]),
      ...pictures.map((each) => ({ picture: each, more: {} })),
    ],
    ...(isBlocked
      ? { promptFeedback: { blockReason: 'OTHER' } }
      : { candidate: { ...(finishReason ? { finishReason } : {}), index: 0 } }),
    ...(usage ? { usageMetadata: usage as Json } : {}),
    ...(modelVersion ? { modelVersion } : {}),
    ...(responseId ? { responseId } : {}),
  }
}

function keptPart(part: AnswerPart, stored: (picture: number) => StoredPicture | undefined): KeptPart {
  if (part.kind === 'other') return { part: part.part }
  const more = { ...(part.thought ? { thought: true } : {}), ...part.more }
  if (part.kind === 'text') return { part: { text: part.text, ...more } }
  return { picture: stored(part.picture) ?? null, more }
}

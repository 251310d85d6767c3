// How an ending is kept: bounded. What a provider writes is not trusted, and a record has to fit a value of the object's
// storage and a row of D1 (2 MB each), or the picture it speaks of could never be delivered.
import type { ModalityCount, Usage } from '../../core/cost.ts'
import type { Ending } from './record.ts'

/** Characters that are kept of a provider's words. */
const MESSAGE_CHARS = 2_000
const TEXT_CHARS = 50_000
const NAME_CHARS = 200

/** Modalities of a usage report; there are five. */
const DETAILS = 16

/** The ending, cut to what is kept. Cut text ends in `…`. */
export function bounded(ending: Ending): Ending {
  const { verdict, text, finishReason, modelVersion, responseId, requestId, usage } = ending
  return {
    ...ending,
    verdict: { ...verdict, message: cut(verdict.message, MESSAGE_CHARS) },
    ...(text === undefined ? {} : { text: cut(text, TEXT_CHARS) }),
    ...(finishReason === undefined ? {} : { finishReason: cut(finishReason, NAME_CHARS) }),
    ...(modelVersion === undefined ? {} : { modelVersion: cut(modelVersion, NAME_CHARS) }),
    ...(responseId === undefined ? {} : { responseId: cut(responseId, NAME_CHARS) }),
    ...(requestId === undefined ? {} : { requestId: cut(requestId, NAME_CHARS) }),
    ...(usage === undefined ? {} : { usage: boundedUsage(usage) }),
  }
}

function boundedUsage(usage: Usage): Usage {
  const { promptTokensDetails: prompt, candidatesTokensDetails: candidates } = usage
  return {
    ...usage,
    ...(prompt ? { promptTokensDetails: boundedDetails(prompt) } : {}),
    ...(candidates ? { candidatesTokensDetails: boundedDetails(candidates) } : {}),
  }
}

function boundedDetails(details: readonly ModalityCount[]): ModalityCount[] {
  return details
    .slice(0, DETAILS)
    .map((d) => ({ ...d, modality: d.modality === undefined ? undefined : cut(d.modality, NAME_CHARS) }))
}

function cut(text: string, chars: number): string {
  return text.length > chars ? `${text.slice(0, chars)}…` : text
}

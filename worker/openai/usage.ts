// Tokens as the OpenAI API counts them, from what the provider said. What it did not say is left out: a 0 would be an
// invention.
import type { GenerationView } from '../../core/api.ts'
import type { ModalityCount, Usage } from '../../core/cost.ts'

type Details = { text_tokens: number; image_tokens: number }

export type OpenAiUsage = {
  total_tokens: number
  input_tokens: number
  output_tokens: number
  input_tokens_details?: Details
  output_tokens_details?: Details
}

/** The usage of a generation; undefined when prompt or total are not known. */
export function usageOf(view: GenerationView): OpenAiUsage | undefined {
  const usage = (view.usage ?? {}) as Usage
  const { promptTokenCount: prompt, candidatesTokenCount: candidates, thoughtsTokenCount: thoughts } = usage
  const input = prompt === undefined ? undefined : prompt + (usage.toolUsePromptTokenCount ?? 0)
  const said = candidates === undefined ? undefined : candidates + (thoughts ?? 0)
  // The total is right where the sum of its parts counts thinking twice.
  const total =
    usage.totalTokenCount ?? (input === undefined || said === undefined ? undefined : input + said)
  if (input === undefined || total === undefined) return undefined
  const output = Math.max(0, total - input)
  const hasImages = ((view.request.references as unknown[] | undefined) ?? []).length > 0
  const inputImage = imageTokens(usage.promptTokensDetails) ?? (hasImages ? undefined : 0)
  const outputImage = imageTokens(usage.candidatesTokensDetails)
  return {
    total_tokens: total,
    input_tokens: input,
    output_tokens: output,
    ...(inputImage === undefined ? {} : { input_tokens_details: split(input, inputImage) }),
    ...(outputImage === undefined ? {} : { output_tokens_details: split(output, outputImage) }),
  }
}

/** The sum; undefined as soon as one is not known, and so each of its details. */
export function sumOf(usages: readonly (OpenAiUsage | undefined)[]): OpenAiUsage | undefined {
  return usages.reduce((sum, usage) => sum && usage && added(sum, usage))
}

function added(a: OpenAiUsage, b: OpenAiUsage): OpenAiUsage {
  const input = both(a.input_tokens_details, b.input_tokens_details)
  const output = both(a.output_tokens_details, b.output_tokens_details)
  return {
    total_tokens: a.total_tokens + b.total_tokens,
    input_tokens: a.input_tokens + b.input_tokens,
    output_tokens: a.output_tokens + b.output_tokens,
    ...(input ? { input_tokens_details: input } : {}),
    ...(output ? { output_tokens_details: output } : {}),
  }
}

function both(a: Details | undefined, b: Details | undefined): Details | undefined {
  return (
    a && b && { text_tokens: a.text_tokens + b.text_tokens, image_tokens: a.image_tokens + b.image_tokens }
  )
}

function split(all: number, image: number): Details {
  return { text_tokens: Math.max(0, all - image), image_tokens: image }
}

function imageTokens(details: readonly ModalityCount[] | undefined): number | undefined {
  const images = details?.filter((detail) => detail.modality === 'IMAGE') ?? []
  return images.length === 0 ? undefined : images.reduce((sum, { tokenCount = 0 }) => sum + tokenCount, 0)
}

// `usageMetadata` as the vendor reports it: token counts from the documented tables, the rest within measured ranges.
// Knows core's token table; no prices. Figures: vendor pages 2026-10, and APIYI's measurements of 2026-08-27.
import type { Model, Size } from '../core/models.ts'
import { randomOf } from './random.ts'

type Detail = { modality: 'TEXT' | 'IMAGE'; tokenCount: number }

export type UsageMetadata = {
  promptTokenCount: number
  candidatesTokenCount: number
  totalTokenCount: number
  thoughtsTokenCount?: number
  promptTokensDetails: Detail[]
  candidatesTokensDetails?: Detail[]
  serviceTier: 'standard'
}

/** What the counts are made from. */
export type Effort = {
  model: Model
  size: Size
  textBytes: number
  references: number
  thinkingLevel: string | undefined
  /** Same seed, same counts. */
  seed: string
}

/** Input tokens of a picture where the vendor names none: the general rule of Gemini 2.x. */
const INPUT_IMAGE_TOKENS = 258

/** Usage of an answer with that many counted pictures; with 0, one of text alone. */
export function usageOf(effort: Effort, pictures: number): UsageMetadata {
  const random = randomOf(`usage ${effort.seed}`)
  // 88–630 tokens beside the pictures; a lone picture on Pro came to 90–155 over its 1120.
  const text = random.whole(90, 155)
  const image = pictures * (effort.model.tokens.image[effort.size] ?? 0)
  const thoughts = thoughtsOf(effort)
  return {
    ...promptOf(effort, text + image, thoughts),
    ...(thoughts > 0 ? { thoughtsTokenCount: thoughts } : {}),
    ...(pictures > 0 ? { candidatesTokensDetails: [{ modality: 'IMAGE', tokenCount: image }] } : {}),
  }
}

/** Usage of a refusal: the thinking is counted in candidates and in thoughts, and once in the total (6 of 6 calls). */
export function refusalUsageOf(effort: Effort): UsageMetadata {
  const thoughts = thoughtsOf(effort)
  const usage = promptOf(effort, thoughts, 0)
  return thoughts > 0 ? { ...usage, thoughtsTokenCount: thoughts } : usage
}

/** Usage of a prompt that was rejected before anything was made. */
export function rejectionUsageOf(effort: Effort): UsageMetadata {
  return promptOf(effort, 0, 0)
}

function promptOf(effort: Effort, candidates: number, thoughts: number): UsageMetadata {
  // About four bytes make a token.
  const text = Math.max(1, Math.ceil(effort.textBytes / 4))
  const image = effort.references * (effort.model.tokens.inputImage ?? INPUT_IMAGE_TOKENS)
  const prompt = text + image
  const details: Detail[] = [{ modality: 'TEXT', tokenCount: text }]
  if (image > 0) details.push({ modality: 'IMAGE', tokenCount: image })
  return {
    promptTokenCount: prompt,
    candidatesTokenCount: candidates,
    totalTokenCount: prompt + candidates + thoughts,
    promptTokensDetails: details,
    serviceTier: 'standard',
  }
}

// Pro thinks always and whatever the level; the others by level, and `minimal` leaves the field out.
function thoughtsOf({ model, thinkingLevel, seed }: Effort): number {
  const random = randomOf(`thoughts ${seed}`)
  if (model.id === 'gemini-3-pro-image') return random.whole(170, 230)
  if (model.thinking.length === 0) return 0
  const level = thinkingLevel ?? (model.thinking.includes('medium') ? 'medium' : 'minimal')
  if (level === 'high') return random.whole(700, 792)
  return level === 'medium' || level === 'low' ? random.whole(170, 230) : 0
}

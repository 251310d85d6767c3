// The answer's JSON in the vendor's shape: camelCase, signatures, usage; pictures are marks until they are written.
// Knows the order of parts and keys; draws nothing and sends nothing.
import type { AnswerPlan, Style } from './plan.ts'
import { tokenOf } from './random.ts'
import type { UsageMetadata } from './usage.ts'
import { pictureMark } from './wire.ts'

/** A part with its picture drawn: `picture` counts from 0 in the order of the answer. */
export type Drawn = { text: string; thought?: true } | { picture: number; label: string; thought?: true }

export type Facts = {
  usage: UsageMetadata
  /** The wire id, as the vendor echoes it. */
  modelVersion: string
  /** Same seed, same ids and signatures. */
  seed: string
}

/** The body of an answer with status 200. */
export function answerOf(plan: AnswerPlan, parts: readonly Drawn[], facts: Facts): unknown {
  const { finishReason, finishMessage, blockReason, style } = plan
  const candidate = {
    ...(parts.length > 0 ? { content: { parts: signed(parts, style, facts.seed), role: 'model' } } : {}),
    ...(finishReason ? { finishReason } : {}),
    ...(finishMessage ? { finishMessage } : {}),
    index: 0,
  }
  return {
    ...(blockReason ? { promptFeedback: { blockReason } } : { candidates: [candidate] }),
    usageMetadata: facts.usage,
    modelVersion: facts.modelVersion,
    responseId: tokenOf(`response ${facts.seed}`, 15).replaceAll('+', '-').replaceAll('/', '_'),
  }
}

// The first part that is no thought, and every final picture, carry a signature; thoughts carry none.
function signed(parts: readonly Drawn[], style: Style, seed: string): unknown[] {
  const first = parts.findIndex((part) => !part.thought)
  return parts.map((part, index) => {
    const isSigned = !part.thought && (index === first || 'picture' in part)
    return {
      ...('picture' in part ? { inlineData: inlineData(part, style) } : { text: part.text }),
      ...(part.thought ? { thought: true } : {}),
      ...(isSigned ? { thoughtSignature: tokenOf(`signature ${index} ${seed}`, 240) } : {}),
    }
  })
}

function inlineData({ picture, label }: { picture: number; label: string }, style: Style) {
  const data = pictureMark(picture)
  return style.dataFirst ? { data, mimeType: label } : { mimeType: label, data }
}

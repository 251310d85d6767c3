// What a misbehaviour is. The table of them is in faults.ts.
import type { AnswerPlan, Plan } from './plan.ts'

/** Parameters of a marker. All may carry `times=N` (how often for this prompt and model) and `charged=yes|no`. */
export type Parameters = Readonly<Record<string, string>>

export type Fault = {
  /** The thread, document or measurement in which it occurs. */
  seen: string
  /** `refusal`: as the provider's row says; unknown counts as charged. */
  charged: 'no' | 'yes' | 'refusal'
  change(plan: AnswerPlan, parameters: Parameters, model: string): Plan
}

/** A parameter that is a number from 0 on, or what stands for it. */
export function numberOf(text: string | undefined, otherwise: number): number {
  const number = Number(text)
  return text !== undefined && Number.isFinite(number) && number >= 0 ? number : otherwise
}

// What an answer will be made of, before anything is drawn: parts in order, reasons, how it is written to the wire.
// The usual plan is here; faults.ts changes it.

import type { RpcError } from '../core/gemini/rpc.ts'
import type { Wanted } from './request.ts'

/** A part to come. `variation` 0 is the picture itself, others are different drawings of the same prompt. */
export type Slot = { text: string; thought?: true } | { variation: number; thought?: true; counted: boolean }

/** What a picture is turned into after it was drawn. `asUrl` answers its address in a text part. */
export type Twist =
  | { kind: 'mislabelled' }
  | { kind: 'tiny' }
  | { kind: 'big'; bytes: number }
  | { kind: 'asUrl' }

/** How the JSON is written. */
export type Style = {
  dataFirst: boolean
  escaped: boolean
  /** The fraction of the body after which the connection is destroyed. */
  cutAt?: number
  /** The fraction of the body after which nothing more comes until the client leaves. */
  stallAt?: number
  /** The body comes in pieces of at most so many bytes, each so long after the one before. */
  trickle?: { bytes: number; ms: number }
}

export type AnswerPlan = {
  kind: 'answer'
  slots: readonly Slot[]
  finishReason?: string
  finishMessage?: string
  blockReason?: string
  usage: 'answered' | 'refused' | 'rejected'
  style: Style
  twists: readonly Twist[]
  /** Added to the latency. */
  delayMs: number
}

export type Plan =
  | AnswerPlan
  | { kind: 'rpc'; error: RpcError }
  /** `retryAtMs`: `Retry-After` is a date, so long from now. */
  | {
      kind: 'raw'
      status: number
      headers: Readonly<Record<string, string>>
      body: string
      retryAtMs?: number
    }
  /** The connection is destroyed before any answer. */
  | { kind: 'drop' }
  /** No answer until the client leaves. */
  | { kind: 'hang' }

/** The plan of a call that goes well: words first if they were asked for, then one picture. */
export function usualPlan(wanted: Wanted): AnswerPlan {
  const { text, image } = wanted.modalities
  const words = image
    ? 'Here is the picture you asked for.'
    : 'Pictures were not asked for; this is only text.'
  return {
    kind: 'answer',
    slots: [
      ...(wanted.thinking.include && text
        ? [{ text: 'Composing the picture.', thought: true as const }]
        : []),
      ...(text ? [{ text: words }] : []),
      ...(image ? [{ variation: 0, counted: true }] : []),
    ],
    finishReason: 'STOP',
    usage: 'answered',
    style: { dataFirst: false, escaped: false },
    twists: [],
    delayMs: 0,
  }
}

/** How many pictures the usage counts. */
export function countedPictures(plan: AnswerPlan): number {
  return plan.slots.filter((slot) => 'variation' in slot && slot.counted).length
}

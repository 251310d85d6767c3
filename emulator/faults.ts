// The misbehaviours, each by name: calls that fail (failures.ts), and here answers that come but are not what was asked for.
// A prompt asks for one with a marker such as `[[fault:rate-limited times=2 retry=1.5]]`; several apply in order.
import { invalid } from '../core/gemini/rpc.ts'
import { FAILURES } from './failures.ts'
import { type Fault, numberOf, type Parameters } from './fault.ts'
import type { AnswerPlan, Slot, Twist } from './plan.ts'

export const FAULTS = {
  ...FAILURES,
  refused: {
    seen: 'APIYI overview: a safety refusal with status 200 is charged',
    charged: 'refusal',
    change: (plan) => ({
      ...plan,
      slots: [],
      finishReason: 'IMAGE_SAFETY',
      finishMessage:
        'Unable to show the generated image. The image was filtered out because it violated the safety policy.',
      usage: 'refused',
    }),
  },
  'blocked-prompt': {
    seen: 'promptFeedback without candidates (api reference, BlockReason)',
    charged: 'refusal',
    change: ({ finishReason: _, ...plan }) => ({
      ...plan,
      slots: [],
      blockReason: 'PROHIBITED_CONTENT',
      usage: 'rejected',
    }),
  },
  'no-image': {
    seen: 'minimaxir/gemimg#5',
    charged: 'refusal',
    change: (plan) => ({
      ...plan,
      slots: [],
      finishReason: 'NO_IMAGE',
      finishMessage:
        'Unable to show the generated image. The model could not generate the image based on the prompt provided.',
      usage: 'rejected',
    }),
  },
  moderated: {
    seen: 'Google, as users report it: STOP, no parts and candidatesTokenCount 0',
    charged: 'refusal',
    change: (plan) => ({ ...plan, slots: [], usage: 'rejected' }),
  },
  'text-only': {
    seen: 'GoModel#853, litellm#28989: STOP with words and no picture',
    charged: 'refusal',
    change: (plan) => ({ ...plan, slots: [{ text: 'I cannot draw that, but I can describe it.' }] }),
  },
  cut: {
    seen: 'ellmer#908: 2.7 MB received, then nothing',
    charged: 'yes',
    change: (plan, { at }) => ({ ...plan, style: { ...plan.style, cutAt: numberOf(at, 0.5) } }),
  },
  slow: {
    seen: 'APIYI overview: 4K takes 30 to 150 s',
    charged: 'yes',
    change: (plan, { ms }) => ({ ...plan, delayMs: numberOf(ms, 5_000) }),
  },
  stall: {
    seen: 'ellmer#908: 2.7 MB within 300 s; here `at` of the body, then nothing until the client leaves',
    charged: 'yes',
    change: (plan, { at }) => ({ ...plan, style: { ...plan.style, stallAt: numberOf(at, 0.5) } }),
  },
  trickle: {
    seen: 'not in the field: an answer that never stops and never ends, `bytes` at a time, `ms` apart',
    charged: 'yes',
    change: (plan, { bytes, ms }) => ({
      ...plan,
      style: {
        ...plan.style,
        trickle: { bytes: Math.max(1, numberOf(bytes, 4_096)), ms: numberOf(ms, 1_000) },
      },
    }),
  },
  'lone-thought': {
    seen: 'Lixpi#135, #136: the only picture is one of the thinking',
    charged: 'yes',
    change: (plan) => withSlots(plan, [{ variation: 0, thought: true, counted: true }]),
  },
  thoughts: {
    seen: 'image generation page: up to two interim images, flagged, free of charge',
    charged: 'yes',
    change: (plan) => withSlots(plan, [thought(1), thought(2), final]),
  },
  drafts: {
    seen: 'APIYI: drafts as ordinary image parts, each counted (vercel/ai#11461)',
    charged: 'yes',
    change: (plan) =>
      withSlots(plan, [{ variation: 1, counted: true }, { variation: 2, counted: true }, final]),
  },
  storyboard: {
    seen: 'several finished pictures with text between them: storyboards and step-by-step guides, as users report them',
    charged: 'yes',
    change: (plan) => ({
      ...plan,
      slots: [
        { text: 'Step 1.' },
        { variation: 1, counted: true },
        { text: 'Step 2.' },
        { variation: 2, counted: true },
        { text: 'Step 3.' },
        final,
      ],
    }),
  },
  'mime-first': {
    seen: 'documented key order',
    charged: 'yes',
    change: (plan) => ({ ...plan, style: { ...plan.style, dataFirst: false } }),
  },
  'data-first': {
    seen: 'JSON objects are unordered; Python sends data before mime_type',
    charged: 'yes',
    change: (plan) => ({ ...plan, style: { ...plan.style, dataFirst: true } }),
  },
  escaped: {
    seen: 'APIYI NB-OSS writes & as \\u0026; RFC 8259 allows every escape',
    charged: 'yes',
    change: (plan) => ({ ...plan, style: { ...plan.style, escaped: true } }),
  },
  mislabelled: {
    seen: 'relays mislabel (vercel/ai#11461)',
    charged: 'yes',
    change: (plan) => withTwist(plan, { kind: 'mislabelled' }),
  },
  tiny: {
    seen: 'vm0-skills#381: a 3-byte file',
    charged: 'yes',
    change: (plan) => withTwist(plan, { kind: 'tiny' }),
  },
  big: {
    seen: 'WebAI2API#102, ellmer#908: tens of MB in one line',
    charged: 'yes',
    change: (plan, { bytes }) => withTwist(plan, { kind: 'big', bytes: numberOf(bytes, 8_000_000) }),
  },
  'url-answer': {
    seen: 'docs.apiyi.com nano-banana-oss-group: a temporary URL in a text part',
    charged: 'yes',
    change: (plan) => ({
      ...plan,
      slots: [final],
      style: { ...plan.style, escaped: true },
      twists: [...plan.twists, { kind: 'asUrl' }],
    }),
  },
} satisfies Record<string, Fault>

export type FaultName = keyof typeof FAULTS

/** A fault that a prompt asked for. */
export type Marker = { name: FaultName; parameters: Parameters }

const MARKER = /\[\[fault:([a-z0-9-]+)((?:\s+[a-z]+=[^\s\]]+)*)\s*\]\]\s?/g

/** Takes the markers out of a prompt.
 *  @throws RpcError 400 for a fault that does not exist, so that a misspelt one is noticed. */
export function readMarkers(prompt: string): { markers: Marker[]; plain: string } {
  const markers = [...prompt.matchAll(MARKER)].map(([, name, rest]) => ({
    name: knownFault(name!),
    parameters: Object.fromEntries(
      [...rest!.matchAll(/([a-z]+)=(\S+)/g)].map(([, key, value]) => [key, value]),
    ),
  }))
  return { markers, plain: prompt.replace(MARKER, '').trim() }
}

/** A name that is in the table. @throws RpcError 400 */
export function knownFault(name: string): FaultName {
  if (Object.hasOwn(FAULTS, name)) return name as FaultName
  throw invalid(`The emulator knows no fault "${name}"; it knows ${Object.keys(FAULTS).join(', ')}.`)
}

const final: Slot = { variation: 0, counted: true }

function thought(variation: number): Slot {
  return { variation, thought: true, counted: false }
}

function withSlots(plan: AnswerPlan, pictures: readonly Slot[]): AnswerPlan {
  return { ...plan, slots: [...plan.slots.filter((slot) => 'text' in slot), ...pictures] }
}

function withTwist(plan: AnswerPlan, twist: Twist): AnswerPlan {
  return { ...plan, twists: [...plan.twists, twist] }
}

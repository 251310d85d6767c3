// The provider's request in the Gemini dialect: camelCase only, one part per text or image, as the providers document
// it. The images are not in it yet: their places are segments that are filled from R2 while the body is sent.

import type { Conversation, Turn } from '../../core/gemini/conversation.ts'
import { DEFAULT_SIZE, type Model } from '../../core/models.ts'
import type { Provider } from '../../core/providers.ts'
import type { Input, Wish } from '../generation/record.ts'
import type { Segment } from '../stream/body.ts'

/** Address, headers (without the key's value being logged anywhere) and body of one call. */
export type Call = { url: string; headers: Record<string, string>; segments: Segment[] }

/** The call that asks `provider` for the picture. */
export function callOf(
  request: Wish['request'],
  inputs: readonly Input[],
  model: Model,
  provider: Provider,
  apiKey: string,
  conversation?: Conversation,
): Call {
  const auth: Record<string, string> =
    provider.auth === 'bearer' ? { authorization: `Bearer ${apiKey}` } : { 'x-goog-api-key': apiKey }
  return {
    url: `${provider.baseUrl}/v1beta/models/${encodeURIComponent(provider.wire[model.id]!)}:generateContent`,
    headers: { ...auth, 'content-type': 'application/json' },
    segments: segmentsOf(request, inputs, model, provider, conversation),
  }
}

/** The body as JSON. `dataOf` gives the Base64 of an inline image, or a mark in its place. */
export function bodyOf(
  request: Wish['request'],
  inputs: readonly Input[],
  model: Model,
  provider: Provider,
  dataOf: (index: number) => string,
  conversation?: Conversation,
) {
  const { system, safetySettings } = request
  const images = inputs.map((input, index) =>
    'fileUri' in input
      ? { fileData: { mimeType: input.mimeType, fileUri: input.fileUri } }
      : { inlineData: { mimeType: input.mimeType, data: dataOf(index) } },
  )
  const turns = conversation
    ? conversation.turns.map((turn) => turnOf(turn, images))
    : [{ role: 'user', parts: partsOf(request.prompt, images) }]
  const asTurn = system !== undefined && provider.system === 'model-turn'
  const imageConfig = defined({
    ...conversation?.imageConfig,
    aspectRatio: request.aspect,
    imageSize: model.sendsSize ? (request.size ?? DEFAULT_SIZE) : undefined,
  })
  const thinkingConfig = defined({
    thinkingLevel: request.thinking?.level?.toUpperCase(),
    thinkingBudget: request.thinking?.budget,
    includeThoughts: conversation?.includeThoughts,
  })
  return defined({
    systemInstruction: system !== undefined && !asTurn ? { parts: [{ text: system }] } : undefined,
    contents: [...(asTurn ? [{ role: 'model', parts: [{ text: system }] }] : []), ...turns],
    generationConfig: defined({
      ...conversation?.generationConfig,
      responseModalities: request.modalities ?? ['IMAGE'],
      imageConfig: Object.keys(imageConfig).length > 0 ? imageConfig : undefined,
      temperature: request.temperature,
      topP: request.topP,
      topK: request.topK,
      seed: request.seed,
      maxOutputTokens: request.maxOutputTokens,
      thinkingConfig: Object.keys(thinkingConfig).length > 0 ? thinkingConfig : undefined,
    }),
    safetySettings,
    tools: conversation?.tools,
    toolConfig: conversation?.toolConfig,
  })
}

type Image = { fileData: object } | { inlineData: object }

/** The documented orders: the instruction before inline images, and after images that are given by address. */
function partsOf(prompt: string, images: readonly Image[]) {
  const byAddress = images.length > 0 && images.every((image) => 'fileData' in image)
  return byAddress ? [...images, { text: prompt }] : [{ text: prompt }, ...images]
}

/** A turn as it came, its images in their places. */
function turnOf({ role, parts }: Turn, images: readonly Image[]) {
  return { role, parts: parts.map((p) => ('part' in p ? p.part : { ...images[p.image], ...p.more })) }
}

/** The text of the body, cut at the places of its images. */
function segmentsOf(
  request: Wish['request'],
  inputs: readonly Input[],
  model: Model,
  provider: Provider,
  conversation?: Conversation,
): Segment[] {
  // A run of private-use characters that is longer than any in the caller's own text.
  const runs = JSON.stringify([request, conversation]).match(/\ue000+/g) ?? []
  const mark = '\ue000'.repeat(1 + runs.reduce((longest, run) => Math.max(longest, run.length), 0))
  const markOf = (index: number) => `${mark}${index}${mark}`
  const text = JSON.stringify(bodyOf(request, inputs, model, provider, markOf, conversation))
  return text.split(new RegExp(`${mark}(\\d+)${mark}`)).map((piece, index): Segment => {
    if (index % 2 === 0) return piece
    const input = inputs[Number(piece)]!
    if ('fileUri' in input || input.key === undefined) throw new Error('an inline image without a stored key')
    return { key: input.key, bytes: input.bytes }
  })
}

/** Without the members that are undefined. */
function defined<T extends Record<string, unknown>>(members: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as never
}

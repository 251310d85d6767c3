// Calls of the Gemini surface, and providers that answer what a test wants.
import { vi } from 'vitest'
import type { GenerationView } from '../../../core/api.ts'
import { ask } from '../setup/ask.ts'
import { env } from '../setup/bindings.ts'

type Json = Record<string, unknown>

export type Part = {
  text?: string
  thought?: boolean
  thoughtSignature?: string
  inlineData?: { mimeType: string; data: string }
  fileData?: { mimeType: string; fileUri: string }
  [other: string]: unknown
}

export type Native = {
  candidates?: { content?: { role: string; parts: Part[] }; finishReason?: string; [told: string]: unknown }[]
  promptFeedback?: Json
  usageMetadata?: {
    candidatesTokensDetails?: { modality: string; tokenCount: number }[]
    [count: string]: unknown
  }
  modelVersion?: string
  responseId?: string
}

export type Call = {
  body?: unknown
  /** As it stands in the path; a small picture of Nano Banana 2 at APIYI ($0.055) unless told otherwise. */
  model?: string
  method?: string
  query?: string
  headers?: Record<string, string>
  version?: string
}

/** The body of a call for a small picture. */
export function wanting(prompt: string, generationConfig: Json = {}, more: Json = {}): Json {
  return {
    contents: [{ role: 'user', parts: [{ text: prompt }] }],
    generationConfig: {
      responseModalities: ['IMAGE'],
      imageConfig: { imageSize: '512' },
      ...generationConfig,
    },
    ...more,
  }
}

export function send({ body, model, method, query, headers, version }: Call): Promise<Response> {
  const name = model ?? 'apiyi/nano-banana-2'
  const path = `/${version ?? 'v1beta'}/models/${name}:${method ?? 'generateContent'}${query ?? ''}`
  return ask(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
}

/** The answer of a call that goes well. */
export async function answer(call: Call): Promise<Native> {
  const response = await send(call)
  if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`)
  return response.json()
}

export const partsOf = (native: Native): Part[] => native.candidates?.[0]?.content?.parts ?? []

/** The generation that an answer names. */
export async function generationOf(response: Response): Promise<GenerationView> {
  return (await ask(`/api/generations/${response.headers.get('x-proofsheet-generation')}`)).json()
}

/** The parts of an answer, one word or text for each. */
export const kinds = (native: Native) =>
  partsOf(native).map((part) => (part.inlineData ? 'picture' : part.thought ? 'thought' : part.text))

export const bytesOf = (part: Part | undefined): Uint8Array => Uint8Array.fromBase64(part!.inlineData!.data)

/** What the emulator itself answers to a body: with a seed, the same to all who ask. */
export async function emulated(body: unknown, provider = 'apiyi'): Promise<Native> {
  const url = `${env.EMULATOR}/${provider}/v1beta/models/gemini-3.1-flash-image-preview:generateContent`
  const headers = { authorization: `Bearer ${provider}-key`, 'content-type': 'application/json' }
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
  return response.json()
}

/** Answers every provider call with `reply` until mocks are restored, and keeps the bodies that were sent. */
export function standIn(reply: (call: number) => unknown): { bodies: Json[] } {
  const bodies: Json[] = []
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (_, init) => {
    bodies.push(await new Response(init!.body as ReadableStream).json())
    return Response.json(reply(bodies.length))
  })
  return { bodies }
}

// How the tests speak to an emulator: one call with everything but the interesting part filled in.
import type { createEmulator } from '../../emulator/app.ts'

export type Asked = {
  provider?: string
  version?: string
  model?: string
  query?: string
  headers?: Record<string, string>
  signal?: AbortSignal
}

type App = ReturnType<typeof createEmulator>['app']

/** The path of a model's generateContent. */
export function pathOf({
  provider = 'google',
  version = 'v1beta',
  model = NB2,
  query = '',
}: Asked = {}): string {
  return `/${provider}/${version}/models/${model}:generateContent${query}`
}

export const NB2 = 'gemini-3.1-flash-image'
export const PRO = 'gemini-3-pro-image'
export const LITE = 'gemini-3.1-flash-lite-image'
export const GENERATION_1 = 'gemini-2.5-flash-image'

/** Sends a body; a string goes as it is. */
export function ask(app: App, body: unknown, asked: Asked = {}): Promise<Response> {
  return Promise.resolve(
    app.request(pathOf(asked), {
      method: 'POST',
      headers: asked.headers ?? { authorization: 'Bearer sk-test' },
      body: typeof body === 'string' ? body : JSON.stringify(body),
      ...(asked.signal ? { signal: asked.signal } : {}),
    }),
  )
}

/** A body with one prompt. */
export function prompt(text: string, generationConfig: Record<string, unknown> = {}, ...parts: unknown[]) {
  return { contents: [{ role: 'user', parts: [{ text }, ...parts] }], generationConfig }
}

/** An answer's fields, as loosely as a client would read them. */
export type AnyAnswer = {
  candidates: {
    content?: {
      role: string
      parts: {
        text?: string
        thought?: boolean
        thoughtSignature?: string
        inlineData?: { mimeType: string; data: string }
      }[]
    }
    finishReason: string
    finishMessage?: string
  }[]
  promptFeedback?: { blockReason: string }
  usageMetadata: {
    promptTokenCount: number
    candidatesTokenCount: number
    thoughtsTokenCount?: number
    totalTokenCount: number
    promptTokensDetails: { modality: string; tokenCount: number }[]
    candidatesTokensDetails?: { modality: string; tokenCount: number }[]
  }
  modelVersion: string
  responseId: string
}

export type AnyError = {
  error: { code: number; status: string; message: string; details?: Record<string, unknown>[] }
}

/** Reads an answer that must be a 200. */
export async function answer(response: Promise<Response>): Promise<AnyAnswer> {
  const settled = await response
  const body = (await settled.json()) as AnyAnswer & AnyError
  if (settled.status !== 200) throw new Error(`${settled.status}: ${body.error.message}`)
  return body
}

/** The pictures of an answer, decoded. */
export function picturesOf({ candidates }: AnyAnswer): { mimeType: string; bytes: Buffer }[] {
  return (candidates[0]?.content?.parts ?? []).flatMap(({ inlineData }) =>
    inlineData ? [{ mimeType: inlineData.mimeType, bytes: Buffer.from(inlineData.data, 'base64') }] : [],
  )
}

// A chat with the worker under test, as clients of the OpenAI API have it.
import { vi } from 'vitest'
import { ask } from '../setup/ask.ts'
import { env } from '../setup/bindings.ts'
import type { RecordedRequest } from '../setup/witness.ts'

export type Message = {
  role: string
  content: string
  refusal: string | null
  images?: { index: number; type: string; image_url: { url: string } }[]
}

export type Completion = {
  id: string
  object: string
  created: number
  model: string
  choices: { index: number; message: Message; finish_reason: string; native_finish_reason: string | null }[]
  usage?: { prompt_tokens: number; completion_tokens: number; total_tokens: number }
  proofsheet: { generation: string; provider: string; cost: number | null; charged: string }
}

type ErrorBody = { error: { message: string; type: string; param: string | null; code: string | null } }

export const user = (content: unknown) => ({ role: 'user', content })

/** Asks for a completion: of Nano Banana 2 at APIYI, size 512, unless told otherwise. A text is sent as it is. */
export function chat(
  body: Record<string, unknown> | string,
  headers: Record<string, string> = {},
): Promise<Response> {
  const asked = { model: 'apiyi/nano-banana-2', size: '512', ...(body as object) }
  return ask('/openai/v1/chat/completions', {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(asked),
    headers: { 'content-type': 'application/json', ...headers },
  })
}

/** The completion of a chat that ends well. */
export async function completion(body: Record<string, unknown>): Promise<Completion> {
  const response = await chat(body)
  if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`)
  return response.json()
}

/** The error of a response. */
export async function errorOf(response: Response): Promise<ErrorBody['error']> {
  return ((await response.json()) as ErrorBody).error
}

/** A picture of ours as it lies in R2. */
export async function pictureAt(url: string): Promise<{ mimeType: string; base64: string }> {
  const object = await env.BUCKET.get(`pictures/${url.split('/').at(-1)}`)
  return { mimeType: object!.httpMetadata!.contentType!, base64: (await object!.bytes()).toBase64() }
}

/** A chat whose provider is the recorder: the body that it was sent. `words` stand in no other chat. */
export async function sentFor(
  words: string,
  body: Record<string, unknown>,
): Promise<Record<string, unknown>> {
  const platformFetch = globalThis.fetch
  vi.spyOn(globalThis, 'fetch').mockImplementation((input, init) =>
    platformFetch(String(input).replace(env.EMULATOR, env.RECORDER), init),
  )
  try {
    await completion(body)
  } finally {
    vi.restoreAllMocks()
  }
  const requests = (await (await fetch(`${env.RECORDER}/requests`)).json()) as RecordedRequest[]
  const found = requests.filter((request) => request.body.includes(words))
  if (found.length !== 1) throw new Error(`${found.length} calls instead of one`)
  return JSON.parse(found[0]!.body)
}

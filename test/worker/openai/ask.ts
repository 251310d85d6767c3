// Asks the OpenAI drop-in as its clients do.
import { ask } from '../setup/ask.ts'

export type ErrorBody = {
  error: { message: string; type: string; param: string | null; code: string | null }
}

export type ImagesBody = {
  created: number
  data: { b64_json?: string; url: string }[]
  background: string
  output_format: string
  size: string
  quality: string
  usage?: Record<string, unknown>
  proofsheet?: { failed: Record<string, unknown>[] }
}

/** A JSON call; a small picture of Nano Banana 2 at APIYI unless told otherwise. */
export function send(
  path: string,
  body: Record<string, unknown> | string | BodyInit,
  headers: Record<string, string> = {},
): Promise<Response> {
  const isPlain = typeof body === 'object' && Object.getPrototypeOf(body) === Object.prototype
  const json = { model: 'apiyi/nano-banana-2', size: '512x512', ...(isPlain ? (body as object) : {}) }
  return ask(`/openai/v1${path}`, {
    method: 'POST',
    body: isPlain ? JSON.stringify(json) : (body as BodyInit),
    headers: {
      ...(isPlain || typeof body === 'string' ? { 'content-type': 'application/json' } : {}),
      ...headers,
    },
  })
}

export const generate = (body: Record<string, unknown>, headers: Record<string, string> = {}) =>
  send('/images/generations', body, headers)

export const edit = (body: Record<string, unknown>, headers: Record<string, string> = {}) =>
  send('/images/edits', body, headers)

/** The pictures of an answer, which must be one. */
export async function imagesOf(response: Response): Promise<ImagesBody> {
  const text = await response.text()
  if (response.status !== 200) throw new Error(`${response.status} ${text}`)
  return JSON.parse(text)
}

/** The error of an answer, which must have OpenAI's shape and nothing else. */
export async function errorOf(response: Response): Promise<ErrorBody['error'] & { status: number }> {
  const text = await response.text()
  if (response.ok) throw new Error(`${response.status} is no error: ${text.slice(0, 200)}`)
  const { error, ...rest } = JSON.parse(text) as ErrorBody
  const members = Object.keys(error).sort().join()
  if (members !== 'code,message,param,type' || Object.keys(rest).length > 0)
    throw new Error(`not the shape of an error: ${text}`)
  if (response.headers.get('content-type') !== 'application/json') throw new Error('the error is not JSON')
  if (!response.headers.get('x-request-id')) throw new Error('the answer has no x-request-id')
  return { status: response.status, ...error }
}

/** A form; the edits of the openai client are one. */
export function form(...parts: [name: string, value: string | Blob, filename?: string][]): FormData {
  const data = new FormData()
  for (const [name, value, filename] of parts)
    if (typeof value === 'string') data.append(name, value)
    else data.append(name, value, filename ?? 'image.png')
  return data
}

export const blob = (bytes: Uint8Array, type = 'image/png') => new Blob([bytes], { type })

/** The events of a stream: their names and data, and its comments. */
export async function eventsOf(
  response: Response,
): Promise<{ event: string; data: Record<string, unknown> }[]> {
  const blocks = (await response.text()).split('\n\n').filter((block) => block !== '')
  return blocks
    .filter((block) => !block.startsWith(':'))
    .map((block) => {
      const [, event, data] = /^event: (\S+)\ndata: (.*)$/.exec(block) ?? []
      if (!data) throw new Error(`not an event: ${block.slice(0, 200)}`)
      return { event: event!, data: JSON.parse(data) }
    })
}

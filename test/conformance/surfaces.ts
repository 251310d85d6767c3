// The six ways in that take a picture request, each with a body that is right, and the shape of its errors.
import { request as httpRequest } from 'node:http'
import { expect } from 'vitest'

type Json = Record<string, unknown>

/** An image as a surface takes it: its label, and its bytes as Base64, right or wrong. */
export type Image = { mimeType: string; data: string }

export type Refused = {
  /** `payload_too_large` and so on: what each surface calls it is in `codes`. */
  status: number
  /** The problem's `code`, the google.rpc status, or OpenAI's `code`. */
  code: string
  message: string
  /** Paths of the fields at fault. */
  fields: readonly string[]
}

export type Surface = {
  name: string
  path: string
  /** A request that would be carried out. */
  body(prompt: string): Json
  /** The same with images. */
  withImages(prompt: string, images: readonly Image[]): Json
  /** Where the image of this index stands, as its messages say. */
  placeOf(index: number): string
  /** Reads an error of this surface, and fails when it has another shape. */
  refusedBy(answer: HttpAnswer): Refused
}

export type HttpAnswer = { status: number; headers: Readonly<Record<string, unknown>>; text: string }

const MODEL = 'gemini-3.1-flash-image'

function native(method: string): Surface {
  return {
    name: `Gemini ${method.split('?')[0]}`,
    path: `/v1beta/models/${MODEL}:${method}`,
    body: (prompt) => ({ contents: [{ role: 'user', parts: [{ text: prompt }] }] }),
    withImages: (prompt, images) => ({
      contents: [
        { role: 'user', parts: [{ text: prompt }, ...images.map((inlineData) => ({ inlineData }))] },
      ],
    }),
    placeOf: (index) => `contents[0].parts[${index + 1}]`,
    refusedBy: refusedByGoogle,
  }
}

export const API: Surface = {
  name: '/api/generations',
  path: '/api/generations',
  body: (prompt) => ({ model: MODEL, prompt }),
  withImages: (prompt, references) => ({ model: MODEL, prompt, references }),
  placeOf: (index) => `references[${index}]`,
  refusedBy(answer) {
    expect(answer.headers['content-type']).toBe('application/problem+json')
    const problem = JSON.parse(answer.text) as Json & { errors?: { path: string }[] }
    expect(problem).toMatchObject({ status: answer.status, charged: 'no' })
    expect(Object.keys(problem)).toEqual(expect.arrayContaining(['type', 'title', 'requestId']))
    return {
      status: answer.status,
      code: String(problem.code),
      message: String(problem.detail),
      fields: (problem.errors ?? []).map(({ path }) => path),
    }
  },
}

export const GENERATE = native('generateContent')
export const STREAM = native('streamGenerateContent?alt=sse')

const dataUrl = ({ mimeType, data }: Image) => `data:${mimeType};base64,${data}`

export const DRAW: Surface = {
  name: 'OpenAI images/generations',
  path: '/openai/v1/images/generations',
  body: (prompt) => ({ model: MODEL, prompt }),
  withImages: (prompt, images) => ({ model: MODEL, prompt, image: images.map(dataUrl) }),
  placeOf: (index) => `image[${index}]`,
  refusedBy: refusedByOpenAi,
}

export const EDIT: Surface = {
  name: 'OpenAI images/edits',
  path: '/openai/v1/images/edits',
  body: (prompt) => ({ model: MODEL, prompt, images: [{ image_url: dataUrl(PIXEL) }] }),
  withImages: (prompt, images) => ({
    model: MODEL,
    prompt,
    images: images.map((image) => ({ image_url: dataUrl(image) })),
  }),
  placeOf: (index) => `images[${index}]`,
  refusedBy: refusedByOpenAi,
}

export const CHAT: Surface = {
  name: 'OpenAI chat/completions',
  path: '/openai/v1/chat/completions',
  body: (prompt) => ({ model: MODEL, messages: [{ role: 'user', content: prompt }] }),
  withImages: (prompt, images) => ({
    model: MODEL,
    messages: [
      {
        role: 'user',
        content: [
          { type: 'text', text: prompt },
          ...images.map((image) => ({ type: 'image_url', image_url: { url: dataUrl(image) } })),
        ],
      },
    ],
  }),
  placeOf: (index) => `messages[0].content[${index + 1}]`,
  refusedBy: refusedByOpenAi,
}

export const SURFACES: readonly Surface[] = [API, GENERATE, STREAM, DRAW, EDIT, CHAT]

/** A picture of one pixel. */
export const PIXEL: Image = {
  mimeType: 'image/png',
  data: 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
}

function refusedByGoogle(answer: HttpAnswer): Refused {
  expect(answer.headers['content-type']).toBe('application/json; charset=UTF-8')
  const { error, ...rest } = JSON.parse(answer.text) as {
    error: { code: number; status: string; message: string; details?: { fieldViolations?: Json[] }[] }
  }
  expect(rest).toEqual({})
  expect(error.code).toBe(answer.status)
  return {
    status: answer.status,
    code: error.status,
    message: error.message,
    fields: (error.details ?? []).flatMap((d) => d.fieldViolations ?? []).map((v) => String(v.field)),
  }
}

function refusedByOpenAi(answer: HttpAnswer): Refused {
  expect(answer.headers['content-type']).toBe('application/json')
  expect(answer.headers['x-request-id']).toEqual(expect.any(String))
  const { error, ...rest } = JSON.parse(answer.text) as {
    error: { message: string; type: string; param: string | null; code: string | null }
  }
  expect(rest).toEqual({})
  expect(Object.keys(error).sort()).toEqual(['code', 'message', 'param', 'type'])
  expect(error.type).toBe('invalid_request_error')
  return {
    status: answer.status,
    code: String(error.code),
    message: error.message,
    fields: error.param === null ? [] : [error.param],
  }
}

/** Posts a body as a client does that sends all of it before it reads the answer. Rejects when the connection breaks. */
export function post(
  url: string,
  token: string,
  body: string | Uint8Array | readonly Uint8Array[],
  headers: Readonly<Record<string, string>> = { 'content-type': 'application/json' },
): Promise<HttpAnswer> {
  const pieces = typeof body === 'string' || body instanceof Uint8Array ? [Buffer.from(body)] : body
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      url,
      { method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-length': length, ...headers } },
      async (response) => {
        const chunks: Buffer[] = []
        try {
          for await (const chunk of response) chunks.push(chunk)
        } catch (error) {
          return reject(error)
        }
        const text = Buffer.concat(chunks).toString()
        resolve({ status: response.statusCode!, headers: response.headers, text })
      },
    )
    request.on('error', reject)
    for (const piece of pieces) request.write(piece)
    request.end()
  })
}

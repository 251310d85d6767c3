// Reads native calls without making their pictures: what the surface understood, or the error that it gave.
import { Hono } from 'hono'
import type { Conversation } from '../../../core/gemini/conversation.ts'
import { RpcError } from '../../../core/gemini/rpc.ts'
import type { AppEnv } from '../../../worker/env.ts'
import { countTokens, type TokenCount } from '../../../worker/gemini/count.ts'
import { type ReadCall, readCall } from '../../../worker/gemini/read.ts'
import { authenticate } from '../../../worker/http/auth.ts'
import { market } from '../../../worker/http/market.ts'
import { Problem } from '../../../worker/http/problem.ts'
import { env } from '../setup/bindings.ts'

export const NB2 = 'gemini-3.1-flash-image'

const app = new Hono<AppEnv>()
app.use(market, authenticate)
app.post('/read/:model{.+}', async (c) => c.json(await readCall(c, c.req.param('model'))))
app.post('/count/:model{.+}', async (c) => c.json(await countTokens(c, c.req.param('model'))))
app.onError((error, c) => {
  if (error instanceof RpcError) return c.json(error.body, error.code as 400)
  if (error instanceof Problem) return c.json({ problem: error.code }, 422)
  throw error
})

export type Sent = { model?: string; headers?: Record<string, string>; changes?: object }

async function send(what: string, body: unknown, { model = NB2, headers, changes }: Sent): Promise<Response> {
  const isRaw = typeof body === 'string' || body instanceof ReadableStream
  return app.fetch(
    new Request(`https://proofsheet.test/${what}/${model}`, {
      method: 'POST',
      headers: { 'x-goog-api-key': env.ADMIN_TOKEN, ...headers },
      body: isRaw ? body : JSON.stringify(body),
    }),
    { ...env, ...changes },
  )
}

export type Understood = ReadCall & { asked: ReadCall['asked'] & { conversation: Conversation } }

/** What the surface makes of a body, by default for Nano Banana 2 at Google. */
export async function read(body: unknown, sent: Sent = {}): Promise<Understood> {
  const response = await send('read', body, sent)
  if (response.status !== 200) throw new Error(await response.text())
  return response.json()
}

export async function count(body: unknown, sent: Sent = {}): Promise<TokenCount> {
  const response = await send('count', body, sent)
  if (response.status !== 200) throw new Error(await response.text())
  return response.json()
}

/** Status and message of an error, and the fields that it names. */
export type Refused = { status: string; message: string; fields: string[] }

/** Why a body is refused. */
export async function refusal(body: unknown, sent: Sent = {}, what = 'read'): Promise<Refused> {
  const response = await send(what, body, sent)
  const { error, problem } = (await response.json()) as {
    error?: {
      code: number
      status: string
      message: string
      details?: { fieldViolations?: { field: string }[] }[]
    }
    problem?: string
  }
  if (!error) return { status: problem ?? 'none', message: '', fields: [] }
  const fields = (error.details ?? []).flatMap((d) => d.fieldViolations ?? []).map(({ field }) => field)
  return { status: `${error.code} ${error.status}`, message: error.message, fields }
}

/** A body of one text and what stands beside it in the same turn. */
export const says = (text: string, ...parts: unknown[]) => ({
  contents: [{ role: 'user', parts: [{ text }, ...parts] }],
})

/** An inline image. */
export const inline = (bytes: Uint8Array, mimeType = 'image/png') => ({
  inlineData: { mimeType, data: bytes.toBase64() },
})

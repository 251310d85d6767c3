// Tokens beside ADMIN_TOKEN, made as an operator makes them.
import type { z } from 'zod'
import type { NewTokenSchema, TokenRequestSchema, TokenView } from '../../../core/accounts.ts'
import { ask, askAs } from './ask.ts'

export type NewToken = z.output<typeof NewTokenSchema>

/** A new token; in the workspace `default` unless told otherwise. */
export async function makeToken(wanted: Partial<z.input<typeof TokenRequestSchema>> = {}): Promise<NewToken> {
  const body = JSON.stringify({ name: 'a test', ...wanted })
  const response = await ask('/api/tokens', { method: 'POST', body })
  if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}`)
  return response.json()
}

/** A call of the API with a token. */
export function askWith(
  token: string,
  path: string,
  init: RequestInit = {},
  changes: Record<string, unknown> = {},
): Promise<Response> {
  const headers = new Headers(init.headers)
  headers.set('authorization', `Bearer ${token}`)
  return askAs(path, { ...init, headers }, changes)
}

/** Asks for a small picture of Nano Banana 2 at APIYI ($0.055) with a token. */
export function postWith(
  token: string,
  asked: Record<string, unknown>,
  headers: Record<string, string> = {},
): Promise<Response> {
  const body = JSON.stringify({ model: 'nano-banana-2', provider: 'apiyi', size: '512', ...asked })
  return askWith(token, '/api/generations', { method: 'POST', body, headers })
}

/** A token as it is listed. */
export async function listed(id: string): Promise<TokenView> {
  const { tokens } = (await (await ask('/api/tokens?limit=100')).json()) as { tokens: TokenView[] }
  return tokens.find((token) => token.id === id)!
}

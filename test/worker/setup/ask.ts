// Asks the worker under test as a client would, and the emulator what it was asked.

import type { GenerationView, ProblemView } from '../../../core/api.ts'
import { createApp } from '../../../worker/app.ts'
import type { Log } from '../../../worker/log.ts'
import { env } from './bindings.ts'
import type { SeenCall, SeenCharge } from './witness.ts'

/** Lines that the worker's HTTP side has logged, in this file and others before it; the objects log to the console. */
export const logged: Parameters<Log>[0][] = []

const app = createApp((line) => void logged.push(line), Date.now)

/** A call of the API with the administrator's token. `changes` are other bindings than the usual ones: they are seen by
 *  the HTTP side, not by the Generation objects. */
export async function ask(
  path: string,
  init: RequestInit = {},
  changes: Record<string, unknown> = {},
): Promise<Response> {
  const headers = new Headers(init.headers)
  if (!headers.has('authorization')) headers.set('authorization', `Bearer ${env.ADMIN_TOKEN}`)
  return askAs(path, { ...init, headers }, changes)
}

/** The same without any token. */
export async function askAs(
  path: string,
  init: RequestInit = {},
  changes: Record<string, unknown> = {},
): Promise<Response> {
  return app.fetch(new Request(`https://proofsheet.test${path}`, init), { ...env, ...changes })
}

/** What a generation asks for; a small picture of Nano Banana 2 at APIYI ($0.055) unless told otherwise. */
export type Asked = Record<string, unknown>

export function post(asked: Asked, headers: Record<string, string> = {}, changes = {}): Promise<Response> {
  const body = JSON.stringify({ model: 'nano-banana-2', provider: 'apiyi', size: '512', ...asked })
  return ask('/api/generations', { method: 'POST', body, headers }, changes)
}

/** The generation, once it has ended. */
export async function make(asked: Asked, headers: Record<string, string> = {}): Promise<GenerationView> {
  const response = await post(asked, headers)
  if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}`)
  return response.json()
}

/** A prompt that no other test uses, so that its calls can be told from theirs. */
export function prompt(words = 'a red bicycle'): string {
  return `${words} ${crypto.randomUUID()}`
}

/** The calls that the emulator was sent with this prompt (without its fault markers). */
export async function callsOf(wanted: string): Promise<SeenCall[]> {
  const { calls } = (await (await fetch(`${env.EMULATOR}/calls`)).json()) as { calls: SeenCall[] }
  return calls.filter((call) => call.prompt === plain(wanted))
}

/** What the emulator charged for this prompt. */
export async function chargesOf(wanted: string): Promise<SeenCharge[]> {
  const ids = (await callsOf(wanted)).map((call) => call.id)
  const { charges } = (await (await fetch(`${env.EMULATOR}/bill`)).json()) as { charges: SeenCharge[] }
  return charges.filter((charge) => ids.includes(charge.call))
}

/** The problem of a response, and that it is one. */
export async function problemOf(response: Response): Promise<ProblemView> {
  if (response.headers.get('content-type') !== 'application/problem+json')
    throw new Error(`${response.status} is no problem: ${await response.text()}`)
  return response.json()
}

/** The keys in the bucket under a prefix. */
export async function stored(prefix = ''): Promise<string[]> {
  return (await env.BUCKET.list({ prefix })).objects.map((object) => object.key)
}

/** Keys of the pictures that are stored for a generation. */
export async function picturesOf(id: string): Promise<string[]> {
  const keys: string[] = []
  let cursor: string | undefined
  do {
    const page = await env.BUCKET.list({
      prefix: 'pictures/',
      include: ['customMetadata'],
      ...(cursor === undefined ? {} : { cursor }),
    })
    keys.push(
      ...page.objects.flatMap((object) => (object.customMetadata?.generation === id ? [object.key] : [])),
    )
    cursor = page.truncated ? page.cursor : undefined
  } while (cursor !== undefined)
  return keys
}

function plain(text: string): string {
  return text.replace(/\[\[fault:[^\]]*\]\]\s?/g, '').trim()
}

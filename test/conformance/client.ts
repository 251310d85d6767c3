// What every test of a real client needs: a worker with the emulator as every provider, prompts that no other test uses,
// what the providers were sent word for word, and what proofsheet has stored. Purchases are counted at the emulator.
import { createHash, randomUUID } from 'node:crypto'
import { createServer, request as send } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream'
import sharp from 'sharp'
import type { GenerationView } from '../../core/api.ts'
import type { Call, Charge } from '../../emulator/witness.ts'
import { type Stack, startStack } from '../runner/sandbox.ts'

/** Google's id of the model that most tests use, and a short name that `ai` would not take. */
export const MODEL = 'gemini-3.1-flash-image'

export type Sent = { path: string; body: string }

export type Shop = {
  url: string
  token: string
  /** The calls that providers were sent with this prompt, and what they charged for it. */
  calls(prompt: string): Call[]
  charges(prompt: string): Charge[]
  /** Resolves once a provider has been called with this prompt; to be asked before that. */
  called(prompt: string): Promise<void>
  /** Bodies that providers were sent, in order, as text: those that hold this prompt. */
  sent(prompt: string): Sent[]
  /** The generations of this prompt, of which there is at least one, as proofsheet lists them; each at its end. */
  generations(prompt: string): Promise<GenerationView[]>
  /** The stored bytes of a picture. */
  stored(url: string): Promise<Uint8Array>
  close(): Promise<void>
}

/** Starts all of it. */
export async function openShop(variables: Record<string, string> = {}): Promise<Shop> {
  const tape = await startTape()
  const addresses = ['google', 'apiyi', 'tokaify'].map((id) => [
    `${id.toUpperCase()}_BASE_URL`,
    `${tape.url}/${id}`,
  ])
  const stack: Stack = await startStack({ ...Object.fromEntries(addresses), ...variables })
  const { emulator, url, token } = stack
  tape.forwardTo(emulator.url)
  const calls = (prompt: string) => emulator.calls().filter((call) => call.prompt.endsWith(plain(prompt)))
  const api = async (path: string) => {
    const response = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${token}` } })
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    return response
  }
  return {
    url,
    token,
    calls,
    charges(prompt) {
      const ids = calls(prompt).map((call) => call.id)
      return emulator.bill().filter((charge) => ids.includes(charge.call))
    },
    called: (prompt) => tape.seen(plain(prompt)),
    sent: (prompt) => tape.requests.filter(({ body }) => body.includes(plain(prompt))),
    async generations(prompt) {
      let own: GenerationView[] = []
      // The list follows the truth by moments.
      while (own.length === 0) {
        const { generations } = (await (await api('/api/generations?limit=100')).json()) as {
          generations: GenerationView[]
        }
        own = generations.filter((one) => one.request.prompt === prompt)
      }
      const ended = own.map(async ({ id }) => (await api(`/api/generations/${id}?wait=30`)).json())
      return Promise.all(ended) as Promise<GenerationView[]>
    },
    async stored(address) {
      return new Uint8Array(await (await api(new URL(address).pathname)).arrayBuffer())
    },
    async close() {
      await stack.close()
      await tape.close()
    },
  }
}

/** A prompt that no other test uses. Fault markers lead. */
export function prompt(words = 'a red bicycle'): string {
  return `${words} ${randomUUID()}`
}

export function sha256(data: Uint8Array | string): string {
  return createHash('sha256')
    .update(typeof data === 'string' ? Buffer.from(data, 'base64') : data)
    .digest('hex')
}

/** A small picture of one colour, which no other test has sent. */
export async function photo(type: 'png' | 'jpeg' | 'webp' = 'png'): Promise<Buffer> {
  const [r = 0, g = 0, b = 0] = createHash('sha256').update(randomUUID()).digest()
  const image = sharp({ create: { width: 24, height: 16, channels: 3, background: { r, g, b } } })
  return image.toFormat(type).toBuffer()
}

/** What a rejected promise was rejected with. */
export async function failure(promise: PromiseLike<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('it did not fail')
}

function plain(text: string): string {
  return text.replace(/\[\[fault:[^\]]*\]\]\s?/g, '').trim()
}

/** Stands between two that talk, keeps every request as it came, and breaks where either side breaks. */
export async function startTape() {
  const requests: Sent[] = []
  const awaited: { text: string; resolve: () => void }[] = []
  let target = ''
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => {
      const body = Buffer.concat(chunks)
      const text = body.toString()
      requests.push({ path: incoming.url ?? '', body: text })
      for (const each of awaited) if (text.includes(each.text)) each.resolve()
      const { method, headers } = incoming
      const onward = send(`${target}${incoming.url}`, { method, headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 500, answer.headers)
        pipeline(answer, outgoing, () => {})
      })
      onward.on('error', () => outgoing.destroy())
      outgoing.on('close', () => onward.destroy())
      onward.end(body)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    /** Resolves with the next request that holds this text. */
    seen: (text: string) => new Promise<void>((resolve) => awaited.push({ text, resolve })),
    forwardTo(url: string) {
      target = url
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

// Requests to servers on this machine, without proxies and pooled connections; leases, which are such requests; and its ports.
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { createServer } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'

/** How long a local answer may take, in ms. A worker that has just started compiles itself first. */
const ANSWER_MS = 20_000

export type Answer = { status: number; body: string }

/** Asks and reads the answer; undefined when there is none. */
export async function ask(method: 'GET' | 'POST', url: string, token: string): Promise<Answer | undefined> {
  try {
    const { response } = await open(method, url, token)
    return { status: response.statusCode ?? 0, body: await text(response) }
  } catch {
    return undefined
  }
}

export type Lease = {
  /** Resolves when it is over, by whichever side. */
  ended: Promise<void>
  release(): void
}

/** Takes a lease at a control port: a request that hangs until it is dropped, or until this process ends. Does not keep
 *  the process alive. Undefined when the server gives none any more. */
export async function takeLease(control: string, token: string): Promise<Lease | undefined> {
  try {
    const { sent, response } = await open('GET', `${control}/lease`, token)
    if (response.statusCode !== 200) return undefined
    const ended = new Promise<void>((resolve) => response.once('close', resolve))
    response.on('error', () => {})
    response.resume()
    sent.setTimeout(0)
    sent.socket?.unref()
    return { ended, release: () => sent.destroy() }
  } catch {
    return undefined
  }
}

function open(method: string, url: string, token: string) {
  return new Promise<{ sent: ClientRequest; response: IncomingMessage }>((resolve, reject) => {
    const sent = request(url, { method, agent: false, headers: { authorization: `Bearer ${token}` } })
    sent.setTimeout(ANSWER_MS, () => sent.destroy(new Error(`no answer from ${url}`)))
    sent.on('error', reject)
    sent.on('response', (response) => resolve({ sent, response }))
    sent.end()
  })
}

/** Whether nobody listens at a port of 127.0.0.1. Looks twice, because whoever looks listens for a moment. */
export async function isFree(port: number): Promise<boolean> {
  if (await canListen(port)) return true
  await sleep(AGAIN_MS)
  return canListen(port)
}

/** A look takes less, in ms. */
const AGAIN_MS = 50

function canListen(port: number): Promise<boolean> {
  const probe = createServer()
  return new Promise<boolean>((resolve, reject) => {
    probe.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(false) : reject(error),
    )
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
  })
}

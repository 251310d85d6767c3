// What the tests of the local worker share: state directories that go away, a provider that answers when it is told to,
// and a look at which processes a local worker has.
import { cpSync, mkdtempSync, readdirSync, readlinkSync, realpathSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished, vi } from 'vitest'
import { serveEmulator } from '../../../emulator/serve.ts'
import { placeOf } from '../../../runner/local/place.ts'
import { isAlive } from '../../../runner/local/process.ts'
import { readServing } from '../../../runner/local/record.ts'

/** The environment of a user without any provider key. */
export const PLAIN = { PATH: process.env.PATH, HOME: process.env.HOME }

export const KEY = 'a-key-nobody-may-find-on-disk'

/** A new state directory; it fails the test when its local worker does not end. With `like` it is a copy of another one's
 *  empty storage: a first start takes longest. */
export function stateDirectory(like?: string): string {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'proofsheet-local-')))
  onTestFinished(async () => {
    await untilGone(dir)
    rmSync(dir, { recursive: true })
  })
  if (like) {
    const { storage, cache } = placeOf(like)
    cpSync(storage.emulated, placeOf(dir).storage.emulated, { recursive: true })
    cpSync(storage.emulated, placeOf(dir).storage.bought, { recursive: true })
    cpSync(cache, placeOf(dir).cache, { recursive: true })
  }
  return dir
}

/** Resolves when no process of the state directory's local worker is left. */
export async function untilGone(stateDir: string): Promise<void> {
  await vi.waitUntil(() => processesOf(stateDir).length === 0, { timeout: 15_000 })
}

/** Every process that works in the storage: the server, workerd, the emulator. */
export function processesOf(stateDir: string): number[] {
  const { dir, record } = placeOf(stateDir)
  if (process.platform !== 'linux') {
    const serving = readServing(record)
    return serving ? [serving.server, ...serving.children].filter(isAlive).map(({ pid }) => pid) : []
  }
  return readdirSync('/proc').flatMap((pid) => {
    try {
      return readlinkSync(`/proc/${pid}/cwd`) === dir ? [Number(pid)] : []
    } catch {
      return []
    }
  })
}

/** A provider that is paid: the emulator at the base URL of google. `takes` is for how long it draws: a time in ms, or
 *  until something has happened. */
export async function paidProvider(takes: number | Promise<void>) {
  const emulator = await serveEmulator(
    typeof takes === 'number' ? { latencyMs: takes } : { latencyMs: 1, sleep: () => takes },
  )
  onTestFinished(() => emulator.close())
  return {
    env: { ...PLAIN, GOOGLE_API_KEY: KEY, GOOGLE_BASE_URL: `${emulator.url}/google` },
    calls: () => emulator.calls().length,
  }
}

/** Sends a request to a worker; the answer as JSON. */
export async function send(
  { url, token }: { url: string; token: string },
  method: 'GET' | 'POST',
  path: string,
  body?: object,
) {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      prefer: 'respond-async',
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
  // biome-ignore lint/suspicious/noExplicitAny: the answers are the worker's, and checked by the tests that read them.
  return (await response.json()) as any
}

export const FERN = { model: 'nano-banana-2', prompt: 'a fern', size: '512' }

/** A port that nobody has. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

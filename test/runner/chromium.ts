// A Chromium of this machine, driven by its own protocol; for what only a browser can tell.
import { spawn } from 'node:child_process'
import { accessSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

// The browser's own keys are told by these numbers.
const KEY_CODES = { Escape: 27, ArrowLeft: 37, ArrowRight: 39 }

/** Where it is; undefined on a machine without one. */
export function findChromium(): string | undefined {
  const places = (process.env.PATH ?? '')
    .split(delimiter)
    .flatMap((folder) => NAMES.map((name) => join(folder, name)))
  return places.find((place) => {
    try {
      accessSync(place)
      return true
    } catch {
      return false
    }
  })
}

export type Page = {
  /** The value of an expression in the page; awaits promises. Throws what the page throws. */
  run<T>(expression: string): Promise<T>
  /** Presses and releases a key. */
  press(key: keyof typeof KEY_CODES): Promise<void>
  /** Shows the page at another size, in CSS pixels, and in the colours that the system prefers. */
  show(how: { width: number; height: number; dark: boolean }): Promise<void>
  /** The page as it is shown, as PNG. */
  screenshot(): Promise<Buffer>
  /** What the page wrote to its console, errors of its policy included. */
  console: string[]
  /** Addresses that the page asked for, its own first. */
  requests: string[]
  close(): Promise<void>
}

/** A page at an address, loaded. */
export async function openPage(chromium: string, url: string): Promise<Page> {
  const profile = mkdtempSync(join(tmpdir(), 'proofsheet-chromium-'))
  const flags = [
    '--headless=new',
    '--no-sandbox',
    '--disable-gpu',
    '--remote-debugging-port=0',
    `--user-data-dir=${profile}`,
  ]
  const child = spawn(chromium, [...flags, 'about:blank'], { stdio: ['ignore', 'ignore', 'pipe'] })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const address = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stderr }).on('line', (line) => {
      const found = /DevTools listening on (ws:\S+)/.exec(line)
      if (found) resolve(found[1]!)
    })
    void ended.then(() => reject(new Error('chromium ended before it listened')))
  })
  const socket = new WebSocket(address)
  await new Promise((resolve) => socket.addEventListener('open', resolve, { once: true }))

  type Message = {
    id?: number
    method?: string
    params?: Record<string, unknown>
    result?: unknown
    error?: { message: string }
  }
  const waiting = new Map<number, (message: Message) => void>()
  const events = new Set<(message: Message) => void>()
  const console: string[] = []
  const requests: string[] = []
  socket.addEventListener('message', ({ data }) => {
    const message = JSON.parse(String(data)) as Message
    if (message.id !== undefined) waiting.get(message.id)?.(message)
    else for (const listener of events) listener(message)
  })
  let last = 0
  let sessionId: string | undefined
  const send = async <T>(method: string, params: object = {}): Promise<T> => {
    const id = ++last
    const answer = new Promise<Message>((resolve) => waiting.set(id, resolve))
    socket.send(JSON.stringify({ id, method, params, ...(sessionId ? { sessionId } : {}) }))
    const { result, error } = await answer
    if (error) throw new Error(`${method}: ${error.message}`)
    return result as T
  }
  events.add(({ method, params }) => {
    if (
      method === 'Runtime.exceptionThrown' ||
      method === 'Runtime.consoleAPICalled' ||
      method === 'Log.entryAdded'
    )
      console.push(JSON.stringify(params))
    if (method === 'Network.requestWillBeSent')
      requests.push((params as { request: { url: string } }).request.url)
  })
  const { targetId } = await send<{ targetId: string }>('Target.createTarget', { url: 'about:blank' })
  sessionId = (await send<{ sessionId: string }>('Target.attachToTarget', { targetId, flatten: true }))
    .sessionId
  for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await send(`${domain}.enable`)
  const loaded = new Promise<void>((resolve) =>
    events.add(({ method }) => {
      if (method === 'Page.loadEventFired') resolve()
    }),
  )
  await send('Page.navigate', { url })
  await loaded
  return {
    async run<T>(expression: string) {
      const { result, exceptionDetails } = await send<{ result: { value: T }; exceptionDetails?: object }>(
        'Runtime.evaluate',
        { expression, awaitPromise: true, returnByValue: true },
      )
      if (exceptionDetails) throw new Error(JSON.stringify(exceptionDetails))
      return result.value
    },
    async press(key) {
      const windowsVirtualKeyCode = KEY_CODES[key]
      for (const type of ['keyDown', 'keyUp'])
        await send('Input.dispatchKeyEvent', { type, key, code: key, windowsVirtualKeyCode })
    },
    async show({ width, height, dark }) {
      const metrics = { width, height, deviceScaleFactor: 1, mobile: width < 600 }
      await send('Emulation.setDeviceMetricsOverride', metrics)
      const value = dark ? 'dark' : 'light'
      await send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value }] })
    },
    async screenshot() {
      const { data } = await send<{ data: string }>('Page.captureScreenshot', { format: 'png' })
      return Buffer.from(data, 'base64')
    },
    console,
    requests,
    async close() {
      socket.close()
      child.kill()
      await ended
      rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
    },
  }
}

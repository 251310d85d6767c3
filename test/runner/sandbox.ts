// A folder with a manifest, and the command line in it, run in this process against the real worker and the emulator.
// Purchases are counted where they are made: at the emulator.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { serveEmulator } from '../../emulator/serve.ts'
import { exitOf } from '../../runner/exit.ts'
import type { Io, Output } from '../../runner/io.ts'
import { attachLocal, untilEnded } from '../../runner/local/attach.ts'
import { createProgram } from '../../runner/program.ts'

export type Emulator = Awaited<ReturnType<typeof serveEmulator>>

export type Result = { code: number; stdout: string; stderr: string }

export type Stack = {
  emulator: Emulator
  url: string
  token: string
  close(): Promise<void>
}

/** A worker that has a key of every provider, all of which are the emulator: what it draws counts as bought. */
export async function startStack(variables: Record<string, string> = {}): Promise<Stack> {
  const emulator = await serveEmulator({ latencyMs: 0 })
  const stateDir = mkdtempSync(join(tmpdir(), 'proofsheet-stack-'))
  const env = {
    PATH: process.env.PATH,
    GOOGLE_API_KEY: 'key-of-google',
    GOOGLE_BASE_URL: `${emulator.url}/google`,
    APIYI_API_KEY: 'key-of-apiyi',
    APIYI_BASE_URL: `${emulator.url}/apiyi`,
    TOKAIFY_API_KEY: 'key-of-tokaify',
    TOKAIFY_BASE_URL: `${emulator.url}/tokaify`,
    ...variables,
  }
  const worker = await attachLocal({ stateDir, env })
  return {
    emulator,
    url: worker.url,
    token: worker.token,
    async close() {
      await worker.release()
      await untilEnded(stateDir, 20_000)
      await emulator.close()
      rmSync(stateDir, { recursive: true, force: true })
    },
  }
}

export type Sandbox = {
  folder: string
  write(name: string, content: string | Uint8Array): void
  read(name: string): string
  edit(name: string, from: string, to: string): void
  /** Runs `proofsheet <words>` in the folder; a text is divided at its spaces. */
  proofsheet(words: string | readonly string[], changes?: Partial<Io>): Promise<Result>
  /** Picture requests that providers saw since the last time this was asked. */
  calls(): number
}

/** A fresh folder whose commands go to the worker of `stack`, or, without one, to an embedded worker. */
export function sandbox(stack?: Stack, env: Record<string, string> = {}): Sandbox {
  const folder = mkdtempSync(join(tmpdir(), 'proofsheet-shop-'))
  let seen = stack?.emulator.calls().length ?? 0
  return {
    folder,
    write(name, content) {
      mkdirSync(dirname(join(folder, name)), { recursive: true })
      writeFileSync(join(folder, name), content)
    },
    read: (name) => readFileSync(join(folder, name), 'utf8'),
    edit(name, from, to) {
      const text = readFileSync(join(folder, name), 'utf8')
      if (!text.includes(from)) throw new Error(`${name} does not hold ${from}`)
      writeFileSync(join(folder, name), text.replace(from, to))
    },
    async proofsheet(words, changes) {
      const worker = stack ? { PROOFSHEET_URL: stack.url, PROOFSHEET_TOKEN: stack.token } : {}
      return inProcess(words, folder, { PATH: process.env.PATH!, ...worker, ...env }, changes)
    },
    calls() {
      const now = stack?.emulator.calls().length ?? 0
      const since = now - seen
      seen = now
      return since
    },
  }
}

async function inProcess(
  words: string | readonly string[],
  folder: string,
  env: Record<string, string>,
  changes: Partial<Io> = {},
) {
  const written = { stdout: '', stderr: '' }
  const output = (name: 'stdout' | 'stderr'): Output => ({
    write: (text) => {
      written[name] += text
    },
    data: (text) => {
      written[name] += text
    },
    isTerminal: false,
    color: false,
    unicode: true,
    columns: 80,
    rows: 24,
  })
  const io: Io = {
    stdout: output('stdout'),
    stderr: output('stderr'),
    interactive: false,
    confirm: async () => false,
    env,
    cwd: folder,
    pid: process.pid,
    now: Date.now,
    sleep: async (ms, signal) => void (await sleep(ms, undefined, signal ? { signal } : {})),
    every(ms, tick) {
      const timer = setInterval(tick, ms)
      return () => clearInterval(timer)
    },
    fetch: globalThis.fetch,
    onInterrupt: () => () => {},
    ...changes,
  }
  let code = 0
  const program = createProgram(io, (result) => {
    code = result
  })
  try {
    const list = typeof words === 'string' ? words.split(' ').filter(Boolean) : words
    await program.parseAsync(list, { from: 'user' })
  } catch (error) {
    const known = exitOf(error)
    if (!known) throw error
    if (known.message) written.stderr += `proofsheet: ${known.message}\n`
    code = known.code
  }
  return { code, ...written }
}

// The processes that the local server starts: workerd and esbuild, by wrangler, and the emulator. Node announces each on
// a diagnostics channel, so that a child is on record before it can be lost.
import { type ChildProcess, spawn } from 'node:child_process'
import { subscribe } from 'node:diagnostics_channel'
import { createInterface } from 'node:readline'
import { PROJECT } from './place.ts'
import { type Identity, identityOf } from './process.ts'

export type ChildEvents = {
  started: (child: Identity) => void
  /** `command` is what it was started with. */
  ended: (command: string) => void
}

/** Reports every child process of this one from now on. */
export function watchChildren({ started, ended }: ChildEvents): void {
  subscribe('child_process', (message) => {
    const child = (message as { process: ChildProcess }).process
    child.once('spawn', () => {
      const identity = child.pid === undefined ? undefined : identityOf(child.pid)
      if (identity) started(identity)
    })
    child.once('exit', () => ended(child.spawnargs.join(' ')))
  })
}

/** Whether the server is of no use without this child. */
export function isVital(command: string): boolean {
  return /\bworkerd\b.* serve\b/.test(command) || command.includes(PROJECT.emulator)
}

/** Starts the emulator as a process; resolves with its address. */
export async function startEmulator(latencyMs: number | undefined): Promise<string> {
  const latency = latencyMs === undefined ? [] : ['--latency', String(latencyMs)]
  const child = spawn(process.execPath, [PROJECT.emulator, '--port', '0', ...latency], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for await (const line of createInterface(child.stdout)) {
    const url = /http:\/\/\S+/.exec(line)?.[0]
    if (!url) continue
    child.stdout.resume()
    return url
  }
  throw new Error('the emulator ended before it said where it is')
}

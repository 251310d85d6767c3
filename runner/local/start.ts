// Starting the local server as a process of its own, in a session of its own: neither Ctrl-C nor a closed terminal
// reaches it, and its worker with the calls that are paid for.
import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { type ServeOptions, TAKEN } from './options.ts'
import { type Place, PROJECT } from './place.ts'
import type { Environment } from './variables.ts'
import { wranglerEnvironment } from './workerd.ts'

/** `late`: another server had the storage or the port already. */
export type Start = { readonly state: 'running' | 'late' | 'failed'; stop(): void }

/** Starts a server; keys and token travel in its environment. What it writes goes to the log. */
export async function startServer(
  place: Place,
  options: ServeOptions,
  env: Environment,
  token: string | undefined,
): Promise<Start> {
  mkdirSync(place.dir, { recursive: true, mode: 0o700 })
  const log = openSync(place.log, 'a', 0o600)
  const child = spawn(process.execPath, [PROJECT.server, JSON.stringify(options)], {
    cwd: place.dir,
    env: { ...env, ADMIN_TOKEN: token, ...wranglerEnvironment(place) },
    detached: true,
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  child.unref()
  let state: Start['state'] = 'running'
  child.once('exit', (code) => {
    state = code === TAKEN || code === 0 ? 'late' : 'failed'
  })
  child.once('error', () => {
    state = 'failed'
  })
  return {
    get state() {
      return state
    },
    stop: () => child.kill(),
  }
}

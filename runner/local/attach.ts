// The client's side of the local worker: finds the server of a storage, or starts one, and holds a lease on it. The
// server outlives this process by as long as the pictures under way need (promise 2).
import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { ask, takeLease } from './loopback.ts'
import { PROJECT, type Place, placeOf } from './place.ts'
import { findServer, type Serving } from './record.ts'
import { type ServeOptions, TAKEN } from './options.ts'
import { wranglerEnvironment } from './workerd.ts'
import {
  digestOfFiles,
  digestOfVariables,
  type Environment,
  isEmulated,
  workerVariables,
} from './variables.ts'

export type AttachOptions = {
  /** The folder `.proofsheet` beside the manifest. */
  stateDir: string
  /** Provider keys and settings are taken from here. */
  env: Environment
  /** How long the emulator takes for a picture, in ms; absent: as it likes. */
  emulatorLatencyMs?: number
}

export type Attached = {
  url: string
  token: string
  emulated: boolean
  /** Drops the lease. The server ends by itself when nothing is left to do. */
  release(): Promise<void>
}

export class LocalWorkerError extends Error {
  override name = 'LocalWorkerError'
}

/** How long a server may take to start, in ms. */
const START_MS = 60_000

/** How long a server of another kind may take to finish before it is replaced, in ms. */
const REPLACE_MS = 60_000

const LOOK_MS = 50

/** Attaches to the local worker of a storage and starts it where it does not run.
 *  @throws LocalWorkerError when it does not start, or when one with other settings is in use. */
export async function attachLocal(options: AttachOptions): Promise<Attached> {
  const place = placeOf(options.stateDir)
  const variables = workerVariables(options.env)
  const emulated = isEmulated(variables)
  const code = digestOfFiles(PROJECT.code)
  let server: Started | undefined
  for (let waitedMs = 0; waitedMs < START_MS; ) {
    const found = findServer(place.record)
    if (found?.phase === 'ready') {
      const same = found.code === code && found.variables === digestOfVariables(variables, found.salt)
      if (same) {
        const release = await takeLease(found.control!, found.token)
        if (release)
          return {
            url: found.url!,
            token: found.token,
            emulated,
            release: async () => release(),
          }
      } else await ask('POST', `${found.control}/end`, found.token)
    } else if (!found && (!server || server.code !== undefined)) {
      if (server && server.code !== TAKEN) throw new LocalWorkerError(failure(place))
      server = start(options, place)
    }
    await sleep(LOOK_MS)
    if (found?.phase !== 'settling') waitedMs += LOOK_MS
  }
  throw new LocalWorkerError(failure(place))
}

type Started = { code: number | null | undefined }

function start({ stateDir, env, emulatorLatencyMs }: AttachOptions, place: Place): Started {
  mkdirSync(place.dir, { recursive: true, mode: 0o700 })
  const log = openSync(place.log, 'a', 0o600)
  const options: ServeOptions = { stateDir, ...(emulatorLatencyMs === undefined ? {} : { emulatorLatencyMs }) }
  const { ADMIN_TOKEN: _, ...rest } = env
  const child = spawn(process.execPath, [PROJECT.server, JSON.stringify(options)], {
    cwd: place.dir,
    env: { ...rest, ...wranglerEnvironment(place) },
    detached: true,
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  child.unref()
  const started: Started = { code: undefined }
  child.once('exit', (code) => {
    started.code = code
  })
  return started
}

function failure(place: Place): string {
  return `the local worker did not start:\n${readFileSync(place.log, 'utf8').split('\n').slice(-20).join('\n')}`
}

// The client's side of the local worker: finds the server of a storage, or starts one, and holds a lease on it. The
// server outlives its clients by as long as the pictures under way need (promise 2).
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Refusal } from './control.ts'
import { inUse, notStarted, portTaken, withoutStorage } from './failure.ts'
import { ask, isFree, type Lease, takeLease } from './loopback.ts'
import { type Place, PROJECT, placeOf } from './place.ts'
import { findServer, type Serving } from './record.ts'
import { type Start, startServer } from './start.ts'
import {
  digestOfFiles,
  digestOfVariables,
  type Environment,
  isEmulated,
  isPaused,
  workerVariables,
} from './variables.ts'

export type AttachOptions = {
  /** The folder `.proofsheet` beside the manifest. */
  stateDir: string
  /** Provider keys and settings are taken from here. */
  env: Environment
  /** What the worker should be like where that matters; one that others use stays as it is. The latency is how long the
   *  emulator takes for a picture, in ms. */
  emulatorLatencyMs?: number
  port?: number
  /** Where a new server listens if nobody else does there. */
  preferredPort?: number
  token?: string
  /** Nothing is to be made: what the worker has accepted waits for one that is not paused. One that is there and makes
   *  pictures is used as it is. */
  paused?: boolean
  /** Told why it takes longer than usual. */
  report?: (message: string) => void
}

export type Attached = {
  url: string
  token: string
  emulated: boolean
  /** Resolves when the server is gone, or after the release. */
  ended: Promise<void>
  /** Drops the lease. The server ends by itself when nothing is left to do. */
  release(): Promise<void>
}

/** How long a server may take to start, in ms. */
const START_MS = 60_000

/** How long one with other settings may take to finish its pictures before this gives up, in ms. */
const REPLACE_MS = 60_000

const LOOK_MS = 50

/** Attaches to the local worker of a storage, and starts it where it does not run.
 *  @throws LocalWorkerError when it does not start, when one with other settings is in use, or when `port` is taken.
 *  @throws ConfigurationError when the environment's `PROVIDERS` or `DEFAULT_PROVIDER` is not usable. */
export async function attachLocal(options: AttachOptions): Promise<Attached> {
  const stateDir = resolve(options.stateDir)
  const place = placeOf(stateDir)
  try {
    return await attach({ ...options, stateDir }, place)
  } catch (error) {
    throw withoutStorage(place, error) ?? error
  }
}

async function attach(options: AttachOptions, place: Place): Promise<Attached> {
  const { env, emulatorLatencyMs, token, stateDir, port, preferredPort } = options
  // What the emulator draws is worth nothing, and need not wait, unless somebody says so.
  const paused = isPaused(env) || (options.paused === true && !isEmulated(workerVariables(env)))
  const differenceOf = comparison({ ...options, paused })
  const report = once(options.report)
  let start: Start | undefined
  let startingMs = 0
  let replacingMs = 0
  for (; startingMs < START_MS; await sleep(LOOK_MS)) {
    const found = findServer(place.record)
    switch (found?.phase) {
      case 'ready': {
        const difference = differenceOf(found)
        if (difference) {
          const refusal = await askForRoom(found)
          if (!refusal) break
          // Whoever uses a paused one only looks something up.
          const isShort = difference === PAUSED && replacingMs < REPLACE_MS
          if (!isShort && (refusal === 'used' || replacingMs >= REPLACE_MS))
            throw inUse(found, difference, refusal)
          if (!isShort) report(`waiting for a local worker with ${difference}, which still makes pictures`)
          replacingMs += LOOK_MS
        } else if (isAsWished(found, options) || (await askForRoom(found))) {
          const lease = await takeLease(found.control!, found.token)
          if (lease) return attached(found, lease)
        }
        break
      }
      case 'settling':
      case 'ending':
        report('waiting for the pictures that an earlier local worker still makes')
        break
      case 'starting':
        startingMs += LOOK_MS
        break
      case undefined:
        startingMs += LOOK_MS
        if (start?.state === 'failed') throw notStarted(place, 'it ended')
        if (start?.state === 'running') break
        if (port && !(await isFree(port))) throw portTaken(port)
        start = await startServer(
          place,
          { stateDir, port, preferredPort, emulatorLatencyMs, paused },
          env,
          token,
        )
    }
  }
  start?.stop()
  throw notStarted(place, `it was not ready after ${START_MS / 1000} s`)
}

/** Asks the server of a storage to end now rather than after its grace; whether it has gone within `ms`. It stays while
 *  others use it or pictures are being made. */
export async function untilEnded(stateDir: string, ms: number): Promise<boolean> {
  const place = placeOf(resolve(stateDir))
  for (let waitedMs = 0; waitedMs < ms; waitedMs += LOOK_MS) {
    const found = findServer(place.record)
    if (!found) return true
    if (found.phase === 'ready') await askForRoom(found)
    await sleep(LOOK_MS)
  }
  return false
}

/** In what a server differs that makes nothing. */
const PAUSED = 'no pictures to make'

/** Tells in what a server differs from the one that is wanted, so that it cannot be used; undefined: in nothing. */
function comparison({ env, paused = false }: AttachOptions): (found: Serving) => string | undefined {
  const variables = workerVariables(env)
  const emulated = isEmulated(variables)
  const code = digestOfFiles(PROJECT.code)
  return (found) => {
    if (found.emulated !== emulated) return found.emulated ? 'the emulator behind it' : 'a provider key'
    if (found.variables !== digestOfVariables(variables, found.salt)) return 'other provider settings'
    if (found.code !== code) return 'another version of the program'
    if (isPaused(env) && !found.paused) return 'no pause'
    return found.paused && !paused ? PAUSED : undefined
  }
}

/** What one would like of a server, but can do without. */
function isAsWished(found: Serving, { port, token, emulatorLatencyMs }: AttachOptions): boolean {
  // Port 0 is whichever is free.
  const isPort = !port || (new URL(found.url!).port || '80') === String(port)
  const isToken = token === undefined || token === found.token
  const isPace = emulatorLatencyMs === undefined || emulatorLatencyMs === found.emulatorLatencyMs
  return isPort && isToken && (isPace || !found.emulated)
}

/** Asks a server to end; undefined when it will, or has gone. */
async function askForRoom({ control, token }: Serving): Promise<Refusal | undefined> {
  const answer = await ask('POST', `${control}/end`, token)
  return answer?.status === 409 ? (answer.body as Refusal) : undefined
}

function attached({ url, token, emulated }: Serving, lease: Lease): Attached {
  return {
    url: url!,
    token,
    emulated,
    ended: lease.ended,
    async release() {
      lease.release()
      await lease.ended
    },
  }
}

/** Passes each message on once. */
function once(report: ((message: string) => void) | undefined): (message: string) => void {
  const said = new Set<string>()
  return (message) => {
    if (!said.has(message)) report?.(message)
    said.add(message)
  }
}

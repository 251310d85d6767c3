// `node runner/local/serve.ts <options as JSON>`: the local server, a process of its own, so that ending a command does
// not cut the pictures that are being paid for. It holds the lock of a storage, the worker, and the emulator where no
// provider key is set. It ends by itself when nobody holds a lease and no generation is unfinished (lifetime.ts).
// Its output is the log: what the worker reports, never a key.
import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { isVital, startEmulator, watchChildren } from './children.ts'
import { type Control, openControl } from './control.ts'
import { settle } from './leftovers.ts'
import { untilIdle, untilUnused } from './lifetime.ts'
import { takeLock } from './lock.ts'
import { countGenerations } from './loopback.ts'
import { type ServeOptions, TAKEN } from './options.ts'
import { type Place, PROJECT, placeOf } from './place.ts'
import { identityOf, isAlive, kill } from './process.ts'
import { readServing, removeServing, type Serving, writeServing } from './record.ts'
import { digestOfFiles, digestOfVariables, isEmulated, workerVariables } from './variables.ts'
import { type LocalWorker, migrate, startWorker } from './workerd.ts'

/** A log longer than this is started anew, in bytes. */
const LOG_BYTES = 1024 * 1024

const say = (line: string) => process.stdout.write(`${line}\n`)

const options = JSON.parse(process.argv[2]!) as ServeOptions
const place = placeOf(options.stateDir)
mkdirSync(place.dir, { recursive: true, mode: 0o700 })
if (!takeLock(place.lock)) process.exit(TAKEN)

const variables = workerVariables(process.env)
const serving = await takeOver(place)
const worker = await startAll()
const control = await openControl({ token: serving.token, onEnd: makeRoom })
save({ phase: 'ready', url: worker.url, control: control.url })

const asked = Promise.withResolvers<void>()
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => asked.resolve())
const unfinished = (statuses: 'running' | 'queued,running') => countGenerations({ url: worker.url, token: serving.token }, statuses)

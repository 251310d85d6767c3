// `node runner/local/serve.ts <options as JSON>`: the local server, a process of its own, so that ending a command does
// not cut the pictures that are being paid for. It holds the lock of a storage, the worker, and the emulator where no
// provider key is set. It ends by itself when nobody holds a lease and no generation is unfinished (lifetime.ts).
// Its output is the log: what went wrong, and never a key.
import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { isVital, startEmulator, watchChildren } from './children.ts'
import { openControl } from './control.ts'
import { type Makes, makes } from './generations.ts'
import { isLeftover, settle } from './leftovers.ts'
import { untilNoCalls, untilUnused } from './lifetime.ts'
import { takeLock } from './lock.ts'
import { ask, isFree } from './loopback.ts'
import { type ServeOptions, TAKEN } from './options.ts'
import { type Place, PROJECT, placeOf } from './place.ts'
import { identityOf, isAlive, kill } from './process.ts'
import { readServing, removeServing, type Serving, writeServing } from './record.ts'
import { digestOfFiles, digestOfVariables, isEmulated, workerVariables } from './variables.ts'
import { AddressTakenError, migrate, startWorker } from './workerd.ts'

/** A log longer than this is started anew, in bytes. */
const LOG_BYTES = 1024 * 1024

/** Exit code after a second signal, or one that comes before the worker is there. */
const CUT = 143

await serve(JSON.parse(process.argv[2]!) as ServeOptions, process.env)

async function serve(options: ServeOptions, env: NodeJS.ProcessEnv): Promise<void> {
  const place = placeOf(options.stateDir)
  mkdirSync(place.dir, { recursive: true, mode: 0o700 })
  if (!takeLock(place.lock)) process.exit(TAKEN)
  if ((statSync(place.log, { throwIfNoEntry: false })?.size ?? 0) > LOG_BYTES) truncateSync(place.log)

  const server = identityOf(process.pid)!
  const left = readServing(place.record)
  if (left && isLeftover(left)) {
    writeServing(place.record, { ...left, server, phase: 'settling' })
    await settle(left, sleep)
  }

  const variables = workerVariables(env)
  const serving: Serving = { server, ...describe(options, variables, env.ADMIN_TOKEN || tokenOf(place)) }
  const save = () => writeServing(place.record, serving)
  save()
  let end: () => void = () => process.exit(CUT)
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => end())
  process.on('exit', () => {
    for (const child of serving.children) kill(child)
    removeServing(place.record)
  })
  watchChildren({
    started(child) {
      serving.children = [...serving.children.filter(isAlive), child]
      save()
    },
    ended(command) {
      if (serving.phase !== 'ready' || !isVital(command)) return
      say(`ended by itself: ${command}`)
      process.exit(1)
    },
  })

  const worker = await startAll(place, options, variables, serving).catch((error) => {
    if (!(error instanceof AddressTakenError)) throw error
    say(error.message)
    process.exit(TAKEN)
  })
  const asked = Promise.withResolvers<void>()
  const control = await openControl({
    token: serving.token,
    async onEnd() {
      // What the emulator draws is worth nothing.
      const isFree = serving.emulated || serving.paused || !(await worker.hasUnfinished())
      if (isFree) asked.resolve()
      return isFree
    },
  })
  end = () => {
    end = () => process.exit(CUT)
    asked.resolve()
  }
  process.on('uncaughtException', (error) => {
    // The calls under way are worth more than a tidy end.
    say(error.stack ?? String(error))
    process.exitCode = 1
    asked.resolve()
  })
  Object.assign(serving, { phase: 'ready', url: worker.url, control: control.url })
  save()

  // What a paused worker has accepted is not its to finish.
  const hasUnfinished = serving.paused ? async () => false : worker.hasUnfinished
  await Promise.race([asked.promise, untilUnused({ hasUnfinished, leases: control.leases, sleep })])
  control.close()
  serving.phase = 'ending'
  save()
  if (!serving.emulated) await untilNoCalls({ ...worker, sleep })
  process.exit()
}

/** Starts emulator and worker; resolves when the first answer has been given. */
async function startAll(
  place: Place,
  { port, preferredPort, emulatorLatencyMs }: ServeOptions,
  variables: Record<string, string>,
  { emulated, paused, token }: Serving,
): Promise<Makes & { url: string }> {
  const storage = emulated ? place.storage.emulated : place.storage.bought
  rmSync(place.temporary, { recursive: true, force: true })
  mkdirSync(place.temporary)
  const [emulatorUrl] = await Promise.all([
    emulated ? (variables.EMULATOR_URL ?? startEmulator(emulatorLatencyMs)) : undefined,
    migrate(place, storage),
    // Loaded meanwhile, because it takes long.
    import('wrangler'),
  ])
  const bindings = {
    ...variables,
    ADMIN_TOKEN: token,
    ...(emulatorUrl ? { EMULATOR_URL: emulatorUrl } : {}),
    ...(paused ? { PAUSED: 'true' } : {}),
  }
  // As late as can be, for others start as well.
  const preferred = preferredPort && (await isFree(preferredPort)) ? preferredPort : 0
  const url = await startWorker(storage, bindings, port || preferred, (line) => {
    if (!line.startsWith('{"event":"request"')) say(line)
  })
  const answer = await ask('GET', `${url}/healthz`, token)
  if (answer?.status !== 200)
    throw new Error(`the worker answers ${answer?.status ?? 'nothing'}: ${answer?.body}`)
  return { url, ...makes({ url, token }) }
}

function describe(
  { emulatorLatencyMs, paused }: ServeOptions,
  variables: Record<string, string>,
  token: string,
): Omit<Serving, 'server'> {
  const salt = randomBytes(16).toString('hex')
  return {
    phase: 'starting',
    token,
    emulated: isEmulated(variables),
    ...(emulatorLatencyMs === undefined ? {} : { emulatorLatencyMs }),
    ...(paused ? { paused } : {}),
    salt,
    variables: digestOfVariables(variables, salt),
    code: digestOfFiles(PROJECT.code),
    children: [],
  }
}

/** The storage's own token, made at its first start. */
function tokenOf(place: Place): string {
  try {
    return readFileSync(place.token, 'utf8')
  } catch {
    const token = randomBytes(24).toString('base64url')
    writeFileSync(place.token, token, { mode: 0o600 })
    return token
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

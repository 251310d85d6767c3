// `proofsheet dev`: the worker with its gallery on this machine, until Ctrl-C. It is the same local server that `run`
// uses, in a process of its own; this one holds a lease on it, so that Ctrl-C does not cut a picture that is paid for.
import { EXIT, type ExitCode } from '../exit.ts'
import { attachLocal, untilEnded } from '../local/attach.ts'
import { LOCAL_PORT } from '../local/options.ts'
import { placeOf } from '../local/place.ts'
import { type Environment, isPaused, providersOf, workerVariables } from '../local/variables.ts'

export type DevOptions = { stateDir: string; port?: number }

export type DevEffects = {
  env: Environment
  /** The answer: stdout. */
  write: (text: string) => void
  /** Progress: stderr. */
  report: (line: string) => void
  /** Aborted by Ctrl-C. */
  interrupted: AbortSignal
}

/** Opens the worker to everybody on this machine, and to nobody else. */
const DEV_TOKEN = 'local'

/** For how long the worker may keep the prompt waiting after Ctrl-C, in ms. */
const END_MS = 3_000

/** Serves until it is interrupted. Done, or unavailable when the worker ended by itself.
 *  @throws LocalWorkerError, ConfigurationError as attachLocal does. */
export async function dev({ stateDir, port = LOCAL_PORT }: DevOptions, fx: DevEffects): Promise<ExitCode> {
  const { env, write, report, interrupted } = fx
  const token = env.ADMIN_TOKEN || DEV_TOKEN
  const worker = await attachLocal({ stateDir, env, port, token, report })
  write(page(worker, stateDir, env))
  const interruption = new Promise<'interrupted'>((resolve) => {
    if (interrupted.aborted) resolve('interrupted')
    interrupted.addEventListener('abort', () => resolve('interrupted'), { once: true })
  })
  // Neither a lease nor the wait for a signal keeps a process alive.
  const wakeful = setInterval(() => {}, 60_000)
  const what = await Promise.race([interruption, worker.ended])
  clearInterval(wakeful)
  if (what !== 'interrupted') {
    report('the local worker ended by itself')
    return EXIT.unavailable
  }
  await worker.release()
  if (!(await untilEnded(stateDir, END_MS)))
    report('pictures are still being made; the local worker ends when they are stored')
  return EXIT.done
}

function page(worker: { url: string; token: string; emulated: boolean }, stateDir: string, env: Environment) {
  const { url, token, emulated } = worker
  // A token that was chosen elsewhere is not printed.
  const bearer = token === env.ADMIN_TOKEN ? '$ADMIN_TOKEN' : token
  const behind = emulated
    ? 'the emulator: no provider key is set, pictures are drawn here and cost nothing'
    : `${providersOf(workerVariables(env)).join(', ')}: pictures cost money`
  const { storage } = placeOf(stateDir)
  return `${[
    `proofsheet worker  ${url}`,
    `behind it          ${behind}`,
    `storage            ${emulated ? storage.emulated : storage.bought}`,
    ...(isPaused(env)
      ? [`paused             PAUSED=${env.PAUSED}: what is asked for stays queued, nothing is sent`]
      : []),
    ...(env.WEBHOOK_SECRET
      ? []
      : ['webhooks           refused: set WEBHOOK_SECRET, which signs them, in the environment']),
    '',
    `curl ${url}/api/generations \\`,
    `  -H "Authorization: Bearer ${bearer}" -H "Content-Type: application/json" \\`,
    `  -d '{"model": "nano-banana-2", "prompt": "A fern in a clay pot, soft window light"}'`,
    '',
    'Ctrl-C ends it.',
  ].join('\n')}\n`
}

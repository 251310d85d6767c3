// Which worker a command talks to: the one that is named, or an embedded one that runs only as long as it is needed.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { marketOfCatalogue } from '../core/catalogue.ts'
import { type Market, marketOf } from '../core/market.ts'
import { type Client, createClient } from './client.ts'
import { UsageError } from './exit.ts'
import type { Io } from './io.ts'
import { attachLocal } from './local/attach.ts'
import { LOCAL_PORT } from './local/options.ts'
import { isPaused } from './local/variables.ts'

export type Session = {
  /** For people: the worker's address, or `embedded worker`. */
  name: string
  isEmbedded: boolean
  market: Market
  /** Whether the worker may know of earlier pictures. */
  hasHistory: boolean
  /** Connects, starting the embedded worker when need be; the same client every time. */
  client(): Promise<Client>
  /** Lets go of the embedded worker; it finishes what it has begun. */
  release(): Promise<void>
}

export type SessionOptions = {
  /** Address of a worker; default: PROOFSHEET_URL, else embedded. */
  worker?: string | undefined
  /** `.proofsheet/` beside the manifest. */
  stateFolder: string
  /** Whether pictures are to be made; default: no. */
  buys?: boolean | undefined
}

/** The session of a command. A named worker is asked for its models at once; an embedded one is not started yet.
 *  Throws UsageError, WorkerProblem and WorkerUnreachable. */
export async function openSession(
  { worker, stateFolder, buys = false }: SessionOptions,
  io: Io,
): Promise<Session> {
  const url = worker ?? io.env.PROOFSHEET_URL
  return url ? remoteSession(url, io) : embeddedSession(stateFolder, buys, io)
}

async function remoteSession(url: string, io: Io): Promise<Session> {
  if (!URL.canParse(url) || !/^https?:/.test(url))
    throw new UsageError(
      `the worker's address ${JSON.stringify(url)} is no URL that starts with http:// or https://`,
    )
  const token = io.env.PROOFSHEET_TOKEN
  if (!token) throw new UsageError(`set PROOFSHEET_TOKEN to a token of the worker at ${url}`)
  const client = createClient(url, token, io)
  const market = marketOfCatalogue(await client.models())
  return {
    name: client.url,
    isEmbedded: false,
    market,
    hasHistory: true,
    client: async () => client,
    release: async () => {},
  }
}

function embeddedSession(stateFolder: string, buys: boolean, io: Io): Session {
  if (buys && isPaused(io.env))
    throw new UsageError(
      `PAUSED=${io.env.PAUSED} is set, so the worker on this machine would make nothing: unset it, and run again. Nothing was sent.`,
    )
  let attached: ReturnType<typeof attachLocal> | undefined
  return {
    name: 'embedded worker',
    isEmbedded: true,
    // The emulator has no address before it is started; whether it is used depends on the keys alone.
    market: marketOf({ ...io.env, EMULATOR_URL: 'http://emulator' }),
    hasHistory: existsSync(join(stateFolder, 'worker')),
    async client() {
      attached ??= attachLocal({
        stateDir: stateFolder,
        env: io.env,
        paused: !buys,
        // So that the addresses it gives answer again under `proofsheet dev`.
        preferredPort: LOCAL_PORT,
        report: (message) => io.stderr.write(`${message}\n`),
      })
      const { url, token } = await attached
      return createClient(url, token, io)
    },
    async release() {
      await (await attached)?.release()
    },
  }
}

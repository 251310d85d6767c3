// Where the local worker keeps its things, and where this project's own files are. Nothing is written anywhere else:
// the project may be installed read-only, and the storage may be anywhere.
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The files of one local worker, all below the state directory. */
export type Place = {
  /** Also the server's working directory; wrangler builds in `.wrangler/` below it. */
  dir: string
  /** Who serves this storage: record.ts. */
  record: string
  /** Held by the server as long as it lives: lock.ts. */
  lock: string
  /** The worker's token, readable by its owner only. */
  token: string
  log: string
  /** Buckets, database and objects. What the emulator draws is kept apart from what is bought, so that a drawing that
   *  is still queued is not bought once there is a key. */
  storage: { emulated: string; bought: string }
  /** Compiled code of wrangler; a cache. */
  cache: string
  /** Temporary files of wrangler and workerd; emptied at every start. */
  temporary: string
}

/** The place of the local worker of a state directory, which is an absolute path. */
export function placeOf(stateDir: string): Place {
  const dir = join(stateDir, 'worker')
  return {
    dir,
    record: join(dir, 'serving.json'),
    lock: join(dir, 'lock.sqlite'),
    token: join(dir, 'token'),
    log: join(dir, 'server.log'),
    storage: { emulated: join(dir, 'emulated'), bought: join(dir, 'bought') },
    cache: join(dir, 'cache'),
    temporary: join(dir, 'tmp'),
  }
}

const project = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))

/** This project's files that the local worker is made of. */
export const PROJECT = {
  config: project('wrangler.toml'),
  entry: project('worker/index.ts'),
  migrations: project('migrations'),
  emulator: project('emulator/main.ts'),
  server: project('runner/local/serve.ts'),
  /** What decides how the worker behaves. */
  code: ['wrangler.toml', 'worker', 'core', 'migrations'].map(project),
}

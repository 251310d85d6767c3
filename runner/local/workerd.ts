// The worker in workerd, as wrangler starts it from wrangler.toml. Knows wrangler's options and habits; nothing of
// leases. Wrangler is kept from the network, from the user's configuration folder and from this project's folder.
import { execFile } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Place, PROJECT } from './place.ts'
import { digestOfFiles } from './variables.ts'

/** What wrangler has to be told through the environment, before it is loaded. */
export function wranglerEnvironment(place: Place): Record<string, string> {
  return {
    // Without it every start asks workers.cloudflare.com for the place of the machine.
    CLOUDFLARE_CF_FETCH_ENABLED: 'false',
    // Vars come from the caller alone, not from a .dev.vars or .env that lies about.
    CLOUDFLARE_LOAD_DEV_VARS_FROM_DOT_ENV: 'false',
    WRANGLER_SEND_METRICS: 'false',
    WRANGLER_SEND_ERROR_REPORTS: 'false',
    WRANGLER_WRITE_LOGS: 'false',
    // The banner asks the registry for updates.
    WRANGLER_HIDE_BANNER: 'true',
    // Development tools of wrangler that store every request.
    X_LOCAL_EXPLORER: 'false',
    X_LOCAL_OBSERVABILITY: 'false',
    // It writes metrics.json even when metrics are off.
    XDG_CONFIG_HOME: place.temporary,
    TMPDIR: place.temporary,
    TEMP: place.temporary,
    TMP: place.temporary,
    NODE_COMPILE_CACHE: place.cache,
  }
}

/** Brings the database of a storage up to the project's migrations. Asks wrangler, which takes more than a second, only
 *  when they are others than at the last start. */
export async function migrate(place: Place, storage: string): Promise<void> {
  const digest = digestOfFiles([PROJECT.migrations])
  const applied = join(storage, 'migrated')
  if (existsSync(applied) && readFileSync(applied, 'utf8') === digest) return
  const wrangler = createRequire(import.meta.url).resolve('wrangler/package.json')
  const program = wrangler.replace(/package\.json$/, 'bin/wrangler.js')
  const how = ['--local', '--persist-to', storage, '--config', PROJECT.config]
  await promisify(execFile)(process.execPath, [program, 'd1', 'migrations', 'apply', 'DB', ...how], {
    cwd: place.dir,
  })
  writeFileSync(applied, digest)
}

/** Another program listens where the worker was to listen. */
export class AddressTakenError extends Error {
  override name = 'AddressTakenError'
}

/** Starts the worker, which lives as long as this process; resolves with its address. `variables` become its secrets.
 *  `log` is given the lines that the worker and workerd write.
 *  @throws AddressTakenError when another program has taken `port` since it was looked at. */
export async function startWorker(
  storage: string,
  variables: Record<string, string>,
  port: number,
  log: (line: string) => void,
): Promise<string> {
  const { unstable_DevEnv } = await import('wrangler')
  const wrangler = new unstable_DevEnv()
  // Wrangler only reports these: the worker would never be ready.
  const failed = new Promise<never>((_, reject) => {
    wrangler.on('error', (error: unknown) => reject(failureOf(error)))
    wrangler.on('buildFailed', (event: unknown) => reject(failureOf(event)))
  })
  const started = wrangler.startWorker({
    config: PROJECT.config,
    // With an entry of its own wrangler builds below the working directory instead of beside wrangler.toml.
    entrypoint: PROJECT.entry,
    bindings: Object.fromEntries(
      Object.entries(variables).map(([name, value]) => [name, { type: 'secret_text', value }]),
    ),
    dev: {
      server: { hostname: '127.0.0.1', port },
      persist: storage,
      logLevel: 'error',
      structuredLogsHandler: ({ message }: { message: string }) => log(message),
      inspector: false,
      watch: false,
    },
  })
  const ready = started.then(async (worker) => {
    await worker.ready
    return (await worker.url).origin
  })
  return Promise.race([ready, failed])
}

/** What an event of wrangler's says in words. What it carries beside them is left out: the worker's variables are in it,
 *  and what is thrown here goes to the log. */
function failureOf(event: unknown): Error {
  const { message, reason, cause } = event as { message?: string; reason?: string; cause?: unknown }
  const words = message ?? [reason, (cause as Error | undefined)?.message].filter(Boolean).join(': ')
  return words.startsWith('Address already in use') ? new AddressTakenError(words) : new Error(words)
}

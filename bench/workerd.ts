// The workerd processes that this one started, and how much memory they use. Linux only: it reads /proc.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { unstable_startWorker } from 'wrangler'

const MB = 1_000_000

/** What the workerds of this process grew by at their peak since they were looked at, in MB. */
export type Growth = {
  /** The worker, with the local storage, which shares its process. */
  worker: number
  /** Wrangler's proxy in front of it. */
  proxy: number
}

/** Begins to watch; the function that comes back says how far they have grown since. */
export function watchGrowth(): () => Growth {
  const pids = workerds()
  // Sets the peak back to what is used now (proc(5), clear_refs).
  for (const pid of pids) writeFileSync(`/proc/${pid}/clear_refs`, '5')
  const before = pids.map((pid) => megabytes(pid, 'VmRSS'))
  return () => {
    const grown = pids.map((pid, index) => megabytes(pid, 'VmHWM') - before[index]!)
    return { worker: Math.max(...grown), proxy: Math.min(...grown) }
  }
}

/** Starts the worker of a configuration in this folder, with empty storage. */
export function startBare(config: string): ReturnType<typeof unstable_startWorker> {
  // Every start would ask workers.cloudflare.com for the place of the machine.
  process.env.CLOUDFLARE_CF_FETCH_ENABLED = 'false'
  return unstable_startWorker({
    config: new URL(config, import.meta.url).pathname,
    dev: {
      server: { hostname: '127.0.0.1', port: 0 },
      logLevel: 'error',
      persist: false,
      inspector: false,
      watch: false,
    },
  })
}

function workerds(): number[] {
  const parents = new Map<number, { parent: number; name: string }>()
  for (const entry of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const [, name, parent] = /\((.*)\) \S (\d+)/.exec(readFileSync(`/proc/${entry}/stat`, 'utf8'))!
      parents.set(Number(entry), { name: name!, parent: Number(parent) })
    } catch {
      // The process has ended since it was listed.
    }
  }
  const isOurs = (pid: number): boolean =>
    pid === process.pid || (parents.has(pid) && isOurs(parents.get(pid)!.parent))
  return [...parents].filter(([pid, { name }]) => name === 'workerd' && isOurs(pid)).map(([pid]) => pid)
}

function megabytes(pid: number, field: 'VmHWM' | 'VmRSS'): number {
  const kib = new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]
  return (Number(kib) * 1024) / MB
}

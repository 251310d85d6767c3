// How long \`run\` takes beside what its pictures take: 1,000 pictures, 32 at a time, from a provider that needs 500 ms for
// each. The provider is the emulator with quick drawing (emulator/quick.ts), in a process of its own.
//   node bench/run.ts > bench/run.txt
// Two yardsticks: the floor, which is the provider's time alone, and a bare loop of HTTP calls against the same worker,
// which is what the worker with its local storage needs on this machine. The first one is what the runner is to meet; the
// second one tells whose the rest is. The worker is running already when the clock starts.
// Each way once with the storage of the worker on disk and, on Linux, once in memory: the difference is the disk's, whose
// every write the local storage waits for.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Attached, attachLocal, untilEnded } from '../runner/local/attach.ts'
import { emptyEnvironment, machine, proofsheet, writeCatalog } from './catalog.ts'

const PICTURES = Number(process.argv[2] ?? 1_000)
const IN_FLIGHT = 32
const LATENCY_MS = 500
const TRIES = 3

/** Linux's folder in memory. */
const MEMORY = '/dev/shm'
const PLACES = [
  ['on disk', tmpdir()],
  ...(existsSync(MEMORY) ? ([['in memory', MEMORY]] as const) : []),
] as const

/** The emulator as a child of its own, which ends with this process; resolves with its address. */
async function startEmulator(): Promise<string> {
  const program = fileURLToPath(new URL('../emulator/main.ts', import.meta.url))
  const child = spawn(process.execPath, [program, '--latency', String(LATENCY_MS), '--quick'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  // Also when the measurement fails or is interrupted.
  process.on('exit', () => child.kill())
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
  const line = await new Promise<string>((resolve) =>
    child.stdout.once('data', (piece) => resolve(String(piece))),
  )
  return /http:\S+/.exec(line)![0]
}

/** The same pictures by a loop that does nothing else; seconds. */
async function loop({ url, token }: Attached, round: string): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: IN_FLIGHT })
  const startedAt = performance.now()
  let next = 0
  const worker = async () => {
    while (next < PICTURES) {
      const key = `loop-${round}-${next++}`
      const body = { model: 'nano-banana-2', provider: 'google', prompt: key, size: '512' }
      const status = await post(`${url}/api/generations`, token, key, JSON.stringify(body), agent)
      if (status !== 'succeeded') throw new Error(`${key} ended as ${status}`)
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker))
  agent.destroy()
  return (performance.now() - startedAt) / 1_000
}

function post(url: string, token: string, key: string, body: string, agent: Agent): Promise<string> {
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'idempotency-key': key,
    prefer: 'wait=100',
  }
  return new Promise((resolve, reject) => {
    const call = request(url, { method: 'POST', agent, headers }, (response) => {
      let text = ''
      response.on('data', (piece) => {
        text += piece
      })
      response.once('error', reject)
      response.once('end', () => resolve(JSON.parse(text).status))
    })
    call.once('error', reject)
    call.end(body)
  })
}

/** The best times of the bare loop and of the runner with the worker's storage below `place`, in seconds. */
async function measure(place: string, env: NodeJS.ProcessEnv): Promise<{ loop: number; run: number }> {
  const loops: number[] = []
  const runs: number[] = []
  for (let index = 0; index < TRIES; index++) {
    const folder = mkdtempSync(join(place, 'proofsheet-bench-'))
    writeCatalog(folder, PICTURES)
    const stateDir = join(folder, '.proofsheet')
    const worker = await attachLocal({ stateDir, env })
    loops.push(await loop(worker, String(index)))
    const args = ['run', '--yes', '-j', String(IN_FLIGHT), '--no-download', '--progress', 'quiet']
    runs.push((await proofsheet(args, folder, env)).seconds)
    await worker.release()
    await untilEnded(stateDir, 30_000)
    rmSync(folder, { recursive: true })
  }
  return { loop: Math.min(...loops), run: Math.min(...runs) }
}

const floor = (PICTURES / IN_FLIGHT) * (LATENCY_MS / 1_000)
const env = { ...emptyEnvironment(), EMULATOR_URL: await startEmulator() }
const rows: string[] = []
const row = (name: string, seconds: number, loop?: number) =>
  rows.push(
    `${name.padEnd(50)}${seconds.toFixed(1).padStart(6)} s${(seconds / floor).toFixed(2).padStart(8)} × the floor${
      loop === undefined ? '' : `${(seconds / loop).toFixed(2).padStart(8)} × the bare loop`
    }`,
  )
row('floor: the provider alone', floor)
for (const [name, place] of PLACES) {
  const { loop, run } = await measure(place, env)
  row(`bare loop, storage ${name}`, loop)
  row(`proofsheet run, start to exit, storage ${name}`, run, loop)
}

process.stdout.write(`Time of \`proofsheet run\` for ${PICTURES.toLocaleString('en')} pictures, ${IN_FLIGHT} in flight, ${LATENCY_MS} ms each (bench/run.ts)
${machine(['wrangler', 'workerd'])}
Best of ${TRIES}. Provider, worker with its local storage, and runner share the machine; pictures are not downloaded.

${rows.join('\n')}
`)
process.exit()

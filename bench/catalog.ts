// What the measurements of the runner share: a catalog of any size, a command in a process of its own, and how a result
// begins.
import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism, loadavg } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const CLI = fileURLToPath(new URL('../runner/cli.ts', import.meta.url))

/** Writes `catalog.yaml` and its table of `rows` products into a folder: one picture of 512 pixels per row. */
export function writeCatalog(folder: string, rows: number): void {
  const lines = Array.from({ length: rows }, (_, row) => `ff-${row},"Thing, no. ${row}",${KINDS[row % 3]}`)
  writeFileSync(join(folder, 'products.csv'), `sku,name,kind\n${lines.join('\n')}\n`)
  writeFileSync(
    join(folder, 'catalog.yaml'),
    `version: 1
name: bench
items:
  packshot:
    model: nano-banana-2
    provider: google
    size: "512"
    matrix: { product: { table: ./products.csv, key: sku } }
    prompt: Studio packshot of \${product.name}, a \${product.kind}, soft north-window light.
`,
  )
}

const KINDS = ['rug', 'lamp', 'vase']

export type Ended = { seconds: number; peakMb: number; stdout: string }

/** Writes the peak of its memory where the parent reads it. */
const PRELOAD = `data:text/javascript,${encodeURIComponent(
  `import { writeSync } from 'node:fs'
process.on('exit', () => writeSync(3, String(process.resourceUsage().maxRSS)))`,
)}`

/** Runs a command of the program to its end. Throws unless it exits with 0. */
export async function proofsheet(
  args: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv,
): Promise<Ended> {
  const startedAt = performance.now()
  const child = spawn(process.execPath, ['--import', PRELOAD, CLI, ...args], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  })
  const texts = ['', '', '']
  for (const [index, stream] of [child.stdout, child.stderr, child.stdio[3]].entries())
    stream!.on('data', (piece: Buffer) => {
      texts[index] += piece.toString()
    })
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  const seconds = (performance.now() - startedAt) / 1_000
  const [stdout, stderr, peakKib] = texts as [string, string, string]
  if (code !== 0) throw new Error(`proofsheet ${args.join(' ')} exited with ${code}\n${stdout}\n${stderr}`)
  return { seconds, peakMb: (Number(peakKib) * 1024) / 1_000_000, stdout }
}

/** An environment without provider keys and settings: nothing outside this machine is asked. */
export function emptyEnvironment(): NodeJS.ProcessEnv {
  const isOurs = (name: string) =>
    /_API_KEY$|_BASE_URL$|^PROVIDERS$|^DEFAULT_PROVIDER$|^PROOFSHEET_/.test(name)
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !isOurs(name)))
}

/** What a result has to say of the machine: date, versions, cores, and how busy others kept it. */
export function machine(packages: readonly string[] = []): string {
  const versionOf = (name: string) =>
    JSON.parse(readFileSync(new URL(`../node_modules/${name}/package.json`, import.meta.url), 'utf8')).version
  const versions = packages.map((name) => `${name} ${versionOf(name)}`)
  return [
    new Date().toISOString().slice(0, 10),
    [`node ${process.versions.node}`, ...versions].join(', '),
    `${availableParallelism()} cores, load before ${LOAD.toFixed(1)}`,
  ].join('; ')
}

const LOAD = loadavg()[0]!

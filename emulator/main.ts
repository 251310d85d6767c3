// `node emulator/main.ts`: the emulator from the command line, until SIGTERM or SIGINT.
// `--quick` is for measurements: the latency is the same for all sizes, and pictures are marked copies (quick.ts).
import { parseArgs } from 'node:util'
import type { Size } from '../core/models.ts'
import { FlagError, faultRule, limitRule } from './flags.ts'
import { serveEmulator } from './serve.ts'

const USAGE = `usage: node emulator/main.ts [--port N] [--latency MS] [--quick] [--fault …] [--seed TEXT] [--limit …]
  --port N      where it listens on 127.0.0.1; 0, the default, is any free port
  --latency MS  how long a picture of 1K takes; default 400
  --quick       pictures are not drawn, and take the same time in all sizes
  --fault NAME=PROBABILITY[,provider=ID][,PARAMETER=VALUE]
                what befalls calls by chance, as in overloaded=0.1 or status=0.05,code=524,charged=yes; repeatable
  --seed TEXT   other draws; the same seed, the same ones
  --limit PROVIDER:perMinute=N[,perDay=N][,concurrency=N]
                what a provider allows; more is a 429; repeatable
`

// Larger pictures take longer at the vendor too, though far longer than this.
const SIZE_FACTOR: Record<Size, number> = { '512': 0.75, '1K': 1, '2K': 1.5, '4K': 2.5 }

const { help, quick, fault, seed, limit, ...numbers } = flags()
if (help) {
  process.stdout.write(USAGE)
  process.exit(0)
}
const port = wholeNumber('--port', numbers.port, 65_535)
const latencyMs = wholeNumber('--latency', numbers.latency, 3_600_000)

const rules = readRules()

const emulator = await serveEmulator({
  port,
  ...rules,
  ...(quick
    ? { latencyMs, drawing: 'quick' as const }
    : { latencyMs: ({ size }: { size: Size }) => latencyMs * SIZE_FACTOR[size] }),
}).catch((error: NodeJS.ErrnoException) => {
  if (error.code === 'EADDRINUSE') return refuse(`port ${port} of 127.0.0.1 is taken; name another one`)
  if (error.code === 'EACCES') return refuse(`port ${port} may not be used; name one above 1023`)
  throw error
})
process.stdout.write(`emulator listening on ${emulator.url}\n`)
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => emulator.close())

function flags() {
  try {
    return parseArgs({
      options: {
        port: { type: 'string', default: '0' },
        latency: { type: 'string', default: '400' },
        quick: { type: 'boolean', default: false },
        fault: { type: 'string', multiple: true, default: [] },
        seed: { type: 'string' },
        limit: { type: 'string', multiple: true, default: [] },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values
  } catch (error) {
    if (!(error as NodeJS.ErrnoException).code?.startsWith('ERR_PARSE_ARGS')) throw error
    return refuse((error as Error).message)
  }
}

function readRules() {
  try {
    return { faults: fault.map((text) => faultRule(text, seed)), limits: limit.map(limitRule) }
  } catch (error) {
    if (!(error instanceof FlagError)) throw error
    return refuse(error.message)
  }
}

function wholeNumber(name: string, text: string, most: number): number {
  if (/^\d+$/.test(text) && Number(text) <= most) return Number(text)
  return refuse(`${name} takes a whole number up to ${most}, not ${text}`)
}

function refuse(why: string): never {
  process.stderr.write(`${why}\n\n${USAGE}`)
  process.exit(2)
}

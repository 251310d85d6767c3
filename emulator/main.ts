// `node emulator/main.ts [--port N] [--latency MS] [--quick]`: the emulator from the command line, until SIGTERM or SIGINT.
// `--quick` is for measurements: the latency is the same for all sizes, and pictures are marked copies (quick.ts).
import { parseArgs } from 'node:util'
import type { Size } from '../core/models.ts'
import { serveEmulator } from './serve.ts'

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    latency: { type: 'string', default: '400' },
    quick: { type: 'boolean', default: false },
  },
})
const port = wholeNumber('--port', values.port)
const latencyMs = wholeNumber('--latency', values.latency)

// Larger pictures take longer at the vendor too, though far longer than this.
const SIZE_FACTOR: Record<Size, number> = { '512': 0.75, '1K': 1, '2K': 1.5, '4K': 2.5 }

const emulator = await serveEmulator(
  values.quick
    ? { port, latencyMs, drawing: 'quick' }
    : { port, latencyMs: ({ size }) => latencyMs * SIZE_FACTOR[size] },
)
process.stdout.write(`emulator listening on ${emulator.url}\n`)
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => emulator.close())

function wholeNumber(name: string, text: string): number {
  if (/^\d+$/.test(text)) return Number(text)
  process.stderr.write(`${name} takes a whole number, not ${text}\n`)
  process.exit(2)
}

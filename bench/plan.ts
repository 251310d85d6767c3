// How long `plan` takes, and how much memory: a catalog of one table with N rows, a process of its own, no worker.
//   node bench/plan.ts > bench/plan.txt
// Time is that of the whole command, from its start to its exit; memory is the peak of its resident set.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { emptyEnvironment, machine, proofsheet, writeCatalog } from './catalog.ts'

/** Rows, and what they may take: seconds and MB. */
const ROWS = [
  [1_000, undefined, undefined],
  [10_000, 2, 300],
  [100_000, 20, undefined],
] as const
const TRIES = 3

const rows: string[] = []
for (const [count, maxSeconds, maxMb] of ROWS) {
  const folder = mkdtempSync(join(tmpdir(), 'proofsheet-bench-'))
  writeCatalog(folder, count)
  const tries = []
  for (let index = 0; index < TRIES; index++)
    tries.push(await proofsheet(['plan'], folder, emptyEnvironment()))
  rmSync(folder, { recursive: true })
  const seconds = Math.min(...tries.map((ended) => ended.seconds))
  const peakMb = Math.min(...tries.map((ended) => ended.peakMb))
  const of = (limit: number | undefined, unit: string) => (limit ? `under ${limit} ${unit}` : '')
  rows.push(
    count.toLocaleString('en').padStart(8) +
      `${seconds.toFixed(2)} s`.padStart(12) +
      of(maxSeconds, 's').padStart(14) +
      `${peakMb.toFixed(0)} MB`.padStart(12) +
      of(maxMb, 'MB').padStart(16),
  )
}

process.stdout.write(`Time and memory of \`proofsheet plan\` (bench/plan.ts)
${machine()}
One item with a table as its matrix; a row is one picture. Best of ${TRIES}; the whole command, from start to exit.

    rows        time        wanted      memory          wanted
${rows.join('\n')}
`)

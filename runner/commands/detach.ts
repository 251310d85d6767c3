// proofsheet run --detach: hands the plan over, remembers the batch, and says how it is followed.
import { basename, resolve } from 'node:path'
import { EXIT, type ExitCode, UsageError } from '../exit.ts'
import type { Io } from '../io.ts'
import { toMake } from '../plan/plan.ts'
import type { Prepared } from '../prepare.ts'
import { handOver, toHandOver } from '../run/detach.ts'
import type { RunOptions } from '../run/options.ts'
import { knownBatches, lastBatch, rememberBatch, unfetchedBatches } from '../state/batches.ts'
import { handedOverJson, handedOverLines, otherBatchLines } from '../views/batch.ts'
import { commandLine } from '../views/command.ts'
import { sayer } from '../views/say.ts'

/** Throws UsageError where the worker would end with this command. */
export function mustOutlive(flag: string, worker: string | undefined, io: Pick<Io, 'env'>): void {
  if (worker || io.env.PROOFSHEET_URL) return
  throw new UsageError(
    `${flag} needs a worker that stays when this command has ended: set PROOFSHEET_URL and PROOFSHEET_TOKEN. The one on this machine ends with its commands; run without ${flag}. Nothing was sent.`,
  )
}

/** Throws what handOver throws. */
export async function detach(
  prepared: Prepared,
  folder: string,
  options: RunOptions,
  io: Io,
): Promise<ExitCode> {
  const { profile } = prepared.plan
  const { set, var: vars, refused, uncertain } = options
  const manifest = resolve(io.cwd, options.manifest)
  const last = lastBatch(manifest)
  const running = new Set(toMake(prepared.plan).flatMap(({ underway }) => underway?.batch ?? []))
  const isNew = toHandOver(prepared.plan).length > 0
  const batch = isNew
    ? {
        ...(await handOver(prepared, { folder, last, manifest: basename(manifest), now: io.now })),
        ...(profile === undefined ? {} : { profile }),
        ...{ set, var: vars, refused, uncertain, fetched: false },
      }
    : knownBatches(manifest).findLast(({ batch }) => running.has(batch))!
  if (isNew) rememberBatch(manifest, batch)
  if (options.json) io.stdout.data(`${JSON.stringify(handedOverJson(batch), null, 2)}\n`)
  else io.stdout.write(`${batch.batch}\n`)
  const follow = commandLine('run', options.manifest, {
    '--attach': batch.batch,
    '--worker': options.worker,
    '--profile': profile,
    '--set': set,
    '--var': vars,
    '--refused': refused,
    '--uncertain': uncertain,
    '--out-dir': options.outDir,
    '--no-download': !options.download,
  })
  const say = sayer(options.progress, io.stderr)
  for (const line of handedOverLines(batch, follow, isNew)) say(line)
  const others = unfetchedBatches(manifest).filter((other) => other.batch !== batch.batch)
  for (const line of otherBatchLines(others, commandLine('run', options.manifest, { '--attach': true })))
    say(line)
  return EXIT.done
}

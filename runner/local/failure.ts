// Why there is no local worker, in words that name the way out.
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Refusal } from './control.ts'
import type { Place } from './place.ts'
import type { Serving } from './record.ts'

/** `port`: it is taken. `in_use`: others use the storage with other settings. `start`: the worker did not start. */
export type LocalWorkerReason = 'port' | 'in_use' | 'start'

export class LocalWorkerError extends Error {
  override name = 'LocalWorkerError'
  readonly reason: LocalWorkerReason

  constructor(reason: LocalWorkerReason, message: string, options?: ErrorOptions) {
    super(message, options)
    this.reason = reason
  }
}

/** Lines of the log that are shown. */
const TAIL_LINES = 20

export function portTaken(port: number): LocalWorkerError {
  return new LocalWorkerError('port', `port ${port} of 127.0.0.1 is taken; name another one with --port`)
}

/** `difference` is what is other about the server that is there. */
export function inUse({ url }: Serving, difference: string, refusal: Refusal): LocalWorkerError {
  const why = {
    used: 'is in use by another command; end that command, or wait for it',
    busy: 'still makes pictures; wait for them, or use it with the settings it has',
  }[refusal]
  return new LocalWorkerError('in_use', `a local worker with ${difference} (${url}) ${why}`)
}

/** Says what is wrong with the disk, or shows the end of the log. */
export function notStarted(place: Place, why: string): LocalWorkerError {
  return (
    inWords(place, storageProblem(place)) ??
    new LocalWorkerError('start', `the local worker did not start: ${why}\n${tailOf(place.log)}`)
  )
}

/** What an error of the system means for the storage of a local worker; undefined for any other error. */
export function withoutStorage(place: Place, error: unknown): LocalWorkerError | undefined {
  if (!(error instanceof Error && 'syscall' in error)) return undefined
  // The first error may hide the reason: Node tells of a folder that it could not make as of one that is not there.
  return inWords(place, error) ?? inWords(place, storageProblem(place))
}

function inWords(place: Place, error: unknown): LocalWorkerError | undefined {
  const folder = dirname(place.dir)
  const problem = PROBLEMS[(error as NodeJS.ErrnoException | undefined)?.code ?? '']
  return problem && new LocalWorkerError('start', `${problem(folder)}: the local worker cannot start`)
}

const PROBLEMS: Record<string, (folder: string) => string> = {
  ENOSPC: (folder) => `no space left in ${folder}`,
  EDQUOT: (folder) => `the disk quota of ${folder} is used up`,
  EACCES: (folder) => `${folder} may not be written (permission is denied)`,
  EPERM: (folder) => `${folder} may not be written (permission is denied)`,
  EROFS: (folder) => `${folder} lies on a disk that can only be read`,
  ENOTDIR: (folder) => `${folder} is no folder`,
  EEXIST: (folder) => `${folder} is no folder`,
}

/** What a start needs at least, in bytes. */
const TRIAL_BYTES = 4 * 1024 * 1024

// A server that ended could not always say why, and what stands in its log may be about another start: the disk is tried.
function storageProblem({ dir }: Place): unknown {
  const trial = join(dir, 'trial')
  try {
    for (const folder of [dirname(dir), dir])
      if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) mkdirSync(folder, { mode: 0o700 })
    writeFileSync(trial, Buffer.alloc(TRIAL_BYTES))
    return undefined
  } catch (error) {
    return error
  } finally {
    removed(trial)
  }
}

function removed(path: string): void {
  try {
    rmSync(path, { force: true })
  } catch {
    // Where nothing could be written, nothing is left.
  }
}

function tailOf(path: string): string {
  try {
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n').slice(-TAIL_LINES)
    return [`last lines of ${path}:`, ...lines].join('\n')
  } catch {
    return `${path} is empty`
  }
}

// Why there is no local worker, in words that name the way out.
import { readFileSync } from 'node:fs'
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

/** Shows the end of the log. */
export function notStarted(place: Place, why: string): LocalWorkerError {
  return new LocalWorkerError('start', `the local worker did not start: ${why}\n${tailOf(place.log)}`)
}

function tailOf(path: string): string {
  try {
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n').slice(-TAIL_LINES)
    return [`last lines of ${path}:`, ...lines].join('\n')
  } catch {
    return `${path} is empty`
  }
}

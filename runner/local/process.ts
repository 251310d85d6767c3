// Processes by more than their number: numbers are used again, and only what this project started may be ended.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** A process as it was when it was met. */
export type Identity = {
  pid: number
  /** When it started, in the system's own words; with the number equal only for the same process. */
  mark: string
}

/** The mark where the system does not tell when a process started: it may be seen, never ended. */
const UNTOLD = 'untold'

/** The identity of a living process; undefined when there is none. */
export function identityOf(pid: number): Identity | undefined {
  const read = { linux: linuxMark, win32: windowsMark }[process.platform as string] ?? posixMark
  const mark = read(pid)
  return mark ? { pid, mark } : undefined
}

/** Whether this very process still runs. */
export function isAlive({ pid, mark }: Identity): boolean {
  return identityOf(pid)?.mark === mark
}

/** Ends a process at once if it is still the same one. */
export function kill(identity: Identity): void {
  if (identity.mark === UNTOLD || !isAlive(identity)) return
  try {
    process.kill(identity.pid, 'SIGKILL')
  } catch (error) {
    // It ended by itself in between.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** From proc(5): field 22 is the start in clock ticks since boot; field 3 is the state, Z a process that has ended. */
function linuxMark(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()} ${fields[19]}`
  } catch {
    return undefined
  }
}

function posixMark(pid: number): string | undefined {
  try {
    const line = execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim()
    return line === '' ? undefined : line
  } catch {
    return undefined
  }
}

function windowsMark(pid: number): string | undefined {
  try {
    process.kill(pid, 0)
    return UNTOLD
  } catch {
    return undefined
  }
}

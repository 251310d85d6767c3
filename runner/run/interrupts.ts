// What Ctrl-C means during a run.
import type { Io } from '../io.ts'

export type Interrupts = {
  /** Aborted once: no further picture is started. */
  stop: AbortSignal
  /** Aborted: what is in flight is left to the worker. */
  leave: AbortSignal
  /** Leaves everything to the worker, as two Ctrl-C do. */
  leaveNow(): void
  /** Ctrl-C is nothing to us any more. */
  ignore(): void
}

/** Hears Ctrl-C: once is `stop`, twice is `leave`; both at once where nothing is made here (`isFollowing`). */
export function interrupts(io: Pick<Io, 'onInterrupt'>, isFollowing = false): Interrupts {
  const stop = new AbortController()
  const leave = new AbortController()
  const leaveNow = () => {
    // What is in flight has left when the run hears that it is to stop.
    leave.abort()
    stop.abort()
  }
  const ignore = io.onInterrupt(() => (isFollowing || stop.signal.aborted ? leaveNow() : stop.abort()))
  return { stop: stop.signal, leave: leave.signal, leaveNow, ignore }
}

// How long the local server lives: as long as somebody holds a lease, and then until nothing is being made any more,
// because what was sent is paid for. Knows questions and time; no processes.
import type { Makes } from './generations.ts'

export type Use = Makes & {
  /** Leases held now. */
  leases: () => number
  sleep: (ms: number) => Promise<void>
}

/** How often it looks, in ms. */
const LOOK_MS = 200

/** For how long nobody may need it before it ends: the next command of a script comes within a second. */
const GRACE_MS = 1_000

/** For how long it waits for its first client. */
const FIRST_GRACE_MS = 10_000

/** For how long it goes on for the sake of unfinished generations. What is queued then waits for the next start. */
const PATIENCE_MS = 15 * 60_000

/** The longest a provider call and its storing may take, in ms: attemptTimeoutMs of 4K (core/models.ts), and a minute. */
const CALL_MS = 11 * 60_000

/** Resolves when the server is not needed any more. */
export async function untilUnused({ leases, hasUnfinished, sleep }: Omit<Use, 'isCalling'>): Promise<void> {
  let unusedMs = 0
  let grace = FIRST_GRACE_MS
  while (unusedMs < PATIENCE_MS) {
    await sleep(LOOK_MS)
    unusedMs += LOOK_MS
    if (leases() > 0) {
      unusedMs = 0
      grace = GRACE_MS
    } else if (unusedMs >= grace && !(await hasUnfinished()) && leases() === 0) return
  }
}

/** Resolves when no provider call is under way, or when the worker is gone. */
export async function untilNoCalls({ isCalling, sleep }: Pick<Use, 'isCalling' | 'sleep'>): Promise<void> {
  for (let waitedMs = 0; waitedMs < CALL_MS && (await isCalling()); waitedMs += LOOK_MS) await sleep(LOOK_MS)
}

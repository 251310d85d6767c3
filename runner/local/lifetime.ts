// How long the local server lives: as long as somebody holds a lease, and then until nothing is being made any more,
// because what was sent is paid for. Knows questions and time; no processes.
import type { Makes } from './generations.ts'

export type Use = Makes & {
  /** Leases that are held, and that ever were. */
  leases: () => { now: number; ever: number }
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
  let users = leases().ever
  while (unusedMs < PATIENCE_MS) {
    await sleep(LOOK_MS)
    const { now, ever } = leases()
    unusedMs = now > 0 || ever > users ? 0 : unusedMs + LOOK_MS
    users = ever
    const graceMs = ever > 0 ? GRACE_MS : FIRST_GRACE_MS
    if (unusedMs >= graceMs && !(await hasUnfinished()) && leases().ever === ever) return
  }
}

/** Resolves when no provider call is under way, or when the worker is gone. */
export async function untilNoCalls({ isCalling, sleep }: Pick<Use, 'isCalling' | 'sleep'>): Promise<void> {
  for (let waitedMs = 0; waitedMs < CALL_MS && (await isCalling()); waitedMs += LOOK_MS) await sleep(LOOK_MS)
}

// What a killed server leaves behind: workerd and the emulator go on without it. A picture that is being paid for is
// waited for; then they are ended, because two workers on one storage would both make what is queued.
import { countGenerations } from './loopback.ts'
import { isAlive, kill } from './process.ts'
import type { Serving } from './record.ts'

/** The longest a provider call and its storing may take, in ms (core/models.ts: attemptTimeoutMs of 4K, and one more). */
const PATIENCE_MS = 11 * 60_000

const LOOK_MS = 500

/** Ends the children of a server that is gone, after the calls they have under way. */
export async function settle(left: Serving, sleep: (ms: number) => Promise<void>): Promise<void> {
  const { url, token, emulated, children } = left
  for (let waitedMs = 0; url && !emulated && waitedMs < PATIENCE_MS; waitedMs += LOOK_MS) {
    if (!children.some(isAlive)) break
    // No answer: the worker is gone with the proxy in front of it.
    if (!(await countGenerations({ url, token }, 'running'))) break
    await sleep(LOOK_MS)
  }
  for (const child of children) kill(child)
}

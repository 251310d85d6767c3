// Providers with a gate of their own: what a test does to the pace of one does not reach the next test.
import { expect } from 'vitest'

let taken = 0
let takenBy: string | undefined

/** The id of a relay that no other test of this file uses: a Bearer relay that sells Nano Banana 2 at $0.03, and does not
 *  say whether it charges refusals. */
export function freshRelay(): string {
  const { testPath } = expect.getState()
  if (testPath !== takenBy) taken = 0
  takenBy = testPath
  taken += 1
  if (taken > 16) throw new Error('vitest.worker.config.ts has sixteen relays')
  return `relay-${taken}`
}

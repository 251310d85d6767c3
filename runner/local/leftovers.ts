// What a killed server leaves behind: workerd and the emulator go on without it. A picture that is being paid for is
// waited for; then they are ended, because two workers on one storage would both make what is queued.
import { makes } from './generations.ts'
import { untilNoCalls } from './lifetime.ts'
import { isAlive, kill } from './process.ts'
import type { Serving } from './record.ts'

/** Whether a server that is gone has left something to do. */
export function isLeftover({ children }: Serving): boolean {
  return children.some(isAlive)
}

/** Ends the children of a server that is gone, after the calls they have under way. */
export async function settle(left: Serving, sleep: (ms: number) => Promise<void>): Promise<void> {
  const { url, token, emulated, children } = left
  if (url && !emulated) await untilNoCalls({ ...makes({ url, token }), sleep })
  for (const child of children) kill(child)
}

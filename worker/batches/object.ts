// Batch: drives one batch to its end. Sends what is ready to the queue, cancels, and tells the webhook when all has ended.
import { DurableObject } from 'cloudflare:workers'
import type { Env } from '../env.ts'

export class Batch extends DurableObject<Env> {
  /** Begins, or goes on with, a batch whose items are stored. Repeatable. */
  async drive(_id: string): Promise<void> {}
}

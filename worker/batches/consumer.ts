// The queue's consumer: makes sure that the generations of a batch exist. Delivered twice, nothing is bought twice: the
// key decides.
import type { Env } from '../env.ts'
import type { BatchMessage } from './message.ts'

export async function consume(_batch: MessageBatch<BatchMessage>, _env: Env): Promise<void> {}

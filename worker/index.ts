// The worker's entry: nothing but exports.
import { createApp } from './app.ts'
import { consume } from './batches/consumer.ts'
import type { BatchMessage } from './batches/message.ts'
import type { Env } from './env.ts'
import { consoleLog } from './log.ts'
import { sweep } from './retention/sweep.ts'

export { Batch } from './batches/object.ts'
export { Generation } from './generation/object.ts'
export { Shield } from './generation/shield.ts'
export { Account } from './money/account.ts'
export { ProviderGate } from './providers/gate.ts'

export default {
  fetch: createApp(consoleLog, Date.now).fetch,
  queue: (delivered, env) => consume(delivered, env, { now: Date.now, log: consoleLog }),
  scheduled: (_event, env) => sweep(env, { now: Date.now, log: consoleLog }),
} satisfies ExportedHandler<Env, BatchMessage>

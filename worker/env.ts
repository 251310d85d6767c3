// The worker's bindings, secrets and vars, as wrangler.toml and the operator name them.
import type { Market } from '../core/market.ts'
import type { BatchMessage } from './batches/message.ts'
import type { Batch } from './batches/object.ts'
import type { Generation } from './generation/object.ts'
import type { Shield } from './generation/shield.ts'
import type { Caller } from './http/auth.ts'
import type { Log } from './log.ts'
import type { Account } from './money/account.ts'
import type { RateStanding } from './money/rate.ts'
import type { ProviderGate } from './providers/gate.ts'

export type Env = {
  /** Pictures, references and commit records. */
  BUCKET: R2Bucket
  /** The index of generations. */
  DB: D1Database
  GENERATION: DurableObjectNamespace<Generation>
  /** What was bought lately for equal requests without a key. */
  SHIELD: DurableObjectNamespace<Shield>
  /** What a token has spent and holds; one object per token. */
  ACCOUNT: DurableObjectNamespace<Account>
  /** Who may call next; one object per provider key and model. */
  GATE: DurableObjectNamespace<ProviderGate>
  /** Batches: one object each, and the queue that hands their lines over. */
  BATCH: DurableObjectNamespace<Batch>
  QUEUE: Queue<BatchMessage>
  /** Opens everything. Without it the API refuses every call. */
  ADMIN_TOKEN?: string
  /** Where pictures are served from, e.g. the bucket's own domain; default: the worker's own address. */
  PUBLIC_BASE_URL?: string
  /** Where objects are placed; Google refuses calls that leave from some countries. */
  LOCATION_HINT?: DurableObjectLocationHint
  /** Anything but nothing and `false`: what is accepted stays queued, nothing is sent to a provider. */
  PAUSED?: string
  /** Signs webhooks: `whsec_` and Base64 of 24 to 64 bytes; while it is being changed the new and the old one, separated by a
   *  space. Without it a request that wants a webhook is refused. */
  WEBHOOK_SECRET?: string
  /** Days after which pictures, and input images, are deleted; absent: never. */
  RETAIN_PICTURES_DAYS?: string
  RETAIN_REFERENCES_DAYS?: string
  /** Provider keys, `…_BASE_URL`, `PROVIDERS`, `DEFAULT_PROVIDER`, `EMULATOR_URL`: see core/providers.ts. */
  [variable: string]: unknown
}

/** What Hono's context carries through a request. */
export type AppEnv = {
  Bindings: Env
  Variables: {
    market: Market
    caller: Caller
    /** Whose generations and references the call sees: the caller's, apart from what the emulator drew. */
    workspace: string
    /** Where pictures are served from, no trailing slash. */
    imagesUrl: string
    requestId: string
    log: Log
    /** The clock, in epoch ms. */
    now: () => number
    /** When the call reached the worker, epoch ms. */
    arrivedAt: number
    /** How the caller's rate limit stands, if it has one. */
    rate?: RateStanding
  }
}

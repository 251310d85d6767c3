// The worker's bindings, secrets and vars, as wrangler.toml and the operator name them.
import type { Market } from '../core/market.ts'
import type { Generation } from './generation/object.ts'
import type { Shield } from './generation/shield.ts'
import type { Log } from './log.ts'

export type Env = {
  /** Pictures, references and commit records. */
  BUCKET: R2Bucket
  /** The index of generations. */
  DB: D1Database
  GENERATION: DurableObjectNamespace<Generation>
  /** What was bought lately for equal requests without a key. */
  SHIELD: DurableObjectNamespace<Shield>
  /** Opens everything. Without it the API refuses every call. */
  ADMIN_TOKEN?: string
  /** Where pictures are served from, e.g. the bucket's own domain; default: the worker's own address. */
  PUBLIC_BASE_URL?: string
  /** Where objects are placed; Google refuses calls that leave from some countries. */
  LOCATION_HINT?: DurableObjectLocationHint
  /** Provider keys, `…_BASE_URL`, `PROVIDERS`, `DEFAULT_PROVIDER`, `EMULATOR_URL`: see core/providers.ts. */
  [variable: string]: unknown
}

/** What Hono's context carries through a request. */
export type AppEnv = {
  Bindings: Env
  Variables: { market: Market; workspace: string; requestId: string; log: Log }
}

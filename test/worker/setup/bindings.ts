// The bindings of the worker under test, and what the tests are told beside them (vitest.worker.config.ts).
import type { D1Migration } from 'cloudflare:test'
import { env as untyped } from 'cloudflare:workers'
import type { Env } from '../../../worker/env.ts'

export const env = untyped as unknown as Env & {
  ADMIN_TOKEN: string
  /** Address of the emulator and of the recorder. */
  EMULATOR: string
  RECORDER: string
  MIGRATIONS: D1Migration[]
}

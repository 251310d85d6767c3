// ProviderGate: who may call a provider next. One object per provider key and model, shared by all callers, so that a 429
// makes everybody wait and nobody fail (promise 8).
import { DurableObject } from 'cloudflare:workers'
import type { Env } from '../env.ts'

/** What the operator says of a provider (core/providers.ts). */
export type PaceRules = { concurrency: number; perMinute?: number }

export type Entry =
  /** Call now; tell `leave` with this lease how it went. A lease that nobody gives back ends by itself. */
  | { kind: 'go'; lease: string }
  /** Not yet. The gate wakes the generation (`turn`) when it is next; `recheckAt`, epoch ms, is when it asks again if it
   *  was not. It keeps its place. */
  | { kind: 'wait'; recheckAt: number }
  /** A quota of the day is used up: until then nothing is sent, and the provider's words are these. */
  | { kind: 'quota'; until: number; message: string }

/** How a call went, as far as pacing is concerned. */
export type PaceReport =
  | { kind: 'done' }
  /** 429, or 503: the provider wants fewer calls. `retryAfterMs`: its own delay. */
  | { kind: 'throttled'; retryAfterMs?: number | undefined }
  | { kind: 'quota'; message: string; retryAfterMs?: number | undefined }

export class ProviderGate extends DurableObject<Env> {
  /** Asks for a call. Asked again by the same generation it keeps its place, or its lease. */
  async enter(generation: string, _rules: PaceRules): Promise<Entry> {
    return { kind: 'go', lease: generation }
  }

  /** Gives a lease back. Repeatable. */
  async leave(_generation: string, _lease: string, _report: PaceReport): Promise<void> {}

  /** Does not want to call any more. Repeatable. */
  async withdraw(_generation: string): Promise<void> {}
}

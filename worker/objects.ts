// Where objects are found, and where the platform makes them at their first call.
import type { Env } from './env.ts'

/** The object of a generation. */
export function generationStub(env: Env, id: string) {
  return env.GENERATION.get(env.GENERATION.idFromName(id), hintOf(env))
}

/** The retry shield of equal requests (`shieldName`), beside the generations that it knows. */
export function shieldStub(env: Env, name: string) {
  return env.SHIELD.get(env.SHIELD.idFromName(name), hintOf(env))
}

/** What a token has spent (`accountName`); by its id alone also how many calls it makes. */
export function accountStub(env: Env, name: string) {
  return env.ACCOUNT.get(env.ACCOUNT.idFromName(name), hintOf(env))
}

/** The account of whoever asks for a picture. What the emulator draws costs nothing: it is counted apart. */
export function accountName({ token, emulated }: { token: string; emulated: boolean }): string {
  return emulated ? `${token}.emulated` : token
}

/** The gate before a provider (`gateName`). */
export function gateStub(env: Env, name: string) {
  return env.GATE.get(env.GATE.idFromName(name), hintOf(env))
}

/** What drives a batch. */
export function batchStub(env: Env, id: string) {
  return env.BATCH.get(env.BATCH.idFromName(id), hintOf(env))
}

/** Google refuses calls that leave from some countries: objects are made where calls are accepted. */
function hintOf(env: Env): DurableObjectNamespaceGetDurableObjectOptions {
  return { locationHint: env.LOCATION_HINT ?? 'enam' }
}

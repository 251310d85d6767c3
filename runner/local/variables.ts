// What the local worker is told of the environment: the variables core knows, the secret of webhooks, and nothing else.
// Keys go from process to process as environment and bindings; on disk there is only a salted digest, to tell whether two
// are the same.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { keyVariableOf, type MarketVariables, marketOf } from '../../core/market.ts'
import { stableJson } from '../../core/request.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** The worker's vars and secrets found in an environment.
 *  @throws ConfigurationError when `PROVIDERS` or `DEFAULT_PROVIDER` is not usable. */
export function workerVariables(env: Environment): Record<string, string> {
  const names = ['PROVIDERS', 'DEFAULT_PROVIDER', 'EMULATOR_URL', 'WEBHOOK_SECRET']
  for (const { id } of marketOf(withEmulator(env)).sellers)
    names.push(keyVariableOf(id, env), `${id.toUpperCase().replaceAll('-', '_')}_BASE_URL`)
  return Object.fromEntries(names.flatMap((name) => (env[name] ? [[name, env[name]]] : [])))
}

/** Whether nothing is to be sent, as PAUSED of an environment says: in any word but `false`, as on a deployed worker. */
export function isPaused({ PAUSED = '' }: Environment): boolean {
  return !['', 'false'].includes(PAUSED.trim().toLowerCase())
}

/** Whether the emulator stands in: there is no provider key at all. */
export function isEmulated(variables: MarketVariables): boolean {
  return marketOf(withEmulator(variables)).emulated
}

/** The names of those who would sell. */
export function providersOf(variables: MarketVariables): string[] {
  return marketOf(withEmulator(variables)).sellers.flatMap((s) => (s.configured ? [s.id] : []))
}

/** Digest of vars and secrets. The salt keeps a digest on disk from being tried against known keys. */
export function digestOfVariables(variables: Record<string, string>, salt: string): string {
  return createHash('sha256').update(salt).update(stableJson(variables)).digest('hex')
}

/** Digest of files and folders, names included: two are equal only if the worker is the same. */
export function digestOfFiles(paths: readonly string[]): string {
  const hash = createHash('sha256')
  for (const path of paths) {
    const files = statSync(path).isDirectory()
      ? readdirSync(path, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => join(entry.parentPath, entry.name))
          .sort()
      : [path]
    for (const file of files)
      hash.update(relative(path, file)).update('\0').update(readFileSync(file)).update('\0')
  }
  return hash.digest('hex')
}

/** The emulator's address is not known before it runs; that there will be one decides what is sold. */
function withEmulator(variables: MarketVariables): MarketVariables {
  return { ...variables, EMULATOR_URL: variables.EMULATOR_URL || 'http://127.0.0.1' }
}

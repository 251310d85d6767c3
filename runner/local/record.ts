// serving.json: who serves a storage, where, and as what. Written by the lock's holder alone, read by everybody who
// wants to attach; readable by its owner only, because it holds the worker's token. It never holds a provider key.
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { z } from 'zod'
import { isAlive } from './process.ts'

const IdentitySchema = z.object({ pid: z.int(), mark: z.string() })

const ServingSchema = z.object({
  server: IdentitySchema,
  /** `settling`: an earlier worker lost its server and still makes pictures; it is waited for, and the rest of the record
   *  is about it. */
  phase: z.enum(['settling', 'starting', 'ready', 'ending']),
  /** The worker's address, and where leases are taken; once it is ready. */
  url: z.string().optional(),
  control: z.string().optional(),
  token: z.string(),
  emulated: z.boolean(),
  emulatorLatencyMs: z.number().optional(),
  /** It makes nothing; what it has accepted waits for the next server. */
  paused: z.boolean().optional(),
  /** See variables.ts. */
  salt: z.string(),
  variables: z.string(),
  code: z.string(),
  /** workerd and emulator: they outlive a server that is killed, and the next one ends them. */
  children: z.array(IdentitySchema),
})
export type Serving = z.output<typeof ServingSchema>

/** The record, or undefined when there is none, or none that can be read. */
export function readServing(path: string): Serving | undefined {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  try {
    return ServingSchema.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}

/** The record of a server that still runs. */
export function findServer(path: string): Serving | undefined {
  const serving = readServing(path)
  return serving && isAlive(serving.server) ? serving : undefined
}

/** Replaces the record in one step. */
export function writeServing(path: string, serving: Serving): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(`${path}.new`, JSON.stringify(serving, null, 2), { mode: 0o600 })
  renameSync(`${path}.new`, path)
}

/** Takes the record away. */
export function removeServing(path: string): void {
  rmSync(path, { force: true })
}

// `.proofsheet/batches/<manifest>.json`: the last batch that was handed over, so that it can be followed without its id,
// and with the flags it was planned under. It can be thrown away: whoever knows the id follows it all the same.
import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { readText, replaceFile } from './disk.ts'
import { pathsOf } from './state.ts'

const HandedOverSchema = z.object({
  batch: z.string(),
  /** The worker's address. */
  worker: z.string(),
  profile: z.string().optional(),
  set: z.array(z.string()),
  var: z.array(z.string()),
  refused: z.boolean(),
  uncertain: z.boolean(),
  /** Idempotency-Keys of its lines. */
  keys: z.array(z.string()),
})
export type HandedOver = z.output<typeof HandedOverSchema>

/** The last batch of a manifest; undefined when there is none, or none that can be read. */
export function lastBatch(manifestPath: string): HandedOver | undefined {
  try {
    return HandedOverSchema.safeParse(JSON.parse(readText(fileOf(manifestPath)))).data
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** Remembers a batch as the last one. */
export function rememberBatch(manifestPath: string, batch: HandedOver): void {
  const path = fileOf(manifestPath)
  mkdirSync(dirname(path), { recursive: true })
  replaceFile(path, `${JSON.stringify(batch)}\n`)
}

function fileOf(manifestPath: string): string {
  const { folder, stem } = pathsOf(manifestPath)
  return join(folder, 'batches', `${stem}.json`)
}

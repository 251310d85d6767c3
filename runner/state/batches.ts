// `.proofsheet/batches/<manifest>.json`: the batches that were handed over and are not fetched yet, and the last one, so that
// they can be followed without their ids, and with the flags they were planned under. It can be thrown away: whoever knows
// an id follows that batch all the same.
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
  /** Idempotency-Keys of its lines, and the ids of the items they were of. */
  keys: z.array(z.string()),
  items: z.array(z.string()),
  /** It was followed to its end, and what it made was fetched. */
  fetched: z.boolean(),
  /** SHA-256 of its lines, and the how manyth batch of these very lines it is, from 1. */
  digest: z.string(),
  number: z.int().positive(),
})
export type HandedOver = z.output<typeof HandedOverSchema>

const FileSchema = z.object({ batches: z.array(HandedOverSchema) })

/** The batches of a manifest that are known here, in the order in which they were handed over; none when they cannot be
 *  read. */
export function knownBatches(manifestPath: string): HandedOver[] {
  try {
    return FileSchema.safeParse(JSON.parse(readText(fileOf(manifestPath)))).data?.batches ?? []
  } catch (error) {
    if (error instanceof SyntaxError) return []
    throw error
  }
}

/** The last batch of a manifest. */
export function lastBatch(manifestPath: string): HandedOver | undefined {
  return knownBatches(manifestPath).at(-1)
}

/** Those of which pictures may not be here yet. */
export function unfetchedBatches(manifestPath: string): HandedOver[] {
  return knownBatches(manifestPath).filter(({ fetched }) => !fetched)
}

/** Remembers a batch as the last one. What all came again with it need not be followed any more. */
export function rememberBatch(manifestPath: string, batch: HandedOver): void {
  const keys = new Set(batch.keys)
  const others = unfetchedBatches(manifestPath).filter(
    (other) => other.batch !== batch.batch && !other.keys.every((key) => keys.has(key)),
  )
  write(manifestPath, [...others, batch])
}

/** A batch was followed to its end, and what it made is here. */
export function rememberFetched(manifestPath: string, id: string): void {
  const batches = knownBatches(manifestPath)
  if (!batches.some(({ batch, fetched }) => batch === id && !fetched)) return
  write(
    manifestPath,
    batches.flatMap((one, index) => {
      const fetched = one.fetched || one.batch === id
      // The last one is followed again when nothing else is named.
      return fetched && index < batches.length - 1 ? [] : { ...one, fetched }
    }),
  )
}

function write(manifestPath: string, batches: readonly HandedOver[]): void {
  const path = fileOf(manifestPath)
  mkdirSync(dirname(path), { recursive: true })
  replaceFile(path, `${JSON.stringify({ batches })}\n`)
}

function fileOf(manifestPath: string): string {
  const { folder, stem } = pathsOf(manifestPath)
  return join(folder, 'batches', `${stem}.json`)
}

// What lines of a batch ended as, in the order in which they ended, as NDJSON that goes on while it runs. Pages are read
// when the client has taken what was read before: a slow one holds a page, not the batch.
import { isEnded } from '../../core/api.ts'
import type { BatchResult } from '../../core/batch.ts'
import type { GenerationRecord } from '../generation/record.ts'
import { viewOf } from '../generation/view.ts'
import type { LineError } from './rows.ts'

export type ResultEffects = {
  db: D1Database
  /** The record of a generation from its object, where the index has none. */
  read: (generation: string) => Promise<GenerationRecord | undefined>
  /** Where pictures are served from, no trailing slash. */
  imagesUrl: string
  now: () => number
  sleep: (ms: number) => Promise<unknown>
}

/** Results that are in memory at a time. */
const PAGE = 50

/** Delays between two looks for what has ended since, in ms: first, and at most. */
const LOOK_MS = 250
const MAX_LOOK_MS = 2_000

/** Results after `after`, a line of JSON each. Goes on until `untilMs` (epoch) for what is still open. */
export function resultLines(
  set: string,
  { after, untilMs }: { after: number; untilMs: number },
  fx: ResultEffects,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  let last = after
  let hasLeft = false
  const next = async (): Promise<BatchResult[]> => {
    for (let delayMs = LOOK_MS; !hasLeft; delayMs = Math.min(delayMs * 2, MAX_LOOK_MS)) {
      const page = await readPage(set, last, fx)
      if (page.length > 0) return page
      const leftMs = untilMs - fx.now()
      if (leftMs <= 0) return []
      // The last ones may have ended since the page was read.
      if (!(await hasOpenLines(fx.db, set))) return readPage(set, last, fx)
      await fx.sleep(Math.min(delayMs, leftMs))
    }
    return []
  }
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const page = await next()
        if (hasLeft) return
        if (page.length === 0) return controller.close()
        last = page.at(-1)!.seq
        controller.enqueue(encoder.encode(page.map((result) => `${JSON.stringify(result)}\n`).join('')))
      },
      cancel() {
        hasLeft = true
      },
    },
    { highWaterMark: 0 },
  )
}

async function hasOpenLines(db: D1Database, set: string): Promise<boolean> {
  const row = await db
    .prepare(`SELECT 1 FROM batch_lines WHERE line_set = ?1 AND state <> 'ended' LIMIT 1`)
    .bind(set)
    .first()
  return row !== null
}

type Row = {
  seq: number
  line: number
  key: string
  generation: string
  error: string | null
  record: string | null
}

async function readPage(set: string, after: number, fx: ResultEffects): Promise<BatchResult[]> {
  const { results } = await fx.db
    .prepare(
      `SELECT own.ended_seq AS seq, own.line, own.key, own.generation, own.error, made.record
       FROM batch_lines own LEFT JOIN generations made ON made.id = own.generation AND own.error IS NULL
       WHERE own.line_set = ?1 AND own.ended_seq > ?2 AND own.status IS NOT NULL ORDER BY own.ended_seq LIMIT ?3`,
    )
    .bind(set, after, PAGE)
    .all<Row>()
  const told: BatchResult[] = []
  for (const row of results) told.push(await resultOf(row, fx))
  return told
}

async function resultOf({ seq, line, key, generation, error, record }: Row, fx: ResultEffects) {
  const indexed = record === null ? undefined : (JSON.parse(record) as GenerationRecord)
  // The index may not have heard of the end yet.
  const isUpToDate = indexed !== undefined && isEnded(indexed.status)
  const made = error !== null ? undefined : isUpToDate ? indexed : ((await fx.read(generation)) ?? indexed)
  return {
    seq,
    line,
    key,
    generation: made ? viewOf(made, fx.imagesUrl, fx.now()) : null,
    error: error === null ? null : (JSON.parse(error) as LineError),
  }
}

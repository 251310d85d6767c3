// Takes the lines of a batch in: checks each, stores them by chunks, and accepts all or nothing. Whatever breaks off
// before the end leaves rows that nothing runs, and that are removed.
import { createHash, type Hash } from 'node:crypto'
import type { MicroUsd } from '../../core/money.ts'
import type { Asker } from '../asker.ts'
import { readGeneration } from '../generation/ask.ts'
import { fingerprintsOf } from '../generation/listing.ts'
import { generationId, randomName, sha256 } from '../generation/name.ts'
import { fieldProblem, Problem } from '../http/problem.ts'
import { reached } from '../http/reach.ts'
import { resolveReferences } from '../references/resolve.ts'
import { checkWebhook } from '../webhooks/send.ts'
import { type Checked, Faults, LineChecker, type Read } from './check.ts'
import type { BadLine, Line } from './lines.ts'
import { beginUpload, dropUpload } from './register.ts'
import { storeLines } from './rows.ts'
import { withStanding } from './spent.ts'

export type Upload = {
  set: string
  digest: string
  total: number
  /** Sums over what was not made before; null when a price is not known. */
  expected: MicroUsd | null
  atMost: MicroUsd | null
  /** The most that the cheapest picture may cost which was not made before; null when all were. */
  least: MicroUsd | null
}

type Lines = AsyncIterable<Line | BadLine>

/** Rows of a statement, and bytes of their JSON after which there is no more of them: D1 takes 2 MB, and a line is at
 *  most 256 KiB. */
const CHUNK_ROWS = 500
const CHUNK_BYTES = 1024 * 1024

/** What holds the lines. */
const DATABASE = 'the list of batches'

/** Stores all lines as a set of lines that nothing runs yet. `beside`: what belongs to the batch beside its lines. Throws
 *  what is wrong with them as one Problem; then nothing is left. */
export async function upload(
  asker: Asker,
  id: string,
  lines: Lines,
  beside: string,
  now: number,
): Promise<Upload> {
  const { env, workspace, caller, log } = asker
  const set = `bat_${randomName()}`
  await reached(asker, DATABASE, () => beginUpload(env.DB, { set, workspace, token: caller.token, now }))
  try {
    return await store(asker, id, set, lines, beside)
  } catch (error) {
    // Of what cannot be removed now the row in `batches` remains, by which it is found later.
    await dropUpload(env.DB, set).catch((cause: unknown) =>
      log({ event: 'upload_left', batch: set, error: String(cause) }),
    )
    throw error
  }
}

async function store(asker: Asker, id: string, set: string, lines: Lines, beside: string): Promise<Upload> {
  const { env, workspace } = asker
  const checker = checkerOf(asker, id)
  const faults = new Faults()
  const digest = createHash('sha256')
  const sum = { expected: 0, atMost: 0, unknown: false, least: Number.POSITIVE_INFINITY }
  let chunk: { path: string; checked: Checked; json: string }[] = []
  let chunkBytes = 0
  let total = 0
  const flush = async () => {
    if (chunk.length === 0 || faults.count > 0) return
    const generations = chunk.map(({ checked }) => checked.row.generation)
    const known = await reached(asker, DATABASE, () => fingerprintsOf(env.DB, workspace, generations))
    for (const { path, checked } of chunk) {
      const { row, quote, fingerprint, isRepeat } = checked
      const other = known.get(row.generation)
      if (other !== undefined && fingerprint !== undefined && other !== fingerprint)
        faults.add(path, KEY_REUSED)
      if (isRepeat || other !== undefined) continue
      sum.expected += quote.expected
      sum.atMost += quote.atMost
      sum.least = Math.min(sum.least, quote.atMost)
      sum.unknown ||= quote.unknown.length > 0
    }
    if (faults.count > 0) return
    const rows = `[${chunk.map(({ json }) => json).join(',')}]`
    await reached(asker, DATABASE, () => storeLines(env.DB, set, rows))
    chunk = []
    chunkBytes = 0
  }
  for await (const group of groupsOf(lines)) {
    total += group.length
    for (const line of group.map((each) => readLine(checker, digest, each))) {
      const checked = 'problem' in line ? line.problem : await asProblem(() => checker.check(line.read))
      if (checked instanceof Problem) faults.add(line.path, checked)
      if (faults.count > 0 || checked instanceof Problem) continue
      const json = JSON.stringify(checked.row)
      chunk.push({ path: line.path, checked, json })
      chunkBytes += new TextEncoder().encode(json).byteLength
      if (chunk.length >= CHUNK_ROWS || chunkBytes >= CHUNK_BYTES) await flush()
    }
  }
  if (total === 0) throw new Problem('invalid_request', 'there is no line; send one request a line')
  await flush()
  if (faults.count > 0) throw await withStanding(asker, faults.problem())
  const { unknown } = sum
  return {
    set,
    digest: sealed(digest, beside),
    total,
    expected: unknown ? null : sum.expected,
    atMost: unknown ? null : sum.atMost,
    least: Number.isFinite(sum.least) ? sum.least : null,
  }
}

/** A line whose key is that of a picture which was asked for otherwise. */
const KEY_REUSED = fieldProblem(
  'key',
  'was used for another request; use a new key for a new picture',
  'key_reused',
)

/** Lines that are looked at together: what they refer to is looked up at once. */
const GROUP = 32

async function* groupsOf(lines: Lines): AsyncGenerator<(Line | BadLine)[]> {
  let group: (Line | BadLine)[] = []
  for await (const line of lines) {
    group.push(line)
    if (group.length < GROUP) continue
    yield group
    group = []
  }
  if (group.length > 0) yield group
}

/** A line as far as it can be read at once. */
function readLine(
  checker: LineChecker,
  digest: Hash,
  line: Line | BadLine,
): { path: string; problem: Problem } | { path: string; read: Read } {
  if ('problem' in line) return line
  addTo(digest, line)
  try {
    return { path: line.path, read: checker.read(line) }
  } catch (error) {
    if (error instanceof Problem) return { path: line.path, problem: error }
    throw error
  }
}

async function asProblem<T>(check: () => Promise<T>): Promise<T | Problem> {
  try {
    return await check()
  } catch (error) {
    if (error instanceof Problem) return error
    throw error
  }
}

function checkerOf(asker: Asker, id: string): LineChecker {
  const { env, workspace, market, caller } = asker
  return new LineChecker({
    id,
    market,
    budget: caller.budget,
    generationId: (key) => generationId(workspace, key),
    sha256,
    checkWebhook: (url) => checkWebhook(env, url),
    resolve: async (reference) => {
      const [input] = await resolveReferences([reference], workspace, {
        bucket: env.BUCKET,
        // Addresses are asked when their line is made: here nothing names one.
        fetch: () => Promise.reject(new Error('a batch fetches nothing while it is handed over')),
        generation: (generation) => readGeneration(asker, generation),
      })
      return input!
    },
  })
}

/** The digest of lines that were handed over before, to be held against that of a batch. Throws `invalid_json`. */
export async function digestOf(lines: Lines, beside: string): Promise<string> {
  const digest = createHash('sha256')
  for await (const line of lines) {
    if ('problem' in line) throw new Problem('invalid_json', `${line.path}: ${line.problem.message}`)
    addTo(digest, line)
  }
  return sealed(digest, beside)
}

function addTo(digest: Hash, { number, json }: Line): void {
  digest.update(`${number} ${json}\n`)
}

function sealed(digest: Hash, beside: string): string {
  return digest.update(beside).digest('hex')
}

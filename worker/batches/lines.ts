// The requests of a batch as they come: NDJSON line by line, never more of it in memory than one line and one chunk of
// the network; or the list of a small JSON body.
import { z } from 'zod'
import { BatchRequestSchema, MAX_BATCH_LINES } from '../../core/batch.ts'
import { stableJson } from '../../core/request.ts'
import { parse, readJson } from '../http/input.ts'
import { fieldProblem, Problem } from '../http/problem.ts'

/** What stands in one line. */
export type Line = {
  /** From 1; blank lines count. */
  number: number
  /** As problems name it. */
  path: string
  value: unknown
  /** Canonical JSON of the value. */
  json: string
}

/** A line that is no JSON. */
export type BadLine = Pick<Line, 'number' | 'path'> & { problem: Problem }

/** Most bytes of a line of NDJSON, of all of it, and of a JSON body. */
const MAX_LINE_BYTES = 256 * 1024
const MAX_BODY_BYTES = 64 * 1024 * 1024
const MAX_JSON_BYTES = 8 * 1024 * 1024

/** Whether a body of this type is NDJSON. */
export function isNdjson(contentType: string | undefined): boolean {
  return /^(application|text)\/(x-)?(ndjson|jsonl|jsonlines|json-lines)\s*(;|$)/i.test(contentType ?? '')
}

/** Lines of NDJSON; blank ones are left out. Throws `payload_too_large` and, when the body breaks off,
 *  `invalid_request`. */
export async function* linesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<Line | BadLine> {
  let number = 0
  let found = 0
  for await (const bytes of splitLines(body)) {
    number++
    const path = `lines[${number}]`
    if (bytes.byteLength > MAX_LINE_BYTES)
      throw new Problem(
        'payload_too_large',
        `${path}: is over ${MAX_LINE_BYTES} bytes; upload images first (POST /api/references) and name them by sha256`,
      )
    if (bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d)) continue
    if (++found > MAX_BATCH_LINES)
      throw new Problem('payload_too_large', `a batch has at most ${MAX_BATCH_LINES} lines; send several`)
    yield lineOf(number, path, bytes)
  }
}

function lineOf(number: number, path: string, bytes: Uint8Array): Line | BadLine {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes)
    const value: unknown = JSON.parse(text)
    return { number, path, value, json: stableJson(value) }
  } catch (cause) {
    const hint = hasSeveral(bytes) ? `; ${ONE_A_LINE}` : ''
    return {
      number,
      path,
      problem: new Problem('invalid_json', `${(cause as Error).message}${hint}`, { cause }),
    }
  }
}

const AS_NDJSON = 'lines of NDJSON are sent with `Content-Type: application/x-ndjson`'
const ONE_A_LINE =
  'one request stands on each line; curl keeps line ends with --data-binary @file, not with -d'

/** Whether a line seems to be several whose ends were lost. */
function hasSeveral(bytes: Uint8Array): boolean {
  return /\}\s*\{/.test(new TextDecoder().decode(bytes))
}

const NEWLINE = 0x0a

/** Yields the bytes between newlines; a line that is too long as soon as it is. */
async function* splitLines(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let held: Uint8Array[] = []
  let heldBytes = 0
  let total = 0
  const taken = () => {
    const line = new Uint8Array(heldBytes)
    let at = 0
    for (const piece of held) {
      line.set(piece, at)
      at += piece.byteLength
    }
    held = []
    heldBytes = 0
    return line
  }
  const hold = (piece: Uint8Array) => {
    held.push(piece)
    heldBytes += piece.byteLength
  }
  for await (const chunk of chunksOf(body)) {
    total += chunk.byteLength
    if (total > MAX_BODY_BYTES)
      throw new Problem('payload_too_large', `the body is over ${MAX_BODY_BYTES} bytes; send several batches`)
    let from = 0
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      hold(chunk.subarray(from, end))
      from = end + 1
      yield taken()
    }
    // The chunk's memory is not ours to keep.
    if (from < chunk.byteLength) hold(chunk.slice(from))
    if (heldBytes > MAX_LINE_BYTES) yield taken()
  }
  if (heldBytes > 0) yield taken()
}

/** A JSON body. What looks like NDJSON that came without its type is told what it lacks. */
async function readBody(request: Request): Promise<unknown> {
  const value = await readJson(request, MAX_JSON_BYTES).catch((error: unknown) => {
    if (!(error instanceof Problem) || error.code !== 'invalid_json') throw error
    const words = `the body is not one JSON value: ${error.message}; ${AS_NDJSON}, and ${ONE_A_LINE}`
    throw new Problem('invalid_json', words, { cause: error })
  })
  const isRequest =
    typeof value === 'object' &&
    value !== null &&
    !('requests' in value) &&
    ('prompt' in value || Array.isArray(value))
  if (isRequest)
    throw fieldProblem('body', `must be {"requests": […]}; ${AS_NDJSON} (curl: -H and --data-binary @file)`)
  return value
}

/** The chunks of a body; that it broke off is told as what it is. */
async function* chunksOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* body
  } catch (cause) {
    throw new Problem('invalid_request', 'the body broke off; nothing was accepted, send it again', { cause })
  }
}

/** The same of a JSON body, with what stands beside the requests. Throws `invalid_json`, `invalid_request` and
 *  `payload_too_large`. */
export async function readBatchJson(
  request: Request,
): Promise<
  Pick<z.output<typeof BatchRequestSchema>, 'webhook' | 'metadata'> & { lines: AsyncIterable<Line> }
> {
  const unread = BatchRequestSchema.extend({ requests: z.array(z.unknown()).min(1).max(MAX_BATCH_LINES) })
  const { requests, webhook, metadata } = parse(unread, await readBody(request))
  async function* lines(): AsyncGenerator<Line> {
    for (const [index, value] of requests.entries())
      yield { number: index + 1, path: `requests[${index}]`, value, json: stableJson(value) }
  }
  return { webhook, metadata, lines: lines() }
}

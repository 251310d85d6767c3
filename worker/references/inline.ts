// A JSON body whose `references` may hold Base64: read as a stream, each image stored under its digest as soon as its
// string ends, so that at most one of them is held.
import type { StoredReference } from '../../core/api.ts'
import { MODELS } from '../../core/models.ts'
import { Problem } from '../http/problem.ts'
import { ScanError, scanJson } from '../stream/scanner.ts'
import { ReferenceWriter } from './store.ts'

/** Longest body without its images, in bytes. */
const MAX_JSON_BYTES = 1024 * 1024

/** Images beyond the most that any model takes are not stored. */
const MOST_REFERENCES = Math.max(...MODELS.map((model) => model.references.max))

/** The body with every `references[].data` replaced by `{sha256}`. Throws `invalid_json`, `payload_too_large` and
 *  `unsupported_media_type`, naming the reference. */
export async function readWithReferences(
  body: ReadableStream<Uint8Array> | null,
  bucket: Pick<R2Bucket, 'head' | 'put'>,
  workspace: string,
): Promise<unknown> {
  if (!body) throw new Problem('invalid_json', 'the body is empty')
  const stored: (StoredReference | Problem)[] = []
  let writer = new ReferenceWriter()
  let problem: Problem | undefined
  const attempt = async (work: () => void | Promise<void>) => {
    if (problem) return
    try {
      await work()
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      problem = error
    }
  }
  const sink = {
    open() {
      if (stored.length === MOST_REFERENCES)
        throw new Problem('unsupported', `references: no model takes more than ${MOST_REFERENCES}`)
      writer = new ReferenceWriter()
      problem = undefined
    },
    write: (bytes: Uint8Array) => attempt(() => writer.write(bytes)),
    async close() {
      await attempt(async () => {
        stored.push(await writer.store(bucket, workspace))
      })
      if (problem) stored.push(problem)
    },
  }
  const isBlob = (key: string, parent: string | undefined) => key === 'data' && parent === 'references'
  const json = await scan(body, isBlob, sink, () => stored.length + 1)
  return withDigests(json, stored)
}

async function scan(
  body: ReadableStream<Uint8Array>,
  isBlob: Parameters<typeof scanJson>[1]['isBlob'],
  sink: Parameters<typeof scanJson>[1]['sink'],
  ordinal: () => number,
): Promise<unknown> {
  try {
    return await scanJson(body, { isBlob, sink, maxSkeletonBytes: MAX_JSON_BYTES })
  } catch (error) {
    if (!(error instanceof ScanError)) throw error
    if (error.kind === 'too_large')
      throw new Problem('payload_too_large', `the body is over ${MAX_JSON_BYTES} bytes without its images`)
    if (error.kind === 'base64') {
      const why = (error.cause as Error).message
      throw new Problem(
        'invalid_request',
        `references[].data: image ${ordinal()} of the body is not Base64: ${why}`,
      )
    }
    throw new Problem('invalid_json', error.message, { cause: error })
  }
}

/** Puts the digests where the data stood. The claimed type must be that of the bytes. */
function withDigests(json: unknown, stored: readonly (StoredReference | Problem)[]): unknown {
  const { references } = (typeof json === 'object' && json !== null ? json : {}) as { references?: unknown }
  if (!Array.isArray(references)) return json
  const replaced = references.map((reference: unknown, index) => {
    const { data, mimeType, ...rest } = (reference ?? {}) as Record<string, unknown>
    const found = typeof data === 'number' ? stored[data] : undefined
    if (!found) return reference
    const path = `references[${index}]`
    const fail = (code: Problem['code'], message: string) =>
      new Problem(code, `${path}: ${message}`, { errors: [{ path, message }] })
    if (found instanceof Problem) throw fail(found.code, found.message)
    const label = mimeType === 'image/jpg' ? 'image/jpeg' : mimeType
    if (label === undefined) throw fail('invalid_request', 'data needs its mimeType beside it')
    if (label !== found.mimeType)
      throw fail(
        'unsupported_media_type',
        `the bytes are ${found.mimeType}, but are called ${String(mimeType)}`,
      )
    return { ...rest, sha256: found.sha256 }
  })
  return { ...(json as object), references: replaced }
}

// The body of /api/generations, whose `references` may hold Base64: the images are stored while it is read, and their
// digests stand in their places.
import { Problem } from '../http/problem.ts'
import { isCalled, type Taken, takeBody } from './intake.ts'

/** Longest body without its images, in bytes. */
const MAX_JSON_BYTES = 1024 * 1024

/** The body with every `references[].data` replaced by `{sha256}`. Throws what `takeBody` throws, and
 *  `unsupported_media_type`, naming the reference. */
export async function readWithReferences(
  body: ReadableStream<Uint8Array> | null,
  bucket: Pick<R2Bucket, 'head' | 'put'>,
  workspace: string,
): Promise<unknown> {
  const isBlob = (key: string, parent: string | undefined) => key === 'data' && parent === 'references'
  const options = { isBlob, maxJsonBytes: MAX_JSON_BYTES, field: 'references[].data' }
  return withDigests(await takeBody(body, options, { bucket, workspace }))
}

/** Puts the digests where the data stood. The claimed type must be that of the bytes. */
function withDigests({ json, images }: Taken): unknown {
  const { references } = (typeof json === 'object' && json !== null ? json : {}) as { references?: unknown }
  if (!Array.isArray(references)) return json
  const replaced = references.map((reference: unknown, index) => {
    const { data, mimeType, ...rest } = (reference ?? {}) as Record<string, unknown>
    const found = typeof data === 'number' ? images[data] : undefined
    if (!found) return reference
    const path = `references[${index}]`
    const fail = (code: Problem['code'], message: string) =>
      new Problem(code, `${path}: ${message}`, { errors: [{ path, message }] })
    if (found instanceof Problem) throw fail(found.code, found.message)
    if (mimeType === undefined) throw fail('invalid_request', 'data needs its mimeType beside it')
    if (!isCalled(found.mimeType, String(mimeType)))
      throw fail(
        'unsupported_media_type',
        `the bytes are ${found.mimeType}, but are called ${String(mimeType)}`,
      )
    return { ...rest, sha256: found.sha256 }
  })
  return { ...(json as object), references: replaced }
}

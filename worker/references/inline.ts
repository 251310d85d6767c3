// The body of /api/generations, whose `references` may hold Base64: the images are stored while it is read, and their
// digests stand in their places.
import { fieldProblem, Problem } from '../http/problem.ts'
import { isCalled, type Taken, takeBody } from './intake.ts'

/** Longest body without its images, in bytes. */
const MAX_JSON_BYTES = 1024 * 1024

/** The body with every `references[].data` replaced by `{sha256}`. Throws what `takeBody` throws, and, naming the
 *  reference, `invalid_request` (no Base64), `payload_too_large` and `unsupported_media_type`. */
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
  // A number that the caller wrote is no image: the schema refuses it where the images do not account for all of them.
  const numbers = references.filter((reference) => typeof reference?.data === 'number')
  if (numbers.length !== images.length) return json
  const replaced = references.map((reference: unknown, index) => {
    const { data, mimeType, ...rest } = (reference ?? {}) as Record<string, unknown>
    const found = typeof data === 'number' ? images[data] : undefined
    if (!found) return reference
    const path = `references[${index}]`
    const fail = (code: Problem['code'], message: string) => fieldProblem(path, message, code)
    if (found instanceof Problem) throw fail(found.code, found.message)
    // The digest takes the place of the data: what stands beside it must not name another image.
    const more = Object.keys(rest)
    if (more.length > 0)
      throw fail('invalid_request', `data takes its mimeType beside it, not ${more.join(', ')}`)
    if (mimeType === undefined) throw fail('invalid_request', 'data needs its mimeType beside it')
    if (!isCalled(found.mimeType, String(mimeType)))
      throw fail(
        'unsupported_media_type',
        `the bytes are ${found.mimeType}, but are called ${String(mimeType)}`,
      )
    return { sha256: found.sha256 }
  })
  return { ...(json as object), references: replaced }
}

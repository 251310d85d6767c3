// A JSON body that holds images as Base64: read as a stream, each image stored under its digest as soon as its string
// ends, so that at most one of them is held (promise 3). Which strings are images is the caller's to say.
import type { StoredReference } from '../../core/api.ts'
import type { ReferenceType } from '../../core/models.ts'
import { MODELS } from '../../core/models.ts'
import { Problem } from '../http/problem.ts'
import { ScanError, type ScanOptions, scanJson } from '../stream/scanner.ts'
import { ReferenceWriter, referenceKey } from './store.ts'

/** An image of the body, stored: it can stand in a request as it is. */
export type TakenImage = StoredReference & { key: string }

export type Taken = {
  /** The body with each image replaced by its index in `images`, from 0. */
  json: unknown
  /** The images in the order of the body; a problem where one is no image that can be used. */
  images: readonly (TakenImage | Problem)[]
}

export type IntakeOptions = Pick<ScanOptions, 'isBlob'> & {
  /** Longest body without its images, in bytes. */
  maxJsonBytes: number
  /** What images are called in messages: `references[].data`. */
  field: string
}

export type IntakeEffects = { bucket: Pick<R2Bucket, 'head' | 'put'>; workspace: string }

/** Images beyond the most that any model takes are not stored. */
const MOST_REFERENCES = Math.max(...MODELS.map((model) => model.references.max))

/** Reads a body and stores its images. Throws `invalid_json`, `payload_too_large`, `unsupported` (too many images) and
 *  `invalid_request` (no Base64). */
export async function takeBody(
  body: ReadableStream<Uint8Array> | null,
  options: IntakeOptions,
  { bucket, workspace }: IntakeEffects,
): Promise<Taken> {
  if (!body) throw new Problem('invalid_json', 'the body is empty')
  const images: (TakenImage | Problem)[] = []
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
      if (images.length === MOST_REFERENCES)
        throw new Problem('unsupported', `references: no model takes more than ${MOST_REFERENCES}`)
      writer = new ReferenceWriter()
      problem = undefined
    },
    write: (bytes: Uint8Array) => attempt(() => writer.write(bytes)),
    async close() {
      await attempt(async () => {
        const stored = await writer.store(bucket, workspace)
        images.push({ ...stored, key: referenceKey(workspace, stored.sha256) })
      })
      if (problem) images.push(problem)
    },
  }
  const json = await scan(body, options, sink, () => images.length + 1)
  return { json, images }
}

/** Whether an image may be called so: by its own type, in any spelling. HEIC is a kind of HEIF, and files of either
 *  label carry the other's brand. */
export function isCalled(actual: ReferenceType, label: string): boolean {
  const type = label === 'image/jpg' ? 'image/jpeg' : label
  return type === actual || (actual.startsWith('image/hei') && /^image\/hei[cf]$/.test(type))
}

async function scan(
  body: ReadableStream<Uint8Array>,
  { isBlob, maxJsonBytes, field }: IntakeOptions,
  sink: ScanOptions['sink'],
  ordinal: () => number,
): Promise<unknown> {
  try {
    return await scanJson(body, { isBlob, sink, maxSkeletonBytes: maxJsonBytes })
  } catch (error) {
    if (!(error instanceof ScanError)) throw error
    if (error.kind === 'too_large')
      throw new Problem('payload_too_large', `the body is over ${maxJsonBytes} bytes without its images`)
    if (error.kind === 'base64') {
      const why = (error.cause as Error).message
      throw new Problem('invalid_request', `${field}: image ${ordinal()} of the body is not Base64: ${why}`)
    }
    throw new Problem('invalid_json', error.message, { cause: error })
  }
}

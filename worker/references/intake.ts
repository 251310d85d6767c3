// A JSON body that holds images as Base64: read as a stream, each image stored under its digest as soon as its string
// ends, so that at most one of them is held (promise 3). Which strings are images is the caller's to say.
import type { StoredReference } from '../../core/api.ts'
import type { ReferenceType } from '../../core/models.ts'
import { MODELS } from '../../core/models.ts'
import { fieldProblem, Problem } from '../http/problem.ts'
import { drain } from '../stream/drain.ts'
import { type BlobSink, ScanError, type ScanOptions, scanJson } from '../stream/scanner.ts'
import { type LongBucket, LongImageWriter } from './long.ts'
import { ReferenceWriter, referenceKey } from './store.ts'

/** An image of the body, stored: it can stand in a request as it is. */
export type TakenImage = StoredReference & { key: string }

export type Taken = {
  /** The body with each image replaced by its index in `images`, from 0. */
  json: unknown
  /** The images in the order of the body; a problem where one is no image that can be used. */
  images: readonly (TakenImage | Problem)[]
}

export type IntakeOptions = Pick<ScanOptions, 'isBlob' | 'isDataUrl'> & {
  /** Longest body without its images, in bytes. */
  maxJsonBytes: number
  /** What images are called in messages: `references[].data`. */
  field: string
  /** More images are refused; default: the most that any model takes. */
  maxImages?: number
}

export type IntakeEffects = {
  bucket: Pick<R2Bucket, 'head' | 'put'>
  workspace: string
  /** Where pictures go that are longer than an upload may be, because a model made them. Absent: they are refused. Which
   *  of them is in a turn of a model is known only at the end of the body: the caller refuses the others. */
  long?: LongBucket
}

/** Images beyond the most that any model takes are not stored. */
const MOST_REFERENCES = Math.max(...MODELS.map((model) => model.references.max))

/** Reads a body and stores its images. What is refused is read to its end, so that the sender sees the answer. Throws
 *  `invalid_json`, `payload_too_large` and `unsupported` (too many images). */
export async function takeBody(
  body: ReadableStream<Uint8Array> | null,
  options: IntakeOptions,
  effects: IntakeEffects,
): Promise<Taken> {
  const images: (TakenImage | Problem)[] = []
  const most = options.maxImages ?? MOST_REFERENCES
  let writer: ImageWriter | undefined
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
      if (images.length === most) throw tooMany(options.field, most)
      writer = imageWriter(effects)
      problem = undefined
    },
    write: (bytes: Uint8Array) => attempt(() => writer!.write(bytes)),
    async close() {
      await attempt(async () => void images.push(await writer!.store()))
      if (problem) images.push(problem)
      writer = undefined
    },
    async fail(error: Error) {
      await writer!.abort()
      writer = undefined
      images.push(problem ?? new Problem('invalid_request', `is not Base64: ${error.message}`))
    },
  }
  try {
    return { json: await scan(body, options, sink), images }
  } catch (error) {
    await writer?.abort()
    throw error
  }
}

function tooMany(path: string, most: number): Problem {
  return fieldProblem(path, `no more than ${most} images are taken`, 'unsupported')
}

/** Reads a body and only counts its images. Throws `invalid_json` and `payload_too_large`. */
export async function countBody(
  body: ReadableStream<Uint8Array> | null,
  options: Pick<IntakeOptions, 'isBlob' | 'maxJsonBytes'>,
): Promise<{ json: unknown; images: number }> {
  let images = 0
  const count = () => void images++
  const json = await scan(body, options, { open() {}, write() {}, close: count, fail: count })
  return { json, images }
}

type ImageWriter = {
  write(bytes: Uint8Array): void | Promise<void>
  store(): Promise<TakenImage>
  abort(): void | Promise<void>
}

function imageWriter({ bucket, workspace, long }: IntakeEffects): ImageWriter {
  if (long) return new LongImageWriter(long, workspace)
  const writer = new ReferenceWriter()
  return {
    write: (bytes) => writer.write(bytes),
    abort() {},
    async store() {
      const stored = await writer.store(bucket, workspace)
      return { ...stored, key: referenceKey(workspace, stored.sha256) }
    },
  }
}

/** Whether an image may be called so: by its own type, in any spelling. HEIC is a kind of HEIF, and files of either
 *  label carry the other's brand. */
export function isCalled(actual: ReferenceType, label: string): boolean {
  const type = label === 'image/jpg' ? 'image/jpeg' : label
  return type === actual || (actual.startsWith('image/hei') && /^image\/hei[cf]$/.test(type))
}

async function scan(
  body: ReadableStream<Uint8Array> | null,
  { isBlob, isDataUrl, maxJsonBytes }: Pick<IntakeOptions, 'isBlob' | 'isDataUrl' | 'maxJsonBytes'>,
  sink: BlobSink,
): Promise<unknown> {
  if (!body) throw new Problem('invalid_json', 'the body is empty')
  const options = {
    isBlob,
    isDataUrl,
    sink,
    maxSkeletonBytes: maxJsonBytes,
    isStrict: true,
    leavesBody: true,
  }
  try {
    return await scanJson(body, options)
  } catch (error) {
    await drain(body)
    if (!(error instanceof ScanError)) throw error
    if (error.kind === 'too_large')
      throw new Problem('payload_too_large', `the body is over ${maxJsonBytes} bytes without its images`)
    throw new Problem('invalid_json', error.message, { cause: error })
  }
}

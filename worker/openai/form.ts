// A multipart form with images, read part by part as it arrives: each image is stored under its digest before the next
// is read, so that at most one of them is held (promise 3). Untrusted input, fields in any order.
import {
  getMultipartBoundary,
  MaxFileSizeExceededError,
  MaxTotalSizeExceededError,
  MultipartParseError,
  MultipartParser,
  type MultipartPart,
} from '@remix-run/multipart-parser'
import { MAX_REFERENCE_BYTES, MODELS } from '../../core/models.ts'
import { fieldProblem, Problem } from '../http/problem.ts'
import { type IntakeEffects, isCalled, type TakenImage } from '../references/intake.ts'
import { ReferenceWriter, referenceKey } from '../references/store.ts'
import { drain } from '../stream/drain.ts'
import { invalidField } from './errors.ts'
import { maskRefused } from './fields.ts'

export type Form = {
  fields: Record<string, unknown>
  /** The images in order: stored, or addresses that stand where files may. */
  images: readonly (TakenImage | string)[]
}

/** Most images, as in a JSON body: more than any model takes are not stored. */
const MOST_IMAGES = Math.max(...MODELS.map((model) => model.references.max))

/** Parts of a form, images included, and bytes of all its texts. */
const MAX_PARTS = 64
const MAX_TEXT_BYTES = 1024 * 1024

/** Reads a form and stores its images. Throws Problem and OpenAiError, naming the part. */
export async function readForm(request: Request, fx: IntakeEffects): Promise<Form> {
  const { body } = request
  const boundary = getMultipartBoundary(request.headers.get('content-type') ?? '')
  if (!boundary) throw broken('its Content-Type names no boundary')
  if (!body) throw broken('it is empty')
  const reader = new FormReader(fx)
  try {
    for await (const part of partsOf(body, boundary)) await reader.take(part)
    return reader
  } catch (error) {
    await drain(body)
    throw explained(error)
  }
}

async function* partsOf(body: ReadableStream<Uint8Array>, boundary: string): AsyncGenerator<MultipartPart> {
  const parser = new MultipartParser(boundary, {
    maxFileSize: MAX_REFERENCE_BYTES,
    maxParts: MAX_PARTS,
    maxTotalSize: MOST_IMAGES * MAX_REFERENCE_BYTES + MAX_TEXT_BYTES,
  })
  for await (const chunk of body.values({ preventCancel: true })) {
    if (chunk.length > 0) yield* parser.write(chunk)
    // What follows the closing boundary is nobody's, and the parser would refuse it.
    if (isFinished(parser)) return await drain(body)
  }
  parser.finish()
}

function isFinished(parser: MultipartParser): boolean {
  try {
    parser.finish()
    return true
  } catch {
    return false
  }
}

class FormReader implements Form {
  readonly fields: Record<string, unknown> = {}
  readonly images: (TakenImage | string)[] = []
  readonly #fx: IntakeEffects

  constructor(fx: IntakeEffects) {
    this.#fx = fx
  }

  async take(part: MultipartPart): Promise<void> {
    const name = part.name ?? ''
    if (/^mask(\[\d*\])?$/.test(name)) throw maskRefused()
    if (!/^images?(\[\d*\])?$/.test(name)) return this.#takeField(name, part)
    if (this.images.length === MOST_IMAGES)
      throw invalidField('image', `no model takes more than ${MOST_IMAGES} images`, 'too_many_images')
    if (part.isFile || part.mediaType?.startsWith('image/')) this.images.push(await this.#store(part))
    else this.images.push(textOf(part, 'image'))
  }

  async #store(part: MultipartPart): Promise<TakenImage> {
    const { bucket, workspace } = this.#fx
    const place = `image[${this.images.length}]`
    const label = part.mediaType
    const writer = new ReferenceWriter()
    try {
      // Taken out one by one: the part is not held a second time while it is copied.
      for (let chunk = part.content.shift(); chunk; chunk = part.content.shift()) writer.write(chunk)
      const stored = await writer.store(bucket, workspace)
      if (label && label !== 'application/octet-stream' && !isCalled(stored.mimeType, label))
        throw new Problem(
          'unsupported_media_type',
          `the bytes are ${stored.mimeType}, but are called ${label}`,
        )
      return { ...stored, key: referenceKey(workspace, stored.sha256) }
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      const { code, message } = error
      throw fieldProblem(place, message, code)
    }
  }

  /** Forms know only text: numbers and truth are read where the field's type asks for them. */
  #takeField(name: string, part: MultipartPart): void {
    const text = textOf(part, name)
    const inner = /^image_config\[(\w+)\]$/.exec(name)?.[1]
    if (inner) {
      const config = (this.fields.image_config ?? {}) as Record<string, unknown>
      this.fields.image_config = { ...config, [inner]: text }
    } else if (FIELDS.includes(name)) this.fields[name] = typed(name, text)
  }
}

/** The fields that are read; the rest is ignored as it is in JSON. */
const FIELDS = [
  ...['prompt', 'model', 'n', 'size', 'quality', 'response_format', 'output_format', 'background', 'stream'],
  ...['aspect_ratio', 'image_size'],
]

function typed(name: string, text: string): unknown {
  if (name === 'n') return /^\s*\d+\s*$/.test(text) ? Number(text) : text
  if (name === 'stream') return text === 'true' ? true : text === 'false' || text === '' ? false : text
  return text
}

function textOf(part: MultipartPart, name: string): string {
  try {
    return part.text
  } catch {
    throw invalidField(name, `${name}: is not UTF-8 text`, 'invalid_type')
  }
}

function explained(error: unknown): unknown {
  if (error instanceof MaxFileSizeExceededError)
    return new Problem(
      'payload_too_large',
      `a file of the form is over ${MAX_REFERENCE_BYTES} bytes, the most a model takes`,
      { errors: [{ path: 'image', message: 'too large' }] },
    )
  if (error instanceof MaxTotalSizeExceededError)
    return new Problem('payload_too_large', 'the images of the form are together more than a model takes')
  if (error instanceof MultipartParseError) return broken(error.message)
  // The parser decodes names strictly.
  if (error instanceof TypeError && /decod|utf-?8/i.test(error.message))
    return broken('a name in it is not UTF-8')
  return error
}

function broken(why: string) {
  return invalidField(
    null,
    `the form cannot be read: ${why}; send multipart/form-data as your client makes it`,
    'invalid_form',
  )
}

// The answers of the image routes: what was made, streamed from R2 in constant memory (promise 3), and what was not, named.
// POLICY of several pictures: those that were made are answered with 200; each missing one is named in `proofsheet.failed`
// and in `x-proofsheet-failed`. None made is the first one's error. A picture that was paid for is never held back.
import type { GenerationView, ImageView } from '../../core/api.ts'
import { type GenerationRecord, resultOf } from '../generation/record.ts'
import { viewOf } from '../generation/view.ts'
import type { Segment } from '../stream/body.ts'
import { Base64Of, jsonSegments } from '../stream/json.ts'
import type { StoredPicture } from '../stream/picture.ts'
import type { OpenAiError } from './errors.ts'
import { sumOf, usageOf } from './usage.ts'

/** A generation that ended with a picture. The result leads, further finished pictures follow. */
export type Made = { view: GenerationView; pictures: readonly { picture: StoredPicture; image: ImageView }[] }

/** A picture that is missing, for a machine. */
export type Missing = {
  /** null when it was not even accepted; then nothing was sent. */
  generation: string | null
  code: string | null
  message: string
  charged: 'no' | 'yes' | 'unknown'
}

/** What was made, or undefined. */
export function madeOf(record: GenerationRecord, imagesUrl: string): Made | undefined {
  const ending = resultOf(record)?.ending
  if (record.status !== 'succeeded' || !ending?.picture) return undefined
  const view = viewAtEnd(record, imagesUrl)
  const pictures = [ending.picture, ...(ending.others ?? [])]
  const images = [view.image!, ...view.moreImages]
  return { view, pictures: pictures.map((picture, index) => ({ picture, image: images[index]! })) }
}

/** The view of a record, whose own end is the present where it has one. */
export function viewAtEnd(record: GenerationRecord, imagesUrl: string): GenerationView {
  return viewOf(record, imagesUrl, record.finishedAt ?? record.createdAt)
}

/** A missing picture. */
export function missingOf(error: OpenAiError, view: GenerationView | undefined): Missing {
  const charges = view?.attempts.map((attempt) => attempt.charged) ?? []
  const charged = charges.includes('unknown') ? 'unknown' : charges.includes('yes') ? 'yes' : 'no'
  return { generation: view?.id ?? null, code: error.facts.code, message: error.message, charged }
}

/** What the caller wants to see of a picture. */
export type Delivery = { isUrlOnly: boolean; quality: string }

/** The body of a unary answer. Each picture stands as Base64 in its place in `data`. */
export function imagesBody(
  made: readonly Made[],
  missing: readonly Missing[],
  { isUrlOnly, quality }: Delivery,
): Segment[] {
  const first = made[0]!
  const pictures = made.flatMap((each) => each.pictures)
  return jsonSegments({
    created: createdOf(first),
    data: pictures.map(({ picture, image: { url } }) =>
      isUrlOnly ? { url } : { b64_json: new Base64Of(picture), url },
    ),
    ...aboutOf(first, quality),
    usage: sumOf(made.map((each) => usageOf(each.view))),
    proofsheet: missing.length > 0 ? { failed: missing } : undefined,
  })
}

/** The data of a `….completed` event. */
export function completedEvent(
  type: string,
  made: Made,
  index: number,
  { isUrlOnly, quality }: Delivery,
): Segment[] {
  const { picture, image } = made.pictures[index]!
  return jsonSegments({
    type,
    b64_json: isUrlOnly ? undefined : new Base64Of(picture),
    url: image.url,
    created_at: createdOf(made),
    ...aboutOf({ ...made, pictures: [{ picture, image }] }, quality),
    // One call made them all: it is counted once.
    usage: index === 0 ? usageOf(made.view) : undefined,
  })
}

/** The true size and type: what was asked may have been something else. */
function aboutOf({ pictures }: Made, quality: string) {
  const { width, height, mimeType } = pictures[0]!.image
  const size = width && height ? { size: `${width}x${height}` } : {}
  return { background: 'opaque', output_format: mimeType.replace('image/', ''), ...size, quality }
}

/** Epoch seconds. */
function createdOf({ view }: Made): number {
  return Math.floor(Date.parse(view.finishedAt ?? view.createdAt) / 1_000)
}

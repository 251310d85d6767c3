// An answer as bytes: pretty-printed JSON as the vendor writes it, pictures encoded slice by slice as they are taken.
// Knows Base64 and JSON escapes; a picture is in memory once, and never as one Base64 string.
import type { Style } from './plan.ts'

/** Stands in the JSON where a picture's Base64 goes: `pictureMark(0)` is replaced by the first picture. */
export function pictureMark(index: number): string {
  return `\u0001picture ${index}\u0001`
}

/** The body in pieces of at most about 256 KB. */
export function* piecesOf(json: unknown, pictures: readonly Buffer[], style: Style): Generator<Buffer> {
  const text = JSON.stringify(json, null, 2)
  const skeleton = style.escaped ? text.replaceAll('&', '\\u0026') : text
  // JSON.stringify escapes the control characters of a mark, so that no text of a caller can hold one.
  for (const [index, piece] of skeleton.split(/\\u0001picture (\d+)\\u0001/).entries()) {
    if (index % 2 === 0) yield Buffer.from(piece)
    else yield* base64Of(pictures[Number(piece)]!, style)
  }
}

/** Length of the body in bytes; walks it once. */
export function lengthOf(pieces: Iterable<Buffer>): number {
  let length = 0
  for (const piece of pieces) length += piece.length
  return length
}

/** What goes wrong while a body is sent. */
export type Trouble = {
  /** Only so many bytes are produced, and then `cut` is called, once they were taken. */
  broken?: { bytes: number; cut: (controller: ReadableStreamDefaultController) => Promise<void> | void }
  /** Pieces of at most so many bytes; `pause` comes before each of them. */
  trickle?: { bytes: number; pause: () => Promise<void> }
}

/** A body that is produced only as fast as it is taken. `ended` hears once whether all of it was. */
export function streamOf(
  pieces: Iterator<Buffer>,
  ended: (delivered: boolean) => void,
  { broken, trickle }: Trouble = {},
): ReadableStream<Uint8Array> {
  let left = broken?.bytes ?? Number.POSITIVE_INFINITY
  const most = trickle?.bytes ?? Number.POSITIVE_INFINITY
  let rest: Buffer = Buffer.alloc(0)
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (broken && left === 0) {
          ended(false)
          return broken.cut(controller)
        }
        await trickle?.pause()
        const next = rest.length > 0 ? { value: rest, done: false } : pieces.next()
        if (next.done) {
          ended(true)
          controller.close()
          return
        }
        const piece = next.value.subarray(0, Math.min(left, most))
        rest = next.value.subarray(piece.length)
        left -= piece.length
        controller.enqueue(piece)
      },
      cancel: () => ended(false),
    },
    { highWaterMark: 0 },
  )
}

/** Bytes of a picture encoded at a time: divisible by 3, so that padding comes last only. */
const SLICE_BYTES = 192 * 1024

function* base64Of(picture: Buffer, style: Style): Generator<Buffer> {
  for (let at = 0; at < picture.length; at += SLICE_BYTES) {
    const digits = picture.subarray(at, at + SLICE_BYTES).toString('base64')
    yield Buffer.from(style.escaped ? withEscapes(digits) : digits)
  }
}

// Legal JSON that naive readers trip over: escaped solidus and padding, and a line break every 76 digits.
function withEscapes(digits: string): string {
  return digits.replace(/.{76}/g, '$&\\n').replaceAll('/', '\\/').replaceAll('=', '\\u003d')
}

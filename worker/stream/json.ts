// JSON with R2 objects in it as Base64: made into segments of a streamed body, so that a picture is never whole in memory
// on its way out (promise 3).
import type { Segment } from './body.ts'

/** Stands in a JSON value for a string: the Base64 of an R2 object's bytes. */
export class Base64Of {
  readonly key: string
  readonly bytes: number
  /** Stands before the Base64 in the same string; such as `data:image/png;base64,`. */
  readonly prefix: string
  constructor({ key, bytes }: { key: string; bytes: number }, prefix = '') {
    this.key = key
    this.bytes = bytes
    this.prefix = prefix
  }
}

/** The JSON text of a value that may hold Base64Of anywhere. Members that are undefined are left out. */
export function jsonSegments(value: unknown): Segment[] {
  const segments: Segment[] = []
  let text = ''
  const write = (current: unknown): void => {
    if (current instanceof Base64Of) {
      segments.push(text + JSON.stringify(current.prefix).slice(0, -1), {
        key: current.key,
        bytes: current.bytes,
      })
      text = '"'
    } else if (Array.isArray(current)) {
      text += '['
      for (const [index, element] of current.entries()) {
        if (index > 0) text += ','
        write(element)
      }
      text += ']'
    } else if (typeof current === 'object' && current !== null) {
      text += '{'
      const members = Object.entries(current).filter(([, member]) => member !== undefined)
      for (const [index, [key, member]] of members.entries()) {
        text += `${index > 0 ? ',' : ''}${JSON.stringify(key)}:`
        write(member)
      }
      text += '}'
    } else text += JSON.stringify(current ?? null)
  }
  write(value)
  return [...segments, text]
}

/** The key of an object in `segments` that R2 does not hold as it was stored; undefined when all are there. To be asked
 *  before the status of an answer is sent. */
export async function missingIn(
  segments: readonly Segment[],
  bucket: Pick<R2Bucket, 'head'>,
): Promise<string | undefined> {
  for (const segment of segments) {
    if (typeof segment === 'string') continue
    const object = await bucket.head(segment.key)
    if (object?.size !== segment.bytes) return segment.key
  }
  return undefined
}

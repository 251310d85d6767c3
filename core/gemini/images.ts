// What is said of an input image that cannot be used: one sentence for each fault, wherever it is found.
import { invalid, invalidFields, type RpcError, type Violation } from './rpc.ts'

const wrong = (field: string, description: string): RpcError =>
  invalidFields([{ field, description } satisfies Violation])

const UNUSABLE = 'Unable to process input image'

/** The label of an image, when it has one.
 *  @throws RpcError 400 without one. `path` is the part's. */
export function labelOf(mimeType: string | undefined, path: string): string {
  if (mimeType) return mimeType
  throw wrong(path, `${path}: mime_type is required beside an image.`)
}

export function unsupportedType(label: string, path: string): RpcError {
  return wrong(path, `Unsupported MIME type: ${label}`)
}

/** `actual`: what the bytes are. */
export function mislabelled(path: string, label: string, actual: string | undefined): RpcError {
  const holds = actual ?? 'no known picture'
  return wrong(path, `${UNUSABLE}: ${path} is labelled ${label} but holds ${holds}.`)
}

export function noBytes(path: string): RpcError {
  return wrong(`${path}.inline_data.data`, `${path}.inline_data.data: must not be empty.`)
}

/** `why`: an excerpt of the text in quotes, or what is wrong with it. */
export function notBase64(path: string, why: string): RpcError {
  const field = `${path}.inline_data.data`
  return wrong(field, `Invalid value at '${field}' (TYPE_BYTES), Base64 decoding failed for ${why}`)
}

/** `bytes`: how long the image is, `most`: how long it may be. */
export function tooLong(path: string, bytes: number, most: number): RpcError {
  return wrong(path, `${path}: an input image has ${bytes} bytes; at most ${most} are taken.`)
}

export function noAddress(path: string): RpcError {
  return wrong(`${path}.file_data.file_uri`, `${path}.file_data.file_uri: must not be empty.`)
}

export function tooManyImages(count: number | string, most: number): RpcError {
  return invalid(`The request has ${count} input images; this model takes at most ${most}.`)
}

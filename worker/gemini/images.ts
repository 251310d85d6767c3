// The images of a native call as references of a request: inline ones are stored already, addresses are resolved as far
// as they need to be.

import {
  labelOf,
  mislabelled,
  noAddress,
  noBytes,
  notBase64,
  tooLong,
  unsupportedType,
} from '../../core/gemini/images.ts'
import { invalidFields, type RpcError } from '../../core/gemini/rpc.ts'
import { MAX_REFERENCE_BYTES, type Model, type ReferenceType } from '../../core/models.ts'
import type { ReferenceInput } from '../../core/request.ts'
import type { Input } from '../generation/record.ts'
import { Problem } from '../http/problem.ts'
import { isCalled, type Taken } from '../references/intake.ts'
import type { FoundImage } from './turns.ts'

/** What is known of addresses. */
export type Addresses = {
  /** The provider fetches them itself. */
  passedOn: boolean
  /** The stored picture behind an address of ours; undefined for any other. */
  own: (url: string) => Promise<Input | undefined>
}

/** The longest address that is taken, in characters: it is kept in the record. */
const MAX_ADDRESS_CHARS = 4_096

/** The references of the images, in their order.
 *  @throws RpcError 400 that names the part at fault. */
export async function readImages(
  images: readonly FoundImage[],
  taken: Taken['images'],
  model: Model,
  addresses: Addresses,
): Promise<(ReferenceInput | Input)[]> {
  const references: (ReferenceInput | Input)[] = []
  for (const image of images)
    references.push(image.inlineData ? inline(image, taken, model) : await byAddress(image, model, addresses))
  return references
}

function inline(image: FoundImage, taken: Taken['images'], model: Model): Input {
  const { path, isMade, inlineData } = image
  const label = labelOf(inlineData?.mimeType, path)
  typeOf(label, path, model)
  const found = inlineData?.data === undefined ? undefined : taken[inlineData.data]
  if (!found) throw noBytes(path)
  if (found instanceof Problem) throw unusable(found, label, path)
  if (!isCalled(found.mimeType, label)) throw mislabelled(path, label, found.mimeType)
  if (!isMade && found.bytes > MAX_REFERENCE_BYTES) throw tooLong(path, found.bytes, MAX_REFERENCE_BYTES)
  return isMade ? { ...found, made: true } : found
}

async function byAddress(
  { path, isMade, fileData }: FoundImage,
  model: Model,
  addresses: Addresses,
): Promise<ReferenceInput | Input> {
  const { fileUri } = fileData ?? {}
  if (!fileUri) throw noAddress(path)
  const mimeType = typeOf(labelOf(fileData?.mimeType, path), path, model)
  const field = `${path}.file_data.file_uri`
  if (fileUri.length > MAX_ADDRESS_CHARS)
    throw wrong(field, `an address has at most ${MAX_ADDRESS_CHARS} characters`)
  const own = await addresses.own(fileUri).catch((error: unknown) => {
    throw error instanceof Problem ? wrong(field, error.message) : error
  })
  if (own) return isMade ? { ...own, made: true } : own
  if (/^gs:/i.test(fileUri))
    throw wrong(field, 'Cloud Storage is not read here; send the image inline or by a public https address')
  if (/^files\//i.test(fileUri) || /^https:\/\/generativelanguage\.googleapis\.com\//i.test(fileUri))
    throw wrong(
      field,
      'files of the Files API belong to the key that uploaded them, and there is no Files API here; send the image inline or by a public https address',
    )
  if (!URL.canParse(fileUri) || new URL(fileUri).protocol !== 'https:')
    throw wrong(field, 'only https addresses are fetched; send the image inline or by a public https address')
  return addresses.passedOn ? { fileUri, mimeType } : { url: fileUri }
}

function typeOf(label: string, path: string, model: Model): ReferenceType {
  const type = model.referenceTypes.find((known) => known === (label === 'image/jpg' ? 'image/jpeg' : label))
  if (!type) throw unsupportedType(label, path)
  return type
}

/** Why an image was not stored, in the vendor's words where it has them. */
function unusable(problem: Problem, label: string, path: string): RpcError {
  if (problem.code === 'unsupported_media_type') return mislabelled(path, label, undefined)
  if (problem.code === 'invalid_request')
    return notBase64(path, problem.message.replace(/^is not Base64/, 'its text'))
  return wrong(path, problem.message)
}

function wrong(field: string, why: string): RpcError {
  return invalidFields([{ field, description: `${field}: ${why}.` }])
}

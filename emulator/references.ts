// The input images of a request: decoded, checked against their label, counted in order.
// Bytes decide what a picture is; a link is never followed, because nothing here leaves the machine.

import type { Content, Part } from '../core/gemini/fields.ts'
import {
  labelOf,
  mislabelled,
  noAddress,
  noBytes,
  notBase64,
  tooLong,
  tooManyImages,
  unsupportedType,
} from '../core/gemini/images.ts'
import { invalid } from '../core/gemini/rpc.ts'
import { sniff } from '../core/media.ts'
import { MAX_REFERENCE_BYTES, type Model, type ReferenceType } from '../core/models.ts'
import type { Shop } from './shop.ts'

export type Reference =
  | { kind: 'bytes'; mimeType: ReferenceType; bytes: Buffer }
  | { kind: 'link'; mimeType: ReferenceType; uri: string }

/** The input images of all turns, in order.
 *  @throws RpcError 400 for the first one that the provider would refuse, or for one too many. */
export function readReferences(contents: readonly Content[], model: Model, shop: Shop): Reference[] {
  const references = contents.flatMap((content, turn) =>
    (content.parts ?? []).flatMap((part, index) => {
      const path = `contents[${turn}].parts[${index}]`
      if (part.inlineData) return [readInline(part.inlineData, path, content.role, model, shop)]
      if (part.fileData) return [readLink(part.fileData, path, model, shop)]
      return []
    }),
  )
  if (references.length > model.references.max) throw tooManyImages(references.length, model.references.max)
  return references
}

function readInline(
  inline: NonNullable<Part['inlineData']>,
  path: string,
  role: string | undefined,
  model: Model,
  shop: Shop,
): Reference {
  const mimeType = readType(inline.mimeType, path, model, shop)
  const bytes = decode(inline.data ?? '', path)
  if (bytes.length === 0) throw noBytes(path)
  // The model's own picture comes back as it was made: 4K in PNG is longer than what anybody may upload.
  if (role !== 'model' && bytes.length > MAX_REFERENCE_BYTES)
    throw tooLong(path, bytes.length, MAX_REFERENCE_BYTES)
  const actual = sniff(bytes)
  // HEIC is a kind of HEIF, and files of either label carry the other's brand.
  const same = actual === mimeType || (actual?.startsWith('image/hei') && mimeType.startsWith('image/hei'))
  if (!same) throw mislabelled(path, mimeType, actual)
  return { kind: 'bytes', mimeType, bytes }
}

function readLink(file: NonNullable<Part['fileData']>, path: string, model: Model, shop: Shop): Reference {
  if (!shop.takesFileUri) throw invalid(`${path}.file_data: file links are not supported by this channel.`)
  if (!file.fileUri) throw noAddress(path)
  return { kind: 'link', mimeType: readType(file.mimeType, path, model, shop), uri: file.fileUri }
}

function readType(label: string | undefined, path: string, model: Model, shop: Shop): ReferenceType {
  const own = labelOf(label, path)
  const wanted = shop.takesJpg && own === 'image/jpg' ? 'image/jpeg' : own
  const type = model.referenceTypes.find((known) => known === wanted)
  if (!type) throw unsupportedType(own, path)
  return type
}

// Protocol buffers read both alphabets, padded or not, and no white space.
const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/

function decode(data: string, path: string): Buffer {
  const digits = data.replace(/=+$/, '').length
  if (BASE64.test(data) && digits % 4 !== 1) return Buffer.from(data, 'base64')
  const excerpt = data.length > 40 ? `${data.slice(0, 40)}…` : data
  throw notBase64(path, `"${excerpt}"`)
}

// An image call of the OpenAI API as a value: its fields, its input images stored or named by their addresses, and where
// in the body each of them stood. JSON and forms come to the same.
import type { Context } from 'hono'
import type { ReferenceInput } from '../../core/request.ts'
import type { AppEnv } from '../env.ts'
import type { Input } from '../generation/record.ts'
import { Problem } from '../http/problem.ts'
import { isCalled, type Taken, type TakenImage, takeBody } from '../references/intake.ts'
import { ownPicture } from '../references/own.ts'
import { dataUrlIn } from '../stream/dataurl.ts'
import { invalidField } from './errors.ts'
import { type ImageFields, maskRefused, readFields } from './fields.ts'
import { readForm } from './form.ts'

export type ImageCall = {
  fields: ImageFields
  references: readonly (ReferenceInput | Input)[]
  /** Where each reference stood: `image[0]`, `images[1].image_url`. */
  places: readonly string[]
}

type Found = { place: string; reference: ReferenceInput | Input }

/** Longest JSON without its images, in bytes: a prompt of full length in every escape. */
const MAX_JSON_BYTES = 1024 * 1024

/** Reads the body of a call. Throws Problem and OpenAiError, naming the field at fault. */
export async function readImageCall(c: Context<AppEnv>): Promise<ImageCall> {
  const isForm = /^multipart\//i.test(c.req.header('content-type') ?? '')
  const { body, found } = isForm ? await readAsForm(c) : await readAsJson(c)
  return {
    fields: readFields(body, c.var.market),
    references: found.map(({ reference }) => reference),
    places: found.map(({ place }) => place),
  }
}

async function readAsForm(c: Context<AppEnv>): Promise<{ body: unknown; found: Found[] }> {
  const fx = { bucket: c.env.BUCKET, workspace: c.var.workspace }
  const { fields, images } = await readForm(c.req.raw, fx)
  const found = images.map((image, index) => {
    const place = `image[${index}]`
    return typeof image === 'string' ? atAddress(c, image, place) : { place, reference: image }
  })
  return { body: fields, found: await Promise.all(found) }
}

async function readAsJson(c: Context<AppEnv>): Promise<{ body: unknown; found: Found[] }> {
  const fx = { bucket: c.env.BUCKET, workspace: c.var.workspace }
  const options = { isBlob: () => false, isDataUrl: isImage, maxJsonBytes: MAX_JSON_BYTES, field: 'image' }
  const taken = await takeBody(c.req.raw.body, options, fx)
  const body = taken.json as { images?: unknown; image?: unknown; mask?: unknown } | null
  if (body?.mask) throw maskRefused()
  const name = body?.images ? 'images' : 'image'
  const value = body?.[name] ?? []
  const list = Array.isArray(value) ? value.map((each, i) => [each, `${name}[${i}]`]) : [[value, name]]
  const found: Found[] = []
  for (const [each, place] of list) found.push(await imageOf(c, each, place, taken))
  return { body, found }
}

/** Where an image may stand. A mask is refused as soon as it begins: nothing of it is stored. */
function isImage(key: string, parent: string | undefined): boolean {
  if (key === 'mask' || parent === 'mask') throw maskRefused()
  if (key === 'images' || key === 'image') return parent === undefined
  const isInside = parent === 'images' || parent === 'image'
  return key === 'image_url' ? isInside : key === 'url' && (isInside || parent === 'image_url')
}

/** An image: a string, `{image_url}` or, as chat has it, `{image_url: {url}}`. */
async function imageOf(c: Context<AppEnv>, value: unknown, place: string, taken: Taken): Promise<Found> {
  if (typeof value === 'string') {
    const data = dataUrlIn(value)
    return data ? { place, reference: inlineImage(taken, data, place) } : atAddress(c, value, place)
  }
  const { image_url: url, url: plain, file_id: file } = (value ?? {}) as Record<string, unknown>
  if (url) return imageOf(c, url, `${place}.image_url`, taken)
  if (plain) return imageOf(c, plain, `${place}.url`, taken)
  if (file)
    throw invalidField(
      `${place}.file_id`,
      `${place}.file_id: there is no store of files here; give image_url (a data URL or an https address), or send the file in a multipart form`,
      'file_id_not_supported',
    )
  throw invalidField(place, `${place}: must be {"image_url": "data:… or https://…"}`, 'invalid_image')
}

function inlineImage({ images }: Taken, data: { type: string; index: number }, place: string): TakenImage {
  const image = images[data.index]!
  if (image instanceof Problem) throw at(place, image)
  const isNamed = data.type !== '' && data.type !== 'application/octet-stream'
  if (isNamed && !isCalled(image.mimeType, data.type)) {
    const message = `the bytes are ${image.mimeType}, but are called ${data.type}`
    throw at(place, new Problem('unsupported_media_type', message))
  }
  return image
}

async function atAddress(c: Context<AppEnv>, address: string, place: string): Promise<Found> {
  const own = await ownPicture(c, address).catch((error: unknown) => {
    throw at(place, error)
  })
  if (own) return { place, reference: own }
  if (URL.canParse(address) && new URL(address).protocol === 'https:')
    return { place, reference: { url: address } }
  const hint = address.startsWith('data:')
    ? 'a data URL must hold Base64: data:image/png;base64,…'
    : 'give an https address or a data URL'
  throw invalidField(place, `${place}: ${hint}`, 'invalid_image_url')
}

/** A problem with the place where it lies. */
function at(place: string, error: unknown): unknown {
  if (!(error instanceof Problem)) return error
  const errors = [{ path: place, message: error.message }]
  return new Problem(error.code, `${place}: ${error.message}`, { errors, cause: error })
}

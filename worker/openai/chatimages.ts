// The images of a chat as references of a request. Those of the body are stored already, our own are where they were
// stored when they were made; nothing of either is fetched or held here.
import type { Context } from 'hono'
import type { Json } from '../../core/answer.ts'
import type { ReferenceInput } from '../../core/request.ts'
import { askerOf } from '../asker.ts'
import type { AppEnv } from '../env.ts'
import { readGeneration } from '../generation/ask.ts'
import { readKept } from '../generation/commit.ts'
import type { Input } from '../generation/record.ts'
import { fieldProblem, Problem } from '../http/problem.ts'
import { isCalled, type Taken } from '../references/intake.ts'
import { ownPicture } from '../references/own.ts'
import { ReferenceWriter, referenceKey } from '../references/store.ts'
import type { ChatImage } from './chatturns.ts'

/** A reference, and what its part of the turn says beside the image. */
export type FoundReference = { reference: ReferenceInput | Input; more?: Json }

/** The reference of an image; `taken` are those of the body. Throws Problem, naming the place in the body. */
export async function referenceOf(
  c: Context<AppEnv>,
  image: ChatImage,
  taken: Taken['images'],
): Promise<FoundReference> {
  try {
    const found = await find(c, image, taken)
    const { reference } = found
    return image.isMade && 'key' in reference ? { ...found, reference: { ...reference, made: true } } : found
  } catch (error) {
    throw error instanceof Problem ? fieldProblem(image.path, error.message, error.code) : error
  }
}

async function find(c: Context<AppEnv>, image: ChatImage, taken: Taken['images']): Promise<FoundReference> {
  if ('taken' in image) {
    const stored = taken[image.taken]!
    if (stored instanceof Problem) throw stored
    const isNamed = image.label !== '' && image.label !== 'application/octet-stream'
    if (isNamed && !isCalled(stored.mimeType, image.label))
      throw new Problem(
        'unsupported_media_type',
        `the bytes are ${stored.mimeType}, but are called ${image.label}`,
      )
    return { reference: stored }
  }
  if ('base64' in image) return { reference: await store(c, image.base64) }
  const own = await ownPicture(c, image.address)
  if (!own) return { reference: { url: image.address } }
  return { reference: own, ...(image.isMade ? await signatureOf(c, own) : {}) }
}

/** An image that stood in a text: bounded by what a body may hold beside its images. */
async function store(c: Context<AppEnv>, base64: string): Promise<Input> {
  const { workspace } = c.var
  const writer = new ReferenceWriter()
  writer.write(decode(base64))
  const stored = await writer.store(c.env.BUCKET, workspace)
  return { ...stored, key: referenceKey(workspace, stored.sha256) }
}

function decode(base64: string): Uint8Array {
  try {
    return Uint8Array.fromBase64(base64)
  } catch (cause) {
    throw new Problem('invalid_request', 'the image in the text is not Base64', { cause })
  }
}

/** The signature with which the model gave the picture, if it did and the answer is kept: the model follows an edit
 *  better with it (Google's page on thought signatures, 2026-10), and a chat has no place to keep it. */
async function signatureOf(c: Context<AppEnv>, { key }: Input): Promise<{ more?: Json }> {
  const bucket = c.env.BUCKET
  const id = key === undefined ? undefined : (await bucket.head(key))?.customMetadata?.generation
  const record = id === undefined ? undefined : await readGeneration(askerOf(c), id)
  const attempt = record?.attempts.find(({ ending }) => ending?.picture?.key === key)
  const kept = record && attempt && (await readKept(bucket, record.id, attempt.number))
  const part = kept?.parts.find((one) => 'picture' in one && one.picture?.key === key)
  const signature = part && 'more' in part ? part.more.thoughtSignature : undefined
  return typeof signature === 'string' ? { more: { thoughtSignature: signature } } : {}
}

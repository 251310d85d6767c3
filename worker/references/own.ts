// Addresses of our own pictures as input: the bytes are here already, so nothing is fetched.
import type { Context } from 'hono'
import { askerOf } from '../asker.ts'
import type { AppEnv } from '../env.ts'
import { readGeneration } from '../generation/ask.ts'
import type { Input } from '../generation/record.ts'
import { Problem } from '../http/problem.ts'

/** The stored picture behind an address of ours; undefined when the address is another's. Throws `reference_not_found`
 *  when it is ours and no such picture is there for this workspace. */
export async function ownPicture(c: Context<AppEnv>, url: string): Promise<Input | undefined> {
  const { imagesUrl } = c.var
  const [address = ''] = url.split(/[?#]/)
  if (!address.startsWith(`${imagesUrl}/`)) return undefined
  const key = `pictures/${address.slice(imagesUrl.length + 1)}`
  const object = await c.env.BUCKET.head(key)
  const id = object?.customMetadata?.generation
  // The record knows the digest, and whose picture it is.
  const record = id === undefined ? undefined : await readGeneration(askerOf(c), id)
  const endings = (record?.attempts ?? []).flatMap(({ ending }) => ending ?? [])
  const pictures = endings.flatMap(({ picture, others = [] }) => (picture ? [picture, ...others] : others))
  const picture = pictures.find((one) => one.key === key)
  if (!picture) throw new Problem('reference_not_found', `there is no picture ${address}`)
  const { sha256, mimeType, bytes } = picture
  return { sha256, mimeType, bytes, key }
}

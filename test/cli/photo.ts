// Pictures for specs: two colours that follow from the name, so that equal names are equal bytes.
import { createHash } from 'node:crypto'
import { extname } from 'node:path'
import sharp from 'sharp'

/** A JPEG, PNG, WebP or GIF by its extension, filled up with zeros behind its end to `bytes`. */
export async function drawPhoto(
  name: string,
  width: number,
  height: number,
  bytes: number,
): Promise<Uint8Array> {
  const [r, g, b] = createHash('sha256').update(name).digest()
  const format = extname(name).slice(1).replace('jpg', 'jpeg') as 'jpeg' | 'png' | 'webp' | 'gif'
  const background = { r: r!, g: g!, b: b! }
  const drawn = await sharp({ create: { width, height, channels: 3, background } })
    .toFormat(format)
    .toBuffer()
  return Buffer.concat([drawn, Buffer.alloc(Math.max(0, bytes - drawn.length))])
}

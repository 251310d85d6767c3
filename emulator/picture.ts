// Draws a picture: a still life that follows from the seed, a card that says what was asked, the input images in order.
// Promise: exactly the asked pixels, the same bytes for the same subject, and speed: the art is small and scaled up.
import sharp, { type CreateRaw, type Sharp } from 'sharp'
import type { Model, Pixels, Size } from '../core/models.ts'
import { artOf } from './art.ts'
import { cardOf, type Inset } from './card.ts'
import { addGrain } from './grain.ts'
import { type Box, layoutOf, roomOf } from './layout.ts'
import { PALETTES, type Palette } from './palette.ts'
import { type Random, randomOf } from './random.ts'
import type { Reference } from './references.ts'
import { type Setting, setCard } from './setting.ts'

export type Picture = { mimeType: 'image/png' | 'image/jpeg'; bytes: Buffer }

/** What a picture follows from; nothing else changes it. */
export type Subject = {
  prompt: string
  model: Model
  size: Size
  pixels: Pixels
  references: readonly Reference[]
  /** Decides colours and things. */
  seed: string
  mimeType: Picture['mimeType']
}

/** Pixels of the art before it is scaled up. */
const ART_PIXELS = 880 * 880

/** Draws and encodes. A reference that cannot be decoded is shown as words. */
export async function drawPicture(subject: Subject): Promise<Picture> {
  const { prompt, model, size, pixels, references, mimeType } = subject
  const random = randomOf(subject.seed)
  const palette = random.pick(PALETTES)
  const facts = [model.name, size, `${pixels.width} × ${pixels.height}`]
  const setting = setCard(roomOf(pixels), { prompt, facts }, references.length, palette.objects.length)
  const { stage, card } = layoutOf(pixels, { width: setting.width, height: setting.height })
  const [art, label] = await Promise.all([
    paint(pixels, stage, palette, random),
    print(setting, references, palette),
  ])
  const image = art
    .composite([{ input: label.data, raw: label.raw, left: card.x, top: card.y }])
    .removeAlpha()
  return { mimeType, bytes: await encode(image, mimeType).toBuffer() }
}

async function paint(
  { width, height }: Pixels,
  stage: Box,
  palette: Palette,
  random: Random,
): Promise<Sharp> {
  const scale = Math.min(1, Math.sqrt(ART_PIXELS / (width * height)))
  const [w, h] = [Math.ceil(width * scale), Math.ceil(height * scale)]
  const scaled = {
    x: stage.x * scale,
    y: stage.y * scale,
    width: stage.width * scale,
    height: stage.height * scale,
  }
  const { data, info } = await sharp(Buffer.from(artOf(w, h, scaled, palette, random)))
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true })
  addGrain(data)
  return sharp(data, { raw: { width: info.width, height: info.height, channels: 3 } }).resize(width, height, {
    fit: 'fill',
    kernel: 'cubic',
  })
}

async function print(
  setting: Setting,
  references: readonly Reference[],
  palette: Palette,
): Promise<{ data: Buffer; raw: CreateRaw }> {
  const side = setting.thumbnails?.grid.side ?? 1
  const insets = await Promise.all(references.map((reference) => insetOf(reference, side)))
  const svg = await cardOf(setting, insets, palette)
  const { data, info } = await sharp(Buffer.from(svg), { unlimited: true })
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true })
  return { data, raw: { width: info.width, height: info.height, channels: 4 } }
}

async function insetOf(reference: Reference, side: number): Promise<Inset> {
  if (reference.kind === 'link') return { words: reference.uri }
  try {
    const thumbnail = await sharp(reference.bytes, { failOn: 'none' })
      .autoOrient()
      .resize(side, side, { fit: 'cover' })
      .flatten({ background: '#ffffff' })
      .jpeg({ quality: 85 })
      .toBuffer()
    return { uri: `data:image/jpeg;base64,${thumbnail.toString('base64')}` }
  } catch {
    // HEIC needs a decoder that is not everywhere, and a header may be all that a test sends.
    return { words: reference.mimeType }
  }
}

function encode(image: Sharp, mimeType: Picture['mimeType']): Sharp {
  return mimeType === 'image/png'
    ? image.png({ compressionLevel: 1, adaptiveFiltering: false })
    : image.jpeg({ quality: 88 })
}

// Recognises a picture by its first bytes. Names, labels and headers may lie; bytes decide.
import type { ReferenceType } from './models.ts'

/** Bytes that `sniff` needs to see, at most. */
export const SNIFF_BYTES = 32

/** The media type of a picture from its first bytes, or undefined when it is none of ours.
 *  Signatures: PNG, JFIF/Exif JPEG, RIFF WebP, ISO-BMFF brands of HEIC and HEIF. */
export function sniff(bytes: Uint8Array): ReferenceType | undefined {
  const ascii = (from: number, to: number) => String.fromCharCode(...bytes.subarray(from, to))
  if (bytes[0] === 0x89 && ascii(1, 8) === 'PNG\r\n\x1a\n') return 'image/png'
  if (bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) return 'image/jpeg'
  if (ascii(0, 4) === 'RIFF' && ascii(8, 12) === 'WEBP') return 'image/webp'
  if (ascii(4, 8) === 'ftyp') {
    const brand = ascii(8, 12)
    // AVIF shares the container, and sometimes the brand, of HEIF.
    if (ascii(8, 32).includes('avif')) return undefined
    if (['heic', 'heix', 'hevc', 'hevx', 'heim', 'heis'].includes(brand)) return 'image/heic'
    if (['mif1', 'msf1', 'heif'].includes(brand)) return 'image/heif'
  }
  return undefined
}

const EXTENSIONS: Record<ReferenceType, string> = {
  'image/png': 'png',
  'image/jpeg': 'jpg',
  'image/webp': 'webp',
  'image/heic': 'heic',
  'image/heif': 'heif',
}

/** File extension (no dot) of a media type. */
export function extensionOf(type: ReferenceType): string {
  return EXTENSIONS[type]
}

/** A length as a limit is told of: `7 MiB`, `7.2 MiB`, `107 MiB`. Rounded up, so that what is over a limit reads so. */
export function mebibytes(bytes: number): string {
  const count = bytes / 1024 / 1024
  const rounded = count < 100 ? Math.ceil(count * 10) / 10 : Math.ceil(count)
  return `${rounded} MiB`
}

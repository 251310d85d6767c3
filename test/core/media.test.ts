// What the first bytes of a file say, whatever its name or label.
import { expect, test } from 'vitest'
import { extensionOf, mebibytes, SNIFF_BYTES, sniff } from '../../core/media.ts'
import { REFERENCE_TYPES } from '../../core/models.ts'

/** Bytes from text, in which `\x..` stands for itself. */
const bytes = (text: string) => Uint8Array.from(text, (c) => c.charCodeAt(0))

test.for<[string, string, string | undefined]>([
  ['PNG', '\x89PNG\r\n\x1a\n\0\0\0\rIHDR', 'image/png'],
  ['JPEG with JFIF', '\xff\xd8\xff\xe0\0\x10JFIF\0', 'image/jpeg'],
  ['JPEG with Exif', '\xff\xd8\xff\xe1\0\x10Exif\0', 'image/jpeg'],
  ['JPEG without either', '\xff\xd8\xff\xdb\0C', 'image/jpeg'],
  ['WebP', 'RIFF\x24\0\0\0WEBPVP8 ', 'image/webp'],
  ['HEIC', '\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'image/heic'],
  ['HEIC of ten bits', '\0\0\0\x18ftypheix\0\0\0\0', 'image/heic'],
  ['HEIC sequence', '\0\0\0\x18ftyphevc\0\0\0\0', 'image/heic'],
  ['HEIF', '\0\0\0\x18ftypmif1\0\0\0\0mif1heic', 'image/heif'],
  ['HEIF sequence', '\0\0\0\x18ftypmsf1\0\0\0\0', 'image/heif'],
  ['AVIF is none of ours', '\0\0\0\x18ftypavif\0\0\0\0', undefined],
  ['a film is none of ours', '\0\0\0\x18ftypisom\0\0\0\0', undefined],
  ['GIF is none of ours', 'GIF89a\x01\0\x01\0', undefined],
  ['BMP is none of ours', 'BM\x36\0\0\0\0\0', undefined],
  ['SVG is none of ours', '<svg xmlns="http://www.w3.org/2000/svg">', undefined],
  ['RIFF that is sound', 'RIFF\x24\0\0\0WAVEfmt ', undefined],
  ['PNG whose line ends were converted', '\x89PNG\n\x1a\n\0\0\0\rIHDR', undefined],
  ['PNG without its first byte', 'PNG\r\n\x1a\n', undefined],
  ['a PNG that ends in its signature', '\x89PNG\r\n', undefined],
  ['a JPEG of two bytes', '\xff\xd8', undefined],
  ['an error page that is labelled image/png', '<!doctype html><title>502</title>', undefined],
  ['Base64 that was not decoded', 'iVBORw0KGgoAAAANSUhEUg', undefined],
  ['nothing', '', undefined],
])('%s', ([, start, type]) => expect(sniff(bytes(start))).toBe(type))

test('the first bytes are enough, and a later signature does not count', () => {
  const png = bytes(`\x89PNG\r\n\x1a\n${'\0'.repeat(100)}`)
  expect(sniff(png.subarray(0, SNIFF_BYTES))).toBe('image/png')
  expect(sniff(bytes(`${' '.repeat(8)}\x89PNG\r\n\x1a\n`))).toBeUndefined()
})

test('every type has its usual extension', () => {
  expect(REFERENCE_TYPES.map(extensionOf)).toEqual(['png', 'jpg', 'webp', 'heic', 'heif'])
})

test.for([
  [7 * 1024 * 1024, '7 MiB'],
  [7 * 1024 * 1024 + 1, '7.1 MiB'],
  [7_500_000, '7.2 MiB'],
  [100 * 1024 * 1024, '100 MiB'],
  [100 * 1024 * 1024 + 1, '101 MiB'],
  [112_000_032, '107 MiB'],
] as const)('%i bytes are told as %s: never as less than they are', ([length, text]) => {
  expect(mebibytes(length)).toBe(text)
})

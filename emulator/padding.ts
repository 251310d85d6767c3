// Makes a PNG as large as wanted without touching its pixels: an ancillary chunk of bytes that do not compress.
// Knows PNG chunks (PNG specification, third edition, 5.3); no drawing.
import { createCipheriv } from 'node:crypto'
import { crc32 } from 'node:zlib'

// Ancillary, private, safe to copy: every reader skips it.
const TYPE = 'prFs'
const CHUNK_OVERHEAD = 12
const END_CHUNK_BYTES = 12

/** The same picture in exactly `bytes` bytes, or unchanged where it is as large already. The filling stands before the
 *  last chunk and is always the same. */
export function padPng(png: Buffer, bytes: number): Buffer {
  const filling = Math.floor(bytes) - png.length - CHUNK_OVERHEAD
  if (filling < 0) return png
  const chunk = Buffer.alloc(filling + CHUNK_OVERHEAD)
  chunk.writeUInt32BE(filling, 0)
  chunk.write(TYPE, 4, 'latin1')
  // A cipher over zeros is the fastest noise at hand.
  createCipheriv('aes-128-ctr', Buffer.alloc(16, 7), Buffer.alloc(16))
    .update(chunk.subarray(8, 8 + filling))
    .copy(chunk, 8)
  chunk.writeUInt32BE(crc32(chunk.subarray(4, 8 + filling)), 8 + filling)
  const end = png.length - END_CHUNK_BYTES
  return Buffer.concat([png.subarray(0, end), chunk, png.subarray(end)])
}

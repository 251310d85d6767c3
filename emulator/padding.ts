// Makes a picture's bytes larger, or others, without touching its pixels: what is added is skipped by every reader.
// Knows PNG chunks (PNG specification, third edition, 5.3) and JPEG comments (ITU T.81, B.2.4.5); no drawing.
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
  // A cipher over zeros is the fastest noise at hand.
  const noise = createCipheriv('aes-128-ctr', Buffer.alloc(16, 7), Buffer.alloc(16)).update(
    Buffer.alloc(filling),
  )
  return withChunk(png, noise)
}

/** The same PNG with `mark` in it: equal pixels, other bytes. */
export function markPng(png: Buffer, mark: string): Buffer {
  return withChunk(png, Buffer.from(mark))
}

/** The same JPEG with `mark` in it, of at most 65,533 bytes: equal pixels, other bytes. */
export function markJpeg(jpeg: Buffer, mark: string): Buffer {
  const comment = Buffer.from(mark)
  const head = Buffer.from([0xff, 0xfe, 0, 0])
  head.writeUInt16BE(comment.length + 2, 2)
  // Behind the marker that begins every JPEG.
  return Buffer.concat([jpeg.subarray(0, 2), head, comment, jpeg.subarray(2)])
}

/** The picture with an ancillary chunk before its last one. */
function withChunk(png: Buffer, content: Buffer): Buffer {
  const chunk = Buffer.alloc(content.length + CHUNK_OVERHEAD)
  chunk.writeUInt32BE(content.length, 0)
  chunk.write(TYPE, 4, 'latin1')
  content.copy(chunk, 8)
  chunk.writeUInt32BE(crc32(chunk.subarray(4, 8 + content.length)), 8 + content.length)
  const end = png.length - END_CHUNK_BYTES
  return Buffer.concat([png.subarray(0, end), chunk, png.subarray(end)])
}

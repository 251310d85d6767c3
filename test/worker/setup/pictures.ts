// Small images to send: enough of each type for its bytes to be recognised, and a whole PNG that can be drawn.
import { createHash } from 'node:crypto'

/** A whole PNG, one pixel. */
export const PNG = Uint8Array.fromBase64(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
)

/** The head of a JPEG. */
export const JPEG = Uint8Array.fromHex(
  'ffd8ffe000104a46494600010100000100010000ffc0000b08001500210101110000ffd9',
)

/** The head of a WebP. */
export const WEBP = Uint8Array.fromHex('524946461a000000574542505650384c0d0000002f00000000')

/** The head of a HEIC file. */
export const HEIC = Uint8Array.fromHex('0000001866747970686569630000000068656963')

/** Hex SHA-256. */
export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** A PNG's signature and then zeros, `length` bytes. */
export function large(length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  bytes.set(PNG.subarray(0, Math.min(length, PNG.length)))
  return bytes
}

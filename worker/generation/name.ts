// Names: ids that follow from a key, and picture names that follow from nothing.
import { createHash } from 'node:crypto'

// Crockford's alphabet in lower case: no i, l, o, u, so that a name survives being read aloud.
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'

function base32(bytes: Uint8Array): string {
  let bits = 0
  let held = 0
  let text = ''
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xffff
    bits += 8
    while (bits >= 5) {
      bits -= 5
      text += ALPHABET[(held >> bits) & 31]
    }
  }
  return bits > 0 ? text + ALPHABET[(held << (5 - bits)) & 31] : text
}

/** `gen_` and 26 base32 characters (128 bits and a bit of padding) of SHA-256(workspace, key). */
export function generationId(workspace: string, key: string): string {
  return `gen_${derived(workspace, key)}`
}

/** `bat_` and as many. */
export function batchId(workspace: string, key: string): string {
  return `bat_${derived(workspace, key)}`
}

function derived(workspace: string, key: string): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([workspace, key]))
    .digest()
  return base32(digest).slice(0, 26)
}

/** 128 random bits: a picture's address cannot be derived from anything. */
export function randomName(): string {
  return base32(crypto.getRandomValues(new Uint8Array(16)))
}

/** Hex SHA-256 of a text's UTF-8 bytes. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

// Base64 in pieces: decoding and encoding of a text that is never whole in memory. Knows both alphabets; knows nothing of
// JSON or pictures. Each object owns one output buffer, as large as its largest piece, and lends it until the next call
// (promise 3).

/** A character that does not belong in Base64, or an end inside a group. */
export class Base64Error extends Error {
  override name = 'Base64Error'
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const SKIP = 64
const PAD = 65
const WRONG = 255

/** What each byte means: 0–63 a digit, else one of the above. Standard and url-safe digits alike (RFC 4648 4 and 5). */
const MEANING = new Uint8Array(256).fill(WRONG)
for (const [value, digit] of [...ALPHABET].entries()) MEANING[digit.charCodeAt(0)] = value
MEANING['-'.charCodeAt(0)] = 62
MEANING['_'.charCodeAt(0)] = 63
MEANING['='.charCodeAt(0)] = PAD
for (const space of ' \t\r\n') MEANING[space.charCodeAt(0)] = SKIP

const DIGITS = new TextEncoder().encode(ALPHABET)

/** Decodes Base64 that comes in arbitrary pieces. White space is skipped; padding may be missing, and after it only
 *  padding and white space may follow. Unused bits of the last digit are not looked at. */
export class Base64Decoder {
  #out = new Uint8Array(0)
  /** Digits of an unfinished group, 6 bits each, and how many. */
  #bits = 0
  #digits = 0
  #isPadded = false

  /** The bytes that `characters` (ASCII) complete. The view is overwritten by the next call. Throws Base64Error. */
  push(characters: Uint8Array): Uint8Array {
    const most = 3 * Math.ceil((this.#digits + characters.length) / 4)
    if (this.#out.length < most) this.#out = new Uint8Array(most)
    const out = this.#out
    const length = characters.length
    let bits = this.#bits
    let digits = this.#digits
    let at = 0
    for (let i = 0; i < length; ) {
      if (digits === 0 && !this.#isPadded) {
        // Whole groups of digits, by far the most of any picture. A value above 63 shows in the upper bits.
        while (i + 4 <= length) {
          const a = MEANING[characters[i]!]!
          const b = MEANING[characters[i + 1]!]!
          const c = MEANING[characters[i + 2]!]!
          const d = MEANING[characters[i + 3]!]!
          if ((a | b | c | d) > 63) break
          out[at] = (a << 2) | (b >> 4)
          out[at + 1] = (b << 4) | (c >> 2)
          out[at + 2] = (c << 6) | d
          at += 3
          i += 4
        }
        if (i === length) break
      }
      const value = MEANING[characters[i++]!]!
      if (value === SKIP) continue
      if (value === PAD) {
        this.#isPadded = true
        continue
      }
      if (value === WRONG || this.#isPadded)
        throw new Base64Error(`${nameOf(characters[i - 1]!)} does not belong in Base64 here`)
      bits = (bits << 6) | value
      if (++digits < 4) continue
      out[at++] = bits >> 16
      out[at++] = bits >> 8
      out[at++] = bits
      bits = 0
      digits = 0
    }
    this.#bits = bits
    this.#digits = digits
    return out.subarray(0, at)
  }

  /** The last 0–2 bytes. Throws Base64Error when a single digit is left over: that is no byte. */
  end(): Uint8Array {
    if (this.#digits === 1) throw new Base64Error('Base64 ends inside a byte')
    const last =
      this.#digits === 2 ? [this.#bits >> 4] : this.#digits === 3 ? [this.#bits >> 10, this.#bits >> 2] : []
    this.#digits = 0
    this.#bits = 0
    return Uint8Array.from(last)
  }
}

/** Encodes bytes that come in arbitrary pieces as padded standard Base64, in ASCII. */
export class Base64Encoder {
  #out = new Uint8Array(0)
  /** Up to two bytes of an unfinished group, and how many. */
  #carry = 0
  #carried = 0

  /** The characters that `bytes` complete. The view is overwritten by the next call. */
  push(bytes: Uint8Array): Uint8Array {
    const most = encodedLength(this.#carried + bytes.length)
    if (this.#out.length < most) this.#out = new Uint8Array(most)
    const out = this.#out
    let at = 0
    let i = 0
    while (this.#carried > 0 && this.#carried < 3 && i < bytes.length) {
      this.#carry = (this.#carry << 8) | bytes[i++]!
      this.#carried++
    }
    if (this.#carried === 3) {
      at = write(out, at, this.#carry)
      this.#carry = 0
      this.#carried = 0
    }
    if (this.#carried === 0) {
      for (; i + 3 <= bytes.length; i += 3)
        at = write(out, at, (bytes[i]! << 16) | (bytes[i + 1]! << 8) | bytes[i + 2]!)
      for (; i < bytes.length; i++) {
        this.#carry = (this.#carry << 8) | bytes[i]!
        this.#carried++
      }
    }
    return out.subarray(0, at)
  }

  /** The last group with its padding, or nothing. */
  end(): Uint8Array {
    const carried = this.#carried
    if (carried === 0) return new Uint8Array(0)
    const group = new Uint8Array(4)
    write(group, 0, this.#carry << (carried === 1 ? 16 : 8))
    group.fill('='.charCodeAt(0), carried + 1)
    this.#carry = 0
    this.#carried = 0
    return group
  }
}

/** Length of `bytes` bytes as padded Base64, in characters. */
export function encodedLength(bytes: number): number {
  return 4 * Math.ceil(bytes / 3)
}

function write(out: Uint8Array, at: number, group: number): number {
  out[at] = DIGITS[group >> 18]!
  out[at + 1] = DIGITS[(group >> 12) & 63]!
  out[at + 2] = DIGITS[(group >> 6) & 63]!
  out[at + 3] = DIGITS[group & 63]!
  return at + 4
}

/** A byte as messages call it. */
function nameOf(byte: number): string {
  return byte > 0x20 && byte < 0x7f ? `"${String.fromCharCode(byte)}"` : `the byte 0x${byte.toString(16)}`
}

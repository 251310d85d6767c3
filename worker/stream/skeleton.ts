// What is left of a JSON text when its blobs are taken out: bounded, and parsed only at the end. Knows bytes, not grammar.

/** Why a text is no answer. `truncated`: it ended before its value did. */
export class ScanError extends Error {
  override name = 'ScanError'
  readonly kind: 'truncated' | 'malformed' | 'base64' | 'too_large' | 'too_deep'
  constructor(kind: ScanError['kind'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.kind = kind
  }
}

const SPACE = 0x20

/** The kept text in one growing buffer. Throws ScanError `too_large` beyond its bound. */
export class Skeleton {
  length = 0
  #bytes = new Uint8Array(4096)
  readonly #maxBytes: number

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  push(byte: number): void {
    this.#reserve(1)
    this.#bytes[this.length++] = byte
  }

  append(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.length)
    this.length += bytes.length
  }

  /** White space between tokens; a run of it, such as a slow relay's heartbeat, is kept as one. */
  space(): void {
    if (this.#bytes[this.length - 1] !== SPACE) this.push(SPACE)
  }

  /** The kept text. Bytes that are no UTF-8 become marks, or throw TypeError when it is `strict`. */
  text(from = 0, strict = false): string {
    return new TextDecoder('utf-8', { fatal: strict, ignoreBOM: false }).decode(
      this.#bytes.subarray(from, this.length),
    )
  }

  #reserve(more: number): void {
    const needed = this.length + more
    if (needed > this.#maxBytes)
      throw new ScanError('too_large', `the JSON holds more than ${this.#maxBytes} bytes beside its images`)
    if (needed <= this.#bytes.length) return
    const grown = new Uint8Array(Math.min(this.#maxBytes, Math.max(needed, 2 * this.#bytes.length)))
    grown.set(this.#bytes.subarray(0, this.length))
    this.#bytes = grown
  }
}

/** Whether a bare word or number, the whole of a text, could have gone on. */
export function isUnfinishedWord(text: string): boolean {
  const word = text.trim()
  if (/^-?[\d.]*[eE]?[-+]?$/.test(word)) return !/\d$/.test(word)
  return ['true', 'false', 'null'].some((whole) => whole !== word && whole.startsWith(word))
}

// Data URLs inside a JSON text that is scanned: where the Base64 of one begins, and what stands in its place afterwards.
// A character is looked at once, so that it does not matter how the text was cut.

/** Characters that `data:` and the type may have, parameters and white space included; what is longer is other text. */
const MAX_PREFIX_CHARS = 512

/** Reads the beginning of a string, character by character, until it is known whether Base64 follows. */
export class DataUrlPrefix {
  #text = ''
  #seen = 0

  /** `data`: this character was the comma before the Base64. `other`: this is no data URL of Base64. `code`: the
   *  character, unescaped; beyond ASCII any number above 127. */
  push(code: number): 'undecided' | 'data' | 'other' {
    if (code > 127 || ++this.#seen > MAX_PREFIX_CHARS) return 'other'
    const char = String.fromCharCode(code)
    // As in an address bar: white space around the parts means nothing.
    if (/\s/.test(char)) return 'undecided'
    this.#text += char.toLowerCase()
    if (char === ',') return /^data:[^,]*;base64,$/.test(this.#text) ? 'data' : 'other'
    return 'data:'.startsWith(this.#text.slice(0, 5)) ? 'undecided' : 'other'
  }
}

/** What a skeleton keeps of a data URL: the type it claims (lower case, `''` when it names none) and the index of its
 *  bytes. Undefined for any other text. Only for strings that the scan looked at: elsewhere the digits may be a
 *  caller's own. */
export function dataUrlIn(text: string): { type: string; index: number } | undefined {
  const [, type, index] = /^data:([^;,]*)(?:;[^,]*)?;base64,(\d+)$/i.exec(text.replace(/\s/g, '')) ?? []
  return index === undefined ? undefined : { type: type!.toLowerCase(), index: Number(index) }
}

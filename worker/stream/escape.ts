// JSON's escapes, read byte by byte: a blob's string may be cut anywhere, also inside `\u003d`.
import { ScanError } from './skeleton.ts'

/** What an escape letter stands for. */
const ESCAPES = new Map([...'"\\/bfnrt'].map((c, i) => [c.charCodeAt(0), '"\\/\b\f\n\r\t'.charCodeAt(i)]))

/** The character of an escape, given what followed its backslash so far, or undefined while it is unfinished. Beyond
 *  ASCII it is 255, which is no Base64 either. Throws ScanError `malformed`. */
export function unescaped(characters: readonly number[]): number | undefined {
  const text = String.fromCharCode(...characters)
  if (text[0] !== 'u') {
    const code = ESCAPES.get(characters[0]!)
    if (code === undefined) throw new ScanError('malformed', 'the JSON holds an unknown escape')
    return code
  }
  if (!/^u[0-9a-fA-F]{0,4}$/.test(text)) throw new ScanError('malformed', 'the JSON holds a broken escape')
  return text.length < 5 ? undefined : Math.min(255, Number.parseInt(text.slice(1), 16))
}

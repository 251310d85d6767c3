// SHA-256 as core takes it.
import { createHash } from 'node:crypto'

/** Hex SHA-256 of a text's UTF-8 bytes. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** Hex SHA-256 of values as NDJSON; the text is never whole in memory. */
export function sha256OfLines(lines: Iterable<object>): string {
  const hash = createHash('sha256')
  for (const line of lines) hash.update(`${JSON.stringify(line)}\n`)
  return hash.digest('hex')
}

// What others wrote, made fit for a terminal: a model's words may be long, and may hold anything.

const MOST_LINES = 6
const MOST_CHARACTERS = 160

/** Control characters, the ones that turn the direction of writing around, and line separators. */
const UNPRINTABLE = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu

/** The lines of a text, without what would steer a terminal, and with an end. */
export function linesOf(text: string): string[] {
  const lines = text
    .split(/\r\n|[\n\r\u2028\u2029]/)
    .map((line) => line.replace(UNPRINTABLE, ' ').trimEnd())
    .filter((line) => line.trim() !== '')
    .flatMap(wrapped)
  return lines.length > MOST_LINES ? [...lines.slice(0, MOST_LINES), '…'] : lines
}

/** Breaks a long line between words, or anywhere where there is no space. */
function wrapped(line: string): string[] {
  const rows: string[] = []
  let rest = line
  while (rest.length > MOST_CHARACTERS) {
    const space = rest.lastIndexOf(' ', MOST_CHARACTERS)
    const end = space > 0 ? space : MOST_CHARACTERS
    rows.push(rest.slice(0, end))
    rest = rest.slice(end).trimStart()
  }
  return [...rows, rest]
}

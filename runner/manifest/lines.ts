// A text by its lines. Counts them only when it is asked for one: most texts have no problem.
import { type Place, SourceFile } from './problems.ts'

/** A line ends with `\n`; a `\r` before that belongs to the end. */
export class Lines {
  readonly text: string
  #starts: number[] | undefined

  constructor(text: string) {
    this.text = text
  }

  /** A line without its end, counted from 1; undefined past the last one. */
  readonly at = (line: number): string | undefined => {
    const from = this.start(line)
    if (from === undefined) return undefined
    const end = this.text.indexOf('\n', from)
    const whole = this.text.slice(from, end === -1 ? undefined : end)
    return whole.endsWith('\r') ? whole.slice(0, -1) : whole
  }

  /** Offset at which a line begins. */
  start(line: number): number | undefined {
    return this.#all()[line - 1]
  }

  /** Where a piece of the text is, by offsets; as far as the first line of it goes. */
  place(from: number, to: number): Place {
    const starts = this.#all()
    let low = 0
    let high = starts.length
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if (starts[middle]! <= from) low = middle
      else high = middle
    }
    const end = this.text.slice(from, to).search(/[\r\n]/)
    return {
      line: low + 1,
      column: from - starts[low]! + 1,
      width: Math.max(1, end === -1 ? to - from : end),
    }
  }

  #all(): number[] {
    if (this.#starts) return this.#starts
    const starts = [0]
    for (let end = this.text.indexOf('\n'); end !== -1; end = this.text.indexOf('\n', end + 1))
      starts.push(end + 1)
    this.#starts = starts
    return starts
  }
}

/** A text without parts, such as a prompt or a flag: a problem points at what it is about, else at the beginning. Without
 *  a text there is no line to show. */
export function plainFile(file: string, text = ''): SourceFile {
  const lines = new Lines(text)
  return new SourceFile(
    file,
    ({ within }) => {
      const from = within === undefined ? -1 : text.indexOf(within)
      return from === -1 ? lines.place(0, 0) : lines.place(from, from + within!.length)
    },
    (line) => (text === '' ? undefined : lines.at(line)),
  )
}

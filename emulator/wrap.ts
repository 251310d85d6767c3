// How large a text may be set in a box, and in which lines. Breaks at spaces, after hyphens within words and between
// signs of scripts without spaces; a word is only broken where it is wider than the box. Knows no drawing.
import { widthOf } from './glyphs.ts'

/** A text in lines. `shown` is the part of it that they hold, from 0 to 1; below 1 the last line ends in an ellipsis. */
export type Fitted = { lines: readonly string[]; fontSize: number; shown: number }

export const LINE_HEIGHT = 1.3

// More than the largest card takes at the smallest size, so that a huge prompt is not measured to its end.
const MOST_CHARACTERS = 12_000

const ELLIPSIS = '…'
const IDEOGRAPH = '[\\u2e80-\\u9fff\\uac00-\\ud7af]'
const BREAKS = new RegExp(
  `(?<= )|(?<=[\\p{L}\\p{N}][-‐–—])(?=[\\p{L}\\p{N}])|(?=${IDEOGRAPH})|(?<=${IDEOGRAPH})`,
  'u',
)
// Where a text may end in an ellipsis: not after a hyphen, which is still inside its word.
const WORD_ENDS = new RegExp(`(?= )|(?=${IDEOGRAPH})|(?<=${IDEOGRAPH})`, 'gu')

type Piece = { text: string; width: number; solid: number }
type Line = { text: string; endsWord: boolean; isForced: boolean }

/** The text of a card measured once, to be tried in boxes and sizes. */
export type Measured = { paragraphs: readonly (readonly Piece[])[]; characters: number }

/** White space is run together; line breaks are kept. */
export function measure(text: string): Measured {
  const paragraphs = text
    .slice(0, MOST_CHARACTERS)
    .split(/\s*\n\s*/)
    .map((paragraph) => paragraph.replace(/\s+/g, ' ').trim().split(BREAKS).map(pieceOf))
  return { paragraphs, characters: text.trim().length }
}

/** The largest size between `smallest` and `largest` px, in steps of a twentieth, at which the text fits whole; where
 *  none does, the smallest size and an ellipsis at the end of a word. */
export function fitText(
  text: Measured,
  box: { width: number; height: number },
  { smallest, largest }: { smallest: number; largest: number },
): Fitted {
  if (text.characters <= MOST_CHARACTERS)
    for (let fontSize = largest; fontSize > smallest; fontSize *= 0.95) {
      const lines = wrapped(text, box.width / fontSize, mostLines(box.height, fontSize))
      if (lines && !lines.some(({ isForced }) => isForced)) return whole(lines, fontSize)
    }
  const most = mostLines(box.height, smallest)
  const width = box.width / smallest
  const all = text.characters <= MOST_CHARACTERS ? wrapped(text, width, most) : undefined
  if (all) return whole(all, smallest)
  const lines = cut(wrapped(text, width, most, true)!, width)
  const shown = Math.min(0.999, lines.join(' ').length / Math.max(1, text.characters))
  return { lines, fontSize: smallest, shown }
}

function whole(lines: readonly Line[], fontSize: number): Fitted {
  return { lines: lines.map(({ text }) => text), fontSize, shown: 1 }
}

function mostLines(height: number, fontSize: number): number {
  return Math.max(1, Math.floor(height / (fontSize * LINE_HEIGHT)))
}

function pieceOf(text: string): Piece {
  return { text, width: widthOf(text), solid: widthOf(text.trimEnd()) }
}

/** Greedy lines of at most `width` em. Undefined where more than `most` are needed, or just the first ones. */
function wrapped(
  { paragraphs }: Measured,
  width: number,
  most: number,
  takesFirst = false,
): Line[] | undefined {
  const lines: Line[] = []
  for (const pieces of paragraphs) {
    let line = ''
    let used = 0
    const end = (isForced: boolean, endsWord: boolean) => {
      lines.push({ text: line.trimEnd(), endsWord, isForced })
      line = ''
      used = 0
    }
    for (const piece of pieces) {
      if (used > 0 && used + piece.solid > width) end(false, !/[-‐–—]$/.test(line))
      if (lines.length > most) return takesFirst ? lines.slice(0, most) : undefined
      if (piece.solid <= width) {
        line += piece.text
        used += piece.width
        continue
      }
      for (const character of piece.text) {
        if (used > 0 && used + widthOf(character) > width) end(true, false)
        if (lines.length > most) return takesFirst ? lines.slice(0, most) : undefined
        line += character
        used += widthOf(character)
      }
    }
    end(false, true)
  }
  if (lines.length <= most) return lines
  return takesFirst ? lines.slice(0, most) : undefined
}

/** The lines with an ellipsis after the last word that leaves room for it. */
function cut(lines: readonly Line[], width: number): string[] {
  const before = lines.slice(0, -1).map(({ text }) => text)
  const last = lines.at(-1)!
  const ends = [...last.text.matchAll(WORD_ENDS)].map(({ index }) => index)
  if (last.endsWord) ends.push(last.text.length)
  for (const end of ends.reverse()) {
    const text = ended(last.text.slice(0, end))
    if (text !== ELLIPSIS && widthOf(text) <= width) return [...before, text]
  }
  // A piece of a hyphenated word alone: the ellipsis moves up. A word wider than the box is all that may be cut.
  if (lines.length > 1 && !last.isForced) return cut(lines.slice(0, -1), width)
  let rest = last.text
  while (rest !== '' && widthOf(ended(rest)) > width) rest = [...rest].slice(0, -1).join('')
  return [...before, ended(rest)]
}

function ended(text: string): string {
  return text.replace(/[\s,;:.–—-]+$/, '') + ELLIPSIS
}

// How large a text may be set in a box, by estimating line breaks from rough glyph widths. Knows no font file: the
// estimates are a little wide for Inter, so that what fits here also fits when it is set.

/** A text with the size it is set in, px, cut with an ellipsis where even the smallest size is too large. */
export type Fitted = { text: string; fontSize: number; lines: number }

export const LINE_HEIGHT = 1.3

/** The largest size between `smallest` and `largest`, in steps of a twentieth, at which `text` fits. */
export function fitText(
  text: string,
  box: { width: number; height: number },
  { smallest, largest }: { smallest: number; largest: number },
): Fitted {
  for (let fontSize = largest; fontSize > smallest; fontSize *= 0.95) {
    const { lines, isBroken } = wrapped(text, box.width / fontSize)
    if (!isBroken && lines.length * fontSize * LINE_HEIGHT <= box.height)
      return { text, fontSize, lines: lines.length }
  }
  const most = Math.max(1, Math.floor(box.height / (smallest * LINE_HEIGHT)))
  const { lines } = wrapped(text, box.width / smallest, most + 1)
  if (lines.length <= most) return { text, fontSize: smallest, lines: lines.length }
  // Room for the ellipsis is made by leaving out the end of the last line.
  const kept = lines.slice(0, most)
  kept[most - 1] = kept[most - 1]!.slice(0, -3)
  return { text: `${kept.join(' ').replace(/\s+/g, ' ').trimEnd()}…`, fontSize: smallest, lines: most }
}

/** Greedy lines of at most `width` em; words that are wider are broken. Stops after `most` lines. */
function wrapped(text: string, width: number, most = 200): { lines: string[]; isBroken: boolean } {
  const lines: string[] = []
  let isBroken = false
  for (const paragraph of text.split('\n')) {
    let line = ''
    let used = 0
    for (const word of paragraph.split(/(?<=[ \t-])|(?=[\u2e80-\u9fff\uac00-\ud7af])/u)) {
      const needed = widthOf(word)
      if (used > 0 && used + widthOf(word.trimEnd()) > width) {
        lines.push(line)
        line = ''
        used = 0
      }
      if (needed > width * 1.02) {
        isBroken = true
        for (const character of word) {
          if (used + widthOf(character) > width) {
            lines.push(line)
            line = ''
            used = 0
          }
          line += character
          used += widthOf(character)
          if (lines.length > most) return { lines, isBroken }
        }
        continue
      }
      line += word
      used += needed
      if (lines.length > most) return { lines, isBroken }
    }
    lines.push(line)
  }
  return { lines, isBroken }
}

/** Width in em. */
function widthOf(text: string): number {
  let width = 0
  for (const character of text) {
    if (/[ilj.,:;'!|()[\]‘’]/.test(character)) width += 0.31
    else if (/[ frtI"“”-]/.test(character)) width += 0.4
    else if (/[mwMW@%—…]/.test(character)) width += 0.95
    else if (/[A-Z0-9]/.test(character)) width += 0.69
    else width += character.codePointAt(0)! >= 0x1100 ? 1.02 : 0.6
  }
  return width
}

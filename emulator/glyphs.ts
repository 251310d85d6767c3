// How wide a text is when it is set in Inter semi-bold, without opening a font: good enough to break lines by.
// Advances are hundredths of an em, rounded up, so that a line which fits here also fits when it is drawn.

// U+0020 to U+007E, read from @fontsource/inter 5.3.0 (inter-latin-600-normal.woff). Kerning only narrows.
const ADVANCES =
  `26 33 53 65 66 101 67 33 38 38 54 68 32 47 32 38 66 43 63 64 67 62 64 58 65 64 32 33 68 68 68 55
100 73 66 74 73 61 59 75 75 28 58 71 57 93 76 77 65 78 66 66 67 74 73 103 72 72 66 38 38 38 49 47
36 58 63 59 63 60 39 63 62 27 27 57 27 91 62 61 63 63 40 55 36 62 59 84 57 59 57 46 36 46 68`
    .split(/\s/)
    .map(Number)

const OTHERS: Readonly<Record<string, number>> = {
  '‘': 30,
  '’': 30,
  '“': 51,
  '”': 51,
  '–': 50,
  '—': 100,
  '…': 96,
  '·': 32,
}

// What words in Greek and Cyrillic need on average; signs from Hangul Jamo on are as wide as they are high.
const SMALL_LETTER = 69
const CAPITAL = 84
const WIDE = 102
const FIRST_WIDE = 0x1100

/** Width in em. */
export function widthOf(text: string): number {
  let hundredths = 0
  for (const character of text) hundredths += advanceOf(character)
  return hundredths / 100
}

function advanceOf(character: string): number {
  const known = ADVANCES[character.charCodeAt(0) - 32] ?? OTHERS[character]
  if (known !== undefined) return known
  const code = character.codePointAt(0)!
  if (code >= 0x1e00 && code < 0x1f00) return baseOf(character)
  if (code >= FIRST_WIDE) return WIDE
  if (code >= 0xc0 && code < 0x250) return baseOf(character)
  return character === character.toLowerCase() ? SMALL_LETTER : CAPITAL
}

// An accented letter is as wide as the letter without its accents; ligatures are not known and count as the widest.
function baseOf(character: string): number {
  return ADVANCES[character.normalize('NFD').charCodeAt(0) - 32] ?? WIDE
}

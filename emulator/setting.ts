// Where things go on a card: the prompt, the thumbnails beside or below it, the foot. Lengths are px.
// Of the ways to share the card the one is taken that shows most of the prompt, large, beside thumbnails worth a look.
import { widthOf } from './glyphs.ts'
import { type Grid, gridOf } from './grid.ts'
import type { Room } from './layout.ts'
import { type Fitted, fitText, LINE_HEIGHT, measure } from './wrap.ts'

export type CardText = {
  prompt: string
  /** Short facts for the foot: model, size, pixels. */
  facts: readonly string[]
}

export type Setting = {
  width: number
  /** At most that of the room, less where the prompt is short. */
  height: number
  padding: number
  gap: number
  words: Fitted
  wordsWidth: number
  thumbnails?: { grid: Grid; isBeside: boolean }
  foot: Foot
}

/** The last rows of a card: facts and badge and chips in one, or the facts in a row of their own. */
export type Foot = { facts: readonly string[]; fontSize: number; rows: 1 | 2; height: number }

/** Lengths within a row of the foot, in sizes of its type. */
export const FOOT = {
  line: 1.5,
  between: 0.9,
  badgeType: 0.86,
  badgePadding: 0.6,
  chip: 1.25,
  chipHeight: 0.62,
  chipGap: 0.3,
}

/** Sets a card in a room, for a number of thumbnails and of colour chips. */
export function setCard(room: Room, { prompt, facts }: CardText, references: number, chips: number): Setting {
  const padding = Math.round(Math.min(room.type.smallest * 1.3, room.width * 0.07, room.height * 0.09))
  const gap = Math.round(padding * 0.6)
  const inner = { width: room.width - 2 * padding, height: room.height - 2 * padding }
  const foot = footOf(facts, inner.width, room.type.small, chips)
  const body = { width: inner.width, height: inner.height - foot.height - gap }
  const text = measure(prompt)
  const type = { ...room.type, largest: Math.min(room.type.largest, inner.width / 8) }
  const set = (wordsWidth: number, height: number, thumbnails?: Setting['thumbnails']) => {
    const words = fitText(text, { width: wordsWidth, height }, type)
    const used = Math.ceil(words.lines.length * words.fontSize * LINE_HEIGHT)
    const taken = thumbnails
      ? thumbnails.isBeside
        ? Math.max(used, thumbnails.grid.height)
        : used + gap + thumbnails.grid.height
      : used
    return {
      width: room.width,
      height: Math.min(room.height, taken + gap + foot.height + 2 * padding),
      padding,
      gap,
      words,
      wordsWidth,
      foot,
      ...(thumbnails && { thumbnails }),
    }
  }
  if (references === 0) return set(body.width, body.height)
  const beside = BESIDE.map((share) => {
    const grid = gridOf(references, { width: body.width * share, height: body.height }, type.small)
    return set(body.width - grid.width - 1.5 * gap, body.height, { grid, isBeside: true })
  })
  const below = BELOW.map((share) => {
    const grid = gridOf(references, { width: body.width, height: body.height * share }, type.small)
    return set(body.width, body.height - gap - grid.height, { grid, isBeside: false })
  })
  return [...beside, ...below].reduce((best, next) => (worthOf(next) > worthOf(best) ? next : best))
}

// The part of the card's body that the thumbnails may take.
const BESIDE = [0.18, 0.25, 0.33, 0.42, 0.5]
const BELOW = [0.2, 0.28, 0.36, 0.45]

// Thumbnails smaller than their label is wide count for little, and beyond a comfortable size for nothing more.
function worthOf({ words, thumbnails, foot }: Setting): number {
  const side = (thumbnails?.grid.side ?? 1) / foot.fontSize
  return words.shown * words.fontSize ** 0.6 * Math.min(side, 10) ** 0.3 * Math.min(1, side / 3)
}

function footOf(facts: readonly string[], width: number, small: number, chips: number): Foot {
  const factsWidth = facts.reduce((sum, fact) => sum + widthOf(fact) + FOOT.between, 0)
  const badgeWidth = widthOf('emulated') * FOOT.badgeType + 2 * FOOT.badgePadding
  const rest = badgeWidth + FOOT.between + chips * (FOOT.chip + FOOT.chipGap)
  // One row is worth type that is a little smaller.
  const rows = (factsWidth + rest) * small * 0.8 <= width ? 1 : 2
  const widest = rows === 1 ? factsWidth + rest : Math.max(factsWidth, rest)
  const fontSize = Math.min(small, width / widest)
  return { facts, fontSize, rows, height: Math.ceil(rows * fontSize * FOOT.line) }
}

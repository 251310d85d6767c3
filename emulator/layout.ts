// Where things stand in a frame of any ratio: the stage for the still life, and the card that says what was asked.
// Whole pixels; the card never touches the frame's edge.
import type { Pixels } from '../core/models.ts'

export type Box = { x: number; y: number; width: number; height: number }

export type Layout = {
  stage: Box
  card: Box
  /** A thousandth of the frame's mean side in pixels: the measure of type and margins. */
  unit: number
}

/** Card on the left in wide frames, below in the others. */
export function layoutOf({ width, height }: Pixels): Layout {
  const unit = Math.sqrt(width * height) / 1000
  const margin = Math.round(Math.min(40 * unit, Math.min(width, height) * 0.06))
  if (width > height * 1.15) {
    const cardWidth = Math.round(Math.min(width * 0.36, height * 2.2))
    const cardHeight = Math.round(Math.min(height - 2 * margin, cardWidth * 1.25))
    const card = { x: margin, y: height - margin - cardHeight, width: cardWidth, height: cardHeight }
    const left = cardWidth + 2 * margin
    return { stage: { x: left, y: 0, width: width - left, height }, card, unit }
  }
  const cardWidth = width - 2 * margin
  const cardHeight = Math.round(Math.min(height * 0.32, cardWidth * 1.7))
  const card = { x: margin, y: height - margin - cardHeight, width: cardWidth, height: cardHeight }
  return { stage: { x: 0, y: 0, width, height: height - cardHeight - margin }, card, unit }
}

// Where things stand in a frame of any ratio: the stage for the still life, and the card that says what was asked.
// Whole pixels; the card never touches the frame's edge, and the stage never lies under the card.
import type { Pixels } from '../core/models.ts'

export type Box = { x: number; y: number; width: number; height: number }

/** What a card may take, px. `smallest` and `largest` bound the type of the prompt; `small` is for the rest. */
export type Room = {
  width: number
  height: number
  type: { smallest: number; largest: number; small: number }
}

// Type is read at this width of the frame or more: the prompt has then at least 10.4 px, the foot 8.3 px.
const VIEWED_WIDTH = 480
const READABLE = 10.4

/** The largest card of a frame: on the left in wide frames, below in the others. */
export function roomOf({ width, height }: Pixels): Room {
  const unit = Math.sqrt(width * height) / 1000
  const margin = marginOf({ width, height })
  const [roomWidth, roomHeight] = isWide({ width, height })
    ? [Math.min(width * 0.4, height * 3.2), height - 2 * margin]
    : [width - 2 * margin, height * 0.36]
  const room = { width: Math.round(roomWidth), height: Math.round(Math.min(roomHeight, roomWidth * 1.7)) }
  // Where a frame is so flat or so narrow that such type would leave no room for a sentence, it is smaller.
  const wanted = Math.max((width * READABLE) / VIEWED_WIDTH, 17 * unit)
  const smallest = Math.min(wanted, room.height / 7, room.width / 16)
  const largest = Math.max(smallest * 1.05, 58 * unit)
  return { ...room, type: { smallest, largest, small: smallest * 0.8 } }
}

/** Card and stage, once the size of the card is known. */
export function layoutOf(frame: Pixels, card: Pixels): { stage: Box; card: Box } {
  const margin = marginOf(frame)
  const at = { x: margin, y: frame.height - margin - card.height, ...card }
  if (!isWide(frame)) {
    const stage = { x: 0, y: 0, width: frame.width, height: frame.height - card.height - margin }
    return { stage, card: at }
  }
  const left = card.width + margin
  return { stage: { x: left, y: 0, width: frame.width - left, height: frame.height }, card: at }
}

function isWide({ width, height }: Pixels): boolean {
  return width > height * 1.15
}

function marginOf({ width, height }: Pixels): number {
  const unit = Math.sqrt(width * height) / 1000
  return Math.round(Math.min(40 * unit, Math.min(width, height) * 0.06))
}

// What a model is shown of a long chat: no more pictures than it takes. Without this a chat would end after the
// fourteenth picture (generation 1: the third), because clients send all of it again with every message.
import type { ImagePart, OtherPart, Turn } from '../../core/gemini/conversation.ts'

/** Turns that show fewer references, and the indexes of those that stay. */
export type Shown = { turns: Turn[]; kept: number[] }

/** The turns with at most `max` images: the oldest that the model made itself are left out. What the user attached
 *  always stays, so that too many of those are an error that names them. */
export function withinReach(turns: readonly Turn[], max: number): Shown {
  const images = turns.flatMap(({ role, parts }) =>
    parts.flatMap((part) => ('image' in part ? [{ index: part.image, isMade: role === 'model' }] : [])),
  )
  const surplus = Math.max(0, images.length - max)
  const made = images.filter((image) => image.isMade).map((image) => image.index)
  const omitted = new Set(made.slice(0, surplus))
  const kept = images.map((image) => image.index).filter((index) => !omitted.has(index))
  return {
    turns: turns.map(({ role, parts }) => {
      const shown = parts.flatMap((part): (ImagePart | OtherPart)[] => {
        if (!('image' in part)) return [part]
        return omitted.has(part.image) ? [] : [{ ...part, image: kept.indexOf(part.image) }]
      })
      return { role, parts: shown.length > 0 ? shown : [OMITTED] }
    }),
    kept,
  }
}

/** Stands where a turn held nothing but a picture that is left out: a turn must hold something. */
const OMITTED = { part: { text: '(an earlier picture, not shown)' } }

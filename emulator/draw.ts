// From a plan to finished parts: which pictures are drawn, in which pixels and type, and what a fault makes of them.
// Promise: exactly the documented pixels of model, size and aspect; equal seeds give equal bytes.
import { createHash } from 'node:crypto'
import { imageSize } from 'image-size'
import { type Aspect, type Model, pixelsOf } from '../core/models.ts'
import type { Drawn } from './answer.ts'
import { padPng } from './padding.ts'
import type { drawPicture, Picture } from './picture.ts'
import type { AnswerPlan, Twist } from './plan.ts'
import type { Reference } from './references.ts'
import type { Wanted } from './request.ts'

export type Finished = { parts: Drawn[]; pictures: Buffer[] }

/** What everything of a call follows from: same prompt, model, frame, references and seed give the same hex digest. */
export function seedOf(wanted: Wanted, plain: string, model: Model, aspect: Aspect): string {
  const references = wanted.references.map((r) =>
    r.kind === 'bytes' ? createHash('sha256').update(r.bytes).digest('hex') : r.uri,
  )
  const facts = [plain, model.id, wanted.size, aspect, references, wanted.seed ?? null]
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex')
}

/** The frame of a call: the asked one, else the one nearest to the last input image, else square. */
export function aspectOf(wanted: Wanted, model: Model): Aspect {
  if (wanted.aspect) return wanted.aspect
  const last = wanted.references.at(-1)
  const ratio = last && ratioOf(last)
  if (!ratio) return '1:1'
  const distance = (aspect: Aspect) => {
    const [width, height] = aspect.split(':').map(Number)
    return Math.abs(Math.log(width! / height! / ratio))
  }
  return model.aspects.reduce((best, aspect) => (distance(aspect) < distance(best) ? aspect : best))
}

/** Draws what the plan wants with `draw`, from the seed of the call. `publish` makes a picture reachable and
 *  answers its URL. */
export async function drawAll(
  plan: AnswerPlan,
  wanted: Wanted,
  plain: string,
  model: Model,
  seed: string,
  publish: (picture: Picture) => string,
  draw: typeof drawPicture,
): Promise<Finished> {
  const aspect = aspectOf(wanted, model)
  const pixels = pixelsOf(model, wanted.size, aspect)!
  const finished: Finished = { parts: [], pictures: [] }
  for (const slot of plan.slots) {
    if ('text' in slot) {
      finished.parts.push(slot)
      continue
    }
    const picture = await draw({
      prompt: plain,
      model,
      size: wanted.size,
      pixels,
      references: wanted.references,
      seed: slot.variation === 0 ? seed : `${seed} ${slot.variation}`,
      mimeType: typeOf(model, plan.twists),
    })
    const twisted = plan.twists.reduce(twist, { ...picture, label: picture.mimeType })
    if (plan.twists.some(({ kind }) => kind === 'asUrl')) {
      finished.parts.push({ text: publish(picture) })
      continue
    }
    finished.parts.push({
      picture: finished.pictures.length,
      label: twisted.label,
      ...(slot.thought ? { thought: true } : {}),
    })
    finished.pictures.push(twisted.bytes)
  }
  return finished
}

function ratioOf(reference: Reference): number | undefined {
  if (reference.kind === 'link') return undefined
  try {
    const { width, height } = imageSize(reference.bytes)
    return width / height
  } catch {
    // A header that cannot be read has no ratio; the frame is square then.
    return undefined
  }
}

// Both types occur at the vendor (vercel/ai#11461); here the model decides, so that tests meet each.
function typeOf(model: Model, twists: readonly Twist[]): Picture['mimeType'] {
  const wantsPng = twists.some(({ kind }) => kind === 'mislabelled' || kind === 'big')
  return wantsPng || model.id === 'gemini-3-pro-image' ? 'image/png' : 'image/jpeg'
}

function twist(picture: Picture & { label: string }, change: Twist): Picture & { label: string } {
  switch (change.kind) {
    case 'mislabelled':
      return { ...picture, label: 'image/jpeg' }
    case 'tiny':
      return { ...picture, bytes: Buffer.from([0xff, 0xd8, 0xff]) }
    case 'big':
      return { ...picture, bytes: padPng(picture.bytes, change.bytes) }
    case 'asUrl':
      return picture
  }
}

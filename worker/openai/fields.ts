// The fields of an image call, from JSON or a form, as one value. What a picture would silently lack is refused; what only
// OpenAI's own models know and changes no picture of ours is ignored, as are fields that nobody knows.
import { z } from 'zod'
import type { Market } from '../../core/market.ts'
import { MAX_PROMPT_CHARS } from '../../core/models.ts'
import { parse } from '../http/input.ts'
import { invalidField } from './errors.ts'
import { type Chosen, chooseModel } from './models.ts'
import { type Shape, shapeFields, shapeOf } from './size.ts'

export type ImageFields = Chosen & {
  prompt: string
  /** Pictures wanted. */
  n: number
  shape: Shape
  /** As asked, for the answer to repeat. */
  quality: string
  /** Pictures by their addresses alone. */
  isUrlOnly: boolean
  isStream: boolean
}

/** Most pictures of one call, as at OpenAI. */
const MAX_PICTURES = 10

const Fields = z.object({
  prompt: z.string().min(1, 'must not be empty').max(MAX_PROMPT_CHARS),
  model: z.string().nullish(),
  n: z.int().min(1).max(MAX_PICTURES).nullish(),
  response_format: z.enum(['url', 'b64_json']).nullish(),
  output_format: z.string().nullish(),
  background: z.string().nullish(),
  stream: z.boolean().nullish(),
})

/** Formats that may be asked for. The model chooses: the answer says which it is. */
const FORMATS = ['png', 'jpeg', 'webp']

/** Reads the fields. Throws Problem `invalid_request` and OpenAiError, naming the field. */
export function readFields(body: unknown, market: Market): ImageFields {
  const fields = parse(Fields, body)
  const { output_format: format, background } = fields
  if (format && !FORMATS.includes(format))
    throw invalidField('output_format', `no model here draws ${format}; ask for ${FORMATS.join(', ')}`)
  if (background === 'transparent')
    throw invalidField(
      'background',
      'no model here draws a transparent background; leave it out and say in the prompt what stands behind',
    )
  const chosen = chooseModel(fields.model ?? undefined, market)
  const wished = shapeFields(body as Record<string, unknown>)
  return {
    ...chosen,
    prompt: fields.prompt,
    n: fields.n ?? 1,
    shape: shapeOf(chosen.model, wished),
    quality: wished.quality ?? 'auto',
    isUrlOnly: fields.response_format === 'url',
    isStream: fields.stream ?? false,
  }
}

/** Refuses a mask: models here change what the prompt says, not what a mask leaves open. */
export function maskRefused() {
  return invalidField(
    'mask',
    'no model here takes a mask; leave it out and say in the prompt what to change and what to keep',
    'mask_not_supported',
  )
}

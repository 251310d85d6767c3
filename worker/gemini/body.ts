// The body of a native call, taken from the wire: images stored on the way, and what is wrong with it in Google's words.
import type { Context } from 'hono'
import { tooManyImages } from '../../core/gemini/images.ts'
import { invalid, invalidFields } from '../../core/gemini/rpc.ts'
import { findModel, type Model } from '../../core/models.ts'
import type { AppEnv } from '../env.ts'
import { findRoutes } from '../generation/wish.ts'
import { modelAndProvider } from '../http/dropin.ts'
import { Problem } from '../http/problem.ts'
import { countBody, type IntakeEffects, type Taken, takeBody } from '../references/intake.ts'
import { isInlineData } from '../stream/scanner.ts'

/** Longest body without its images, in bytes: thought signatures are long. */
const MAX_JSON_BYTES = 8 * 1024 * 1024

const OPTIONS = { isBlob: isInlineData, maxJsonBytes: MAX_JSON_BYTES }

export type Named = ReturnType<typeof modelAndProvider>

/** The model that a path names, and who is to make it. Throws Problem `unknown_model`. */
export function namedModel(c: Context<AppEnv>, name: string): { named: Named; model: Model } {
  const { market } = c.var
  const named = modelAndProvider(name, market)
  // Whether anybody sells it is asked later: a call that was accepted before is answered all the same.
  return { named, model: findModel(named.model) ?? findRoutes(market, named).first.model }
}

/** The body with the images of its parts stored. Throws RpcError 400. */
export async function takeCall(
  body: ReadableStream<Uint8Array> | null,
  model: Model,
  effects: IntakeEffects,
): Promise<Taken> {
  const maxImages = model.references.max
  return worded(takeBody(body, { ...OPTIONS, field: 'inline_data', maxImages }, effects), maxImages)
}

/** The body with the images of its parts counted, and nothing stored. Throws RpcError 400. */
export async function countCall(
  body: ReadableStream<Uint8Array> | null,
): Promise<{ json: unknown; images: number }> {
  return worded(countBody(body, OPTIONS))
}

/** Refuses images that stand anywhere but in a part of a turn: nobody would send them on.
 *  @throws RpcError 400 */
export function checkAllFound(taken: number, found: number): void {
  if (taken === found) return
  const description = `Inline images are taken as contents[].parts[].inline_data only; ${taken - found} of ${taken} stand elsewhere.`
  throw invalidFields([{ field: 'contents', description }])
}

async function worded<T>(work: Promise<T>, maxImages = 0): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    if (error.code === 'invalid_json') throw invalid(`Invalid JSON payload received. ${error.message}`)
    if (error.code === 'payload_too_large')
      throw invalid(`Request payload size exceeds the limit: ${MAX_JSON_BYTES} bytes beside its images.`)
    if (error.code === 'unsupported') throw tooManyImages(`more than ${maxImages}`, maxImages)
    throw error
  }
}

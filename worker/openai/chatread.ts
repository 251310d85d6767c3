// A chat completion as a picture that is asked for: the body is read as a stream and its images stored on the way;
// everything that can be refused is refused here, while it costs nothing.
import type { Context } from 'hono'
import type { Turn } from '../../core/gemini/conversation.ts'
import { MAX_PROMPT_CHARS } from '../../core/models.ts'
import type { AppEnv } from '../env.ts'
import type { Asked } from '../generation/ask.ts'
import { takeBody } from '../references/intake.ts'
import { type FoundReference, referenceOf } from './chatimages.ts'
import { withinReach } from './chatmemory.ts'
import { type ChatSettings, readSettings } from './chatrequest.ts'
import { isChatImage, readMessages } from './chatturns.ts'
import { invalidField } from './errors.ts'

export type ChatCall = {
  asked: Pick<Asked, 'request' | 'conversation'>
  settings: ChatSettings
  /** Where in the body each reference stood. */
  places: readonly string[]
}

/** Longest body without its images, in bytes: a chat is sent whole with every message, and clients of other relays keep
 *  pictures in its text. */
const MAX_JSON_BYTES = 8 * 1024 * 1024

/** Most images of a body, those that a model has made in the chat included. */
const MAX_IMAGES = 100

/** Reads a call. Throws Problem and OpenAiError, naming the field at fault. */
export async function readChatCall(c: Context<AppEnv>): Promise<ChatCall> {
  const { BUCKET } = c.env
  const options = { isBlob: () => false, isDataUrl: isChatImage, maxJsonBytes: MAX_JSON_BYTES }
  const { json, images } = await takeBody(
    c.req.raw.body,
    { ...options, field: 'messages', maxImages: MAX_IMAGES },
    { bucket: BUCKET, long: BUCKET, workspace: c.var.workspace },
  )
  return readTaken(c, json, images)
}

async function readTaken(
  c: Context<AppEnv>,
  json: unknown,
  taken: Parameters<typeof referenceOf>[2],
): Promise<ChatCall> {
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw invalidField(null, 'the body must be a JSON object with `model` and `messages`', 'invalid_type')
  const body = json as Record<string, unknown>
  const settings = readSettings(body, c.var.market)
  const read = readMessages(body.messages, (address) => address.startsWith(`${c.var.imagesUrl}/`))
  const { turns, kept } = withinReach(read.turns, settings.model.references.max)
  const images = kept.map((index) => read.images[index]!)
  const found: FoundReference[] = []
  for (const image of images) found.push(await referenceOf(c, image, taken))
  return {
    asked: {
      request: {
        ...settings.request,
        prompt: read.prompt.slice(0, MAX_PROMPT_CHARS),
        system: read.system,
        references: found.map(({ reference }) => reference),
      },
      conversation: { turns: withMore(turns, found) },
    },
    settings,
    places: images.map(({ path }) => path),
  }
}

/** The turns, with what is known of their images beside the bytes. */
function withMore(turns: readonly Turn[], found: readonly FoundReference[]): Turn[] {
  return turns.map(({ role, parts }) => ({
    role,
    parts: parts.map((part) => {
      const more = 'image' in part ? found[part.image]!.more : undefined
      return more ? { ...part, more } : part
    }),
  }))
}

// From a native call to a picture that is wanted: the body is read as a stream, its images are stored on the way, and
// everything that can be refused is refused here in Google's words, while it costs nothing.
import type { Context } from 'hono'
import { readTakenBody } from '../../core/gemini/fields.ts'
import type { Model } from '../../core/models.ts'
import { routeOf } from '../../core/routes.ts'
import type { AppEnv } from '../env.ts'
import type { Asked } from '../generation/ask.ts'
import { callOptions, DROP_IN_DEADLINE_S } from '../http/dropin.ts'
import { ownPicture } from '../references/own.ts'
import { checkAllFound, type Named, namedModel, takeCall } from './body.ts'
import { readSettings } from './config.ts'
import { type Addresses, readImages } from './images.ts'
import type { Places } from './places.ts'
import { readTurns } from './turns.ts'

export type ReadCall = { asked: Asked; places: Places }

/** Reads a call of the model `name`, the model part of its path. Throws RpcError 400, and Problem `unknown_model` and
 *  `invalid_key`, both before the body is looked at. */
export async function readCall(c: Context<AppEnv>, name: string): Promise<ReadCall> {
  const { key, isRepeat, isShielded, patienceMs } = callOptions(c)
  const { named, model } = namedModel(c, name)
  const { BUCKET } = c.env
  const effects = { bucket: BUCKET, long: BUCKET, workspace: c.var.workspace }
  const taken = await takeCall(c.req.raw.body, model, effects)

  const body = readTakenBody(taken.json, taken.images.length)
  const { turns, images, system, prompt } = readTurns(body)
  checkAllFound(taken.images.length, images.filter((image) => image.inlineData?.data !== undefined).length)
  const places = { images: images.map(({ path }) => path), system: system?.path ?? 'system_instruction' }
  const settings = readSettings(body, system?.text, places)
  const references = await readImages(images, taken.images, model, addressesOf(c, named, model))
  const asked: Asked = {
    request: { ...named, prompt, ...settings.request, references, deadline: DROP_IN_DEADLINE_S },
    conversation: { turns, ...settings.conversation },
    key,
    isRepeat,
    isShielded,
    patienceMs,
  }
  return { asked, places }
}

function addressesOf(c: Context<AppEnv>, { provider }: Named, model: Model): Addresses {
  const route = routeOf(c.var.market, model, provider)
  return {
    passedOn: 'seller' in route && route.seller.fileUri,
    own: (url) => ownPicture(c, url),
  }
}

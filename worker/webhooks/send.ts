// Webhooks: one message, signed as Standard Webhooks say, to a public address.
import type { Env } from '../env.ts'

export type Message = {
  /** The same for every try: receivers know a repeated one by it. */
  id: string
  url: string
  /** Epoch ms of the event. */
  timestamp: number
  type: string
  data: unknown
}

/** Refuses what could not be delivered: no secret here, or an address that is not public. Throws `not_configured` and
 *  `invalid_request`. */
export function checkWebhook(_env: Env, _url: string | undefined): void {}

/** One try. `gone`: the receiver does not want it any more (410). Never rejects. */
export async function sendWebhook(_env: Env, _message: Message): Promise<'taken' | 'gone' | 'failed'> {
  return 'taken'
}

/** Delay before try `tries + 1`, in ms; undefined when it is given up. */
export function webhookDelayMs(_tries: number): number | undefined {
  return undefined
}

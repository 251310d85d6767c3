// Webhooks: one message in the form of Standard Webhooks, signed, to a public address. A try that fails is logged here, for
// whoever owes the message; when the next one is due is a function of their number. At least once: receivers know a
// repeated message by its id.
import { Webhook } from 'standardwebhooks'
import type { Env } from '../env.ts'
import { refusalOf } from '../http/address.ts'
import { fieldProblem, Problem } from '../http/problem.ts'
import type { Log } from '../log.ts'

export type Message = {
  /** The same for every try: receivers know a repeated one by it. Without a full stop, which separates what is signed. */
  id: string
  url: string
  /** Epoch ms of the event. */
  timestamp: number
  type: string
  data: unknown
}

export type WebhookEffects = {
  fetch: (input: string, init: RequestInit) => Promise<Response>
  /** Epoch ms: a try bears its own time, and receivers refuse one that is older than five minutes. */
  now: () => number
}

/** How a try went. `gone`: the receiver does not want the message any more (410). */
export type Tried = { kind: 'taken' } | { kind: 'gone' } | { kind: 'failed'; why: string }

/** How long a receiver may take, in ms (the specification advises 15 to 30 s). */
const TIMEOUT_MS = 15_000

/** Delays between tries, in seconds: the specification's example, a little over three days in all. */
const DELAYS_S = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]

/** Most that chance adds to a delay: what failed together shall not come back together. */
const JITTER = 0.1

/** Refuses what could not be delivered: no secret here, or an address that is not public. Throws `not_configured`,
 *  `misconfigured` and `invalid_request`. */
export function checkWebhook(env: Env, url: string | undefined): void {
  if (url === undefined) return
  if (!env.WEBHOOK_SECRET)
    throw new Problem(
      'not_configured',
      'webhook: the worker has no secret to sign it with; set one with ' +
        '`echo "whsec_$(openssl rand -base64 32)" | wrangler secret put WEBHOOK_SECRET`',
    )
  if (signersOf(env) === undefined)
    throw new Problem(
      'misconfigured',
      'WEBHOOK_SECRET is not usable: it is whsec_ and the Base64 of 24 to 64 bytes; several are separated by a space',
    )
  const why = URL.canParse(url) ? refusalOf(url) : 'it is no URL'
  if (why) throw fieldProblem('webhook', why)
}

/** Try `tries` (from 1) of a message, and a line of the log if it was not taken. Resolves with the delay until the next
 *  try, in ms; undefined: it was taken, or is given up. Never rejects. */
export async function tryWebhook(
  env: Env,
  message: Message,
  tries: number,
  fx: WebhookEffects & { log: Log },
): Promise<number | undefined> {
  const tried = await sendWebhook(env, message, fx)
  if (tried.kind === 'taken') return undefined
  const delayMs = tried.kind === 'failed' ? webhookDelayMs(tries) : undefined
  const why = tried.kind === 'failed' ? tried.why : 'the receiver does not want it any more (410)'
  fx.log({ event: 'webhook_failed', message: message.id, why, tries, again: delayMs !== undefined })
  return delayMs
}

/** One try. Redirects are not followed. Never rejects. */
export async function sendWebhook(env: Env, message: Message, fx: WebhookEffects): Promise<Tried> {
  const { id, url, timestamp, type, data } = message
  const signers = signersOf(env)
  const refusal = signers ? refusalOf(url) : 'WEBHOOK_SECRET is not set or not usable'
  if (!signers || refusal) return { kind: 'failed', why: String(refusal) }
  const body = JSON.stringify({ type, timestamp: new Date(timestamp).toISOString(), data })
  const triedAt = new Date(fx.now())
  try {
    const response = await fx.fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'user-agent': 'proofsheet',
        'webhook-id': id,
        'webhook-timestamp': String(Math.floor(triedAt.getTime() / 1_000)),
        'webhook-signature': signers.map((signer) => signer.sign(id, triedAt, body)).join(' '),
      },
      body,
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    // What it says beside its status is of no interest, and must not keep the connection.
    await response.body?.cancel()
    if (response.ok) return { kind: 'taken' }
    if (response.status === 410) return { kind: 'gone' }
    return { kind: 'failed', why: `the receiver answered ${response.status}` }
  } catch (error) {
    return { kind: 'failed', why: String(error) }
  }
}

/** Delay before try `tries + 1`, in ms, with some chance in it; undefined when it is given up. */
export function webhookDelayMs(tries: number): number | undefined {
  const seconds = DELAYS_S[tries - 1]
  if (seconds === undefined) return undefined
  const chance = crypto.getRandomValues(new Uint32Array(1))[0]! / 2 ** 32
  return Math.round(seconds * 1_000 * (1 + JITTER * chance))
}

/** Who signs: the secret, or while it is being changed the new and the old one. Undefined when one is not usable. */
function signersOf({ WEBHOOK_SECRET = '' }: Env): Webhook[] | undefined {
  const secrets = WEBHOOK_SECRET.split(/\s+/).filter((secret) => secret !== '')
  const areUsable = secrets.length > 0 && secrets.every(isSecret)
  return areUsable ? secrets.map((secret) => new Webhook(secret)) : undefined
}

function isSecret(secret: string): boolean {
  const digits = /^whsec_((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)$/.exec(secret)?.[1]
  const bytes = digits === undefined ? 0 : Uint8Array.fromBase64(digits).length
  return bytes >= 24 && bytes <= 64
}

// What is asked of the worker in a soak, drawn by the seed: who wants which picture, how, and what befalls its calls. Every
// wish has words of its own, so that its calls are told from all others.
import type { Chance } from './chance.ts'

export type Wish = {
  /** Its words, as the emulator sees them. */
  words: string
  request: Record<string, unknown>
  /** Idempotency-Key; absent: a client that knows nothing of keys and repeats on its own. */
  key?: string
  /** Index in WHO. */
  who: number
  /** ms after the beginning. */
  startsAt: number
  /** How often the same is asked at the same moment. */
  twins: number
  /** `Prefer: wait`, in s. */
  waitS: number
  /** The client leaves its first call after so long, in ms, and asks again. */
  leavesAfterMs?: number
  /** Somebody cancels it after so long, in ms. */
  cancelledAfterMs?: number
}

export type BatchWish = {
  key: string
  who: number
  startsAt: number
  lines: Record<string, unknown>[]
  cancelledAfterMs?: number
  webhook?: string
}

export type Demand = { wishes: Wish[]; batches: BatchWish[] }

/** Who asks: the administrator, tokens with budgets in USD that run out, one of another workspace, one with a rate limit. */
export const WHO = [
  { name: 'admin', workspace: 'default' },
  { name: 'small', workspace: 'default', budget: { total: 0.6 } },
  { name: 'daily', workspace: 'default', budget: { day: 0.9, total: 5 } },
  { name: 'other', workspace: 'other', budget: { month: 1.2 } },
  { name: 'paced', workspace: 'other', perMinute: 40 },
] as const

/** Where webhooks are sent; the address is nobody's. */
export const RECEIVER = 'https://hooks.soak.example/'

type Way = { model: string; provider: string; size?: string; on?: readonly string[] }

const NB2_APIYI: Way = { model: 'nano-banana-2', provider: 'apiyi' }
const NB2_GOOGLE: Way = { model: 'nano-banana-2', provider: 'google' }
const PRO_APIYI: Way = { model: 'nano-banana-pro', provider: 'apiyi' }
const PRO_GOOGLE: Way = { model: 'nano-banana-pro', provider: 'google' }
const SMALL = { size: '512' }
const USUAL = { size: '1K' }

const WAYS: readonly Way[] = [
  { ...NB2_APIYI, ...SMALL },
  { ...NB2_APIYI, ...SMALL },
  { ...NB2_APIYI, ...USUAL },
  { ...NB2_GOOGLE, ...SMALL },
  { ...PRO_APIYI, ...USUAL },
  { ...PRO_GOOGLE, ...USUAL },
]

/** What no price is known of: not for those who have a budget. */
const UNPRICED: readonly Way[] = [{ model: 'nano-banana-pro', provider: 'tokaify', ...USUAL }]

/** The model whose calls may meet a quota of the day. */
const QUOTA: Way = { model: 'gemini-2.5-flash-image', provider: 'google' }

const FALLBACKS: readonly Way[] = [
  { ...NB2_GOOGLE, on: ['unavailable', 'failed', 'no_image'] },
  { ...NB2_APIYI, on: ['unavailable', 'no_image', 'refused', 'failed', 'uncertain'] },
  { ...PRO_GOOGLE, on: ['unavailable'] },
  { ...PRO_APIYI, on: ['refused', 'uncertain'] },
]

/** What a prompt orders; an empty one goes well, but for what the standing rules draw. */
const FAULTS = [
  ...Array.from({ length: 24 }, () => ''),
  'rate-limited times=2 retry=0.4',
  'rate-limited times=5 retry=0.2',
  'overloaded times=1',
  'overloaded times=4',
  'internal',
  'internal times=1',
  'html',
  'error-in-200',
  'status code=520 body=html',
  'status code=503 body=empty retry=1 times=2',
  'status code=429 body=json date=1 times=1',
  'status code=524',
  'status code=408',
  'model-gone',
  'bad-key',
  'redirect',
  'empty',
  'reset',
  'hang',
  'stall',
  'stall at=0.98',
  'trickle bytes=200000 ms=100',
  'refused',
  'blocked-prompt',
  'no-image',
  'moderated',
  'text-only',
  'cut',
  'cut at=0.99',
  'slow ms=1500',
  'slow ms=2500',
  'lone-thought',
  'thoughts',
  'drafts',
  'storyboard',
  'mime-first',
  'data-first',
  'escaped',
  'mislabelled',
  'tiny',
  'big bytes=7000000',
  'url-answer',
]

/** What befalls the calls of each provider by chance. A quota of the day closes its gate for most of a minute, so it meets
 *  one model alone, by prompt. */
export const STANDING = {
  apiyi: [
    { fault: 'rate-limited', probability: 0.06, parameters: { retry: '0.3' } },
    { fault: 'overloaded', probability: 0.04 },
    { fault: 'refused', probability: 0.02 },
    { fault: 'cut', probability: 0.02 },
  ],
  google: [
    { fault: 'internal', probability: 0.05 },
    { fault: 'rate-limited', probability: 0.04, parameters: { retry: '0.5' } },
    { fault: 'no-image', probability: 0.02 },
    { fault: 'reset', probability: 0.02 },
  ],
  tokaify: [
    { fault: 'html', probability: 0.05 },
    { fault: 'slow', probability: 0.1, parameters: { ms: '900' } },
  ],
} as const

/** Draws `count` wishes, one every `everyMs` on average; about a fifth of them are lines of batches. `reference` is the
 *  digest of an image that is stored. */
export function demandOf(chance: Chance, count: number, everyMs: number, reference: string): Demand {
  const wishes: Wish[] = []
  const batches: BatchWish[] = []
  const lasts = count * everyMs
  const request = (words: string, isPriced: boolean) => {
    const way = chance.share(0.1) ? QUOTA : chance.pick(isPriced ? WAYS : [...WAYS, ...UNPRICED])
    const fault = way === QUOTA && chance.share(0.2) ? 'daily-quota' : chance.pick(FAULTS)
    // Pro makes no small ones.
    const others = FALLBACKS.filter(({ model }) => way.size !== '512' || model === 'nano-banana-2')
    return {
      ...way,
      prompt: fault ? `[[fault:${fault}]] ${words}` : words,
      ...(chance.share(0.3) ? { fallback: [chance.pick(others)] } : {}),
      ...(chance.share(0.1) && !isPriced ? { references: [{ sha256: reference }] } : {}),
      ...(chance.share(0.2) ? { webhook: `${RECEIVER}${words.replaceAll(' ', '-')}` } : {}),
      ...(chance.share(0.05) ? { deadline: chance.whole(1, 4) } : {}),
    }
  }
  const alone = Math.floor(count * 0.8)
  for (let index = 0; index < alone; index++) {
    const words = `wish ${index}`
    const isKeyed = chance.share(0.8)
    const who = chance.share(0.5) ? 0 : chance.whole(1, WHO.length - 1)
    wishes.push({
      words,
      request: request(words, 'budget' in WHO[who]!),
      ...(isKeyed ? { key: `key-${index}` } : {}),
      who,
      startsAt: chance.whole(0, lasts),
      twins: isKeyed && chance.share(0.2) ? chance.whole(2, 4) : 1,
      waitS: chance.pick([0, 0, 1, 5, 30]),
      ...(chance.share(0.25) ? { leavesAfterMs: chance.whole(0, 1_500) } : {}),
      ...(chance.share(0.08) ? { cancelledAfterMs: chance.whole(0, 1_000) } : {}),
    })
  }
  const LINES = 12
  for (let number = 0; number < Math.ceil((count - alone) / LINES); number++) {
    const who = number % 4 === 3 ? 2 : 0
    const lines = Array.from({ length: LINES }, (_, line) => {
      const words = `batch ${number} line ${line}`
      const drawn = request(words, who !== 0)
      const isMadeFrom = line > 0 && who === 0 && chance.share(0.15)
      return {
        ...drawn,
        key: words.replaceAll(' ', '-'),
        ...(isMadeFrom ? { references: [{ key: `batch-${number}-line-0` }] } : {}),
      }
    })
    // Some lines are what somebody else asks for too, by the same key.
    const shared = wishes.filter((wish) => wish.key !== undefined && wish.who === who)
    for (const wish of shared.length > 0 ? [chance.pick(shared), chance.pick(shared)] : [])
      if (!lines.some(({ key }) => key === wish.key))
        lines.push({ ...wish.request, key: wish.key! } as (typeof lines)[0])
    batches.push({
      key: `batch-${number}`,
      who,
      startsAt: chance.whole(0, lasts * 0.6),
      lines,
      ...(number % 3 === 2 ? { cancelledAfterMs: chance.whole(500, 4_000) } : {}),
      ...(chance.share(0.5) ? { webhook: `${RECEIVER}batch-${number}` } : {}),
    })
  }
  return { wishes, batches }
}

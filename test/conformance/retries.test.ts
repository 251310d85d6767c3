// Clients repeat by themselves, and none of them may buy twice by it (DESIGN.md section 4, retry shield). Rows are answers
// of a provider, columns are clients with their own retries on. Counted are the requests that the client sent, the calls
// that the provider was sent, and what it charged: where the client repeats and the provider is called once, the shield
// has held.

import { createGoogle } from '@ai-sdk/google'
import { createOpenAI } from '@ai-sdk/openai'
import * as current from '@google/genai'
import { generateImage, generateText } from 'ai'
import * as one from 'google-genai-1'
import * as two from 'google-genai-2'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { MODEL, openShop, prompt, type Shop, startTape } from './client.ts'

let shop: Shop
let front: Awaited<ReturnType<typeof startTape>>
beforeAll(async () => {
  shop = await openShop()
  front = await startTape()
  front.forwardTo(shop.url)
}, 60_000)
afterAll(async () => {
  await front?.close()
  await shop?.close()
}, 60_000)

/** Asks for a picture and says whether one came. Rejects with the client's error. */
type Ask = (words: string, provider: 'google' | 'apiyi') => Promise<boolean>

type GenAI = typeof current.GoogleGenAI
type RetryOptions = { attempts: number; initialDelay?: number; maxDelay?: number; jitter?: number }

function genai(GoogleGenAI: unknown, retryOptions?: RetryOptions): Ask {
  return async (words, provider) => {
    const httpOptions = { baseUrl: front.url, ...(retryOptions ? { retryOptions } : {}) }
    const client = new (GoogleGenAI as GenAI)({ apiKey: shop.token, httpOptions })
    const model = `${provider}/${MODEL}`
    const response = await client.models.generateContent({ model, contents: words, config: SMALL })
    return response.data !== undefined
  }
}

const SMALL = { imageConfig: { imageSize: '512' as const } }
const QUICK = { initialDelay: 0.05, maxDelay: 0.1, jitter: 0 }

/** `generateImage` repeats an answer without a picture as well; it takes no name with a provider in it. */
const aiGoogle: Ask = async (words, provider) => {
  const google = createGoogle({ baseURL: `${front.url}/v1beta`, apiKey: shop.token })
  const providerOptions = { google: SMALL }
  if (provider === 'google')
    return (
      (await generateImage({ model: google.image(MODEL), prompt: words, providerOptions })).images.length > 0
    )
  const model = google(`models/${provider}/${MODEL}`)
  return (await generateText({ model, prompt: words, providerOptions })).files.length > 0
}

const openaiImages: Ask = async (words, provider) => {
  const answer = await openai().images.generate({
    model: `${provider}/${MODEL}`,
    prompt: words,
    quality: 'low',
  })
  return answer.data!.length > 0
}

const openaiChat: Ask = async (words, provider) => {
  const messages = [{ role: 'user' as const, content: words }]
  const answer = await openai().chat.completions.create({ model: `${provider}/${MODEL}`, messages })
  return answer.choices[0]!.message.content?.includes('![image]') ?? false
}

const aiOpenai: Ask = async (words, provider) => {
  const { image } = createOpenAI({ baseURL: `${front.url}/openai/v1`, apiKey: shop.token })
  const providerOptions = { openai: { quality: 'low' } }
  const model = image(`${provider}/${MODEL}`)
  return (await generateImage({ model, prompt: words, providerOptions })).images.length > 0
}

const openai = (timeout?: number) =>
  new OpenAI({
    baseURL: `${front.url}/openai/v1`,
    apiKey: shop.token,
    ...(timeout === undefined ? {} : { timeout }),
  })

const CLIENTS = {
  '@google/genai 3.x': genai(current.GoogleGenAI),
  '@google/genai 3.x, 5 attempts': genai(current.GoogleGenAI, { attempts: 5, ...QUICK }),
  '@google/genai 2.x, 5 attempts': genai(two.GoogleGenAI, { attempts: 5, ...QUICK }),
  '@google/genai 1.x, 2 attempts': genai(one.GoogleGenAI, { attempts: 2 }),
  '@ai-sdk/google': aiGoogle,
  'openai images': openaiImages,
  'openai chat': openaiChat,
  '@ai-sdk/openai': aiOpenai,
} satisfies Record<string, Ask>

type Counts = {
  picture: boolean
  /** Requests of the client, calls to the provider, charges of the provider. */
  asked: number
  calls: number
  charges: number
}

const picture = (asked: number, calls: number): Counts => ({ picture: true, asked, calls, charges: 1 })
const paid = (asked: number): Counts => ({ picture: false, asked, calls: 1, charges: 1 })
const free = (asked: number, calls: number): Counts => ({ picture: false, asked, calls, charges: 0 })

/** In the order of CLIENTS. */
type Row = [answer: string, marker: string, provider: 'google' | 'apiyi', counts: Counts[]]

const once = (counts: Counts) => Array.from({ length: 8 }, () => counts)

/** Answers that a client without knowledge repeats: 500 for those of whom nobody knows whether they were charged. */
const doubtful = [paid(1), paid(5), paid(5), paid(2), paid(3), paid(1), paid(1), paid(3)]

const ROWS: Row[] = [
  // The worker waits by itself, the client sees nothing of it.
  ['429 for a moment', '[[fault:rate-limited times=1 retry=0.2]]', 'google', once(picture(1, 2))],
  ['503 for a moment', '[[fault:overloaded times=1]]', 'apiyi', once(picture(1, 2))],
  // Free at Google: the worker tries three times, then the client's next request has the rest of them.
  [
    '500 at Google',
    '[[fault:internal times=4]]',
    'google',
    [
      free(1, 3),
      picture(2, 5),
      picture(2, 5),
      picture(2, 5),
      picture(2, 5),
      free(1, 3),
      free(1, 3),
      picture(2, 5),
    ],
  ],
  ['500 at a relay that charged it', '[[fault:internal charged=yes]]', 'apiyi', doubtful],
  ["a front end's 502", '[[fault:html]]', 'google', doubtful],
  ['a body that breaks off', '[[fault:cut]]', 'google', doubtful],
  ['a connection that breaks', '[[fault:reset]]', 'apiyi', doubtful],
  // A 200, and charged as one: only the AI SDK repeats it.
  ['words instead of a picture', '[[fault:text-only]]', 'google', with_(once(paid(1)), { 4: paid(3) })],
  ['NO_IMAGE', '[[fault:no-image]]', 'google', with_(once(paid(1)), { 4: paid(3) })],
  ['a refusal', '[[fault:refused]]', 'google', once(paid(1))],
  ['a blocked prompt', '[[fault:blocked-prompt]]', 'google', once(paid(1))],
]

function with_(counts: Counts[], changes: Record<number, Counts>): Counts[] {
  return counts.map((each, index) => changes[index] ?? each)
}

async function countsOf(words: string, asking: Promise<boolean>): Promise<Counts> {
  const picture = await asking.catch(() => false)
  const asked = front.requests.filter(({ body }) => body.includes(words)).length
  return { picture, asked, calls: shop.calls(words).length, charges: shop.charges(words).length }
}

// All begin at once: most of their time is the clients' own waiting between two tries.
const begun = new Map<string, Promise<Counts>>()
beforeAll(() => {
  for (const [answer, marker, provider] of ROWS)
    for (const [client, ask] of Object.entries(CLIENTS)) {
      const words = prompt(`${marker} a red bicycle`)
      begun.set(`${answer} ${client}`, countsOf(words, ask(words, provider)))
    }
})

describe.for(ROWS)('%s', ([answer, , , counts]) => {
  test.for(Object.keys(CLIENTS).map((client, index) => [client, counts[index]!] as const))(
    'is bought at most once by %s',
    async ([client, expected]) => expect(await begun.get(`${answer} ${client}`)).toEqual(expected),
  )
})

describe.concurrent('a client that gives up waiting and asks again', () => {
  // Longer than two waits of a client, so that it is the last of three tries that gets the picture, with time to spare.
  const SLOW = '[[fault:slow ms=3500]] a slow train'
  const WAIT_MS = 1_500

  test.for([
    [
      'images',
      (words: string) => openai(WAIT_MS).images.generate({ model: MODEL, prompt: words, quality: 'low' }),
    ],
    [
      'chat',
      (words: string) =>
        openai(WAIT_MS).chat.completions.create({
          model: MODEL,
          messages: [{ role: 'user', content: words }],
        }),
    ],
  ] as const)('openai %s: gets the one picture that was bought', async ([, ask]) => {
    const words = prompt(SLOW)
    await ask(words)
    const asked = front.requests.filter(({ body }) => body.includes(words))
    expect(asked.length).toBeGreaterThan(1)
    expect(shop.calls(words)).toHaveLength(1)
  })

  test.for([
    ['3.x', current.GoogleGenAI, 'with', { 'idempotency-key': prompt('key').replaceAll(' ', '-') }],
    ['2.x', two.GoogleGenAI, 'with', { 'idempotency-key': prompt('key').replaceAll(' ', '-') }],
    ['3.x', current.GoogleGenAI, 'without', {}],
    ['2.x', two.GoogleGenAI, 'without', {}],
  ] as unknown as [string, GenAI, string, Record<string, string>][])(
    '@google/genai $0: gets the one picture that was bought, $2 an idempotency key',
    async ([, GoogleGenAI, , headers]) => {
      const words = prompt(SLOW)
      const retryOptions = { attempts: 5, ...QUICK }
      const httpOptions = { baseUrl: front.url, timeout: WAIT_MS, retryOptions, headers }
      const client = new GoogleGenAI({ apiKey: shop.token, httpOptions })
      const response = await client.models.generateContent({ model: MODEL, contents: words, config: SMALL })
      expect(response.data).toMatch(/./)
      expect(front.requests.filter(({ body }) => body.includes(words)).length).toBeGreaterThan(1)
      expect(shop.calls(words)).toHaveLength(1)
    },
  )
})

test('a repeat that asks for a new purchase gets one', async () => {
  const words = prompt('[[fault:text-only times=1]] a red bicycle')
  const client = new current.GoogleGenAI({ apiKey: shop.token, httpOptions: { baseUrl: front.url } })
  const ask = (headers: Record<string, string>) =>
    client.models.generateContent({
      model: MODEL,
      contents: words,
      config: { ...SMALL, httpOptions: { headers } },
    })
  expect((await ask({})).data).toBeUndefined()
  const again = await ask({})
  expect(again.sdkHttpResponse?.headers?.['idempotent-replayed']).toBe('true')
  expect(shop.calls(words)).toHaveLength(1)
  expect((await ask({ 'x-proofsheet-shield': 'off' })).data).toMatch(/./)
  expect(shop.charges(words)).toHaveLength(2)
})

// Last of all: nothing else is sent to this provider afterwards.
test('a quota of the day is met by one call, whatever clients repeat, and none of them is charged', async () => {
  await Promise.all(begun.values())
  const counts: Counts[] = []
  for (const ask of Object.values(CLIENTS)) {
    const words = prompt('[[fault:daily-quota]] a red bicycle')
    counts.push(await countsOf(words, ask(words, 'google')))
  }
  expect(counts).toEqual([free(1, 1), ...[5, 5, 2, 3, 1, 1, 3].map((asked) => free(asked, 0))])
})

// What is tried instead: the request's own list, for its own reasons, and never when the money may be gone unseen.
import { afterEach, expect, test, vi } from 'vitest'
import { callsOf, chargesOf, make, prompt } from './setup/ask.ts'
import { freshRelay } from './setup/relay.ts'

afterEach(() => vi.restoreAllMocks())

/** The calls to this provider lose their fault markers: they go well. */
function mend(provider: string): void {
  const platformFetch = globalThis.fetch
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
    if (!String(input).includes(`/${provider}/`)) return platformFetch(input, init)
    const body = await new Response(init!.body).text()
    return platformFetch(input, { ...init, body: body.replace(/\[\[fault:[^\]]*\]\] /g, '') })
  })
}

const google = (...on: string[]) => ({ model: 'nano-banana-2', provider: 'google', on })
const providersOf = (calls: readonly { provider: string }[]) => calls.map((call) => call.provider)

test('an unavailable provider is followed by the second one, which is then the one that made it', async () => {
  const words = prompt()
  const view = await make({
    prompt: words,
    provider: 'locked',
    fallback: [{ model: 'nano-banana-pro', provider: 'apiyi', on: ['unavailable'] }],
    size: '1K',
  })
  expect(view).toMatchObject({ status: 'succeeded', provider: 'apiyi', model: 'gemini-3-pro-image' })
  expect(view.attempts).toMatchObject([
    { provider: 'locked', model: 'gemini-3.1-flash-image', outcome: 'unauthorised', charged: 'no', cost: 0 },
    { provider: 'apiyi', model: 'gemini-3-pro-image', outcome: 'succeeded', charged: 'yes', cost: 0.09 },
  ])
  expect(view.cost).toMatchObject({ estimated: 0.03, atMost: 0.09, actual: 0.09, difference: 0.06 })
  expect(await callsOf(words)).toMatchObject([{ provider: 'apiyi', model: 'gemini-3-pro-image-preview' }])
})

test.for([
  ['daily-quota', 'unavailable', 'no'],
  ['model-gone', 'unavailable', 'no'],
  ['bad-key', 'unavailable', 'no'],
  ['status code=402', 'unavailable', 'no'],
  ['status code=413', 'failed', 'no'],
  ['refused', 'refused', 'yes'],
  ['moderated', 'refused', 'yes'],
  ['text-only', 'no_image', 'yes'],
] as const)('%s is followed by a fallback on %s', async ([fault, reason, charged]) => {
  mend('google')
  const words = prompt()
  // What is charged is known at APIYI; what a quota leaves behind at the gate shall not meet other tests.
  const provider = fault === 'daily-quota' ? freshRelay() : 'apiyi'
  const view = await make({ prompt: `[[fault:${fault}]] ${words}`, provider, fallback: [google(reason)] })
  expect(view).toMatchObject({ status: 'succeeded', provider: 'google', error: null })
  expect(view.attempts).toMatchObject([{ charged }, { outcome: 'succeeded', charged: 'yes' }])
  const spent = view.attempts.reduce((sum, attempt) => sum + attempt.cost!, 0)
  expect(view.cost.actual).toBeCloseTo(spent, 9)
  expect(providersOf(await callsOf(words))).toEqual([provider, 'google'])
  expect(await chargesOf(words)).toHaveLength(charged === 'yes' ? 2 : 1)
})

test.for([
  ['text-only', ['unavailable', 'refused', 'failed'], 'failed'],
  ['refused', ['unavailable', 'no_image', 'failed'], 'refused'],
  ['daily-quota', ['no_image', 'refused', 'failed'], 'failed'],
] as const)('%s is not followed by a fallback on %s alone', async ([fault, reasons, status]) => {
  mend('google')
  const words = prompt()
  const provider = fault === 'daily-quota' ? freshRelay() : 'apiyi'
  const view = await make({ prompt: `[[fault:${fault}]] ${words}`, provider, fallback: [google(...reasons)] })
  expect(view).toMatchObject({ status, provider })
  expect(providersOf(await callsOf(words))).toEqual([provider])
})

/** What ends with nobody knowing whether the call was carried out. */
const UNSEEN = [
  'cut',
  'reset',
  'html',
  'internal',
  'error-in-200',
  'empty',
  'redirect',
  'tiny',
  'status code=408',
  'status code=504',
  'status code=520',
  'status code=521',
  'status code=524',
]

test.for(UNSEEN)('nothing follows an attempt that may have been paid unseen: %s', async (fault) => {
  mend('google')
  const words = prompt()
  const fallback = [google('unavailable', 'no_image', 'refused', 'failed')]
  const view = await make({ prompt: `[[fault:${fault}]] ${words}`, fallback })
  expect(view).toMatchObject({ status: 'uncertain', provider: 'apiyi' })
  expect(providersOf(await callsOf(words))).toEqual(['apiyi'])
})

test.for(UNSEEN)('a caller who says so goes on after it, and is told of both: %s', async (fault) => {
  mend('google')
  const words = prompt()
  const view = await make({ prompt: `[[fault:${fault}]] ${words}`, fallback: [google('uncertain')] })
  expect(view).toMatchObject({ status: 'succeeded', provider: 'google', cost: { actual: null } })
  expect(view.attempts).toMatchObject([
    { provider: 'apiyi', charged: 'unknown', cost: null },
    { provider: 'google', charged: 'yes' },
  ])
  expect(providersOf(await callsOf(words))).toEqual(['apiyi', 'google'])
})

test('a chain goes on from where it stands and skips what does not apply', async () => {
  mend('google')
  const words = prompt()
  const view = await make({
    prompt: `[[fault:text-only]] ${words}`,
    provider: 'locked',
    fallback: [
      { model: 'nano-banana-2', provider: 'silent', on: ['no_image'] },
      { model: 'nano-banana-2', provider: 'apiyi', on: ['unavailable'] },
      google('no_image'),
    ],
  })
  expect(view.status).toBe('succeeded')
  expect(view.attempts.map((attempt) => [attempt.provider, attempt.outcome])).toEqual([
    ['locked', 'unauthorised'],
    ['apiyi', 'no_image'],
    ['google', 'succeeded'],
  ])
})

test('a fallback equal to the request’s own provider and model is no other way', async () => {
  const words = prompt()
  const fallback = [{ model: 'gemini-3.1-flash-image-preview', provider: 'apiyi', on: ['no_image'] }]
  const view = await make({ prompt: `[[fault:text-only]] ${words}`, fallback })
  expect(view.attempts).toHaveLength(1)
  expect(view.cost.atMost).toBe(0.055)
  expect(await callsOf(words)).toHaveLength(1)
})

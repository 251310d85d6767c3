// One line per request and one per attempt, and never a prompt, a key, a token or bytes.
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ask, askAs, logged, make, post, problemOf, prompt } from './setup/ask.ts'
import { env } from './setup/bindings.ts'
import { PNG } from './setup/pictures.ts'

let lines: string[] = []

beforeEach(() => {
  lines = []
  logged.length = 0
  for (const method of ['log', 'info', 'warn', 'error', 'debug'] as const)
    vi.spyOn(console, method).mockImplementation((...values) => void lines.push(values.map(String).join(' ')))
})
afterEach(() => vi.restoreAllMocks())

test('a request is one line', async () => {
  await ask('/api/models?key=secret')
  expect(logged).toEqual([
    {
      event: 'request',
      requestId: expect.any(String),
      method: 'GET',
      path: '/api/models',
      status: 200,
      ms: expect.any(Number),
    },
  ])
})

test('a refused request is a line with its status', async () => {
  await askAs('/api/models')
  expect(logged).toMatchObject([{ event: 'request', status: 401 }])
})

test('an attempt is one line of JSON', async () => {
  const view = await make({ prompt: prompt() })
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    {
      event: 'attempt',
      generation: view.id,
      attempt: 1,
      provider: 'apiyi',
      model: 'gemini-3.1-flash-image',
      outcome: 'succeeded',
      charged: 'yes',
      costMicroUsd: 55_000,
      bytes: view.image!.bytes,
      ms: expect.any(Number),
    },
  ])
})

test.for([
  ['a picture', ''],
  ['a refusal', '[[fault:refused]]'],
  ['an answer in words', '[[fault:text-only]]'],
  ['a lost connection', '[[fault:reset]]'],
  ['an error page', '[[fault:html]]'],
] as const)('%s leaves no prompt, key, token, name of a picture or bytes in the log', async ([, fault]) => {
  const words = prompt('a very private bicycle')
  const data = PNG.toBase64()
  const key = crypto.randomUUID()
  const view = await make(
    {
      prompt: `${fault} ${words}`,
      system: 'a private system text',
      metadata: { note: 'a private note' },
      references: [{ data, mimeType: 'image/png' }],
    },
    { 'idempotency-key': key },
  )
  if (view.image) await askAs(new URL(view.image.url).pathname)
  await ask(`/api/generations/${view.id}?key=${env.ADMIN_TOKEN}`)
  await post({ prompt: words, promt: words })
  const everything = [...lines, ...logged.map((line) => JSON.stringify(line))].join('\n')
  expect(everything).toContain('"event":"attempt"')
  const image = view.image ? new URL(view.image.url).pathname.slice('/images/'.length) : 'a private picture'
  const secrets = [words, 'private', key, env.ADMIN_TOKEN, 'apiyi-key', data.slice(0, 20), image]
  for (const secret of secrets) expect(everything).not.toContain(secret)
})

test('a bug is logged with the id of its request, and not told to the caller', async () => {
  const BUCKET = {
    head() {
      throw new Error('R2 said something internal')
    },
  }
  const response = await ask(`/api/references/${'0'.repeat(64)}`, { method: 'HEAD' }, { BUCKET })
  expect(response.status).toBe(500)
  const requestId = response.headers.get('x-request-id')
  expect(await response.text()).not.toContain('R2 said')
  expect(logged).toMatchObject([
    { event: 'bug', requestId, error: expect.stringContaining('R2 said something internal') },
    { event: 'request', requestId, status: 500 },
  ])
})

test('only where something may have been accepted does a bug leave open whether it was charged', async () => {
  const BUCKET = {
    head() {
      throw new Error('R2 is confused')
    },
    get() {
      throw new Error('R2 is confused')
    },
  }
  const sha256 = '0'.repeat(64)
  const buying = await post({ prompt: prompt(), references: [{ sha256 }] }, {}, { BUCKET })
  expect(await problemOf(buying)).toMatchObject({ code: 'internal', charged: 'unknown' })
  const reading = await ask(`/api/references/${sha256}`, {}, { BUCKET })
  expect(await problemOf(reading)).toMatchObject({ code: 'internal', charged: 'no' })
})

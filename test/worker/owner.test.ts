// Who calls a provider (promises 1 and 7): the Generation object alone, once for a key, whoever asks and leaves.
import { exports } from 'cloudflare:workers'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { ask, callsOf, chargesOf, make, post, prompt } from './setup/ask.ts'
import { env } from './setup/bindings.ts'
import { alarmOf } from './setup/objects.ts'

afterEach(() => vi.restoreAllMocks())

test('twenty requests at once with one key are one provider call and twenty equal answers', async () => {
  const asked = { prompt: `[[fault:slow ms=300]] ${prompt()}` }
  const key = crypto.randomUUID()
  const responses = await Promise.all(
    Array.from({ length: 20 }, () => post(asked, { 'idempotency-key': key })),
  )
  const views = await Promise.all(responses.map((response) => response.json()))
  expect(responses.map((response) => response.status)).toEqual(Array(20).fill(201))
  expect(new Set(views.map((view) => JSON.stringify(view))).size).toBe(1)
  expect(views[0]).toMatchObject({ status: 'succeeded' })
  const replayed = responses.filter((response) => response.headers.get('idempotent-replayed') === 'true')
  expect(replayed).toHaveLength(19)
  expect(await callsOf(asked.prompt)).toHaveLength(1)
  expect(await chargesOf(asked.prompt)).toHaveLength(1)
})

// What is written while the call is open would cut it when the platform shuts the object down.
test('a request that is repeated while the provider works sets no alarm', async () => {
  const asked = { prompt: `[[fault:slow ms=600]] ${prompt()}` }
  const key = { 'idempotency-key': crypto.randomUUID() }
  const first = await post(asked, { ...key, prefer: 'respond-async' })
  const { id } = (await first.json()) as { id: string }
  await vi.waitFor(async () => expect(await callsOf(asked.prompt)).toHaveLength(1))
  const again = await post(asked, { ...key, prefer: 'respond-async' })
  expect(again.headers.get('idempotent-replayed')).toBe('true')
  expect(await alarmOf(id)).toBeNull()
  expect(await make(asked, key)).toMatchObject({ id, status: 'succeeded' })
})

// Local workerd does not cancel the handler of a client that left: this shows that nothing of ours does it either.
test('a client that leaves does not stop its picture', async () => {
  const words = `[[fault:slow ms=400]] ${prompt()}`
  const headers = { authorization: `Bearer ${env.ADMIN_TOKEN}`, 'idempotency-key': crypto.randomUUID() }
  const body = JSON.stringify({ model: 'nano-banana-2', provider: 'apiyi', size: '512', prompt: words })
  const leaving = new AbortController()
  const worker = (exports as unknown as { default: Fetcher }).default
  const request = worker.fetch('https://proofsheet.test/api/generations', {
    method: 'POST',
    headers,
    body,
    signal: leaving.signal,
  })
  const left = expect(request).rejects.toThrow()
  await vi.waitFor(async () => expect(await callsOf(words)).toHaveLength(1))
  leaving.abort()
  await left
  const again = await make({ prompt: words }, { 'idempotency-key': headers['idempotency-key'] })
  expect(again.status).toBe('succeeded')
  expect(await callsOf(words)).toMatchObject([{ outcome: 'slow', status: 200 }])
  expect(await chargesOf(words)).toMatchObject([{ delivered: true }])
})

describe('the HTTP side calls no provider', () => {
  test('it fetches nothing while it makes, reads, lists and prices', async () => {
    const fetched = vi.spyOn(globalThis, 'fetch')
    // An object that never begins: what is fetched now, the HTTP side fetches.
    const GENERATION = {
      idFromName: (name: string) => name,
      get: () => ({
        ensure: (wish: object) => ({
          kind: 'created',
          record: { ...wish, status: 'queued', attempts: [], createdAt: 0 },
        }),
        read: () => undefined,
        wait: () => undefined,
      }),
    }
    const response = await post({ prompt: prompt() }, {}, { GENERATION })
    expect(response.status).toBe(202)
    await ask('/api/generations/gen_00000000000000000000000000?wait=1', {}, { GENERATION })
    await ask('/api/generations', {}, { GENERATION })
    await ask('/api/models', {}, { GENERATION })
    const body = JSON.stringify({ model: 'nano-banana-2', prompt: 'x' })
    await ask('/api/estimate', { method: 'POST', body }, { GENERATION })
    expect(fetched).not.toHaveBeenCalled()
  })

  const sources = import.meta.glob<string>('../../worker/**/*.ts', {
    query: '?raw',
    import: 'default',
    eager: true,
  })
  const filesWith = (pattern: RegExp) =>
    Object.entries(sources).flatMap(([path, source]) =>
      pattern.test(source.replace(/^\s*(\/\/|\*|\/\*).*$/gm, '')) ? [path.replace('../../worker/', '')] : [],
    )

  test('only the attempt builds a provider’s call', () => {
    expect(filesWith(/import \{[^}]*\bcallOf\b/)).toEqual(['generation/attempt.ts'])
    expect(filesWith(/import \{[^}]*\battempt\b[^}]*\} from '\.\/attempt\.ts'/)).toEqual([
      'generation/object.ts',
    ])
  })

  test('the platform’s fetch is named by the objects that call providers and webhooks, and where references are fetched', () => {
    expect(filesWith(/(?<![.\w#])fetch\(/)).toEqual(
      expect.arrayContaining(['generation/object.ts', 'generation/ask.ts']),
    )
    expect(filesWith(/=> fetch\(/)).toEqual([
      'batches/object.ts',
      'generation/ask.ts',
      'generation/object.ts',
    ])
  })
})

// The object dies at every step of its alarm (promises 1 and 2). `abortAllDurableObjects` cuts what runs, as a deploy or a
// runtime update does; what is stored stays.
import { abortAllDurableObjects } from 'cloudflare:test'
import { expect, test, vi } from 'vitest'
import type { GenerationView } from '../../core/api.ts'
import { writeCommit } from '../../worker/generation/commit.ts'
import { generationId } from '../../worker/generation/name.ts'
import type { Attempt } from '../../worker/generation/record.ts'
import { ask, callsOf, chargesOf, make, post, prompt } from './setup/ask.ts'
import { env } from './setup/bindings.ts'
import { plant, recordOf, wake, wish } from './setup/objects.ts'
import { freshRelay } from './setup/relay.ts'

const viewOf = async (id: string) =>
  (await (await ask(`/api/generations/${id}?wait=20`)).json()) as GenerationView

const open = (number = 1): Attempt => ({
  number,
  route: 0,
  startedAt: Date.now(),
  pictureName: 'crashcrashcrashcrashcrash0',
})

const ORPHAN = {
  status: 'uncertain',
  image: null,
  cost: { actual: null, difference: null },
  error: {
    code: 'orphaned',
    message: 'the worker stopped between sending the request and storing the answer',
  },
}

const newId = (key: string) => generationId('default', key)

test('after it was asked for and before anything was sent: the picture is made, once', async () => {
  const key = crypto.randomUUID()
  const words = prompt()
  await plant(wish(newId(key), { prompt: words }))
  await abortAllDurableObjects()
  await wake(newId(key))
  expect(await viewOf(newId(key))).toMatchObject({ status: 'succeeded', cost: { actual: 0.055 } })
  expect(await callsOf(words)).toHaveLength(1)
})

test('after the dispatch was written and before it was sent: nobody can know, so nothing is sent', async () => {
  const key = crypto.randomUUID()
  const words = prompt()
  await plant(wish(newId(key), { prompt: words }), [open()])
  await abortAllDurableObjects()
  await wake(newId(key))
  const view = await viewOf(newId(key))
  expect(view).toMatchObject(ORPHAN)
  expect(view.attempts).toMatchObject([{ outcome: 'orphaned', charged: 'unknown', cost: null }])
  expect(await callsOf(words)).toEqual([])
})

test.for([
  ['while the provider works', '[[fault:hang]]'],
  ['while the provider is slow', '[[fault:slow ms=60000]]'],
] as const)('%s: it ends uncertain and is never asked for again', async ([, fault]) => {
  const key = { 'idempotency-key': crypto.randomUUID() }
  const asked = { prompt: `${fault} ${prompt()}` }
  const response = await post(asked, { ...key, prefer: 'respond-async' })
  const { id } = (await response.json()) as GenerationView
  await vi.waitFor(async () => expect(await callsOf(asked.prompt)).toHaveLength(1))
  expect(await recordOf(id)).toMatchObject({ status: 'running' })
  await abortAllDurableObjects()
  const view = await viewOf(id)
  expect(view).toMatchObject(ORPHAN)
  expect(view.attempts).toMatchObject([{ outcome: 'orphaned', charged: 'unknown', cost: null }])

  const again = await post(asked, key)
  expect(again.headers.get('idempotent-replayed')).toBe('true')
  expect(await again.json()).toEqual(view)
  await abortAllDurableObjects()
  expect(await make(asked, key)).toEqual(view)
  expect(await callsOf(asked.prompt)).toHaveLength(1)
  expect(await chargesOf(asked.prompt)).toMatchObject([{ delivered: false }])
})

test('while the picture arrives: it ends uncertain after one call', async () => {
  const asked = { prompt: `[[fault:big bytes=60000000]] ${prompt()}` }
  const response = await post(asked, { prefer: 'respond-async' })
  const { id } = (await response.json()) as GenerationView
  await vi.waitFor(async () => expect(await callsOf(asked.prompt)).toMatchObject([{ status: 200 }]), {
    timeout: 10_000,
    interval: 20,
  })
  await abortAllDurableObjects()
  expect(await viewOf(id)).toMatchObject(ORPHAN)
  expect(await callsOf(asked.prompt)).toHaveLength(1)
})

test('after the picture and its commit record were stored: it is adopted, without another call', async () => {
  // What a finished attempt leaves behind, under the name of one whose object has not heard of it.
  const made = await make({ prompt: prompt() })
  const { ending } = (await recordOf(made.id)).attempts[0]!
  const key = crypto.randomUUID()
  const words = prompt()
  await plant(wish(newId(key), { prompt: words }), [open()])
  await writeCommit(env.BUCKET, newId(key), 1, ending!)
  await abortAllDurableObjects()
  await wake(newId(key))
  const view = await viewOf(newId(key))
  expect(view).toMatchObject({
    status: 'succeeded',
    image: made.image,
    cost: { actual: 0.055 },
    usage: made.usage,
    finishReason: 'STOP',
    error: null,
  })
  expect(view.attempts).toMatchObject([{ outcome: 'succeeded', charged: 'yes', cost: 0.055 }])
  expect(await callsOf(words)).toEqual([])
})

test('the record of an earlier attempt is not taken for the one that was cut', async () => {
  const refused = await make({ prompt: `[[fault:daily-quota]] ${prompt()}`, provider: freshRelay() })
  const { ending } = (await recordOf(refused.id)).attempts[0]!
  const key = crypto.randomUUID()
  const words = prompt()
  await plant(wish(newId(key), { prompt: words }), [{ ...open(1), ending: ending! }, open(2)])
  await writeCommit(env.BUCKET, newId(key), 1, ending!)
  await wake(newId(key))
  expect(await viewOf(newId(key))).toMatchObject(ORPHAN)
  expect(await callsOf(words)).toEqual([])
})

test('after its end: nothing happens any more', async () => {
  const key = { 'idempotency-key': crypto.randomUUID() }
  const asked = { prompt: prompt() }
  const made = await make(asked, key)
  await abortAllDurableObjects()
  await wake(made.id)
  expect(await make(asked, key)).toEqual(made)
  expect(await callsOf(asked.prompt)).toHaveLength(1)
})

test('those who wait for a picture when its object dies are told to ask again, and find its end', async () => {
  const asked = { prompt: `[[fault:hang]] ${prompt()}` }
  const key = { 'idempotency-key': crypto.randomUUID() }
  const waiting = post(asked, key)
  await vi.waitFor(async () => expect(await callsOf(asked.prompt)).toHaveLength(1))
  await abortAllDurableObjects()
  const cut = await waiting
  expect(cut.status).toBe(202)
  expect(cut.headers.get('retry-after')).toBe('5')
  expect(await make(asked, key)).toMatchObject(ORPHAN)
  expect(await callsOf(asked.prompt)).toHaveLength(1)
})

test('after the picture was stored and before its commit record: it is shown, uncertain, and not asked for again', async () => {
  const key = crypto.randomUUID()
  const words = prompt()
  const attempt = { ...open(), pictureName: `stored${crypto.randomUUID().replaceAll('-', '').slice(0, 20)}` }
  const bytes = new TextEncoder().encode('the bytes of a picture')
  const stored = { httpMetadata: { contentType: 'image/png' } }
  await env.BUCKET.put(`pictures/${attempt.pictureName}.png`, bytes, stored)
  await env.BUCKET.put(`pictures/${attempt.pictureName}-1.png`, bytes, stored)
  await plant(wish(newId(key), { prompt: words }), [attempt])
  await abortAllDurableObjects()
  await wake(newId(key))
  const view = await viewOf(newId(key))
  expect(view).toMatchObject({ ...ORPHAN, image: { bytes: bytes.length, mimeType: 'image/png' } })
  expect(view.image!.url).toContain(`${attempt.pictureName}-1.png`)
  expect(view.moreImages.map(({ url }) => url)).toEqual([
    expect.stringContaining(`${attempt.pictureName}.png`),
  ])
  expect(await callsOf(words)).toEqual([])
})

test('a wish whose acceptance was lost on the way is handed over again, and carried out once', async () => {
  const asked = { prompt: prompt() }
  let lost = 0
  const objects = {
    idFromName: (name: string) => env.GENERATION.idFromName(name),
    get(id: DurableObjectId) {
      const stub = env.GENERATION.get(id)
      return {
        read: () => stub.read(),
        wait: (ms: number) => stub.wait(ms),
        async ensure(wanted: Parameters<typeof stub.ensure>[0]) {
          const ensured = await stub.ensure(wanted)
          if (lost++ === 0) throw new Error('Durable Object reset because its code was updated.')
          return ensured
        },
      }
    },
  }
  const response = await post(asked, {}, { GENERATION: objects })
  expect(response.status).toBe(201)
  expect(lost).toBe(2)
  expect(await callsOf(asked.prompt)).toHaveLength(1)
})

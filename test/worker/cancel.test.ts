// POST /api/generations/:id/cancel: while it is free, and refused otherwise with the reason.
import { expect, test } from 'vitest'
import type { GenerationView } from '../../core/api.ts'
import { GenerationSchema } from '../../core/api.ts'
import { generationId } from '../../worker/generation/name.ts'
import { ask, callsOf, chargesOf, make, post, problemOf, prompt } from './setup/ask.ts'
import { plant, recordOf, wake, wish } from './setup/objects.ts'

const cancel = (id: string, changes = {}) => ask(`/api/generations/${id}/cancel`, { method: 'POST' }, changes)

test('a queued generation is cancelled, costs nothing and is never sent', async () => {
  const asked = wish(generationId('default', prompt()), { prompt: prompt() })
  await plant(asked)
  const response = await cancel(asked.id)
  expect(response.status).toBe(200)
  const view = GenerationSchema.parse(await response.json())
  expect(view).toMatchObject({ id: asked.id, status: 'cancelled', attempts: [], cost: { actual: 0 } })
  expect(view.error?.code).toBe('cancelled')
  expect(await (await cancel(asked.id)).json()).toEqual(view)
  await wake(asked.id)
  expect((await recordOf(asked.id)).status).toBe('cancelled')
  expect(await callsOf(asked.request.prompt)).toEqual([])
})

test('one that was sent is not: it will be charged, and goes on', async () => {
  const asked = { prompt: `[[fault:slow ms=800]] ${prompt()}` }
  const key = { 'idempotency-key': crypto.randomUUID() }
  const first = await post(asked, { ...key, prefer: 'respond-async' })
  const { id } = (await first.json()) as GenerationView
  await expect.poll(() => callsOf(asked.prompt)).toHaveLength(1)
  const problem = await problemOf(await cancel(id))
  expect(problem).toMatchObject({ status: 409, code: 'not_cancellable' })
  expect(problem.detail).toBe('its call is with the provider already and will be charged')
  expect(await make(asked, key)).toMatchObject({ id, status: 'succeeded' })
  expect(await chargesOf(asked.prompt)).toHaveLength(1)
})

test('one that has ended is not', async () => {
  const made = await make({ prompt: prompt() })
  const problem = await problemOf(await cancel(made.id))
  expect(problem).toMatchObject({ status: 409, code: 'not_cancellable' })
  expect(problem.detail).toMatch(/ended/)
  expect(await (await ask(`/api/generations/${made.id}`)).json()).toEqual(made)
})

test('one that does not exist is not found', async () => {
  for (const id of ['gen_00000000000000000000000000', 'gen_x'])
    expect(await problemOf(await cancel(id))).toMatchObject({ status: 404, code: 'not_found' })
})

test('another workspace can not cancel it', async () => {
  const asked = wish(generationId('default', prompt()), { prompt: prompt() })
  await plant(asked)
  const emulated = {
    GOOGLE_API_KEY: '',
    APIYI_API_KEY: '',
    TOKAIFY_API_KEY: '',
    PROVIDERS: '',
    EMULATOR_URL: 'http://x',
  }
  expect(await problemOf(await cancel(asked.id, emulated))).toMatchObject({ status: 404, code: 'not_found' })
  expect((await recordOf(asked.id)).status).toBe('queued')
})

// PAUSED: nothing is sent, nothing is lost, and whoever looks is told why it waits.
import { runInDurableObject } from 'cloudflare:test'
import { afterEach, expect, test } from 'vitest'
import { generationId } from '../../worker/generation/name.ts'
import { viewOf } from '../../worker/generation/view.ts'
import { ask, askAs, callsOf, prompt } from './setup/ask.ts'
import { plant, recordOf, stub, wake, wish } from './setup/objects.ts'

const newId = () => generationId('default', crypto.randomUUID())

let restore = () => {}
afterEach(() => restore())

/** Sets PAUSED of a generation's object, until the end of the test. */
function pause(id: string, PAUSED: unknown): Promise<void> {
  return runInDurableObject(stub(id), (object) => {
    const { env } = object as unknown as { env: object }
    Object.assign(env, { PAUSED })
    restore = () => void Object.assign(env, { PAUSED: undefined })
  })
}

const seen = async (id: string) => viewOf(await recordOf(id), 'https://pictures.example', Date.now())

test.for<[unknown, boolean]>([
  ['true', true],
  ['True', true],
  ['TRUE', true],
  ['1', true],
  ['yes', true],
  ['on', true],
  [true, true],
  ['0', true],
  ['flase', true],
  ['false', false],
  ['False', false],
  [false, false],
  ['', false],
  [' ', false],
  [undefined, false],
])('PAUSED %j: paused is %s, in /healthz and before a call', async ([PAUSED, isPaused]) => {
  expect(await (await askAs('/healthz', {}, { PAUSED })).json()).toMatchObject({ ok: true, paused: isPaused })
  const id = newId()
  const words = prompt()
  await pause(id, PAUSED)
  await plant(wish(id, { prompt: words }))
  await wake(id)
  expect(await callsOf(words)).toHaveLength(isPaused ? 0 : 1)
  expect((await recordOf(id)).status).toBe(isPaused ? 'queued' : 'succeeded')
})

test('a generation says that it waits for the end of a pause, and no longer than that', async () => {
  const id = newId()
  await pause(id, 'true')
  await plant(wish(id, { prompt: prompt() }))
  expect(await (await ask(`/api/generations/${id}`)).json()).toMatchObject({ status: 'queued', paused: true })
  await pause(id, undefined)
  await wake(id)
  const view = await seen(id)
  expect(view).toMatchObject({ status: 'succeeded' })
  expect(view).not.toHaveProperty('paused')
})

test('a pause that begins while it waits is noticed when its turn comes', async () => {
  const id = newId()
  await plant(wish(id, { prompt: prompt() }))
  expect(await seen(id)).not.toHaveProperty('paused')
  await pause(id, 'true')
  await wake(id)
  expect(await seen(id)).toMatchObject({ status: 'queued', paused: true })
})

test('what a pause kept from being sent in time says that, and gives no advice that would not help', async () => {
  const id = newId()
  await pause(id, 'true')
  await plant({ ...wish(id, { prompt: prompt() }), deadlineAt: Date.now() })
  await wake(id)
  const { status, error } = await seen(id)
  expect({ status, code: error?.code }).toEqual({ status: 'failed', code: 'expired' })
  expect(error!.message).toMatch(/^its deadline of \d s passed while this worker was paused by its operator/)
  expect(error!.message).not.toMatch(/later/)
})

// What a generation owes to others once something is true of it: ledger, index, gate, account and webhook; and what may
// still become of it before and after its call. Nobody asks for it meanwhile: its alarm alone sees to it.
import { runInDurableObject } from 'cloudflare:test'
import { afterEach, expect, test, vi } from 'vitest'
import { readCommit, writeCommit } from '../../worker/generation/commit.ts'
import { generationId } from '../../worker/generation/name.ts'
import type { Attempt, Ending } from '../../worker/generation/record.ts'
import { forgotten, type Owed, owedAt } from '../../worker/generation/state.ts'
import { viewOf } from '../../worker/generation/view.ts'
import { ledgerOf } from '../faults/ledger.ts'
import { callsOf, make, picturesOf, prompt } from './setup/ask.ts'
import { env } from './setup/bindings.ts'
import { alarmOf, plant, recordOf, stub, wake, wish } from './setup/objects.ts'

afterEach(() => void vi.restoreAllMocks())

const newId = () => generationId('default', crypto.randomUUID())

const owedOf = (id: string) => runInDurableObject(stub(id), (_, { storage }) => storage.kv.get<Owed>('owed')!)

const kindsOf = async (id: string) =>
  (await ledgerOf(env.DB, id)).map(({ attempt, kind, micro_usd }) => [attempt, kind, micro_usd])

const open = (): Attempt => ({
  number: 1,
  route: 0,
  startedAt: Date.now(),
  pictureName: `late${crypto.randomUUID().replaceAll('-', '').slice(0, 22)}`,
  atMost: 55_000,
})

/** What a call leaves behind that ended well. */
async function endingOf(): Promise<Ending> {
  const made = await make({ prompt: prompt() })
  return (await readCommit(env.BUCKET, made.id, 1))!
}

/** A method of D1, R2, or an object's stub that rejects. */
function down(target: object, method: string) {
  return vi
    .spyOn(target as Record<string, () => Promise<never>>, method)
    .mockImplementation(() => Promise.reject(new Error('down')))
}

test('while D1 is down the picture is made at once, and the ledger is complete afterwards', async () => {
  const batch = down(Object.getPrototypeOf(env.DB), 'batch')
  const made = await make({ prompt: prompt() })
  expect(made.status).toBe('succeeded')
  await vi.waitFor(async () => expect((await owedOf(made.id)).retryAt).toBeGreaterThan(0))
  expect((await owedOf(made.id)).rows.map(({ kind }) => kind)).toEqual(['reserve', 'settle'])
  expect(await alarmOf(made.id)).not.toBeNull()
  batch.mockRestore()
  await wake(made.id)
  expect(await kindsOf(made.id)).toEqual([
    [1, 'reserve', 55_000],
    [1, 'settle', 55_000],
  ])
  expect((await ledgerOf(env.DB, made.id))[1]).toMatchObject({
    request_id: (await callsOf(made.request.prompt as string))[0]!.id,
    token: 'admin',
    has_picture: 1,
  })
  expect(await alarmOf(made.id)).toBeNull()
})

test('each try to tell comes later than the one before, and the next thing that becomes true is told at once', async () => {
  const id = newId()
  await plant(wish(id, { prompt: prompt() }), [{ ...open(), ending: await endingOf() }])
  const batch = down(Object.getPrototypeOf(env.DB), 'batch')
  const delays: number[] = []
  for (let tries = 0; tries < 4; tries++) {
    await wake(id)
    const { retryAt } = await owedOf(id)
    delays.push(Math.round((retryAt! - Date.now()) / 1_000))
  }
  expect(delays).toEqual([2, 4, 8, 16])
  const held = { record: await recordOf(id), owed: await owedOf(id) }
  expect(owedAt(forgotten(held, 1).owed)).toBe(0)
  batch.mockRestore()
})

test('a call that was given up and ended well after all is adopted, and its money known', async () => {
  const id = newId()
  const words = prompt()
  const attempt = open()
  await plant(wish(id, { prompt: words }), [attempt])
  await wake(id)
  expect(await recordOf(id)).toMatchObject({ status: 'uncertain' })
  expect(await kindsOf(id)).toEqual([[1, 'orphan', 55_000]])
  // Not before its call can have ended: five minutes, and two to spare.
  const { look } = await owedOf(id)
  expect(look! - attempt.startedAt).toBe(420_000)
  expect(await alarmOf(id)).toBe(look)

  const ending = await endingOf()
  await writeCommit(env.BUCKET, id, 1, ending)
  vi.useFakeTimers({ toFake: ['Date'], now: look! })
  try {
    await wake(id)
  } finally {
    vi.useRealTimers()
  }
  expect(await recordOf(id)).toMatchObject({ status: 'succeeded', attempts: [{ number: 1, ending }] })
  expect((await kindsOf(id)).sort()).toEqual([
    [1, 'orphan', 55_000],
    [1, 'settle', 55_000],
  ])
  expect(await alarmOf(id)).toBeNull()
  expect(await callsOf(words)).toEqual([])
})

test('a call of which nothing is found later stays uncertain, and is not looked for again', async () => {
  const id = newId()
  await plant(wish(id, { prompt: prompt() }), [open()])
  await wake(id)
  vi.useFakeTimers({ toFake: ['Date'], now: (await owedOf(id)).look! })
  try {
    await wake(id)
  } finally {
    vi.useRealTimers()
  }
  expect(await recordOf(id)).toMatchObject({ status: 'uncertain' })
  expect(await alarmOf(id)).toBeNull()
})

test('what waits is cancelled for nothing, and says so again', async () => {
  const id = newId()
  const words = prompt()
  await plant(wish(id, { prompt: words }))
  expect(await stub(id).cancel()).toMatchObject({ kind: 'cancelled', record: { status: 'cancelled' } })
  await wake(id)
  const again = await stub(id).cancel()
  expect(again).toMatchObject({ kind: 'cancelled', record: { status: 'cancelled', attempts: [] } })
  expect(await callsOf(words)).toEqual([])
  expect(await kindsOf(id)).toEqual([])
})

test('what is with the provider, or has ended, is not cancelled, and the reason is told', async () => {
  const running = newId()
  await plant(wish(running, { prompt: prompt() }), [open()])
  expect(await stub(running).cancel()).toMatchObject({
    kind: 'refused',
    why: 'its call is with the provider already and will be charged',
  })
  const { id } = await make({ prompt: prompt() })
  expect(await stub(id).cancel()).toMatchObject({ kind: 'refused', why: 'it has ended already: succeeded' })
})

test('who cancels while the call is about to be sent is faster: nothing is sent, and the ledger says released', async () => {
  const id = newId()
  const words = prompt()
  await plant(wish(id, { prompt: words }))
  const proto = Object.getPrototypeOf(env.DB) as D1Database
  const original = proto.batch
  const batch = vi.spyOn(proto, 'batch').mockImplementation(async function (this: D1Database, statements) {
    const results = await original.call(this, statements)
    await stub(id).cancel()
    batch.mockRestore()
    return results as never
  })
  await wake(id)
  await wake(id)
  expect(await recordOf(id)).toMatchObject({ status: 'cancelled', attempts: [] })
  expect(await callsOf(words)).toEqual([])
  expect((await kindsOf(id)).sort()).toEqual([
    [1, 'release', 0],
    [1, 'reserve', 55_000],
  ])
  expect((await owedOf(id)).leaving).toEqual([])
})

test('forgetting deletes every picture and answer, once it has ended; asked again it says the same', async () => {
  const waiting = newId()
  await plant(wish(waiting, { prompt: prompt() }))
  expect(await stub(waiting).forget(1)).toEqual([])

  const { id } = await make({ prompt: `[[fault:storyboard]] ${prompt()}` })
  const keys = await picturesOf(id)
  expect(keys).toHaveLength(3)
  expect((await stub(id).forget(1_000)).sort()).toEqual(keys.sort())
  expect(await picturesOf(id)).toEqual([])
  expect((await env.BUCKET.list({ prefix: `commits/${id}/` })).objects).toEqual([])
  expect((await stub(id).forget(2_000)).sort()).toEqual(keys.sort())
  expect(await recordOf(id)).toMatchObject({ status: 'succeeded', deletedAt: 1_000 })
})

test('a gate that cannot be reached is asked again, and nothing is sent without its leave', async () => {
  const id = newId()
  const words = prompt()
  await plant(wish(id, { prompt: words }))
  const own = stub(id)
  const stubs = Object.getPrototypeOf(env.GATE) as { get: () => unknown }
  const gate = vi.spyOn(stubs, 'get').mockImplementation(() => ({
    enter: () => Promise.reject(new Error('down')),
    withdraw: () => Promise.reject(new Error('down')),
  }))
  await runInDurableObject(own, (object) => object.alarm())
  gate.mockRestore()
  expect(await recordOf(id)).toMatchObject({ status: 'queued', attempts: [] })
  expect(await callsOf(words)).toEqual([])
  expect(await alarmOf(id)).toBeLessThan(Date.now() + 6_000)
})

test('pictures of a call that was given up are shown beside those of the fallback that followed it', async () => {
  const [first, second] = [await endingOf(), await endingOf()]
  const orphan: Ending = {
    ...first,
    verdict: { outcome: 'orphaned', charged: 'unknown', next: 'stop', reason: 'uncertain', message: '' },
  }
  const id = newId()
  await plant(wish(id, { prompt: prompt() }), [
    { ...open(), ending: orphan },
    { ...open(), number: 2, ending: second },
  ])
  await wake(id)
  const view = viewOf(await recordOf(id), 'https://pictures.example', Date.now())
  expect(view).toMatchObject({ status: 'succeeded', image: { sha256: second.picture!.sha256 } })
  expect(view.moreImages).toMatchObject([{ sha256: first.picture!.sha256 }])
})

test('while the deployment is paused nothing is sent, and afterwards it goes on by itself', async () => {
  const id = newId()
  const words = prompt()
  await plant(wish(id, { prompt: words }))
  const paused = (value: string | undefined) =>
    runInDurableObject(stub(id), (object) => {
      Object.assign((object as unknown as { env: object }).env, { PAUSED: value })
    })
  await paused('true')
  await wake(id)
  expect(await recordOf(id)).toMatchObject({ status: 'queued', attempts: [] })
  expect(((await alarmOf(id))! - Date.now()) / 1_000).toBeCloseTo(30, -1)
  expect(await callsOf(words)).toEqual([])
  await paused(undefined)
  await wake(id)
  expect(await recordOf(id)).toMatchObject({ status: 'succeeded' })
})

test('what was cancelled, or not sent in time, says so', async () => {
  const cancelled = newId()
  await plant(wish(cancelled, { prompt: prompt() }))
  await stub(cancelled).cancel()
  const expired = newId()
  await plant({ ...wish(expired, { prompt: prompt() }), deadlineAt: Date.now() })
  await wake(expired)
  const errorOf = async (id: string) => viewOf(await recordOf(id), '', Date.now()).error
  expect(await errorOf(cancelled)).toEqual({
    code: 'cancelled',
    message: 'it was cancelled by its caller before it was sent',
  })
  expect(await errorOf(expired)).toEqual({
    code: 'expired',
    message: expect.stringMatching(
      /^its deadline of \d s passed before it could be sent; ask again with a later/,
    ),
  })
})

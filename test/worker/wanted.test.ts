// Who wants a picture still, and what its object does about it: what is given up with a batch, what stays because somebody
// else asked for it, what is too late to be sent, and that whoever looks wakes what sleeps by mistake.
import { runInDurableObject } from 'cloudflare:test'
import { afterEach, expect, test, vi } from 'vitest'
import { writeCommit } from '../../worker/generation/commit.ts'
import { generationId } from '../../worker/generation/name.ts'
import type { Attempt, Ending, GenerationRecord, Wish } from '../../worker/generation/record.ts'
import { OWES_NOTHING } from '../../worker/generation/state.ts'
import { ProviderGate } from '../../worker/providers/gate.ts'
import { ledgerOf } from '../faults/ledger.ts'
import { ask, callsOf, chargesOf, make, post, prompt } from './setup/ask.ts'
import { env } from './setup/bindings.ts'
import { alarmOf, plant, recordOf, stub, wake, wish } from './setup/objects.ts'
import { freshRelay } from './setup/relay.ts'

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

const newId = () => generationId('default', crypto.randomUUID())

const ofBatch = (id: string, words: string, more: Partial<Wish> = {}): Wish => ({
  ...wish(id, { prompt: words }),
  batch: 'bat_own',
  ...more,
})

test('with its batch a picture that waits is given up, and says so again', async () => {
  const id = newId()
  const words = prompt()
  await plant(ofBatch(id, words))
  expect(await stub(id).cancelWhenFree('bat_own')).toMatchObject({ status: 'cancelled' })
  expect(await stub(id).cancelWhenFree('bat_own')).toMatchObject({ status: 'cancelled' })
  await wake(id)
  expect(await callsOf(words)).toEqual([])
})

test('a call that is out is not cut, and when it comes back with a 429 nothing more is sent', async () => {
  const id = newId()
  const words = `[[fault:rate-limited times=1 retry=0.1]] ${prompt()}`
  await plant({ ...wish(id, { prompt: words, provider: freshRelay() }), batch: 'bat_own' })
  const platformFetch = globalThis.fetch
  const meanwhile: (string | undefined)[] = []
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
    const response = await platformFetch(input, init)
    // A stub of its own: the one of the test belongs to another context.
    meanwhile.push((await stub(id).cancelWhenFree('bat_own'))?.status)
    return response
  })
  await wake(id)
  vi.restoreAllMocks()
  expect(meanwhile).toEqual(['running'])
  expect(await recordOf(id)).toMatchObject({
    status: 'cancelled',
    attempts: [{ ending: { verdict: { outcome: 'rate_limited' } } }],
  })
  await wake(id)
  expect(await callsOf(words)).toHaveLength(1)
  expect(await chargesOf(words)).toEqual([])
})

test('what another batch, or a request of its own, asked for too is not given up with the first', async () => {
  for (const batch of ['bat_other', undefined]) {
    const id = newId()
    const own = ofBatch(id, prompt())
    await plant(own)
    const { batch: _, ...bare } = own
    const again = await stub(id).ensure(batch === undefined ? bare : { ...bare, batch })
    expect(again).toMatchObject({
      kind: 'existing',
      record: { wantedBy: ['bat_own', batch ?? 'somebody'] },
    })
    expect(await stub(id).cancelWhenFree('bat_own')).toMatchObject({ status: 'queued' })
    expect(await stub(id).cancelWhenFree('bat_third')).toMatchObject({ status: 'queued' })
  }
})

test.for([
  ['bat_own', 'bat_other'],
  ['bat_other', 'bat_own'],
] as const)('is given up with the last batch that wants it: %s, %s', async ([first, second]) => {
  const id = newId()
  const own = ofBatch(id, prompt())
  await plant(own)
  await stub(id).ensure({ ...own, batch: 'bat_other' })
  expect(await stub(id).cancelWhenFree(first, true)).toMatchObject({ status: 'queued' })
  expect(await stub(id).cancelWhenFree(first)).toMatchObject({ status: 'queued' })
  expect(await stub(id).cancelWhenFree(first)).toMatchObject({ status: 'queued' })
  expect(await stub(id).cancelWhenFree(second)).toMatchObject({ status: 'cancelled' })
})

test('stays for a batch that is about to ask for it, and goes with that', async () => {
  const id = newId()
  const own = ofBatch(id, prompt())
  await plant(own)
  expect(await stub(id).cancelWhenFree('bat_own', true)).toMatchObject({ status: 'queued', wantedBy: [] })
  await stub(id).ensure({ ...own, batch: 'bat_other' })
  expect(await stub(id).cancelWhenFree('bat_own')).toMatchObject({ status: 'queued' })
  expect(await stub(id).cancelWhenFree('bat_other')).toMatchObject({ status: 'cancelled' })
})

test('a line that its own batch delivers twice is given up with it all the same', async () => {
  const id = newId()
  const own = ofBatch(id, prompt())
  await plant(own)
  await stub(id).ensure(own)
  expect(await stub(id).cancelWhenFree('bat_own')).toMatchObject({ status: 'cancelled' })
})

test('who asks for it while its call is out takes the wish to give it up back', async () => {
  const id = newId()
  const own = ofBatch(id, prompt())
  const open: Attempt = {
    number: 1,
    route: 0,
    startedAt: Date.now(),
    pictureName: 'wantedwantedwantedwanted00',
  }
  await plant(own, [open])
  expect(await stub(id).cancelWhenFree('bat_own')).toMatchObject({ status: 'running', unwanted: true })
  const { batch: _, ...bare } = own
  await stub(id).ensure(bare)
  const record = await recordOf(id)
  expect(record).toMatchObject({ status: 'running', wantedBy: ['somebody'] })
  expect(record.unwanted).toBeUndefined()
})

test('a request that is found by its references keeps its picture from being given up, too', async () => {
  const made = await make({ prompt: prompt() })
  const asked = {
    model: 'nano-banana-2',
    provider: 'apiyi',
    size: '512',
    prompt: prompt(),
    references: [{ generation: made.id }],
  }
  const key = crypto.randomUUID()
  const shut = vi.spyOn(ProviderGate.prototype, 'enter').mockImplementation(async () => ({
    kind: 'wait' as const,
    recheckAt: Date.now() + 3_600_000,
  }))
  const first = await post(asked, { 'idempotency-key': key, prefer: 'respond-async' })
  const { id } = (await first.json()) as { id: string }
  await runInDurableObject(stub(id), (_, { storage }) => {
    storage.kv.put('record', { ...storage.kv.get<GenerationRecord>('record')!, batch: 'bat_own' })
  })
  await post(asked, { 'idempotency-key': key, prefer: 'respond-async' })
  expect(await stub(id).cancelWhenFree('bat_own')).toMatchObject({
    status: 'queued',
    wantedBy: ['somebody'],
  })
  shut.mockRestore()
  await ask(`/api/generations/${id}/cancel`, { method: 'POST' })
})

test('a fallback that waits is not sent when the call before it turns out to have brought the picture', async () => {
  const id = newId()
  const words = prompt()
  const fallback = [{ model: 'nano-banana-2', provider: 'google', on: ['uncertain'] }]
  await plant(wish(id, { prompt: words, fallback }))
  const pictureName = `late${crypto.randomUUID().replaceAll('-', '').slice(0, 22)}`
  const ended = (number: number, route: number, verdict: Ending['verdict']): Attempt => ({
    number,
    route,
    startedAt: Date.now() - 60_000,
    pictureName,
    atMost: 55_000,
    ending: { verdict, costMicroUsd: verdict.charged === 'no' ? 0 : null, endedAt: Date.now() - 50_000 },
  })
  const attempts = [
    ended(1, 0, {
      outcome: 'orphaned',
      charged: 'unknown',
      next: 'stop',
      reason: 'uncertain',
      message: 'it died',
    }),
    ended(2, 1, { outcome: 'rate_limited', charged: 'no', next: 'wait', message: 'slow down' }),
  ]
  await runInDurableObject(stub(id), (_, { storage }) => {
    const record = storage.kv.get<GenerationRecord>('record')!
    storage.kv.put('record', { ...record, attempts, version: 5 })
    storage.kv.put('owed', { ...OWES_NOTHING, look: Date.now() - 1 })
  })
  const other = await recordOf((await make({ prompt: prompt() })).id)
  await writeCommit(env.BUCKET, id, 1, other.attempts[0]!.ending!)
  const waited = stub(id).wait(60_000)
  await wake(id)
  expect(await waited).toMatchObject({ status: 'succeeded' })
  expect(await callsOf(words)).toEqual([])
  const rows = await ledgerOf(env.DB, id)
  expect(rows.map(({ attempt, kind, micro_usd }) => [attempt, kind, micro_usd])).toEqual([
    [1, 'settle', 55_000],
  ])
})

test.for(['the gate', 'the index'])(
  '%s may take its time: after the deadline nothing is sent',
  async (slow) => {
    vi.useFakeTimers({ toFake: ['Date'] })
    const id = newId()
    const words = prompt()
    const asked = wish(id, { prompt: words, deadline: 60 })
    await plant(asked)
    const late = () => vi.setSystemTime(asked.deadlineAt + 5_000)
    const D1 = Object.getPrototypeOf(env.DB) as D1Database
    const { batch } = D1
    const { enter, leave } = ProviderGate.prototype
    const left = vi.spyOn(ProviderGate.prototype, 'leave').mockImplementation(leave)
    if (slow === 'the gate')
      vi.spyOn(ProviderGate.prototype, 'enter').mockImplementation(async function (
        this: ProviderGate,
        ...all
      ) {
        const entry = await enter.apply(this, all)
        late()
        return entry
      })
    else
      vi.spyOn(D1, 'batch').mockImplementation(async function (this: D1Database, statements) {
        const results = await batch.call(this, statements)
        late()
        return results as never
      })
    await wake(id)
    await wake(id)
    expect(await recordOf(id)).toMatchObject({ status: 'failed', attempts: [] })
    expect(await callsOf(words)).toEqual([])
    expect(left).toHaveBeenCalledWith(id, expect.any(String), { kind: 'unrelated' })
  },
)

test.for(['read', 'wait'] as const)('whoever looks by `%s` wakes what has lost its alarm', async (look) => {
  const id = newId()
  await plant(wish(id, { prompt: prompt() }))
  await runInDurableObject(stub(id), (_, { storage }) => storage.deleteAlarm())
  await stub(id)[look](1)
  expect(await alarmOf(id)).toBeLessThan(Date.now() + 10_000)
  await stub(id).cancel()
})

test('who looks at what sleeps rightly leaves it as it is', async () => {
  const { id } = await make({ prompt: prompt() })
  await vi.waitFor(async () => expect(await alarmOf(id)).toBeNull())
  await stub(id).read()
  expect(await alarmOf(id)).toBeNull()
  const waiting = newId()
  await plant(wish(waiting, { prompt: prompt() }))
  const before = await alarmOf(waiting)
  await stub(waiting).read()
  expect(await alarmOf(waiting)).toBe(before)
  await stub(waiting).cancel()
})

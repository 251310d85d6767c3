// What comes between the steps of a batch: a cancel, another delivery, another caller, the end of a token, a full budget.
// Deliveries are made by the test, and generations are held back at their gate.
import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { BatchView } from '../../../core/batch.ts'
import { generationId } from '../../../worker/generation/name.ts'
import { ProviderGate } from '../../../worker/providers/gate.ts'
import { ask, callsOf, chargesOf, make, post, prompt } from '../setup/ask.ts'
import { batchOf, deliver, held, objectOf, resultsOf, sentLines } from '../setup/batch.ts'
import { env } from '../setup/bindings.ts'
import { alarmOf, recordOf, stub, wake } from '../setup/objects.ts'
import { makeToken, postWith } from '../setup/tokens.ts'

vi.setConfig({ testTimeout: 30_000 })
afterEach(() => void vi.restoreAllMocks())

/** No generation is let through. */
const shut = () =>
  vi
    .spyOn(ProviderGate.prototype, 'enter')
    .mockImplementation(async () => ({ kind: 'wait', recheckAt: Date.now() + 3_600_000 }))

const cancel = async (id: string): Promise<BatchView> =>
  (await ask(`/api/batches/${id}/cancel`, { method: 'POST' })).json()

/** A batch of these lines, handed over; and its messages. */
async function sentBatch(lines: readonly Record<string, unknown>[], token?: string) {
  const { id, sent } = await held(lines, token === undefined ? {} : { token })
  await sentLines(sent, lines.length)
  return { id, sent }
}

const keyed = (words: string) => ({ prompt: words, key: crypto.randomUUID() })

type Stub = ReturnType<typeof env.GENERATION.get>

/** The Generation objects, but for what `own` does instead of a call to them. */
function objects(own: (object: Stub, id: string) => Partial<Record<keyof Stub, unknown>>) {
  const names = new Map<string, string>()
  return {
    idFromName(name: string) {
      const id = env.GENERATION.idFromName(name)
      names.set(id.toString(), name)
      return id
    },
    get(id: DurableObjectId) {
      const object = env.GENERATION.get(id)
      const instead = own(object, names.get(id.toString())!)
      return new Proxy(object, {
        get: (target, call) =>
          Reflect.get(instead, call) ??
          ((...args: unknown[]) => (Reflect.get(target, call) as (...all: unknown[]) => unknown)(...args)),
      })
    },
  }
}

/** Drives the batch a few steps further. */
async function driven(id: string, steps = 4): Promise<void> {
  for (let step = 0; step < steps; step++) await runDurableObjectAlarm(objectOf(id))
}

describe('a batch that is cancelled', () => {
  test('while a message is worked off buys none of the lines that follow', async () => {
    const words = Array.from({ length: 6 }, () => prompt())
    const { id, sent } = await sentBatch(words.map(keyed))
    let asked = 0
    const GENERATION = objects((object) => ({
      async ensure(wish: Parameters<Stub['ensure']>[0]) {
        if (++asked === 2) expect((await cancel(id)).status).toBe('cancelling')
        return object.ensure(wish)
      },
    }))
    await deliver(sent, { changes: { GENERATION } })
    const results = await resultsOf(id, 20)
    const unmade = results.filter(({ generation }) => generation === null)
    expect(unmade.map(({ line, error }) => [line, error?.code])).toEqual(
      [3, 4, 5, 6].map((line) => [line, 'cancelled']),
    )
    const calls = await Promise.all(words.slice(2).map((text) => callsOf(text)))
    expect(calls.flat()).toEqual([])
  })

  test('gives up what it can reach, whatever it cannot, and that as soon as it can', async () => {
    shut()
    const lines = Array.from({ length: 4 }, () => keyed(prompt()))
    const [first, ...others] = lines.map(({ key }) => generationId('default', key))
    const { id, sent } = await sentBatch(lines)
    await deliver(sent)
    let isOverloaded = true
    const overloaded = () => (isOverloaded ? Promise.reject(new Error('overloaded')) : undefined)
    await runInDurableObject(objectOf(id), (object) => {
      const GENERATION = objects((generation, name) =>
        name === first
          ? {
              read: () => overloaded() ?? generation.read(),
              cancelWhenFree: (batch: string, isAskedSoon?: boolean) =>
                overloaded() ?? generation.cancelWhenFree(batch, isAskedSoon),
            }
          : {},
      )
      Object.assign(object, { env: { ...env, GENERATION } })
    })
    await cancel(id)
    await driven(id)
    const statuses = await Promise.all(others.map(async (other) => (await recordOf(other)).status))
    expect(statuses).toEqual(['cancelled', 'cancelled', 'cancelled'])
    expect((await recordOf(first!)).status).toBe('queued')
    isOverloaded = false
    await driven(id)
    expect((await recordOf(first!)).status).toBe('cancelled')
    await vi.waitFor(async () => expect((await batchOf(id)).counts.cancelled).toBe(4))
  })

  test('does not give up what another batch is about to ask for', async () => {
    const gate = shut()
    const line = keyed(prompt())
    const { id, sent } = await sentBatch([line])
    await deliver(sent)
    const other = await sentBatch([line])
    await cancel(id)
    await driven(id)
    gate.mockRestore()
    await deliver(other.sent)
    expect(await resultsOf(other.id)).toMatchObject([{ generation: { status: 'succeeded' } }])
    expect(await resultsOf(id)).toMatchObject([{ generation: { status: 'succeeded' } }])
    expect(await chargesOf(line.prompt)).toHaveLength(1)
  })

  test.for([
    [0, 1],
    [1, 0],
  ] as const)(
    'gives a picture up that only other cancelled batches want: %i before %i',
    async ([first, second]) => {
      const gate = shut()
      const line = keyed(prompt())
      const ids: string[] = []
      for (let count = 0; count < 2; count++) {
        const { id, sent } = await sentBatch([line])
        await deliver(sent)
        ids.push(id)
      }
      await cancel(ids[first]!)
      await driven(ids[first]!)
      expect((await recordOf(generationId('default', line.key))).status).toBe('queued')
      await cancel(ids[second]!)
      await driven(ids[second]!)
      await driven(ids[first]!)
      expect((await recordOf(generationId('default', line.key))).status).toBe('cancelled')
      gate.mockRestore()
      for (const id of ids)
        expect(await batchOf(id)).toMatchObject({ status: 'ended', counts: { cancelled: 1 } })
      expect(await callsOf(line.prompt)).toEqual([])
    },
  )

  test('no longer wants what a delivery had joined that broke off', async () => {
    const gate = shut()
    const line = keyed(prompt())
    const first = await sentBatch([line])
    await deliver(first.sent)
    const { id, sent } = await sentBatch([line])
    const DB = new Proxy(env.DB, {
      get(db, name) {
        if (name === 'batch') return () => Promise.reject(new Error('D1 is down'))
        const value = Reflect.get(db, name)
        return typeof value === 'function' ? value.bind(db) : value
      },
    })
    expect((await deliver(sent, { changes: { DB } })).retryMessages).toHaveLength(1)
    expect((await recordOf(generationId('default', line.key))).wantedBy).toEqual([first.id, id])
    await cancel(id)
    await deliver(sent)
    expect(await resultsOf(id)).toMatchObject([{ generation: null, error: { code: 'cancelled' } }])
    await cancel(first.id)
    await driven(first.id)
    expect((await recordOf(generationId('default', line.key))).status).toBe('cancelled')
    gate.mockRestore()
    expect(await callsOf(line.prompt)).toEqual([])
  })

  test('does not give up what somebody else has asked for by its key', async () => {
    const gate = shut()
    const line = keyed(prompt())
    const { id, sent } = await sentBatch([line])
    await deliver(sent)
    const headers = { 'idempotency-key': line.key }
    const waiting = await post({ prompt: line.prompt }, { ...headers, prefer: 'respond-async' })
    expect(waiting.status).toBe(202)
    await cancel(id)
    await driven(id)
    gate.mockRestore()
    expect(await make({ prompt: line.prompt }, headers)).toMatchObject({ status: 'succeeded' })
  })

  test('leaves its wish with what runs, and counts it as what it was paid for', async () => {
    const line = keyed(`[[fault:slow ms=2500]] ${prompt()}`)
    const { id, sent } = await sentBatch([line])
    await deliver(sent)
    const generation = generationId('default', line.key)
    await vi.waitFor(async () => expect((await recordOf(generation)).status).toBe('running'), 10_000)
    await cancel(id)
    await vi.waitFor(async () => expect((await recordOf(generation)).unwanted).toBe(true), 2_000)
    expect(await resultsOf(id)).toMatchObject([{ generation: { status: 'succeeded' } }])
    expect(await batchOf(id)).toMatchObject({ counts: { succeeded: 1 }, cost: { actual: 0.055 } })
  })
})

test('a line that was buried while a slow delivery made its picture counts as that picture', async () => {
  const gate = shut()
  const line = keyed(prompt())
  const { id, sent } = await sentBatch([line])
  const generation = generationId('default', line.key)
  let isFirst = true
  const GENERATION = objects((object) => ({
    async read() {
      const record = await object.read()
      if (isFirst) {
        isFirst = false
        await deliver(sent)
      }
      return record
    },
  }))
  await deliver(sent, { queue: 'proofsheet-batches-dead', changes: { GENERATION } })
  expect(await batchOf(id)).toMatchObject({ status: 'running', counts: { failed: 0 } })
  gate.mockRestore()
  await wake(generation)
  const [result] = await resultsOf(id)
  expect(result).toMatchObject({ line: 1, error: null, generation: { status: 'succeeded' } })
  expect(await chargesOf(line.prompt)).toHaveLength(1)
})

test('what a line became anew is told after all that was told before', async () => {
  const lines = [keyed(prompt()), keyed(prompt())]
  const { id, sent } = await sentBatch(lines)
  const [buried, made] = sent[0]!.lines.map((line) => ({ batch: id, lines: [line] }))
  await deliver([buried!], { queue: 'proofsheet-batches-dead' })
  await deliver([made!])
  const before = await resultsOf(id)
  expect(before.map(({ seq, line, error }) => [seq, line, error?.code])).toEqual([
    [1, 1, 'internal'],
    [2, 2, undefined],
  ])
  // A delivery that had read the line before it was buried comes to its end.
  const generation = generationId('default', lines[0]!.key)
  await env.DB.prepare(
    `UPDATE batch_lines SET generation = ?2 WHERE line = 1 AND line_set = (SELECT line_set FROM batches WHERE id = ?1)`,
  )
    .bind(id, generation)
    .run()
  await stub(generation).read()
  const { endLinesStatement } = await import('../../../worker/batches/rows.ts')
  await endLinesStatement(env.DB, { id: generation, batch: id, status: 'cancelled' }).run()
  const after = await resultsOf(id, 0, 2)
  expect(after).toMatchObject([{ seq: 3, line: 1, error: null }])
})

test('a token that has expired meanwhile buys nothing more', async () => {
  const { id: tokenId, token } = await makeToken({
    expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
  })
  const words = prompt()
  const { id, sent } = await sentBatch([{ prompt: words }], token)
  await env.DB.prepare('UPDATE tokens SET expires_at = ?2 WHERE id = ?1')
    .bind(tokenId, Date.now() - 1)
    .run()
  await deliver(sent)
  const [result] = await resultsOf(id)
  expect(result).toMatchObject({ generation: null, error: { code: 'unauthorised' } })
  expect(result!.error!.message).toContain('expired')
  expect(await callsOf(words)).toEqual([])
})

describe('a budget that is full of what is held', () => {
  const each = 0.055

  /** Drives the batch as if its lines had been put back so much earlier. */
  async function later(id: string, ms = 20_000): Promise<void> {
    await env.DB.prepare(
      `UPDATE batch_lines SET handed_at = handed_at - ?2
       WHERE state = 'waiting' AND line_set = (SELECT line_set FROM batches WHERE id = ?1)`,
    )
      .bind(id, ms)
      .run()
    await objectOf(id).drive(id)
  }

  test('lets lines come back until what it holds has ended, and then ends those that never fit', async () => {
    const gate = shut()
    const { token } = await makeToken({ budget: { total: each } })
    const free = await postWith(
      token,
      { prompt: `[[fault:model-gone]] ${prompt()}` },
      { prefer: 'respond-async' },
    )
    const { id: holder } = (await free.json()) as { id: string }
    const words = [prompt(), prompt()]
    const lines = words.map(keyed)
    const { id, sent } = await sentBatch(lines, token)
    const told = await deliver(sent)
    expect(told.explicitAcks).toHaveLength(1)
    expect(await batchOf(id)).toMatchObject({ status: 'running', counts: { waiting: 2, failed: 0 } })

    gate.mockRestore()
    await stub(holder).turn()
    await stub(holder).wait(10_000)
    let counts = (await batchOf(id)).counts
    for (let round = 0; counts.waiting + counts.queued + counts.running > 0; round++) {
      expect(round).toBeLessThan(10)
      const before = sent.length
      await later(id)
      await vi.waitFor(() => expect(sent.length).toBeGreaterThan(before), 10_000)
      await deliver(sent.slice(before))
      await vi.waitFor(async () => {
        counts = (await batchOf(id)).counts
        expect(counts.queued + counts.running).toBe(0)
      }, 10_000)
    }
    const results = await resultsOf(id)
    expect(results.map(({ error }) => error?.code ?? null).toSorted()).toEqual(['budget_exceeded', null])
    expect((await Promise.all(words.map(chargesOf))).flat()).toHaveLength(1)
  })

  /** A batch of sixty lines for which a budget has no room. */
  async function crowded() {
    shut()
    const { token } = await makeToken({ budget: { total: each } })
    await postWith(token, { prompt: prompt() }, { prefer: 'respond-async' })
    const lines = Array.from({ length: 60 }, () => keyed(prompt()))
    const { id, sent } = await sentBatch(lines, token)
    await deliver(sent)
    expect((await batchOf(id)).counts.waiting).toBe(60)
    return { id, sent }
  }

  const UP_TO_40 = Array.from({ length: 40 }, (_, index) => index + 1)

  test('is tried a few lines at a time, and not at once', async () => {
    const { id, sent } = await crowded()
    await later(id, -60_000)
    await driven(id, 1)
    expect(sent.flatMap((message) => message.lines)).toHaveLength(60)
    await later(id, 90_000)
    expect((await sentLines(sent, 61)).slice(60)).toEqual(UP_TO_40)
  })

  test('keeps lines back that were not sent before', async () => {
    const { id, sent } = await crowded()
    await env.DB.prepare(
      `UPDATE batch_lines SET handed_at = CASE WHEN line <= 20 THEN handed_at END
       WHERE line_set = (SELECT line_set FROM batches WHERE id = ?1)`,
    )
      .bind(id)
      .run()
    await later(id)
    expect((await sentLines(sent, 61)).slice(60)).toEqual(UP_TO_40)
  })
})

test('a batch wakes generations that sleep although they have not ended', async () => {
  const gate = shut()
  const line = keyed(prompt())
  const { id, sent } = await sentBatch([line])
  await deliver(sent)
  const generation = generationId('default', line.key)
  await vi.waitFor(async () => expect(gate).toHaveBeenCalled())
  await vi.waitFor(async () => expect(await alarmOf(generation)).not.toBeNull())
  await runInDurableObject(stub(generation), (_, { storage }) => storage.deleteAlarm())
  gate.mockRestore()
  await driven(id, 12)
  expect(await resultsOf(id)).toMatchObject([{ generation: { status: 'succeeded' } }])
})

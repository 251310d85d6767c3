// The queue delivers at least once, at any time, to several at once, and consumers die: nothing is bought twice, and the
// counts end up right. Deliveries are made by the test.
import { runInDurableObject } from 'cloudflare:test'
import { describe, expect, test, vi } from 'vitest'
import { handOver } from '../../../worker/batches/queue.ts'
import { generationId } from '../../../worker/generation/name.ts'
import { ask, callsOf, chargesOf, make, prompt } from '../setup/ask.ts'
import { accepted, batchOf, deliver, held, objectOf, resultsOf, sentLines } from '../setup/batch.ts'
import { env } from '../setup/bindings.ts'
import { recordOf } from '../setup/objects.ts'
import { makeToken } from '../setup/tokens.ts'

vi.setConfig({ testTimeout: 30_000 })

const DEAD = 'proofsheet-batches-dead'

/** Fails where the consumer notes what it did. */
const forgetful = () => ({
  prepare: (sql: string) => env.DB.prepare(sql),
  batch: () => Promise.reject(new Error('D1 is down')),
})

const statesOf = async (id: string) => {
  const { results } = await env.DB.prepare(
    `SELECT state FROM batch_lines WHERE line_set = (SELECT line_set FROM batches WHERE id = ?1) ORDER BY line`,
  )
    .bind(id)
    .all<{ state: string }>()
  return results.map(({ state }) => state)
}

/** Waits until the object of a batch that was woken has looked at it, and says when it looks again. */
const looked = (id: string) =>
  vi.waitFor(async () => {
    const alarm = await runInDurableObject(objectOf(id), (_, { storage }) => storage.getAlarm())
    expect(alarm).toBeGreaterThan(Date.now())
  }, 10_000)

describe('a message', () => {
  test('holds at most 20 lines, and no line is in two', async () => {
    const { sent, response } = await held(Array.from({ length: 45 }, () => ({ prompt: prompt() })))
    await accepted(response)
    await sentLines(sent, 45)
    expect(sent.map(({ lines }) => lines.length)).toEqual([20, 20, 5])
    expect(new Set(sent.flatMap(({ lines }) => lines)).size).toBe(45)
  })

  test('that is delivered three times, twice at once, buys each picture once', async () => {
    const words = [prompt(), prompt(), prompt()]
    const { id, sent } = await held(words.map((text) => ({ prompt: text })))
    await sentLines(sent, 3)
    await Promise.all([deliver(sent), deliver(sent)])
    await resultsOf(id)
    const again = await deliver(sent)
    expect(again.retryMessages).toEqual([])
    for (const text of words) expect(await chargesOf(text)).toHaveLength(1)
    expect(await batchOf(id)).toMatchObject({ counts: { succeeded: 3 }, cost: { actual: 0.165 } })
    expect((await resultsOf(id, 0)).map(({ seq }) => seq)).toEqual([1, 2, 3])
  })

  test('whose consumer dies before it has noted anything is worked off again, at no second charge', async () => {
    const words = prompt()
    const { id, sent } = await held([{ prompt: words }])
    await sentLines(sent, 1)
    const first = await deliver(sent, { changes: { DB: forgetful() } })
    expect(first).toMatchObject({ explicitAcks: [], delays: [30] })
    const second = await deliver(sent, { attempts: 2 })
    expect(second.explicitAcks).toHaveLength(1)
    expect((await resultsOf(id)).map(({ generation }) => generation?.status)).toEqual(['succeeded'])
    expect(await chargesOf(words)).toHaveLength(1)
  })

  test('that comes while the database is down comes again later and later, at most every 15 minutes', async () => {
    const { sent } = await held([{ prompt: prompt() }])
    await sentLines(sent, 1)
    const DB = { prepare: () => ({ bind: () => ({ first: () => Promise.reject(new Error('D1 is down')) }) }) }
    const all: unknown[] = []
    for (let attempts = 1; attempts <= 10; attempts++) {
      const { delays } = await deliver(sent, { attempts, changes: { DB } })
      all.push(...delays)
    }
    // An hour and a half: only after that is a line thought to be lost.
    expect(all).toEqual([30, 60, 120, 240, 480, 900, 900, 900, 900, 900])
  })

  test('with a line that cannot be worked off now comes again, the others are made', async () => {
    const words = [prompt(), prompt()]
    const { id, sent } = await held(words.map((text) => ({ prompt: text })))
    await sentLines(sent, 2)
    // The first line meets an object that is restarting, in each of the tries of its call.
    let calls = 0
    const GENERATION = {
      idFromName: (name: string) => env.GENERATION.idFromName(name),
      get: (...args: Parameters<typeof env.GENERATION.get>) =>
        ++calls > 3 ? env.GENERATION.get(...args) : { ensure: () => Promise.reject(new Error('restarting')) },
    }
    expect((await deliver(sent, { changes: { GENERATION } })).delays).toEqual([30])
    const states = await statesOf(id)
    expect([states[0], ['accepted', 'ended'].includes(states[1]!)]).toEqual(['handed_over', true])
    await deliver(sent, { attempts: 2 })
    await resultsOf(id)
    for (const text of words) expect(await chargesOf(text)).toHaveLength(1)
  })

  test('of a batch that is not there is taken off the queue', async () => {
    const { explicitAcks } = await deliver([{ batch: 'bat_none', lines: [1] }])
    expect(explicitAcks).toHaveLength(1)
  })

  test('that was lost is sent again after two hours: the queue has given up by then', async () => {
    const words = prompt()
    const { id, sent } = await held([{ prompt: words }])
    await sentLines(sent, 1)
    await vi.waitFor(async () => expect(await statesOf(id)).toEqual(['handed_over']))
    await objectOf(id).drive(id)
    const earlier =
      'UPDATE batch_lines SET handed_at = handed_at - ?2 WHERE line_set = (SELECT line_set FROM batches WHERE id = ?1)'
    await env.DB.prepare(earlier).bind(id, 7_190_000).run()
    await objectOf(id).drive(id)
    await looked(id)
    expect(sent).toHaveLength(1)
    await env.DB.prepare(earlier).bind(id, 20_000).run()
    await objectOf(id).drive(id)
    await sentLines(sent, 2)
    await deliver(sent)
    await resultsOf(id)
    expect(await chargesOf(words)).toHaveLength(1)
  })
})

test('at most a thousand lines are under way at a time', async () => {
  const { id, sent } = await held(Array.from({ length: 1_030 }, (_, index) => ({ prompt: `fern ${index}` })))
  await sentLines(sent, 1_000)
  await objectOf(id).drive(id)
  await vi.waitFor(async () =>
    expect((await batchOf(id)).counts).toMatchObject({ waiting: 30, queued: 1_000 }),
  )
  await deliver(sent.slice(0, 1), { queue: DEAD })
  await objectOf(id).drive(id)
  expect((await sentLines(sent, 1_020)).slice(1_000)).toEqual(Array.from({ length: 20 }, (_, i) => 1_001 + i))
})

test('a queue that says it is overloaded gets the same messages a moment later', async () => {
  const sent: number[] = []
  let calls = 0
  const queue = {
    sendBatch: async (messages: Iterable<{ body: { lines: readonly number[] } }>) => {
      if (++calls === 1) throw new Error('Queue is overloaded. Please back off.')
      for (const { body } of messages) sent.push(...body.lines)
    },
  }
  const marked: number[] = []
  const lines = Array.from({ length: 2_500 }, (_, index) => index + 1)
  await handOver(queue as never, 'bat_1', lines, async (some) => void marked.push(...some))
  expect(sent).toEqual(lines)
  expect(marked).toEqual(lines)
  expect(calls).toBe(3)
})

describe('a generation that another request asked for', () => {
  test('and that ends while the line waits ends the line', async () => {
    const words = `[[fault:slow ms=600]] ${prompt()}`
    const key = crypto.randomUUID()
    const making = make({ prompt: words }, { 'idempotency-key': key })
    await vi.waitFor(async () => expect(await callsOf(words)).toHaveLength(1))
    const { id, sent } = await held([{ prompt: words, key }])
    await sentLines(sent, 1)
    await deliver(sent)
    await making
    const [result] = await resultsOf(id)
    expect(result!.generation).toMatchObject({ status: 'succeeded' })
    expect(await batchOf(id)).toMatchObject({ cost: { actual: 0 } })
    expect(await chargesOf(words)).toHaveLength(1)
  })

  test('for something else, and that ends meanwhile, ends no line', async () => {
    const other = `[[fault:slow ms=300]] ${prompt()}`
    const words = prompt()
    const key = crypto.randomUUID()
    const making = make({ prompt: other }, { 'idempotency-key': key })
    const { id, sent } = await held([{ prompt: words, key }])
    await sentLines(sent, 1)
    await making
    await vi.waitFor(async () => {
      const row = await env.DB.prepare('SELECT status FROM generations WHERE id = ?1')
        .bind(generationId('default', key))
        .first('status')
      expect(row).toBe('succeeded')
    })
    expect(await statesOf(id)).toEqual(['handed_over'])
    await deliver(sent)
    expect(await resultsOf(id)).toMatchObject([{ generation: null, error: { code: 'key_reused' } }])
  })
})

describe('dead letters', () => {
  test('end lines that have no generation, with words on what to do', async () => {
    const words = prompt()
    const { id, sent } = await held([{ prompt: words }])
    await sentLines(sent, 1)
    const { explicitAcks } = await deliver(sent, { queue: DEAD })
    expect(explicitAcks).toHaveLength(1)
    const [result] = await resultsOf(id)
    expect(result).toMatchObject({ generation: null, error: { code: 'internal' } })
    expect(result!.error!.message).toContain('send the line again')
    expect(await batchOf(id)).toMatchObject({ status: 'ended', counts: { failed: 1 } })
    expect(await callsOf(words)).toEqual([])
  })

  test('leave lines alone that came to a generation, noted or not', async () => {
    const words = prompt()
    const { id, sent } = await held([{ prompt: words }])
    await sentLines(sent, 1)
    await deliver(sent, { changes: { DB: forgetful() } })
    await deliver(sent, { queue: DEAD })
    expect((await resultsOf(id)).map(({ generation }) => generation?.status)).toEqual(['succeeded'])
    expect(await batchOf(id)).toMatchObject({ counts: { succeeded: 1, failed: 0 } })
  })
})

test('what the emulator was asked to draw is not bought when there are keys by the time of its turn', async () => {
  const words = prompt()
  const { id, sent } = await held([{ prompt: words }])
  await sentLines(sent, 1)
  await env.DB.prepare(`UPDATE batches SET terms = json_set(terms, '$.emulated', json('true')) WHERE id = ?1`)
    .bind(id)
    .run()
  await deliver(sent)
  const [result] = await resultsOf(id)
  expect(result).toMatchObject({ generation: null, error: { code: 'not_configured' } })
  expect(await callsOf(words)).toEqual([])
})

test('a token that was revoked meanwhile buys nothing more', async () => {
  const { id: tokenId, token } = await makeToken()
  const words = prompt()
  const { id, sent } = await held([{ prompt: words }], { token })
  await sentLines(sent, 1)
  await ask(`/api/tokens/${tokenId}`, { method: 'DELETE' })
  await deliver(sent)
  expect(await resultsOf(id)).toMatchObject([{ generation: null, error: { code: 'unauthorised' } }])
  expect(await callsOf(words)).toEqual([])
})

test('a line waits for its turn for a day unless it says otherwise', async () => {
  const { sent, id } = await held([{ prompt: prompt() }, { prompt: prompt(), deadline: 60 }])
  await sentLines(sent, 2)
  await deliver(sent)
  const results = await resultsOf(id)
  const waits = await Promise.all(
    results
      .toSorted((a, b) => a.line - b.line)
      .map(async ({ generation }) => {
        const { deadlineAt, createdAt } = await recordOf(generation!.id)
        return Math.round((deadlineAt - createdAt) / 1_000)
      }),
  )
  expect(waits).toEqual([86_400, 60])
})

// What becomes of a batch: made by the local queue, followed while it runs, told at its end.
import { runInDurableObject } from 'cloudflare:test'
import { describe, expect, test, vi } from 'vitest'
import type { BatchView } from '../../../core/batch.ts'
import { doomedLines, endWithoutStatement, readyLines } from '../../../worker/batches/rows.ts'
import { ask, callsOf, chargesOf, make, problemOf, prompt } from '../setup/ask.ts'
import { accepted, batchOf, handOver, objectOf, resultsOf, until } from '../setup/batch.ts'
import { env } from '../setup/bindings.ts'
import { askWith, makeToken } from '../setup/tokens.ts'

// A batch waits for its turn in the queue, a second at least.
vi.setConfig({ testTimeout: 30_000 })

test('lines that are handed over are made without their caller, each once, and the batch tells its cost', async () => {
  const prompts = [prompt(), prompt(), prompt()]
  const batch = await accepted(await handOver(prompts.map((words) => ({ prompt: words }))))
  expect(batch).toMatchObject({
    status: 'running',
    total: 3,
    cost: { estimated: 0.165, atMost: 0.165, actual: 0, uncertain: 0, currency: 'USD' },
    cancelledAt: null,
    finishedAt: null,
  })
  const results = await resultsOf(batch.id)
  expect(results.map(({ seq }) => seq)).toEqual([1, 2, 3])
  expect(results.map((result) => result.line).sort()).toEqual([1, 2, 3])
  for (const { generation, error } of results) {
    expect(generation).toMatchObject({ status: 'succeeded', batch: batch.id })
    expect(generation!.image!.url).toMatch(/^https:\/\/proofsheet\.test\/images\//)
    expect(error).toBeNull()
  }
  for (const words of prompts) expect(await chargesOf(words)).toHaveLength(1)
  expect(await batchOf(batch.id)).toMatchObject({
    status: 'ended',
    counts: { waiting: 0, queued: 0, running: 0, succeeded: 3 },
    cost: { actual: 0.165, uncertain: 0 },
    finishedAt: expect.any(String),
  })
})

test('results go on from where a reader left off', async () => {
  const batch = await accepted(await handOver([1, 2, 3].map(() => ({ prompt: prompt() }))))
  await resultsOf(batch.id)
  expect((await resultsOf(batch.id, 0, 2)).map(({ seq }) => seq)).toEqual([3])
  expect(await resultsOf(batch.id, 0, 3)).toEqual([])
})

test('results come while others are still made', async () => {
  const slow = prompt()
  const batch = await accepted(
    await handOver([{ prompt: `[[fault:slow ms=2500]] ${slow}` }, { prompt: prompt() }]),
  )
  const response = await ask(`/api/batches/${batch.id}/results?wait=30`)
  expect(response.headers.get('content-type')).toBe('application/x-ndjson')
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  const first = JSON.parse((await reader.read()).value!)
  expect(first).toMatchObject({ seq: 1, line: 2 })
  expect((await batchOf(batch.id)).counts).toMatchObject({ running: 1, succeeded: 1 })
  expect(JSON.parse((await reader.read()).value!)).toMatchObject({ seq: 2, line: 1 })
  expect((await reader.read()).done).toBe(true)
})

test('a picture is made from that of an earlier line, whose picture it waits for', async () => {
  const [base, more] = [prompt(), prompt()]
  const batch = await accepted(
    await handOver([
      { prompt: base, key: `base-${base}`.replaceAll(' ', '-') },
      { prompt: more, references: [{ key: `base-${base}`.replaceAll(' ', '-') }] },
    ]),
  )
  const results = await resultsOf(batch.id)
  expect(results.map((result) => result.line)).toEqual([1, 2])
  const [first, second] = results.map(({ generation }) => generation!)
  expect(second!.request.references).toEqual([
    expect.objectContaining({ generation: first!.id, sha256: first!.image!.sha256 }),
  ])
  expect((await callsOf(more))[0]!.references).toBe(1)
})

test('what waits for a picture that never comes ends with it, line by line, and buys nothing', async () => {
  const [base, next, last] = [prompt(), prompt(), prompt()]
  const key = (words: string) => words.replaceAll(' ', '-')
  const batch = await accepted(
    await handOver([
      { prompt: `[[fault:refused]] ${base}`, key: key(base) },
      { prompt: next, key: key(next), references: [{ key: key(base) }] },
      { prompt: last, references: [{ key: key(next) }] },
    ]),
  )
  const results = await resultsOf(batch.id)
  expect(results.map(({ error }) => error)).toEqual([
    null,
    {
      code: 'reference_not_found',
      message: `line 1 (${key(base)}), whose picture it is made from, ended without one: it is refused`,
    },
    {
      code: 'reference_not_found',
      message: `line 2 (${key(next)}), whose picture it is made from, ended without one: it is failed`,
    },
  ])
  expect((await batchOf(batch.id)).counts).toMatchObject({ refused: 1, failed: 2, succeeded: 0 })
  expect([...(await callsOf(next)), ...(await callsOf(last))]).toEqual([])
})

test('a line whose key was used before gets that picture, at no cost to the batch', async () => {
  const words = prompt()
  const key = crypto.randomUUID()
  const made = await make({ prompt: words }, { 'idempotency-key': key })
  const batch = await accepted(await handOver([{ prompt: words, key }]))
  const [result] = await resultsOf(batch.id)
  expect(result!.generation!.id).toBe(made.id)
  expect(await batchOf(batch.id)).toMatchObject({ cost: { estimated: 0, actual: 0 } })
  expect(await chargesOf(words)).toHaveLength(1)
})

test('a line whose key another request has, unknown to the index, ends as such and not with the other picture', async () => {
  const key = crypto.randomUUID()
  const { id } = await make({ prompt: prompt() }, { 'idempotency-key': key })
  const unlist = env.DB.prepare(`DELETE FROM generations WHERE id = ?1 AND status = 'succeeded'`).bind(id)
  await vi.waitFor(async () => expect((await unlist.run()).meta.changes).toBe(1))
  const words = prompt()
  const batch = await accepted(await handOver([{ prompt: words, key }]))
  const [result] = await resultsOf(batch.id)
  expect(result).toMatchObject({ generation: null, error: { code: 'key_reused' } })
  expect((await batchOf(batch.id)).counts).toMatchObject({ failed: 1 })
  expect(await callsOf(words)).toEqual([])
})

test('lines for which a budget has no room end as such, the others are made', async () => {
  const { token } = await makeToken({ budget: { total: 0.12 } })
  const words = [prompt(), prompt(), prompt()]
  const response = await handOver(
    words.map((text) => ({ prompt: text })),
    { authorization: `Bearer ${token}` },
  )
  const batch = await accepted(response)
  const results = await resultsOf(batch.id)
  expect(results.map(({ error }) => error?.code ?? 'made').sort()).toEqual([
    'budget_exceeded',
    'made',
    'made',
  ])
  expect((await Promise.all(words.map(chargesOf))).flat()).toHaveLength(2)
  const view = (await (await askWith(token, `/api/batches/${batch.id}`)).json()) as BatchView
  expect(view).toMatchObject({ counts: { succeeded: 2, failed: 1 }, cost: { actual: 0.11 } })
})

test('batches are listed with the newest first, by pages', async () => {
  const ids: string[] = []
  for (const _ of [1, 2, 3]) ids.unshift((await accepted(await handOver([{ prompt: prompt() }]))).id)
  const page = async (query: string) =>
    (await (await ask(`/api/batches?${query}`)).json()) as { batches: BatchView[]; cursor: string }
  const first = await page('limit=2')
  const second = await page(`limit=2&cursor=${first.cursor}`)
  const seen = [...first.batches, ...second.batches].map(({ id }) => id).slice(0, 3)
  expect(seen.toSorted()).toEqual(ids.toSorted())
  expect((await problemOf(await ask('/api/batches?cursor=1'))).code).toBe('invalid_request')
})

test('the webhook is told once all has ended, and again until it takes the message', async () => {
  const key = crypto.randomUUID()
  const told: { headers: Headers; body: { type: string; data: BatchView } }[] = []
  const { fetch } = globalThis
  const spy = vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
    if (String(input) !== 'https://hooks.example.com/batch') return fetch(input, init)
    told.push({ headers: new Headers(init!.headers), body: JSON.parse(String(init!.body)) })
    return new Response(null, { status: told.length === 1 ? 500 : 204 })
  })
  const body = JSON.stringify({
    requests: [{ model: 'nano-banana-2', provider: 'apiyi', size: '512', prompt: prompt() }],
    webhook: 'https://hooks.example.com/batch',
    metadata: { shop: 'fern' },
  })
  const headers = { 'idempotency-key': key }
  const { id } = await accepted(await ask('/api/batches', { method: 'POST', body, headers }))
  await until(id, ({ status }) => status === 'ended')
  await vi.waitFor(() => expect(told).toHaveLength(1), 10_000)
  // Its next try is due in seconds; the clock of the object is put forward instead.
  await vi.waitFor(async () => {
    await objectOf(id).drive(id)
    expect(told.length).toBeGreaterThan(1)
  }, 10_000)
  spy.mockRestore()
  expect(new Set(told.map(({ headers }) => headers.get('webhook-id')))).toEqual(new Set([`msg_${id}`]))
  expect(told.at(-1)!.body).toMatchObject({
    type: 'batch.ended',
    data: {
      id,
      status: 'ended',
      counts: { succeeded: 1 },
      cost: { actual: 0.055 },
      metadata: { shop: 'fern' },
    },
  })
  await vi.waitFor(async () => {
    expect(await runInDurableObject(objectOf(id), (_, { storage }) => storage.getAlarm())).toBeNull()
  })
  await objectOf(id).drive(id)
  expect(told).toHaveLength(2)
})

/** Objects of batches whose first `reached` calls come through. */
const reachable = (reached: number) => {
  let calls = 0
  return {
    idFromName: (name: string) => env.BATCH.idFromName(name),
    get: (...args: Parameters<typeof env.BATCH.get>) => ({
      drive: (id: string) => {
        if (++calls > reached) return Promise.reject(new Error('unreachable'))
        return env.BATCH.get(...args).drive(id)
      },
    }),
  }
}

test('a batch runs whose worker died in the moment after it was accepted', async () => {
  const words = prompt()
  const batch = await accepted(await handOver([{ prompt: words }], {}, { BATCH: reachable(1) }))
  await resultsOf(batch.id)
  expect(await chargesOf(words)).toHaveLength(1)
})

test('a batch that nobody would drive is not accepted', async () => {
  const words = prompt()
  const problem = await problemOf(await handOver([{ prompt: words }], {}, { BATCH: reachable(0) }))
  expect(problem).toMatchObject({ status: 503, code: 'unavailable', charged: 'no' })
  const { results } = await env.DB.prepare('SELECT 1 FROM batch_lines WHERE instr(request, ?1)')
    .bind(words)
    .all()
  expect(results).toEqual([])
})

/** D1, and the statements that were made with it. */
function witnessed() {
  const statements: string[] = []
  const DB = {
    prepare: (sql: string) => {
      statements.push(sql)
      return env.DB.prepare(sql)
    },
  }
  return { statements, DB: DB as D1Database }
}

test('two thousand lines are accepted with a few statements', async () => {
  // An object that is told of the batch and does nothing: none of it is made.
  const BATCH = { idFromName: (name: string) => name, get: () => ({ drive: async () => {} }) }
  const lines = Array.from({ length: 2_000 }, (_, index) => ({ prompt: `fern ${index}` }))
  const { statements, DB } = witnessed()
  const batch = await accepted(await handOver(lines, {}, { BATCH, DB }))
  expect(statements.length).toBeLessThan(25)
  expect(batch).toMatchObject({ total: 2_000, counts: { waiting: 2_000 }, cost: { estimated: 110 } })
})

describe('where thousands wait for one another', () => {
  test.for<[string, (db: D1Database) => Promise<unknown>, Record<string, string>]>([
    ['what is ready', (db) => readyLines(db, 'set', 10), { own: 'state=?', other: 'line=?' }],
    ['what will never be', (db) => doomedLines(db, 'set', 10), { own: 'state=?', other: 'line=?' }],
    [
      'what ends',
      (db) => {
        const error = { code: 'internal', message: 'none' }
        return endWithoutStatement(db, 'set', [{ line: 1, status: 'failed', error }]).run()
      },
      { own: 'line=?', other: 'ended_seq>?' },
    ],
  ])('%s is looked up, not searched for', async ([, work, expected]) => {
    const { statements, DB } = witnessed()
    await work(DB)
    const [sql] = statements
    const values = ['set', '[]', 1].slice(0, new Set(sql!.match(/\?\d/g)).size)
    const { results } = await env.DB.prepare(`EXPLAIN QUERY PLAN ${sql}`)
      .bind(...values)
      .all<{ detail: string }>()
    const steps = results.flatMap(({ detail }) => {
      const [, table, by] =
        /^(?:SCAN|SEARCH) (own|other)\b(?: USING .*\(line_set=\? AND (.+)\))?/.exec(detail) ?? []
      return table ? [[table, by ?? detail] as const] : []
    })
    expect(Object.fromEntries(steps)).toEqual(expected)
  })
})

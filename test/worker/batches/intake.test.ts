// Handing a batch over: all of it is checked before any of it is accepted, and what is accepted is accepted once.
import { describe, expect, test, vi } from 'vitest'
import type { BatchView } from '../../../core/batch.ts'
import { ask, callsOf, chargesOf, make, problemOf, prompt } from '../setup/ask.ts'
import { accepted, handOver, handOverText, line, resultsOf } from '../setup/batch.ts'
import { env } from '../setup/bindings.ts'
import { PNG, sha256 } from '../setup/pictures.ts'
import { askWith, makeToken } from '../setup/tokens.ts'

// A batch waits for its turn in the queue, a second at least.
vi.setConfig({ testTimeout: 30_000 })

const rows = async () => {
  const { results } = await env.DB.prepare(
    `SELECT (SELECT COUNT(*) FROM batches) AS batches, (SELECT COUNT(*) FROM batch_lines) AS lines`,
  ).all()
  return results[0]
}

const NOTHING = '0'.repeat(64)

describe('what is wrong with lines', () => {
  test('is told line by line and field by field, and nothing is accepted', async () => {
    const before = await rows()
    const good = { prompt: prompt() }
    const response = await handOver([
      good,
      { prompt: '' },
      { prompt: 'x', sise: '1K' },
      { prompt: 'x', model: 'nano-melon' },
      { prompt: 'x', size: '4K', references: [{ sha256: NOTHING }] },
      { prompt: 'x', maxCost: 0.001 },
      { prompt: 'x', webhook: 'https://127.0.0.1/' },
      { prompt: 'x', references: [{ data: 'AAAA', mimeType: 'image/png' }] },
      good,
    ])
    const problem = await problemOf(response)
    expect(problem).toMatchObject({ status: 400, code: 'invalid_request', charged: 'no' })
    expect(problem.errors!.map(({ path }) => path)).toEqual([
      'lines[2].prompt',
      'lines[3].sise',
      'lines[4].model',
      'lines[5].references[0]',
      'lines[6]',
      'lines[7].webhook',
      'lines[8].references[0].data',
    ])
    expect(problem.detail).toMatch(/^lines\[2\]\.prompt: .*; and 4 more\. Nothing was accepted\.$/)
    expect(await rows()).toEqual(before)
    expect(await callsOf(good.prompt)).toEqual([])
  })

  test('is told at most a hundred times', async () => {
    const problem = await problemOf(await handOver(Array.from({ length: 120 }, () => ({ prompt: '' }))))
    expect(problem.errors).toHaveLength(100)
    expect(problem.detail).toContain('and 117 more')
  })

  test('is named by its place in the list where the body is JSON', async () => {
    const body = JSON.stringify({ requests: [line({ prompt: 'x' }), line({ prompt: 'x', aspect: '7:5' })] })
    const problem = await problemOf(await ask('/api/batches', { method: 'POST', body }))
    expect(problem.errors!.map(({ path }) => path)).toEqual(['requests[1].aspect'])
  })

  test.for<[what: string, body: string, code: string, detail: RegExp]>([
    [
      'a line that is no JSON',
      `${JSON.stringify(line({ prompt: 'x' }))}\n{"prompt`,
      'invalid_json',
      /^lines\[2\]: /,
    ],
    ['no line', '\n \n', 'invalid_request', /there is no line/],
    [
      'a line of a megabyte',
      `{"prompt":"${'x'.repeat(1_000_000)}"}`,
      'payload_too_large',
      /^lines\[1\]: .*262144/,
    ],
    [
      '10,001 lines',
      `${JSON.stringify(line({ prompt: 'x' }))}\n`.repeat(10_001),
      'payload_too_large',
      /10000 lines/,
    ],
  ])('%s is refused', async ([, body, code, detail]) => {
    const before = await rows()
    const problem = await problemOf(await handOverText(body))
    expect(problem.code).toBe(code)
    expect(problem.detail).toMatch(detail)
    expect(await rows()).toEqual(before)
  })
})

describe('lines that come without their type, or without their ends, are told how to be sent', () => {
  const one = JSON.stringify(line({ prompt: 'x' }))
  test.for<[string, string, string | undefined, string, RegExp[]]>([
    ['one line as a form', one, 'application/x-www-form-urlencoded', 'invalid_request', [/x-ndjson/]],
    ['one line as text', one, 'text/csv', 'invalid_request', [/must be {"requests": /, /x-ndjson/]],
    ['a list', `[${one}]`, 'application/json', 'invalid_request', [/must be {"requests": /]],
    ['lines as JSON', `${one}\n${one}`, 'application/json', 'invalid_json', [/not one JSON/, /x-ndjson/]],
    ['lines without ends', one + one, undefined, 'invalid_json', [/x-ndjson/, /--data-binary/]],
    ['NDJSON without ends', one + one, 'application/x-ndjson', 'invalid_json', [/^lines\[1\]: .*--data-bin/]],
  ])('%s', async ([, body, type, code, words]) => {
    const bytes = new TextEncoder().encode(body)
    const headers: Record<string, string> = type === undefined ? {} : { 'content-type': type }
    const problem = await problemOf(await ask('/api/batches', { method: 'POST', body: bytes, headers }))
    expect(problem.code).toBe(code)
    for (const expected of words) expect(problem.detail).toMatch(expected)
  })
})

test('lines are counted as an editor counts them: blank ones too', async () => {
  const words = [prompt(), prompt()]
  const [first, second] = words.map((text) => JSON.stringify(line({ prompt: text })))
  const batch = await accepted(await handOverText(`\uFEFF${first}\r\n\r\n  \n${second}`))
  expect(batch.total).toBe(2)
  const results = await resultsOf(batch.id)
  expect(results.map((result) => result.line).sort()).toEqual([1, 4])
  expect(results.map(({ key }) => key).sort()).toEqual([`${batch.id}.1`, `${batch.id}.4`])
})

test('a line may arrive in pieces of any size', async () => {
  const words = `${prompt()} – é 🦊`
  const bytes = new TextEncoder().encode(`${JSON.stringify(line({ prompt: words }))}\n`)
  const { readable, writable } = new TransformStream<Uint8Array>()
  const response = handOverText(readable)
  const writer = writable.getWriter()
  for (const byte of bytes) await writer.write(Uint8Array.of(byte))
  await writer.close()
  const [result] = await resultsOf((await accepted(await response)).id)
  expect(result!.generation!.request).toMatchObject({ prompt: words })
})

test('a long upload is taken in as it is stored: little of it is held at a time', async () => {
  const row = new TextEncoder().encode(`${JSON.stringify(line({ prompt: 'x'.repeat(20_000) }))}\n`)
  let taken = 0
  let stored = 0
  let most = 0
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (taken === 400) return controller.close()
        taken++
        controller.enqueue(row)
      },
    },
    { highWaterMark: 0 },
  )
  const DB = {
    batch: (statements: D1PreparedStatement[]) => env.DB.batch(statements),
    prepare(sql: string) {
      if (!sql.includes('INSERT INTO batch_lines')) return env.DB.prepare(sql)
      const bind = (...values: string[]) => {
        most = Math.max(most, taken - stored)
        stored += (JSON.parse(values[1]!) as unknown[]).length
        return env.DB.prepare(sql).bind(...values)
      }
      return { bind }
    },
  }
  const BATCH = { idFromName: (name: string) => name, get: () => ({ drive: async () => {} }) }
  expect((await accepted(await handOverText(body, {}, { DB, BATCH }))).total).toBe(400)
  expect(stored).toBe(400)
  // A chunk of 1 MiB, a group of lines, and what streams hold on the way: of 8 MB.
  expect(most * row.byteLength).toBeLessThan(2_500_000)
})

test.for([
  ['from the start', /^INSERT INTO batches /],
  ['when lines are stored', /^INSERT INTO batch_lines/],
] as const)('a database that is down %s is told as such, and nothing is accepted', async ([, failing]) => {
  const down = () => Promise.reject(new Error('D1 is down'))
  const DB = {
    batch: (statements: D1PreparedStatement[]) => env.DB.batch(statements),
    prepare: (sql: string) =>
      failing.test(sql.trim()) ? { bind: () => ({ run: down }) } : env.DB.prepare(sql),
  }
  const before = await rows()
  const problem = await problemOf(await handOver([{ prompt: prompt() }], {}, { DB }))
  expect(problem).toMatchObject({ status: 503, code: 'unavailable', charged: 'no' })
  expect(await rows()).toEqual(before)
})

test('a client that leaves in the middle leaves nothing behind', async () => {
  const before = await rows()
  const words = prompt()
  const text = `${JSON.stringify(line({ prompt: words }))}\n`.repeat(600)
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(text))
    },
    pull(controller) {
      controller.error(new Error('the client has left'))
    },
  })
  expect(await problemOf(await handOverText(body))).toMatchObject({
    code: 'invalid_request',
    detail: 'the body broke off; nothing was accepted, send it again',
  })
  expect(await rows()).toEqual(before)
  expect(await callsOf(words)).toEqual([])
})

describe('keys', () => {
  test('equal lines with one key are one picture, told twice', async () => {
    const words = prompt()
    const key = crypto.randomUUID()
    const batch = await accepted(
      await handOver([
        { prompt: words, key },
        { prompt: words, key },
      ]),
    )
    expect(batch.cost.estimated).toBe(0.055)
    const results = await resultsOf(batch.id)
    expect(results.map((result) => result.line)).toEqual([1, 2])
    expect(results[0]!.generation!.id).toBe(results[1]!.generation!.id)
    expect(await chargesOf(words)).toHaveLength(1)
  })

  test('one key for two pictures is refused', async () => {
    const problem = await problemOf(
      await handOver([
        { prompt: 'x', key: 'k' },
        { prompt: 'y', key: 'k' },
      ]),
    )
    expect(problem.errors).toEqual([
      { path: 'lines[2].key', message: 'line 1 has this key for another request; a key names one picture' },
    ])
  })

  test('that belong to other requests already are refused beforehand: nothing is quoted as made', async () => {
    const key = crypto.randomUUID()
    const made = await make({ prompt: prompt() }, { 'idempotency-key': key })
    await vi.waitFor(async () =>
      expect(await (await ask(`/api/generations?status=succeeded`)).text()).toContain(made.id),
    )
    const before = await rows()
    const problem = await problemOf(await handOver([{ prompt: 'x' }, { prompt: 'another picture', key }]))
    expect(problem).toMatchObject({ status: 422, code: 'key_reused', charged: 'no' })
    expect(problem.errors).toEqual([
      { path: 'lines[2].key', message: 'was used for another request; use a new key for a new picture' },
    ])
    expect(await rows()).toEqual(before)
  })

  test('of pictures that are there are quoted at nothing, and taken', async () => {
    const key = crypto.randomUUID()
    const words = prompt()
    await ask('/api/references', { method: 'POST', body: PNG })
    const asked = { prompt: words, references: [{ sha256: sha256(PNG) }] }
    const made = await make(asked, { 'idempotency-key': key })
    await vi.waitFor(async () =>
      expect(await (await ask(`/api/generations?status=succeeded`)).text()).toContain(made.id),
    )
    const batch = await accepted(await handOver([{ ...asked, key }]))
    expect(batch.cost.estimated).toBe(0)
    const [result] = await resultsOf(batch.id)
    expect(result!.generation!.id).toBe(made.id)
    expect(await chargesOf(words)).toHaveLength(1)
  })

  test('a line may name the picture of an earlier line only', async () => {
    const problem = await problemOf(
      await handOver([
        { prompt: 'x', references: [{ key: 'late' }] },
        { prompt: 'y', key: 'late' },
      ]),
    )
    expect(problem.errors![0]).toMatchObject({ path: 'lines[1].references[0].key' })
  })
})

describe('an Idempotency-Key', () => {
  test('with the same lines is the same batch, in whatever form they come', async () => {
    const headers = { 'idempotency-key': crypto.randomUUID() }
    const words = prompt()
    const first = await accepted(await handOver([{ prompt: words }], headers))
    const again = await handOver([{ prompt: words }], headers)
    expect(again.headers.get('idempotent-replayed')).toBe('true')
    expect((await accepted(again)).id).toBe(first.id)
    const body = JSON.stringify({ requests: [line({ prompt: words })] })
    const asJson = await ask('/api/batches', { method: 'POST', body, headers })
    expect((await accepted(asJson)).id).toBe(first.id)
    await resultsOf(first.id)
    expect(await chargesOf(words)).toHaveLength(1)
  })

  test.for<[what: string, change: (words: string) => [lines: object[], path: string]]>([
    ['other lines', () => [[line({ prompt: 'other' })], '/api/batches']],
    ['a line more', (words) => [[line({ prompt: words }), line({ prompt: words })], '/api/batches']],
    [
      'another webhook',
      (words) => [[line({ prompt: words })], '/api/batches?webhook=https://a.example.com/'],
    ],
  ])('with %s is refused', async ([, change]) => {
    const headers = { 'idempotency-key': crypto.randomUUID(), 'content-type': 'application/x-ndjson' }
    const words = prompt()
    await accepted(await handOver([{ prompt: words }], headers))
    const [lines, path] = change(words)
    const body = lines.map((each) => JSON.stringify(each)).join('\n')
    expect((await problemOf(await ask(path, { method: 'POST', body, headers }))).code).toBe('key_reused')
  })

  test('is told apart by metadata beside NDJSON; what is no object of texts is refused', async () => {
    const sending = (metadata: string) => {
      const body = JSON.stringify(line({ prompt: prompt() }))
      const headers = { 'content-type': 'application/x-ndjson' }
      return ask(`/api/batches?metadata=${encodeURIComponent(metadata)}`, { method: 'POST', body, headers })
    }
    const metadata = { manifest: 'catalog.yaml', pictures: '1' }
    expect(await accepted(await sending(JSON.stringify(metadata)))).toMatchObject({ metadata })
    for (const wrong of ['{', '[]', '{"pictures":1}']) {
      const problem = await problemOf(await sending(wrong))
      expect(problem).toMatchObject({ code: 'invalid_request', detail: expect.stringContaining('metadata') })
    }
  })

  test('that comes several times at once makes one batch, and each caller gets it', async () => {
    const headers = { 'idempotency-key': crypto.randomUUID() }
    const words = prompt()
    const responses = await Promise.all(
      Array.from({ length: 4 }, () => handOver([{ prompt: words }, { prompt: `${words} 2` }], headers)),
    )
    const batches = await Promise.all(responses.map(accepted))
    expect(new Set(batches.map(({ id }) => id)).size).toBe(1)
    expect(await resultsOf(batches[0]!.id)).toHaveLength(2)
    expect(await chargesOf(words)).toHaveLength(1)
    const { results } = await env.DB.prepare(`SELECT 1 FROM batches WHERE state = 'receiving'`).all()
    expect(results).toEqual([])
  })
})

test('stored references are looked up when the batch is handed over, and cost it nothing again', async () => {
  const digest = sha256(PNG)
  await ask(`/api/references/${digest}`, { method: 'PUT', body: PNG })
  const lines = [prompt(), prompt()].map((words) => ({ prompt: words, references: [{ sha256: digest }] }))
  const batch = await accepted(await handOver(lines))
  const results = await resultsOf(batch.id)
  expect(results.map(({ generation }) => generation?.status)).toEqual(['succeeded', 'succeeded'])
})

test('what was made before is left out of the quote', async () => {
  const key = crypto.randomUUID()
  const made = { prompt: prompt(), key }
  const first = await accepted(await handOver([made]))
  await resultsOf(first.id)
  const batch = await accepted(await handOver([made, { prompt: prompt() }]))
  expect(batch.cost).toMatchObject({ estimated: 0.055, atMost: 0.055 })
})

test('a price that is not known makes the sum unknown', async () => {
  const batch = await accepted(
    await handOver([
      { prompt: prompt() },
      { prompt: prompt(), provider: 'tokaify', model: 'nano-banana-pro', size: '1K' },
    ]),
  )
  expect(batch.cost).toMatchObject({ estimated: null, atMost: null })
})

describe('a token', () => {
  test('whose budget never has room for a line is told so before anything is accepted', async () => {
    const { token } = await makeToken({ budget: { day: 0.05 } })
    const headers = { authorization: `Bearer ${token}` }
    const problem = await problemOf(await handOver([{ prompt: 'x' }], headers))
    expect(problem).toMatchObject({ code: 'budget_exceeded', status: 402 })
    expect(problem.title).toBe('The budget of the token has no room for it')
    expect(problem.budget).toEqual({ period: 'day', limit: 0.05, committed: 0, remaining: 0.05 })
    expect(problem.detail).toBe(
      'lines[1]: it may cost up to $0.055; this token may spend $0.05 a day. Nothing was accepted.',
    )
  })

  test('whose budget is spent is told so before anything is accepted, unless all was made before', async () => {
    const { token } = await makeToken({ budget: { total: 0.1 } })
    const headers = { authorization: `Bearer ${token}` }
    const made = { key: crypto.randomUUID(), prompt: prompt() }
    await resultsOf((await accepted(await handOver([made], headers))).id)

    const before = await rows()
    const words = prompt()
    const problem = await problemOf(await handOver([made, { prompt: words }], headers))
    expect(problem).toMatchObject({
      code: 'budget_exceeded',
      status: 402,
      detail:
        'this token may spend $0.10 in all; $0.055 are spent or held, and $0.045 are not enough for the most that the cheapest of these pictures may cost; ask for a cheaper picture or for a token with a larger budget',
      budget: { period: 'total', limit: 0.1, committed: 0.055, remaining: 0.045 },
    })
    expect(await rows()).toEqual(before)
    expect(await callsOf(words)).toEqual([])
    const again = await accepted(await handOver([made, { ...made }], headers))
    expect(await resultsOf(again.id)).toHaveLength(2)
  })

  test('whose budget a repeat of the same batch has spent meanwhile is told of that batch', async () => {
    const { token } = await makeToken({ budget: { total: 0.1 } })
    const headers = { authorization: `Bearer ${token}`, 'idempotency-key': crypto.randomUUID() }
    const rows = [prompt(), prompt()].map((words) => JSON.stringify(line({ prompt: words })))
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
    const writer = writable.getWriter()
    const slow = handOverText(readable, headers)
    await writer.write(new TextEncoder().encode(`${rows[0]}\n`))
    const { id } = await accepted(await handOverText(rows.join('\n'), headers))
    const results = await resultsOf(id)
    expect(results.map(({ error }) => error?.code ?? null).toSorted()).toEqual(['budget_exceeded', null])
    await writer.write(new TextEncoder().encode(rows[1]))
    await writer.close()
    const response = await slow
    expect(response.headers.get('idempotent-replayed')).toBe('true')
    expect((await accepted(response)).id).toBe(id)
  })

  test('of another workspace neither sees nor cancels a batch', async () => {
    const { token } = await makeToken({ workspace: 'other' })
    const { id } = await accepted(await handOver([{ prompt: prompt() }]))
    for (const [path, method] of [
      ['', 'GET'],
      ['/results', 'GET'],
      ['/cancel', 'POST'],
    ] as const)
      expect((await problemOf(await askWith(token, `/api/batches/${id}${path}`, { method }))).code).toBe(
        'not_found',
      )
    const { batches } = (await (await askWith(token, '/api/batches')).json()) as { batches: BatchView[] }
    expect(batches).toEqual([])
  })

  test('that may only read hands nothing over', async () => {
    const { token } = await makeToken({ scopes: ['read'] })
    const headers = { authorization: `Bearer ${token}` }
    expect((await problemOf(await handOver([{ prompt: 'x' }], headers))).code).toBe('forbidden')
  })
})

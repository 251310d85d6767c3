import { expect, test } from 'vitest'
import { createClient, WorkerProblem, WorkerUnreachable } from '../../runner/client.ts'

type Asked = { method: string; url: string; headers: Record<string, string>; body: unknown }

/** A client whose network answers as told, in turn; the last answer again and again. */
function client(...answers: (Response | Error | (() => Response))[]) {
  const asked: Asked[] = []
  const slept: number[] = []
  const made = createClient('http://worker.test/', 'the-token', {
    fetch: (async (url: string, init: RequestInit) => {
      const { method = 'GET', body } = init
      asked.push({ method, url, headers: init.headers as Record<string, string>, body })
      const answer = answers[Math.min(asked.length, answers.length) - 1]!
      if (answer instanceof Error) throw answer
      return typeof answer === 'function' ? answer() : answer
    }) as typeof fetch,
    sleep: async (ms) => void slept.push(ms),
  })
  return { made, asked, slept }
}

const models = () =>
  Response.json({ emulated: false, defaultProvider: null, pricesAsOf: 'x', providers: [], models: [] })
const broken = () =>
  new Response(
    new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode('{"emul'))
        controller.error(new TypeError('terminated'))
      },
    }),
  )

const GENERATION = {
  id: 'gen_1',
  status: 'queued',
  provider: 'apiyi',
  model: 'gemini-3.1-flash-image',
  emulated: false,
  image: null,
  moreImages: [],
  text: null,
  finishReason: null,
  error: null,
  cost: { estimated: 0.055, atMost: 0.055, actual: null, difference: null, currency: 'USD', basis: 'x' },
  attempts: [],
  usage: null,
  request: {},
  metadata: {},
  createdAt: '2026-11-21T00:00:00Z',
  finishedAt: null,
}

const PROBLEM = {
  type: 't',
  title: 't',
  status: 400,
  detail: 'words',
  code: 'invalid_request',
  charged: 'no',
  retryAfterMs: null,
  requestId: 'r',
}

const PICTURE = { model: 'nano-banana-2', prompt: 'a fern' }

test.for<[string, Response | Error | (() => Response)]>([
  ['the network fails', new TypeError('fetch failed')],
  ['the worker restarts', () => new Response('', { status: 503 })],
  ['the answer breaks off', broken],
])('when %s the call is sent again', async ([, first]) => {
  const { made, asked, slept } = client(first, models)
  expect(await made.models()).toMatchObject({ models: [] })
  expect(asked).toHaveLength(2)
  expect(slept).toEqual([500])
})

test('a token that asks too often waits as long as the worker says, however often; that is no failure', async () => {
  const busy = (retryAfterMs: number | null) => () =>
    Response.json({ ...PROBLEM, status: 429, code: 'too_many_requests', retryAfterMs }, { status: 429 })
  const waits = [busy(7_000), busy(null), busy(3_000), busy(1), busy(1), busy(1)]
  const { made, slept } = client(...waits, models)
  expect(await made.models()).toMatchObject({ models: [] })
  expect(slept).toEqual([7_000, 1_000, 3_000, 1, 1, 1])
})

test("any other 429 is the worker's word", async () => {
  const { made, slept } = client(() => Response.json({ ...PROBLEM, status: 429 }, { status: 429 }))
  await expect(made.models()).rejects.toThrow(WorkerProblem)
  expect(slept).toEqual([])
})

test('results of a batch come as their lines arrive; a stream that breaks off is an unreachable worker', async () => {
  const { promise: rest, resolve: go } = Promise.withResolvers<void>()
  const result = (seq: number) =>
    JSON.stringify({ seq, line: seq, key: `k${seq}`, generation: GENERATION, error: null })
  const { made, asked } = client(
    () =>
      new Response(
        new ReadableStream({
          async start(controller) {
            const text = `${result(1)}\n${result(2)}\n${result(3)}`
            controller.enqueue(new TextEncoder().encode(text.slice(0, text.indexOf('k2'))))
            await rest
            controller.enqueue(new TextEncoder().encode(text.slice(text.indexOf('k2'))))
            controller.error(new TypeError('terminated'))
          },
        }),
      ),
  )
  const seen: number[] = []
  const reading = (async () => {
    for await (const { seq } of made.batchResults('bat_1', { after: 0, waitS: 50 })) {
      seen.push(seq)
      go()
    }
  })()
  await expect(reading).rejects.toThrow(WorkerUnreachable)
  expect(seen).toEqual([1, 2])
  expect(asked[0]!.url).toBe('http://worker.test/api/batches/bat_1/results?after=0&wait=50')
})

test('a batch is handed over as NDJSON, a line for each picture, and again in whole when the network fails', async () => {
  const { made, asked } = client(new TypeError('fetch failed'), () =>
    Response.json({ ...PROBLEM, status: 400 }, { status: 400 }),
  )
  const lines = [
    { ...PICTURE, key: 'a' },
    { ...PICTURE, key: 'b', references: [{ key: 'a' }] },
  ]
  await expect(made.makeBatch('k', lines)).rejects.toThrow(WorkerProblem)
  expect(asked).toHaveLength(2)
  for (const { body, ...call } of asked) {
    expect(call).toMatchObject({
      method: 'POST',
      url: 'http://worker.test/api/batches',
      headers: { 'idempotency-key': '"k"', 'content-type': 'application/x-ndjson' },
    })
    expect(await new Response(body as ReadableStream).text()).toBe(
      '{"model":"nano-banana-2","prompt":"a fern","key":"a"}\n' +
        '{"model":"nano-banana-2","prompt":"a fern","key":"b","references":[{"key":"a"}]}\n',
    )
  }
})

test('the lines of a batch are put together as the network takes them, never all at once', async () => {
  let ready = 0
  const { made, asked } = client(new Response('', { status: 400 }))
  const lines = {
    *[Symbol.iterator]() {
      for (; ready < 1_000; ready++) yield { ...PICTURE, key: `k${ready}` }
    },
  }
  await made.makeBatch('k', lines).catch(() => {})
  const reader = (asked[0]!.body as ReadableStream<Uint8Array>).getReader()
  expect(new TextDecoder().decode((await reader.read()).value)).toContain('"key":"k0"')
  expect(ready).toBeLessThan(10)
})

test('after five failures the worker counts as unreachable, with the reason', async () => {
  const { made, slept } = client(new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED') }))
  await expect(made.models()).rejects.toThrow(WorkerUnreachable)
  await expect(made.models()).rejects.toThrow('http://worker.test cannot be reached: connect ECONNREFUSED')
  expect(slept.slice(0, 4)).toEqual([500, 1_000, 2_000, 4_000])
})

test('the token goes to the worker alone, not to wherever pictures are served from', async () => {
  const { made, asked } = client(() => new Response('bytes'))
  await made.download('http://worker.test/images/a.png')
  await made.download('https://cdn.test/a.png')
  expect(asked.map(({ headers }) => headers.authorization)).toEqual(['Bearer the-token', undefined])
})

test('what answers is told from a proofsheet worker', async () => {
  const { made } = client(() => new Response('<h1>It works!</h1>'))
  await expect(made.models()).rejects.toThrow('answered 200, which is not the answer of a proofsheet worker')
})

test('a picture is known to the worker when it says so at the first try: a lost one may have bought it', async () => {
  const answer = (headers: Record<string, string>) => () => Response.json(GENERATION, { headers })
  const known = { 'idempotent-replayed': 'true' }
  const asked = async (...answers: Parameters<typeof client>) =>
    (await client(...answers).made.generate('k', PICTURE, 0)).replayed
  expect(await asked(answer(known))).toBe(true)
  expect(await asked(answer({}))).toBe(false)
  expect(await asked(new TypeError('fetch failed'), answer(known))).toBe(false)
})

test('a call that is called off is not sent again, and a wait between two tries ends', async () => {
  const stop = new AbortController()
  const asked: string[] = []
  const made = createClient('http://worker.test', 'the-token', {
    fetch: (async (url: string, init: RequestInit) => {
      asked.push(`${init.method ?? 'GET'} ${url}`)
      stop.abort()
      init.signal!.throwIfAborted()
    }) as unknown as typeof fetch,
    sleep: async () => {},
  })
  const upload = made.putReference('abc', 'image/png', async () => new Uint8Array(1), stop.signal)
  await expect(upload).rejects.toThrow('abort')
  await expect(made.download('http://worker.test/images/a.png', stop.signal)).rejects.toThrow('abort')
  expect(asked).toEqual(['HEAD http://worker.test/api/references/abc', 'GET http://worker.test/images/a.png'])
})

test('calls go where the contract says, with what it says', async () => {
  const reference = { sha256: 'a'.repeat(64), mimeType: 'image/png', bytes: 1 }
  const answers = [
    () => Response.json(GENERATION, { status: 202 }),
    () => Response.json(GENERATION),
    () => new Response(null, { status: 404 }),
    () => Response.json(reference, { status: 201 }),
  ]
  const { made, asked } = client(...answers)
  await made.generate('k', PICTURE, 50)
  await made.generation('gen_1', 7)
  await made.putReference(reference.sha256, 'image/png', async () => new Uint8Array([1]))
  const authorization = 'Bearer the-token'
  expect(asked).toEqual([
    {
      method: 'POST',
      url: 'http://worker.test/api/generations',
      headers: {
        authorization,
        'content-type': 'application/json',
        'idempotency-key': '"k"',
        prefer: 'wait=50',
      },
      body: JSON.stringify(PICTURE),
    },
    {
      method: 'GET',
      url: 'http://worker.test/api/generations/gen_1?wait=7',
      headers: { authorization },
      body: undefined,
    },
    {
      method: 'HEAD',
      url: `http://worker.test/api/references/${reference.sha256}`,
      headers: { authorization },
      body: undefined,
    },
    {
      method: 'PUT',
      url: `http://worker.test/api/references/${reference.sha256}`,
      headers: { authorization, 'content-type': 'image/png', 'content-length': '1' },
      body: new Uint8Array([1]),
    },
  ])
})

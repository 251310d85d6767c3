// One item, without a worker: what is asked for, what is made of the answer, and what it cost.
import { describe, expect, test } from 'vitest'
import type { GenerationView } from '../../core/api.ts'
import type { PriceRow } from '../../core/prices.ts'
import { type Client, type WireRequest, WorkerProblem } from '../../runner/client.ts'
import { adopt } from '../../runner/run/adopt.ts'
import { costOf } from '../../runner/run/cost.ts'
import { createMaker, intentOf, requestOf } from '../../runner/run/make.ts'
import { item, lockOf, plan } from './items.ts'

type Attempt = GenerationView['attempts'][number]

const attempt = (changes: Partial<Attempt> = {}): Attempt => ({
  provider: 'apiyi',
  model: 'gemini-3.1-flash-image',
  startedAt: '2026-11-21T00:00:00Z',
  ms: 1,
  outcome: 'succeeded',
  charged: 'yes',
  cost: 0.055,
  message: null,
  ...changes,
})
const view = (changes: Partial<GenerationView> = {}): GenerationView => ({
  id: 'gen_1',
  status: 'succeeded',
  provider: 'apiyi',
  model: 'gemini-3.1-flash-image',
  emulated: false,
  image: {
    url: 'http://w/images/x.png',
    mimeType: 'image/png',
    bytes: 1,
    width: 1,
    height: 1,
    sha256: '0'.repeat(64),
  },
  moreImages: [],
  text: null,
  finishReason: 'STOP',
  error: null,
  cost: { estimated: 0.055, atMost: 0.055, actual: 0.055, difference: 0, currency: 'USD', basis: 'x' },
  attempts: [attempt()],
  usage: null,
  request: {},
  metadata: {},
  createdAt: '2026-11-21T00:00:00Z',
  finishedAt: '2026-11-21T00:00:01Z',
  ...changes,
})

const row = (rate: object) =>
  ({ provider: 'apiyi', model: 'gemini-3.1-flash-image', source: 'the manifest', ...rate }) as PriceRow
const flat = { apiyi: { 'gemini-3.1-flash-image': row({ unit: 'request', microUsd: 500_000 }) } }
const byToken = {
  apiyi: {
    'gemini-3.1-flash-image': row({
      unit: 'token',
      inputPerMillion: 1_000_000,
      textPerMillion: 2_000_000,
      imagePerMillion: 10_000_000,
    }),
  },
}
const usage = {
  promptTokenCount: 100,
  totalTokenCount: 1_100,
  candidatesTokensDetails: [{ modality: 'IMAGE', tokenCount: 1_000 }],
}

describe('what a generation cost', () => {
  test.each<[string, GenerationView, Parameters<typeof costOf>[1], number | null]>([
    ["the worker's sum, where the manifest gives no price", view(), {}, 0.055],
    ["the worker's sum, where it gives that of others", view(), { google: flat.apiyi }, 0.055],
    ['the flat price of the manifest', view(), flat, 0.5],
    ['by the usage, at the rates of the manifest', view({ usage }), byToken, 0.0101],
    ['not known, where the usage does not say', view(), byToken, null],
    [
      'both attempts, each by its own price',
      view({ attempts: [attempt(), attempt({ model: 'gemini-3-pro-image', cost: 0.09 })] }),
      flat,
      0.59,
    ],
    [
      'nothing for what was not charged',
      view({ attempts: [attempt({ charged: 'no', cost: 0 }), attempt()] }),
      flat,
      0.5,
    ],
    [
      'not known, where it is not known whether it was charged',
      view({ attempts: [attempt({ charged: 'unknown', cost: null })] }),
      flat,
      null,
    ],
  ])('%s', (_, of, prices, cost) => expect(costOf(of, prices)).toBe(cost))
})

describe('the ceiling of one picture', () => {
  const [planned] = plan([item('a', { provider: 'apiyi' })]).items

  test('is told to the worker, in USD', () => {
    expect(requestOf(planned!, [], { perImage: 500_000 })).toMatchObject({ maxCost: 0.5 })
    expect(requestOf(planned!, [])).not.toHaveProperty('maxCost')
  })

  test('is not, where the manifest has prices of its own: the worker would hold it against others', () => {
    expect(requestOf(planned!, [], { perImage: 500_000, prices: flat })).not.toHaveProperty('maxCost')
  })
})

describe('an answer without a picture', () => {
  const make = async (of: GenerationView) => {
    const maker = createMaker({
      client: { generate: async () => ({ view: of, replayed: false }) } as unknown as Client,
      now: () => 7,
      fileOf: async () => undefined,
      download: () => {
        throw new Error('nothing to download')
      },
    })
    const { signal } = new AbortController()
    return maker(plan([item('a', { provider: 'apiyi' })]).items[0]!, new Map(), signal)
  }
  const without = (changes: Partial<GenerationView>) =>
    view({ status: 'failed', image: null, attempts: [attempt({ outcome: 'no_image' })], ...changes })

  test("has the model's words", async () => {
    const said = await make(
      without({
        status: 'refused',
        error: { code: 'refused', message: 'IMAGE_SAFETY' },
        text: 'I see a person.\n',
      }),
    )
    expect(said).toMatchObject({
      kind: 'failed',
      failure: { code: 'refused', status: 'refused', message: 'IMAGE_SAFETY\nI see a person.', cost: 0.055 },
    })
  })

  test.each([
    ['expired', 'failed', 'its deadline passed before it could be sent; run again to try once more'],
    ['cancelled', 'cancelled', 'it was cancelled before it was sent; run again to have it made after all'],
  ] as const)('that %s says so, and what to do', async (code, status, message) => {
    const ended = without({ status, error: { code, message: '' }, attempts: [] })
    expect(await make(ended)).toMatchObject({
      kind: 'failed',
      failure: { code, status: 'failed', message, charged: 'no' },
    })
  })

  test('does not say them twice', async () => {
    const error = { code: 'no_image' as const, message: 'MAX_TOKENS: only words' }
    expect(await make(without({ error, text: 'only words' }))).toMatchObject({
      failure: { status: 'failed', message: 'MAX_TOKENS: only words' },
    })
  })
})

describe('a picture that the worker took', () => {
  const [planned] = plan([item('a', { provider: 'apiyi' })]).items
  const make = (client: Partial<Client>) => {
    const maker = createMaker({
      client: client as Client,
      now: () => 7,
      fileOf: async () => undefined,
      download: () => {
        throw new Error('nothing to download')
      },
    })
    return maker(planned!, new Map(), new AbortController().signal)
  }
  const problem = (
    code: 'unauthorised' | 'not_found' | 'internal' | 'gone' | 'unavailable',
    charged: 'no' | 'unknown',
  ) =>
    new WorkerProblem({
      type: 't',
      title: code,
      status: 500,
      detail: 'words',
      code,
      charged,
      retryAfterMs: null,
      requestId: 'r',
    })
  const queued = view({ status: 'queued', image: null, attempts: [] })

  test.each([
    ['unauthorised', 'no'],
    ['not_found', 'no'],
    ['internal', 'unknown'],
  ] as const)(
    'may be paid for, when the worker then answers %s: it is kept for the next run',
    async (code, charged) => {
      const seen = [view({ status: 'running', image: null, attempts: [] })]
      const made = await make({
        generate: async () => ({ view: queued, replayed: false }),
        generation: async () => {
          const next = seen.pop()
          if (next) return next
          throw problem(code, charged)
        },
      })
      expect(made).toMatchObject({
        kind: 'failed',
        failure: { code, status: 'failed', charged: 'unknown', cost: null },
        entry: { generation: 'gen_1', status: 'running', charged: 'unknown', cost: null, key: planned!.key },
      })
      const { failure } = made as Extract<typeof made, { kind: 'failed' }>
      expect(failure.message).toBe(
        'the worker took it (generation gen_1) and no longer says what becomes of it: words; run again, it is asked for under the same key',
      )
    },
  )

  test('is asked for from a file, where the worker keeps the picture it is made from no more', async () => {
    const items = [item('cup'), item('scene', { references: [{ kind: 'from', item: 'cup' }] })]
    const lock = lockOf(plan(items))
    const asked: unknown[] = []
    const maker = createMaker({
      client: {
        putReference: async () => {},
        generate: async (_: string, { references }: WireRequest) => {
          asked.push(references)
          if (asked.length === 1) throw problem('gone', 'no')
          return { view: view(), replayed: false }
        },
      } as unknown as Client,
      now: () => 7,
      fileOf: async () => '/out/cup.png',
      download: () => {
        throw new Error('nothing to download')
      },
    })
    const scene = plan(items).items[1]!
    const made = await maker(scene, new Map([['cup', lock.get('cup')!]]), new AbortController().signal)
    expect(made.kind).toBe('made')
    expect(asked).toEqual([[{ generation: 'gen_cup' }], [{ sha256: '0'.repeat(64) }]])
  })

  test('that the worker has no time for counts as a worker out of reach', async () => {
    const made = await make({
      generate: async () => {
        throw problem('unavailable', 'no')
      },
    })
    expect(made).toMatchObject({ kind: 'failed', failure: { code: 'unreachable_worker', charged: 'no' } })
  })

  test('was not taken, when the first answer is a problem: nothing is kept', async () => {
    const made = await make({
      generate: async () => {
        throw problem('not_found', 'no')
      },
    })
    expect(made).toEqual({
      kind: 'failed',
      failure: { code: 'not_found', status: 'failed', message: 'words', charged: 'no', cost: 0 },
    })
  })

  test.each([
    ['that had ended before is found, not bought', view(), true, true],
    ['that is new is bought', view(), false, undefined],
    ['that is still being made counts as bought', queued, true, undefined],
  ])('and %s', async (_, answer, replayed, found) => {
    const made = await make({
      generate: async () => ({ view: answer, replayed }),
      generation: async () => view(),
    })
    expect(made.kind).toBe('made')
    expect(made.found).toBe(found)
  })
})

test('what is to be bought again is noted under its key, without a generation', () => {
  const [again] = plan([item('a')], lockOf(plan([item('a')])), { redo: ['a'] }).items
  expect(intentOf(again!, 7, { profile: 'draft', emulated: false })).toEqual({
    id: 'a',
    key: `${again!.fingerprint}-2`,
    fingerprint: again!.fingerprint,
    edition: 2,
    inputs: again!.inputs,
    generation: '',
    status: 'queued',
    provider: 'google',
    model: 'gemini-3.1-flash-image',
    emulated: false,
    cost: null,
    charged: 'no',
    profile: 'draft',
    recordedAt: 7,
  })
})

describe('what the worker knows already', () => {
  /** A worker that knows every third key. */
  function worker() {
    const asked: number[] = []
    let flying = 0
    let most = 0
    const client = {
      async estimate(requests: readonly WireRequest[]) {
        asked.push(requests.length)
        return {
          requests: requests.map((_, i) => ({ existing: i % 3 === 0 ? { id: `gen_${i}` } : null })),
        }
      },
      async generation(id: string) {
        most = Math.max(most, ++flying)
        await new Promise((resolve) => setImmediate(resolve))
        flying--
        return view({ id })
      },
    } as unknown as Client
    return { client, asked, most: () => most }
  }

  test('is asked for in slices, looked up a few at a time, and comes in the order of the items', async () => {
    const { client, asked, most } = worker()
    const items = plan(Array.from({ length: 2_500 }, (_, i) => item(`i${i}`))).items
    const progress: [number, number][] = []
    const found = await adopt(items, client, {
      now: () => 7,
      terms: { profile: 'draft' },
      onProgress: (done, of) => progress.push([done, of]),
    })
    expect(asked).toEqual([1_000, 1_000, 500])
    expect(most()).toBe(16)
    expect(progress).toEqual([
      [1_000, 2_500],
      [2_000, 2_500],
      [2_500, 2_500],
    ])
    expect(found).toHaveLength(334 + 334 + 167)
    expect(found.slice(0, 2)).toMatchObject([
      { id: 'i0', generation: 'gen_0', profile: 'draft', recordedAt: 7 },
      { id: 'i3', generation: 'gen_3' },
    ])
    expect(found[334]).toMatchObject({ id: 'i1000', generation: 'gen_0' })
  })

  test('an abort ends the questions', async () => {
    const { client, asked } = worker()
    const items = plan(Array.from({ length: 2_500 }, (_, i) => item(`i${i}`))).items
    const stop = new AbortController()
    const asking = adopt(items, client, {
      now: () => 7,
      signal: stop.signal,
      onProgress: () => stop.abort(),
    })
    await expect(asking).rejects.toThrow('abort')
    expect(asked).toEqual([1_000])
  })
})

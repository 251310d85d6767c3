// POST and GET /api/generations as a client meets them: the answer, the wait, and the key (promise 1). Calls are counted at
// the emulator.
import { describe, expect, test } from 'vitest'
import { GenerationSchema, type GenerationView, type StoredReference } from '../../core/api.ts'
import { ask, askAs, callsOf, chargesOf, make, post, problemOf, prompt, stored } from './setup/ask.ts'
import { env } from './setup/bindings.ts'

describe('a picture', () => {
  test('is answered with everything the description promises', async () => {
    const words = prompt()
    const response = await post({
      prompt: words,
      model: 'gemini-3-pro-image-preview',
      size: '1k',
      aspect: '21:9',
      system: 'You paint.',
      temperature: 0.7,
      maxCost: 0.09,
      metadata: { item: 'packshot/1' },
    })
    expect(response.status).toBe(201)
    const view = (await response.json()) as GenerationView
    expect(GenerationSchema.parse(view)).toEqual(view)
    expect(view).toMatchObject({
      status: 'succeeded',
      provider: 'apiyi',
      model: 'gemini-3-pro-image',
      emulated: false,
      image: { mimeType: 'image/png', width: 1584, height: 672 },
      moreImages: [],
      text: null,
      finishReason: 'STOP',
      error: null,
      cost: { estimated: 0.09, atMost: 0.09, actual: 0.09, difference: 0, currency: 'USD' },
      attempts: [
        {
          provider: 'apiyi',
          model: 'gemini-3-pro-image',
          outcome: 'succeeded',
          charged: 'yes',
          cost: 0.09,
          message: null,
        },
      ],
      request: {
        model: 'gemini-3-pro-image',
        provider: 'apiyi',
        prompt: words,
        size: '1K',
        aspect: '21:9',
        references: [],
      },
      metadata: { item: 'packshot/1' },
    })
    expect(view.id).toMatch(/^gen_[0-9a-hjkmnp-tv-z]{26}$/)
    expect(view.usage).toMatchObject({ candidatesTokensDetails: [{ modality: 'IMAGE', tokenCount: 1120 }] })
    expect(response.headers.get('location')).toBe(`/api/generations/${view.id}`)
    expect(response.headers.get('retry-after')).toBeNull()
    expect(response.headers.get('idempotent-replayed')).toBeNull()
    expect((await chargesOf(words)).map((charge) => charge.costMicroUsd)).toEqual([90_000])
  })

  test('is stored as the bytes that its address serves', async () => {
    const { id, image } = await make({ prompt: prompt() })
    const { url, bytes, sha256, mimeType } = image!
    const response = await askAs(new URL(url).pathname)
    const served = new Uint8Array(await response.arrayBuffer())
    expect(response.headers.get('content-type')).toBe(mimeType)
    expect(served.length).toBe(bytes)
    expect(new Uint8Array(await crypto.subtle.digest('SHA-256', served)).toHex()).toBe(sha256)
    expect(await stored(`commits/${id}/`)).toEqual([`commits/${id}/1.json`])
  })

  test('has an address that follows from nothing: not from its id, and 128 bits long', async () => {
    const { id, image } = await make({ prompt: prompt() })
    const name = new URL(image!.url).pathname.split('/').at(-1)!
    expect(name).toMatch(/^[0-9a-hjkmnp-tv-z]{26}\.jpg$/)
    expect(name).not.toContain(id.slice(4, 12))
  })

  test('is served from PUBLIC_BASE_URL when the operator names one', async () => {
    const response = await post({ prompt: prompt() }, {}, { PUBLIC_BASE_URL: 'https://cdn.example.com/p/' })
    const { image } = (await response.json()) as GenerationView
    expect(image!.url).toMatch(/^https:\/\/cdn\.example\.com\/p\/[0-9a-z]{26}\.jpg$/)
  })

  test('can be looked at again under its id', async () => {
    const made = await make({ prompt: prompt() })
    expect(await (await ask(`/api/generations/${made.id}`)).json()).toEqual(made)
  })

  test('of a seller by tokens costs what its usage says', async () => {
    const { cost, usage } = await make({ prompt: prompt(), provider: 'google' })
    const { promptTokenCount, totalTokenCount } = usage as Record<string, number>
    // $0.50, $3 and $60 per million tokens: input, text, and the 747 of a picture of size 512.
    const text = totalTokenCount! - promptTokenCount! - 747
    expect(cost.actual).toBeCloseTo(Math.ceil(promptTokenCount! * 0.5 + text * 3 + 747 * 60) / 1e6, 9)
    expect(cost.difference).toBeCloseTo(cost.actual! - cost.estimated!, 9)
  })

  test('of a seller without a price has an unknown cost, never 0', async () => {
    const made = await make({ prompt: prompt(), model: 'nano-banana-pro', provider: 'tokaify', size: '1K' })
    expect(made.status).toBe('succeeded')
    expect(made.cost).toMatchObject({ estimated: null, atMost: null, actual: null, difference: null })
    expect(made.attempts).toMatchObject([{ charged: 'yes', cost: null }])
  })
})

describe('Prefer says how long the caller waits', () => {
  test.for([
    ['wait=30', 201, 'wait=30'],
    ['handling=lenient, Wait = "20"', 201, 'wait=20'],
    ['wait=99999', 201, 'wait=600'],
    ['respond-async', 202, 'respond-async'],
    ['respond-async, wait=30', 201, 'wait=30'],
    ['wait=0', 202, 'wait=0'],
    ['wait=soon', 201, null],
  ] as const)('%s', async ([prefer, status, applied]) => {
    const response = await post({ prompt: `[[fault:slow ms=300]] ${prompt()}` }, { prefer })
    expect(response.status).toBe(status)
    expect(response.headers.get('preference-applied')).toBe(applied)
    expect(response.headers.get('retry-after')).toBe(status === 202 ? '5' : null)
  })

  test('a picture that is not ready is found at its location, which waits for it on request', async () => {
    const response = await post({ prompt: `[[fault:slow ms=300]] ${prompt()}` }, { prefer: 'respond-async' })
    const early = (await response.json()) as GenerationView
    expect(['queued', 'running']).toContain(early.status)
    expect(early).toMatchObject({ image: null, finishedAt: null, error: null, cost: { actual: null } })
    const location = response.headers.get('location')!
    const late = (await (await ask(`${location}?wait=20`)).json()) as GenerationView
    expect(late).toMatchObject({ id: early.id, status: 'succeeded' })
  })

  test.for(['-1', 'soon', '601', 'Infinity'])('?wait=%s is refused', async (wait) => {
    const { id } = await make({ prompt: prompt() })
    const response = await ask(`/api/generations/${id}?wait=${wait}`)
    expect(await problemOf(response)).toMatchObject({
      code: 'invalid_request',
      detail: 'wait: seconds, 0 to 600',
    })
  })
})

// A prompt that is answered in words: nothing need be drawn to see whether it was bought twice.
const wordy = () => `[[fault:text-only]] ${prompt()}`

describe('a key buys one picture', () => {
  test('bare and quoted it is the same key', async () => {
    const key = crypto.randomUUID()
    const asked = { prompt: wordy() }
    const first = await make(asked, { 'idempotency-key': key })
    const second = await post(asked, { 'idempotency-key': `"${key}"` })
    expect(second.status).toBe(201)
    expect(second.headers.get('idempotent-replayed')).toBe('true')
    expect(await second.json()).toEqual(first)
    expect(await callsOf(asked.prompt)).toHaveLength(1)
  })

  test('quotes and backslashes inside a quoted key are escaped', async () => {
    const asked = { prompt: wordy() }
    const first = await make(asked, { 'idempotency-key': 'a"b\\c' })
    const second = await make(asked, { 'idempotency-key': '"a\\"b\\\\c"' })
    expect(second.id).toBe(first.id)
  })

  test.for([
    ['empty', ''],
    ['an empty string', '""'],
    ['longer than 255', 'k'.repeat(256)],
    ['with a space', 'a b'],
    ['with a letter outside ASCII', '"clé"'],
  ] as const)('a key that is %s is refused', async ([, key]) => {
    const asked = { prompt: wordy() }
    const problem = await problemOf(await post(asked, { 'idempotency-key': key }))
    expect(problem).toMatchObject({ code: 'invalid_key', status: 400, charged: 'no' })
    expect(await callsOf(asked.prompt)).toEqual([])
  })

  test('for another request it is refused, and the first keeps its picture', async () => {
    const key = crypto.randomUUID()
    const asked = { prompt: wordy() }
    const first = await make(asked, { 'idempotency-key': key })
    const other = { prompt: prompt('a green bicycle') }
    const problem = await problemOf(await post(other, { 'idempotency-key': key }))
    expect(problem).toMatchObject({ code: 'key_reused', status: 422, charged: 'no' })
    expect(await callsOf(other.prompt)).toEqual([])
    expect(await make(asked, { 'idempotency-key': key })).toEqual(first)
  })

  test.for([
    [
      'its fields stand in another order',
      { prompt: '', aspect: '1:1', model: 'nano-banana-2', provider: 'apiyi' },
    ],
    ['the model is called by an alias', { model: 'gemini-3.1-flash-image-preview' }],
    ['the size is written otherwise', { size: '0.5K' }],
    ['a default is spelt out', { modalities: ['IMAGE'] }],
    ['another seller is asked', { provider: 'google' }],
    ['it is described otherwise', { metadata: { run: '2' } }],
    ['it may cost more or less', { maxCost: 2 }],
    ['it has another deadline', { deadline: 60 }],
    ['it has fallbacks', { fallback: [{ model: 'nano-banana-2', provider: 'google', on: ['failed'] }] }],
  ] as const)('the request is the same when %s', async ([, changes]) => {
    const key = crypto.randomUUID()
    const words = wordy()
    await make({ prompt: words, aspect: '1:1' }, { 'idempotency-key': key })
    const again = await post({ aspect: '1:1', ...changes, prompt: words }, { 'idempotency-key': key })
    expect(again.status).toBe(201)
    expect(again.headers.get('idempotent-replayed')).toBe('true')
    expect(await callsOf(words)).toHaveLength(1)
  })

  test.for([
    ['prompt', { prompt: 'another' }],
    ['model', { model: 'nano-banana-2.1', provider: 'google', size: '1K' }],
    ['size', { size: '1K' }],
    ['aspect', { aspect: '4:5' }],
    ['seed', { seed: 7 }],
    ['temperature', { temperature: 1 }],
    ['system', { system: 'You paint.' }],
    ['modalities', { modalities: ['TEXT', 'IMAGE'] }],
  ] as const)('the request is another when its %s differs', async ([, changes]) => {
    const key = crypto.randomUUID()
    const asked = { prompt: wordy(), aspect: '1:1' }
    await post(asked, { 'idempotency-key': key, prefer: 'respond-async' })
    const problem = await problemOf(await post({ ...asked, ...changes }, { 'idempotency-key': key }))
    expect(problem.code).toBe('key_reused')
  })

  test('the answer is given again whatever has become of its references and of what may be spent', async () => {
    const key = crypto.randomUUID()
    const mark = Uint8Array.of(
      0x89,
      0x50,
      0x4e,
      0x47,
      0x0d,
      0x0a,
      0x1a,
      0x0a,
      ...crypto.getRandomValues(new Uint8Array(9)),
    )
    const { sha256 } = (await (
      await ask('/api/references', { method: 'POST', body: mark })
    ).json()) as StoredReference
    const asked = { prompt: wordy(), references: [{ sha256 }] }
    const first = await post(asked, { 'idempotency-key': key })
    expect(first.status).toBe(201)
    await env.BUCKET.delete(`references/default/${sha256}`)
    const again = await post({ ...asked, maxCost: 0.000001 }, { 'idempotency-key': key })
    expect(again.status).toBe(201)
    expect(again.headers.get('idempotent-replayed')).toBe('true')
    expect(await again.json()).toEqual(await first.json())
  })

  test('the answer is given again though it may not cost as much any more', async () => {
    const key = crypto.randomUUID()
    const asked = { prompt: prompt() }
    const first = await post(asked, { 'idempotency-key': key })
    const again = await post({ ...asked, maxCost: 0.000001 }, { 'idempotency-key': key })
    expect(again.status).toBe(201)
    expect(again.headers.get('idempotent-replayed')).toBe('true')
    expect(await again.json()).toEqual(await first.json())
    expect(await callsOf(asked.prompt)).toHaveLength(1)
  })

  test('without a key two equal requests are two pictures', async () => {
    const asked = { prompt: prompt() }
    const [first, second] = [await make(asked), await make(asked)]
    expect(first.id).not.toBe(second.id)
    expect(first.image!.url).not.toBe(second.image!.url)
    expect(await callsOf(asked.prompt)).toHaveLength(2)
    expect(await chargesOf(asked.prompt)).toHaveLength(2)
  })
})

test.for(['gen_00000000000000000000000000', 'gen_1', 'packshot'])(
  'a generation that does not exist (%s) is not found',
  async (id) => {
    expect(await problemOf(await ask(`/api/generations/${id}`))).toMatchObject({ code: 'not_found' })
  },
)

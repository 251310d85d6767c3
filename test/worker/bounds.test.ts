// What grows with what others send has a bound: records must fit the object's storage and the index (promise 2).
import { describe, expect, test } from 'vitest'
import { MAX_REFERENCE_BYTES } from '../../core/models.ts'
import { bounded } from '../../worker/generation/ending.ts'
import {
  type Attempt,
  type Ending,
  type GenerationRecord,
  withDispatch,
  withEnding,
} from '../../worker/generation/record.ts'
import { ReferenceWriter } from '../../worker/references/store.ts'
import { ask, make, post, problemOf, prompt, stored } from './setup/ask.ts'
import { env } from './setup/bindings.ts'
import { wish } from './setup/objects.ts'
import { PNG } from './setup/pictures.ts'

const free: Ending = {
  verdict: { outcome: 'rate_limited', charged: 'no', next: 'wait', message: 'slow down' },
  costMicroUsd: 0,
  endedAt: 2,
}
const blank: GenerationRecord = {
  ...wish('gen_x', { prompt: 'x' }),
  status: 'queued',
  attempts: [],
  createdAt: 1,
  version: 1,
}
const tried = (record: GenerationRecord, ending: Ending) => {
  const number = (record.attempts.at(-1)?.number ?? 0) + 1
  const attempt: Attempt = { number, route: 0, startedAt: 1, pictureName: 'p' }
  return withEnding(withDispatch(record, attempt), number, ending)
}

describe('a record', () => {
  test('keeps the first and the last of very many free attempts, and says how many it left out', () => {
    let record = blank
    for (let i = 0; i < 500; i++) record = tried(record, free)
    expect(record.attempts).toHaveLength(32)
    expect(record.omitted).toBe(468)
    expect(record.attempts[0]!.number).toBe(1)
    expect(record.attempts.at(-1)!.number).toBe(500)
  })

  test('never leaves out an attempt that may have cost money', () => {
    const paid: Ending = { ...free, costMicroUsd: null, verdict: { ...free.verdict, charged: 'unknown' } }
    let record = blank
    for (let i = 0; i < 40; i++) record = tried(record, paid)
    expect(record.attempts).toHaveLength(40)
    expect(record.omitted).toBeUndefined()
  })

  test('holds what a provider wrote only up to a bound', () => {
    const long = 'x'.repeat(3_000_000)
    const usage = {
      totalTokenCount: 1,
      candidatesTokensDetails: Array(90_000).fill({ modality: long, tokenCount: 1 }),
    }
    const verdict = { ...free.verdict, message: long }
    const ending = {
      ...free,
      verdict,
      text: long,
      finishReason: long,
      modelVersion: long,
      responseId: long,
      usage,
    }
    expect(JSON.stringify(bounded(ending)).length).toBeLessThan(60_000)
    expect(bounded(ending).text).toMatch(/x…$/)
    expect(bounded(free)).toEqual(free)
  })

  test.for([
    ['fallbacks', { fallback: Array(9).fill({ model: 'nano-banana-pro', on: ['failed'] }) }],
    [
      'members of metadata',
      { metadata: Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`k${i}`, 'v'])) },
    ],
    [
      'safety settings',
      { safetySettings: Array(17).fill({ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'OFF' }) },
    ],
    ['references', { references: Array(101).fill({ sha256: '0'.repeat(64) }) }],
  ] as const)('is not asked to hold more %s than make sense', async ([, changes]) => {
    expect(await problemOf(await post({ prompt: prompt(), ...changes }))).toMatchObject({
      code: 'invalid_request',
    })
  })
})

describe('references', () => {
  test('inline images beyond what any model takes are refused before they are stored', async () => {
    const before = (await stored('references/')).length
    const images = Array.from({ length: 15 }, (_, i) => ({
      data: btoa(String.fromCharCode(...PNG, i)),
      mimeType: 'image/png',
    }))
    const problem = await problemOf(await post({ prompt: prompt(), references: images }))
    const detail = 'references[].data: no more than 14 images are taken'
    expect(problem).toMatchObject({ code: 'unsupported', detail })
    expect((await stored('references/')).length).toBeLessThanOrEqual(before + 14)
  })

  test('an image that others store at the same moment is taken when it is there', async () => {
    const writer = new ReferenceWriter()
    writer.write(Uint8Array.from([...PNG, 77]))
    let puts = 0
    const busy = {
      head: (key: string) => env.BUCKET.head(key),
      async put(...args: Parameters<R2Bucket['put']>) {
        puts++
        // R2 takes one write a second of a key: this one lost, after the other had won.
        await env.BUCKET.put(...(args as [string, ReadableStream, R2PutOptions]))
        throw new Error('put: Reduce your concurrent request rate for the same object. (10058)')
      },
    }
    const reference = await writer.store(busy as never, 'default')
    expect(reference).toMatchObject({ mimeType: 'image/png', bytes: PNG.length + 1 })
    expect(puts).toBe(1)
  })

  test('the largest one is accepted to the byte', async () => {
    const bytes = new Uint8Array(MAX_REFERENCE_BYTES)
    bytes.set(PNG)
    expect((await ask('/api/references', { method: 'POST', body: bytes })).status).toBe(201)
  })
})

test('a prompt full of the mark that stands for images in a request is asked as it is', async () => {
  const words = `${'\ue000'.repeat(20_000)}0\ue000 ${prompt()}`
  expect((await make({ prompt: words })).status).toBe('succeeded')
})

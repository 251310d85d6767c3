// What a Gemini client is answered: Google's words, the stored picture, and nothing bought that was not asked for.
import { afterEach, describe, expect, test, vi } from 'vitest'
import { askAs, callsOf, chargesOf, picturesOf, prompt } from '../setup/ask.ts'
import { env } from '../setup/bindings.ts'
import { PNG, sha256 } from '../setup/pictures.ts'
import {
  answer,
  bytesOf,
  emulated,
  generationOf,
  kinds,
  type Native,
  partsOf,
  send,
  standIn,
  wanting,
} from './native.ts'

afterEach(() => vi.restoreAllMocks())

describe('a picture', () => {
  test.for(['v1beta', 'v1'])('comes back as Base64, byte for byte as it is stored (%s)', async (version) => {
    const words = prompt()
    const body = wanting(words, { seed: 7 })
    const response = await send({ body, version })
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('application/json; charset=UTF-8')
    const text = await response.text()
    expect(response.headers.get('content-length')).toBe(String(new TextEncoder().encode(text).length))
    const native = JSON.parse(text) as Native
    const view = await generationOf(response)
    const theirs = await emulated(body)
    expect(native).toEqual(theirs)
    const bytes = bytesOf(partsOf(native)[0])
    expect(sha256(bytes)).toBe(view.image!.sha256)
    expect(await (await askAs(new URL(view.image!.url).pathname)).bytes()).toEqual(bytes)
    expect(response.headers.get('x-proofsheet-image')).toBe(view.image!.url)
    expect(response.headers.get('x-proofsheet-cost')).toBe('0.055')
    expect(response.headers.get('x-proofsheet-charged')).toBe('yes')
    expect(response.headers.get('x-request-id')).toMatch(/./)
    // One for us, one for the test itself.
    expect(await callsOf(words)).toHaveLength(2)
  })

  test.for([
    ['images alone', ['IMAGE'], ['picture']],
    ['text and images', ['TEXT', 'IMAGE'], ['picture', 'Here is the picture you asked for.']],
    ['nothing said of it', undefined, ['picture', 'Here is the picture you asked for.']],
  ] as const)('leads the parts that are no thoughts: %s', async ([, responseModalities, expected]) => {
    const native = await answer({ body: wanting(prompt(), { responseModalities }) })
    expect(kinds(native)).toEqual(expected)
    expect(native.candidates![0]).toMatchObject({
      finishReason: 'STOP',
      index: 0,
      content: { role: 'model' },
    })
    const { usageMetadata } = native
    expect(usageMetadata!.candidatesTokensDetails).toEqual([{ modality: 'IMAGE', tokenCount: 747 }])
    expect(usageMetadata!.totalTokenCount).toBeGreaterThan(747)
  })

  test.for([
    ['with escapes in its Base64', 'escaped', 'image/jpeg'],
    ['called by the type of another', 'mislabelled', 'image/png'],
    ['of 6 MB', 'big bytes=6000000', 'image/png'],
  ] as const)('has the type of its bytes: %s', async ([, fault, mimeType]) => {
    const response = await send({ body: wanting(`[[fault:${fault}]] ${prompt()}`) })
    const part = partsOf(await response.json())[0]!
    expect(part.inlineData!.mimeType).toBe(mimeType)
    expect(sha256(bytesOf(part))).toBe((await generationOf(response)).image!.sha256)
  })

  test.for([
    ['by query', { query: '?delivery=url' }],
    ['by header', { headers: { 'x-proofsheet-delivery': 'url' } }],
  ] as const)('comes by its address where that is asked for %s', async ([, how]) => {
    const response = await send({ body: wanting(prompt()), ...how })
    const view = await generationOf(response)
    const [part] = partsOf(await response.json())
    expect(part).toEqual({
      fileData: { mimeType: 'image/jpeg', fileUri: view.image!.url },
      thoughtSignature: expect.any(String),
    })
  })

  test('that a provider answers by address is told like any other, and the link is not handed on', async () => {
    const { fetch } = globalThis
    vi.spyOn(globalThis, 'fetch').mockImplementation((input, init) => {
      const url = String(input).replace(/^https:\/\/[^/]*aliyuncs\.com/, env.EMULATOR)
      if (!url.includes('models/')) return fetch(url, init)
      return fetch(input, init).then(async (response) => {
        const text = await response.text()
        return new Response(text.replaceAll(env.EMULATOR, 'https://b.oss-us-west-1.aliyuncs.com'), response)
      })
    })
    const response = await send({ body: wanting(`[[fault:url-answer]] ${prompt()}`) })
    const native = (await response.json()) as Native
    expect(JSON.stringify(native)).not.toContain('aliyuncs')
    expect(kinds(native)).toEqual(['picture'])
    expect(partsOf(native)[0]!.thoughtSignature).toHaveLength(320)
    expect(sha256(bytesOf(partsOf(native)[0]))).toBe((await generationOf(response)).image!.sha256)
  })

  test('that is not stored any more is an error before the status is sent', async () => {
    const key = { 'idempotency-key': crypto.randomUUID() }
    const body = wanting(prompt())
    const response = await send({ body, headers: key })
    await response.body!.cancel()
    const id = response.headers.get('x-proofsheet-generation')!
    await env.BUCKET.delete(await picturesOf(id))
    const again = await send({ body, headers: key })
    expect(again.status).toBe(404)
    expect(await again.json()).toMatchObject({
      error: {
        status: 'NOT_FOUND',
        message: expect.stringContaining(`not stored any more (generation ${id})`),
        details: [{ reason: 'PICTURE_GONE' }],
      },
    })
  })
})

describe('several pictures', () => {
  test('with text between them all come, the result first', async () => {
    const body = wanting(`[[fault:storyboard]] ${prompt()}`, { responseModalities: ['TEXT', 'IMAGE'] })
    const response = await send({ body })
    const native = (await response.json()) as Native
    expect(kinds(native)).toEqual(['picture', 'Step 1.', 'picture', 'Step 2.', 'picture', 'Step 3.'])
    const view = await generationOf(response)
    const digests = partsOf(native).flatMap((part) => (part.inlineData ? [sha256(bytesOf(part))] : []))
    expect(digests).toEqual([view.image!.sha256, ...view.moreImages.map((image) => image.sha256)])
  })

  test('back to back are drafts, of which the last is the result', async () => {
    const response = await send({ body: wanting(`[[fault:drafts]] ${prompt()}`) })
    expect(kinds(await response.json())).toEqual(['picture'])
    expect(await picturesOf(response.headers.get('x-proofsheet-generation')!)).toHaveLength(1)
  })

  test('of the thinking come only where thoughts are asked for, and are kept only then', async () => {
    const thinking = (includeThoughts: boolean) =>
      wanting(`[[fault:thoughts]] ${prompt()}`, {
        responseModalities: ['TEXT', 'IMAGE'],
        thinkingConfig: { includeThoughts },
      })
    const without = await send({ body: thinking(false) })
    expect(kinds(await without.json())).toEqual(['picture', 'Here is the picture you asked for.'])
    expect(await picturesOf(without.headers.get('x-proofsheet-generation')!)).toHaveLength(1)

    const response = await send({ body: thinking(true) })
    const native = (await response.json()) as Native
    expect(partsOf(native).map((part) => [part.thought === true, part.inlineData !== undefined])).toEqual([
      [true, false],
      [true, true],
      [true, true],
      [false, true],
      [false, false],
    ])
    const [, first, , result] = partsOf(native)
    expect(sha256(bytesOf(result))).toBe((await generationOf(response)).image!.sha256)
    expect(bytesOf(first)).not.toEqual(bytesOf(result))
    expect(await picturesOf(response.headers.get('x-proofsheet-generation')!)).toHaveLength(3)
  })

  test('a thought that is the only picture is the result, and not called a thought', async () => {
    standIn(() => ({
      candidates: [
        {
          content: {
            parts: [{ inlineData: { mimeType: 'image/png', data: PNG.toBase64() }, thought: true }],
          },
          finishReason: 'STOP',
        },
      ],
    }))
    expect(partsOf(await answer({ body: wanting(prompt()) }))).toEqual([
      { inlineData: { mimeType: 'image/png', data: PNG.toBase64() } },
    ])
  })
})

describe('an answer without a picture is a 200, as Google gives it', () => {
  test.for<[string, string, object]>([
    [
      'refused',
      'refused',
      {
        candidates: [
          { finishReason: 'IMAGE_SAFETY', finishMessage: expect.stringMatching(/^Unable to show/), index: 0 },
        ],
      },
    ],
    ['a blocked prompt', 'blocked-prompt', { promptFeedback: { blockReason: 'PROHIBITED_CONTENT' } }],
    [
      'nothing drawn',
      'no-image',
      { candidates: [{ finishReason: 'NO_IMAGE', finishMessage: expect.any(String), index: 0 }] },
    ],
    [
      'words',
      'text-only',
      {
        candidates: [
          {
            content: {
              role: 'model',
              parts: [
                { text: 'I cannot draw that, but I can describe it.', thoughtSignature: expect.any(String) },
              ],
            },
            finishReason: 'STOP',
            index: 0,
          },
        ],
      },
    ],
  ])('%s', async ([, fault, expected]) => {
    const words = prompt()
    const response = await send({ body: wanting(`[[fault:${fault}]] ${words}`) })
    expect(response.status).toBe(200)
    expect(await response.json()).toEqual({
      ...expected,
      usageMetadata: expect.objectContaining({ totalTokenCount: expect.any(Number) }),
      modelVersion: 'gemini-3.1-flash-image-preview',
      responseId: expect.any(String),
    })
    expect(response.headers.get('x-proofsheet-charged')).toBe('yes')
    expect(await chargesOf(words)).toHaveLength(1)
  })

  test('text alone, where text alone was asked for', async () => {
    const native = await answer({ body: wanting(prompt(), { responseModalities: ['TEXT'] }) })
    expect(kinds(native)).toEqual(['Pictures were not asked for; this is only text.'])
  })
})

test('the same Idempotency-Key gives the same answer again, without a second call', async () => {
  const words = prompt()
  const call = { body: wanting(words), headers: { 'idempotency-key': crypto.randomUUID() } }
  const [first, second] = [await send(call), await send(call)]
  expect(second.headers.get('idempotent-replayed')).toBe('true')
  expect(first.headers.get('idempotent-replayed')).toBeNull()
  expect(await second.text()).toBe(await first.text())
  expect(await callsOf(words)).toHaveLength(1)
})

test('two equal calls without a key are two pictures', async () => {
  const words = prompt()
  const body = wanting(words)
  const [first, second] = [await answer({ body }), await answer({ body })]
  expect(bytesOf(partsOf(first)[0])).not.toEqual(bytesOf(partsOf(second)[0]))
  expect(await chargesOf(words)).toHaveLength(2)
})

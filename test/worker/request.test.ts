// The request that a provider is sent: what stands where, and that it arrives over the wire as it was built.
import { afterEach, describe, expect, test, vi } from 'vitest'
import { make, prompt } from './setup/ask.ts'
import { env } from './setup/bindings.ts'
import { call, png } from './setup/call.ts'
import { JPEG, large, PNG } from './setup/pictures.ts'
import type { RecordedRequest } from './setup/witness.ts'

describe('what the documents say beside their examples', () => {
  const bodyFor = (asked: Record<string, unknown>) => call({ prompt: 'x', ...asked }).body

  test('generation 1 is sent no size', () => {
    const { generationConfig } = bodyFor({ model: 'gemini-2.5-flash-image', aspect: '3:2', size: '1K' })
    expect(generationConfig).toEqual({ responseModalities: ['IMAGE'], imageConfig: { aspectRatio: '3:2' } })
    expect(bodyFor({ model: 'gemini-2.5-flash-image' }).generationConfig).toEqual({
      responseModalities: ['IMAGE'],
    })
  })

  test('without an aspect none is sent: the last image decides', () => {
    expect(bodyFor({}).generationConfig).toMatchObject({ imageConfig: { imageSize: '1K' } })
    expect(JSON.stringify(bodyFor({}))).not.toContain('aspectRatio')
  })

  test('Google and Tokaify take a system text in its own field', () => {
    for (const provider of ['google', 'tokaify'])
      expect(bodyFor({ provider, system: 'You paint.' })).toMatchObject({
        systemInstruction: { parts: [{ text: 'You paint.' }] },
        contents: [{ role: 'user', parts: [{ text: 'x' }] }],
      })
  })

  test('Google is called by its own id, with the key in its own header and never in the address', () => {
    const { url, headers } = call({ prompt: 'x', provider: 'google' })
    expect(url).toBe(
      'https://generativelanguage.googleapis.com/v1beta/models/gemini-3-pro-image:generateContent',
    )
    expect(headers).toEqual({ 'x-goog-api-key': 'sk-your-api-key', 'content-type': 'application/json' })
  })

  test('every parameter has its place', () => {
    const { generationConfig, safetySettings } = bodyFor({
      model: 'nano-banana-2',
      temperature: 0.5,
      topP: 0.9,
      topK: 40,
      seed: 7,
      maxOutputTokens: 4096,
      thinking: { level: 'high', budget: 512 },
      safetySettings: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_NONE' }],
    })
    expect(generationConfig).toEqual({
      responseModalities: ['IMAGE'],
      imageConfig: { imageSize: '1K' },
      temperature: 0.5,
      topP: 0.9,
      topK: 40,
      seed: 7,
      maxOutputTokens: 4096,
      thinkingConfig: { thinkingLevel: 'HIGH', thinkingBudget: 512 },
    })
    expect(safetySettings).toEqual([{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_NONE' }])
  })

  test('images are segments in their order, whatever marks the prompt holds', () => {
    const { segments } = call({ prompt: 'a \ue0000\ue000 "b" \ue000\ue0001\ue000\ue000' }, ['one', 'two'])
    expect(segments.filter((segment) => typeof segment !== 'string')).toEqual([
      { key: 'references/default/0', bytes: 9 },
      { key: 'references/default/1', bytes: 9 },
    ])
    const texts = segments.map((segment) => (typeof segment === 'string' ? segment : 'BASE64')).join('')
    expect(JSON.parse(texts).contents[0].parts).toEqual([
      { text: 'a \ue0000\ue000 "b" \ue000\ue0001\ue000\ue000' },
      png('BASE64'),
      png('BASE64'),
    ])
  })
})

describe('over the wire', () => {
  afterEach(() => vi.restoreAllMocks())

  /** Makes a picture at the recorder, which stands in for the provider; the request as it arrived there. */
  async function record(asked: Record<string, unknown> & { prompt: string }): Promise<RecordedRequest> {
    const platformFetch = globalThis.fetch
    vi.spyOn(globalThis, 'fetch').mockImplementation((input, init) =>
      platformFetch(String(input).replace(env.EMULATOR, env.RECORDER), init),
    )
    const view = await make({ model: 'nano-banana-pro', size: '2K', ...asked })
    const called = vi.mocked(fetch).mock.calls.find(([url]) => String(url).includes(':generateContent'))
    // A redirect that is followed is a second purchase.
    expect(called![1]).toMatchObject({ method: 'POST', redirect: 'manual' })
    vi.restoreAllMocks()
    expect(view).toMatchObject({ status: 'succeeded', image: { mimeType: 'image/png', width: 1, height: 1 } })
    const requests = (await (await fetch(`${env.RECORDER}/requests`)).json()) as RecordedRequest[]
    const found = requests.filter(({ body }) => body.includes(JSON.stringify(asked.prompt)))
    expect(found).toHaveLength(1)
    return found[0]!
  }

  const bytesOf = (text: string) => new TextEncoder().encode(text).length

  test('a text arrives at the relay as documented, with its true length', async () => {
    const words = prompt('ein Bücherregal — 本棚 🖼')
    const { method, path, headers, body } = await record({
      prompt: words,
      provider: 'tokaify',
      aspect: '16:9',
    })
    expect([method, path]).toEqual([
      'POST',
      '/tokaify/v1beta/models/gemini-3-pro-image-preview:generateContent',
    ])
    expect(headers).toMatchObject({
      authorization: 'Bearer tokaify-key',
      'content-type': 'application/json',
      'content-length': String(bytesOf(body)),
    })
    expect(headers).not.toHaveProperty('transfer-encoding')
    expect(JSON.stringify(headers)).not.toContain(env.ADMIN_TOKEN)
    expect(JSON.parse(body)).toEqual({
      contents: [{ role: 'user', parts: [{ text: words }] }],
      generationConfig: {
        responseModalities: ['IMAGE'],
        imageConfig: { aspectRatio: '16:9', imageSize: '2K' },
      },
    })
  })

  test('images arrive as the Base64 of their bytes, in order, with the true length', async () => {
    const words = prompt()
    const images = [PNG, large(1_000_001), JPEG]
    const types = ['image/png', 'image/png', 'image/jpeg']
    const references = images.map((image, n) => ({ data: image.toBase64(), mimeType: types[n] }))
    const { path, headers, body } = await record({ prompt: words, provider: 'apiyi', references })
    expect(path).toBe('/apiyi/v1beta/models/gemini-3-pro-image-preview:generateContent')
    expect(headers).toMatchObject({
      authorization: 'Bearer apiyi-key',
      'content-length': String(bytesOf(body)),
    })
    expect(headers).not.toHaveProperty('transfer-encoding')
    const { parts } = JSON.parse(body).contents[0]
    expect(parts[0]).toEqual({ text: words })
    expect(parts.slice(1)).toEqual(references.map((inlineData) => ({ inlineData })))
  })

  test('Google is sent its key in its header', async () => {
    const { path, headers } = await record({ prompt: prompt(), provider: 'google' })
    expect(path).toBe('/google/v1beta/models/gemini-3-pro-image:generateContent')
    expect(headers).toMatchObject({ 'x-goog-api-key': 'google-key' })
    expect(headers).not.toHaveProperty('authorization')
  })
})

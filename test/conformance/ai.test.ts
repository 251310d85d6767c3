// The Vercel AI SDK with its provider for Google, unmodified: base URL and key are all that is changed.
import { createGoogle } from '@ai-sdk/google'
import { APICallError, generateImage, generateText, NoImageGeneratedError, RetryError, streamText } from 'ai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { failure, MODEL, openShop, photo, prompt, type Shop, sha256 } from './client.ts'

let shop: Shop
beforeAll(async () => {
  shop = await openShop()
}, 60_000)
afterAll(() => shop.close(), 60_000)

const google = (apiKey = shop.token) => createGoogle({ baseURL: `${shop.url}/v1beta`, apiKey })

const SMALL = { google: { imageConfig: { imageSize: '512' as const } } }

describe.concurrent('generateImage', () => {
  test('makes the picture that is stored', async () => {
    const words = prompt()
    const { image, responses, usage } = await generateImage({
      model: google().image(MODEL),
      prompt: words,
      aspectRatio: '16:9',
      providerOptions: SMALL,
    })
    const url = responses[0]!.headers!['x-proofsheet-image']!
    expect(sha256(await shop.stored(url))).toBe(sha256(image.uint8Array))
    expect(image.mediaType).toMatch(/^image\/(png|jpeg)$/)
    expect(usage.outputTokens).toBeGreaterThan(100)
    expect(shop.calls(words)).toMatchObject([{ size: '512', aspect: '16:9' }])
  })

  test('n is so many calls, and so many pictures', async () => {
    const words = prompt()
    const { images } = await generateImage({
      model: google().image(MODEL),
      prompt: words,
      n: 3,
      providerOptions: SMALL,
    })
    expect(new Set(images.map((image) => sha256(image.uint8Array))).size).toBe(3)
    expect(shop.charges(words)).toHaveLength(3)
  })

  test('an edit carries its images to the provider', async () => {
    const images = await Promise.all([photo('png'), photo('jpeg')])
    const words = prompt('put them together')
    await generateImage({
      model: google().image(MODEL),
      prompt: { text: words, images },
      providerOptions: SMALL,
    })
    expect(shop.calls(words)).toMatchObject([{ references: 2 }])
    for (const image of images) expect(shop.sent(words)[0]!.body).toContain(image.toString('base64'))
  })

  test('a refusal is told as no image, once, with the reason', async () => {
    const words = prompt('[[fault:refused]] a')
    const error = await failure(generateImage({ model: google().image(MODEL), prompt: words }))
    expect(NoImageGeneratedError.isInstance(error)).toBe(true)
    const { calls } = error as NoImageGeneratedError & { calls: { providerMetadata: unknown }[] }
    expect(calls).toMatchObject([{ providerMetadata: { google: { finishReason: 'IMAGE_SAFETY' } } }])
    expect(shop.calls(words)).toHaveLength(1)
  })

  test('a model that is not there is told in its own words, and asked once', async () => {
    const error = await failure(generateImage({ model: google().image('gemini-9'), prompt: prompt() }))
    expect(error).toMatchObject({ statusCode: 404, message: expect.stringContaining('gemini-9') })
    expect(APICallError.isInstance(error)).toBe(true)
  })

  test('a picture whose client left is made once, stored and listed', async () => {
    const words = prompt('[[fault:slow ms=1200]] a slow train')
    const left = new AbortController()
    shop.called(words).then(() => left.abort())
    await failure(
      generateImage({
        model: google().image(MODEL),
        prompt: words,
        abortSignal: left.signal,
        providerOptions: SMALL,
      }),
    )
    const [generation, ...others] = await shop.generations(words)
    expect(others).toEqual([])
    expect(generation!.status).toBe('succeeded')
    expect(shop.charges(words)).toHaveLength(1)
  })
})

describe.concurrent('generateText', () => {
  const asked = { responseModalities: ['TEXT' as const, 'IMAGE' as const], ...SMALL.google }

  test('has the picture among its files, the one that is stored', async () => {
    const words = prompt()
    const { files, usage, finishReason } = await generateText({
      model: google()(MODEL),
      prompt: words,
      providerOptions: { google: asked },
    })
    expect(files).toHaveLength(1)
    expect(finishReason).toBe('stop')
    expect(usage.totalTokens).toBeGreaterThan(100)
    const [generation] = await shop.generations(words)
    expect(generation!.image!.sha256).toBe(sha256(files[0]!.uint8Array))
  })

  test('takes an image, and in the next turn its own picture with the signature', async () => {
    const image = await photo()
    const words = prompt('make it blue')
    const opening = {
      role: 'user' as const,
      content: [
        { type: 'text' as const, text: words },
        { type: 'file' as const, data: image, mediaType: 'image/png' },
      ],
    }
    const first = await generateText({
      model: google()(MODEL),
      messages: [opening],
      providerOptions: { google: asked },
    })
    expect(shop.sent(words)[0]!.body).toContain(image.toString('base64'))
    const more = prompt('now smaller')
    await generateText({
      model: google()(MODEL),
      messages: [opening, ...first.response.messages, { role: 'user', content: more }],
      providerOptions: { google: asked },
    })
    const { contents } = JSON.parse(shop.sent(more)[0]!.body)
    const returned = contents[1].parts.find((part: { inlineData?: unknown }) => part.inlineData)
    expect(contents[1].role).toBe('model')
    expect(returned.inlineData.data).toBe(first.files[0]!.base64)
    expect(returned.thoughtSignature).toMatch(/.{100}/)
    expect(shop.calls(more)).toMatchObject([{ references: 2 }])
  })

  test('streams words and picture', async () => {
    const words = prompt()
    const { stream } = streamText({
      model: google()(MODEL),
      prompt: words,
      providerOptions: { google: asked },
    })
    const parts = []
    for await (const part of stream) parts.push(part)
    expect(parts.filter(({ type }) => type === 'error')).toEqual([])
    const files = parts.flatMap((part) => (part.type === 'file' ? part.file : []))
    expect(files).toHaveLength(1)
    const [generation] = await shop.generations(words)
    expect(generation!.image!.sha256).toBe(sha256(files[0]!.uint8Array))
    expect(shop.calls(words)).toHaveLength(1)
  })

  test('thought pictures are reasoning files, and only when asked for', async () => {
    const thinking = (includeThoughts: boolean) =>
      generateText({
        model: google()(MODEL),
        prompt: prompt('[[fault:thoughts]] a red bicycle'),
        providerOptions: { google: { ...asked, thinkingConfig: { includeThoughts } } },
      })
    const [without, with_] = await Promise.all([thinking(false), thinking(true)])
    expect(without.files).toHaveLength(1)
    expect(without.content.filter(({ type }) => type === 'reasoning-file')).toEqual([])
    expect(with_.files).toHaveLength(1)
    expect(with_.content.filter(({ type }) => type === 'reasoning-file')).toHaveLength(2)
  })

  test('an answer in words is their text', async () => {
    const words = prompt('[[fault:text-only]] a poem')
    const { text, files } = await generateText({ model: google()(MODEL), prompt: words })
    expect(text).toBe('I cannot draw that, but I can describe it.')
    expect(files).toEqual([])
    expect(shop.calls(words)).toHaveLength(1)
  })

  test('a refusal is a content filter', async () => {
    const words = prompt('[[fault:refused]] a')
    const { finishReason, rawFinishReason } = await generateText({ model: google()(MODEL), prompt: words })
    expect([finishReason, rawFinishReason]).toEqual(['content-filter', 'IMAGE_SAFETY'])
    expect(shop.calls(words)).toHaveLength(1)
  })

  test('a blocked prompt has its reason', async () => {
    const words = prompt('[[fault:blocked-prompt]] a')
    const { providerMetadata } = await generateText({ model: google()(MODEL), prompt: words })
    expect(providerMetadata!.google!.promptFeedback).toMatchObject({ blockReason: 'PROHIBITED_CONTENT' })
    expect(shop.calls(words)).toHaveLength(1)
  })

  test('system words, safety settings, thinking and search reach the provider', async () => {
    const words = prompt()
    const provider = google()
    await generateText({
      model: provider(MODEL),
      system: 'Draw in ink.',
      prompt: words,
      temperature: 0.5,
      tools: { google_search: provider.tools.googleSearch({}) },
      providerOptions: {
        google: {
          ...asked,
          thinkingConfig: { thinkingLevel: 'high' },
          safetySettings: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_ONLY_HIGH' }],
        },
      },
    })
    expect(JSON.parse(shop.sent(words)[0]!.body)).toMatchObject({
      systemInstruction: { parts: [{ text: 'Draw in ink.' }] },
      safetySettings: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_ONLY_HIGH' }],
      tools: [{ googleSearch: {} }],
      generationConfig: {
        temperature: 0.5,
        thinkingConfig: { thinkingLevel: 'HIGH' },
        imageConfig: { imageSize: '512' },
      },
    })
  })

  test('a token that is not known is an error of its own words, asked once', async () => {
    const asking = generateText({ model: google('not-a-token')(MODEL), prompt: prompt() })
    const error = await failure(asking)
    expect(RetryError.isInstance(error)).toBe(false)
    expect(error).toMatchObject({ statusCode: 400, message: expect.stringContaining('API key') })
  })
})

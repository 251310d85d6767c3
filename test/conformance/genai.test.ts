// Google's own JavaScript client, three majors of it, unmodified: base URL and key are all that is changed.
import * as current from '@google/genai'
import * as one from 'google-genai-1'
import * as two from 'google-genai-2'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { failure, MODEL, openShop, photo, prompt, type Shop, sha256 } from './client.ts'

type Client = current.GoogleGenAI
type Options = ConstructorParameters<typeof current.GoogleGenAI>[0]
type Response = current.GenerateContentResponse

// The majors are typed apart; what is called here they have in common.
const MAJORS = [
  ['3.x', current.GoogleGenAI],
  ['2.x', two.GoogleGenAI],
  ['1.x', one.GoogleGenAI],
] as unknown as [string, new (options: Options) => Client][]

let shop: Shop
beforeAll(async () => {
  const relay = { baseUrl: 'http://127.0.0.1:1', wire: { 'nano-banana-2': MODEL }, keyVariable: 'RELAY_KEY' }
  shop = await openShop({ PROVIDERS: JSON.stringify({ silent: relay }), RELAY_KEY: 'key-of-silent' })
}, 60_000)
afterAll(() => shop.close(), 60_000)

const SMALL = { imageConfig: { imageSize: '512' } }

/** The parts of the first candidate. */
function partsOf(response: Response): current.Part[] {
  return response.candidates?.[0]?.content?.parts ?? []
}

/** The one picture of an answer, as Base64. */
function pictureOf(response: Response): string {
  const pictures = partsOf(response).flatMap((part) => part.inlineData?.data ?? [])
  expect(pictures).toHaveLength(1)
  return pictures[0]!
}

/** The error as the client has it: the HTTP status, and the body, which it puts into its message as JSON. */
function rpcOf(error: unknown) {
  const { name, status: http, message } = error as current.ApiError
  const body = JSON.parse(message) as { error: RpcBody }
  return { name, http, ...body.error }
}

type RpcBody = {
  code: number
  status: string
  message: string
  details?: { '@type': string; reason?: string }[]
}

describe.concurrent.for(MAJORS)('@google/genai %s', ([, GoogleGenAI]) => {
  const client = (httpOptions: current.HttpOptions = {}, apiKey = shop.token) =>
    new GoogleGenAI({ apiKey, httpOptions: { baseUrl: shop.url, ...httpOptions } })

  test('text becomes the picture that is stored', async () => {
    const contents = prompt()
    const response = await client().models.generateContent({
      model: MODEL,
      contents,
      config: { responseModalities: ['IMAGE'], imageConfig: { imageSize: '512', aspectRatio: '16:9' } },
    })
    const data = pictureOf(response)
    const headers = response.sdkHttpResponse?.headers ?? {}
    expect(sha256(await shop.stored(headers['x-proofsheet-image']!))).toBe(sha256(data))
    // The client's own getter joins every picture there is.
    expect(response.data).toBe(data)
    expect(partsOf(response)[0]!.inlineData!.mimeType).toMatch(/^image\/(png|jpeg)$/)
    expect(response.candidates![0]!.finishReason).toBe('STOP')
    expect(response.modelVersion).toBe(MODEL)
    expect(response.responseId).toMatch(/.{10}/)
    const [generation] = await shop.generations(contents)
    expect(generation).toMatchObject({ status: 'succeeded', image: { sha256: sha256(data) } })
    expect(shop.calls(contents)).toMatchObject([{ size: '512', aspect: '16:9', provider: 'google' }])
  })

  test('usage says what the picture is made of, by modality', async () => {
    const response = await client().models.generateContent({
      model: MODEL,
      contents: prompt(),
      config: SMALL,
    })
    const usage = response.usageMetadata!
    expect(usage.candidatesTokensDetails).toEqual([
      expect.objectContaining({ modality: 'IMAGE', tokenCount: expect.any(Number) }),
    ])
    expect(usage.promptTokensDetails).toEqual([expect.objectContaining({ modality: 'TEXT' })])
    expect(usage.totalTokenCount).toBeGreaterThan(usage.candidatesTokenCount!)
  })

  test('an edit carries its image to the provider', async () => {
    const data = (await photo()).toString('base64')
    const words = prompt('make it blue')
    const response = await client().models.generateContent({
      model: MODEL,
      contents: [{ text: words }, { inlineData: { mimeType: 'image/png', data } }],
      config: SMALL,
    })
    pictureOf(response)
    expect(shop.calls(words)).toMatchObject([{ references: 1 }])
    expect(shop.sent(words)[0]!.body).toContain(data)
  })

  test('several images of several types arrive in their order', async () => {
    const types = ['png', 'jpeg', 'webp'] as const
    const images = await Promise.all(types.map(async (type) => (await photo(type)).toString('base64')))
    const words = prompt('put them on one table')
    const response = await client().models.generateContent({
      model: MODEL,
      contents: [
        {
          role: 'user',
          parts: [
            ...images.map((data, index) => ({ inlineData: { mimeType: `image/${types[index]}`, data } })),
            { text: words },
          ],
        },
      ],
      config: SMALL,
    })
    pictureOf(response)
    const { body } = shop.sent(words)[0]!
    const places = images.map((data) => body.indexOf(data))
    expect(places.every((place, index) => place > (places[index - 1] ?? 0))).toBe(true)
  })

  test('a chat edits its previous picture: picture and signatures go back word for word', async () => {
    const chat = client().chats.create({ model: MODEL, config: SMALL })
    const first = await chat.sendMessage({ message: prompt('draw a lamp') })
    const [part] = partsOf(first).filter((each) => each.inlineData)
    expect(part!.thoughtSignature).toMatch(/.{100}/)
    const words = prompt('now in green')
    const second = await chat.sendMessage({ message: words })
    expect(pictureOf(second)).not.toBe(part!.inlineData!.data)
    const { contents } = JSON.parse(shop.sent(words)[0]!.body)
    expect(contents.map(({ role }: { role: string }) => role)).toEqual(['user', 'model', 'user'])
    expect(contents[1].parts).toEqual(partsOf(first))
    expect(shop.calls(words)).toMatchObject([{ references: 1 }])
  })

  test('a streamed chat edits its previous picture', async () => {
    const chat = client().chats.create({ model: MODEL, config: SMALL })
    const chunks = []
    for await (const chunk of await chat.sendMessageStream({ message: prompt('draw a vase') }))
      chunks.push(chunk)
    const picture = chunks.flatMap(partsOf).find((part) => part.inlineData)!
    const words = prompt('now with flowers')
    for await (const _ of await chat.sendMessageStream({ message: words }));
    const { contents } = JSON.parse(shop.sent(words)[0]!.body)
    const returned = contents.flatMap(({ parts }: current.Content) => parts)
    expect(returned).toContainEqual(picture)
  })

  test('a stream ends with the finish reason and the usage, and holds one whole picture', async () => {
    const words = prompt()
    const stream = await client().models.generateContentStream({
      model: MODEL,
      contents: words,
      config: { responseModalities: ['TEXT', 'IMAGE'], ...SMALL },
    })
    const chunks: Response[] = []
    for await (const chunk of stream) chunks.push(chunk)
    const pictures = chunks.flatMap(partsOf).flatMap((part) => part.inlineData?.data ?? [])
    expect(pictures).toHaveLength(1)
    const last = chunks.at(-1)!
    expect(last.candidates![0]!.finishReason).toBe('STOP')
    expect(last.usageMetadata!.candidatesTokensDetails).toContainEqual(
      expect.objectContaining({ modality: 'IMAGE' }),
    )
    const [generation] = await shop.generations(words)
    expect(generation!.image!.sha256).toBe(sha256(pictures[0]!))
    expect(shop.calls(words)).toHaveLength(1)
  })

  test('thoughts come only when asked for', async () => {
    const asked = (includeThoughts: boolean) =>
      client().models.generateContent({
        model: MODEL,
        contents: prompt('[[fault:thoughts]] a red bicycle'),
        config: { ...SMALL, thinkingConfig: { includeThoughts } },
      })
    pictureOf(await asked(false))
    const parts = partsOf(await asked(true))
    expect(parts.filter((part) => part.thought && part.inlineData)).toHaveLength(2)
    expect(parts.filter((part) => !part.thought && part.inlineData)).toHaveLength(1)
  })

  test('the models that are sold are listed, and got by any of their names', async () => {
    const models = []
    for await (const model of await client().models.list()) models.push(model.name)
    expect(models).toContain(`models/${MODEL}`)
    const model = await client().models.get({ model: 'nano-banana-2' })
    expect(model).toMatchObject({ name: `models/${MODEL}`, inputTokenLimit: 131_072 })
    const error = rpcOf(await failure(client().models.get({ model: 'imagen-4' })))
    expect(error).toMatchObject({ http: 404, status: 'NOT_FOUND' })
  })

  test('tokens are counted without any call', async () => {
    const words = prompt()
    const data = (await photo()).toString('base64')
    const counted = await client().models.countTokens({
      model: MODEL,
      contents: [{ text: words }, { inlineData: { mimeType: 'image/png', data } }],
    })
    expect(counted.totalTokens).toBeGreaterThan(100)
    expect(shop.sent(words)).toEqual([])
  })

  test('a refusal comes as Google gives it', async () => {
    const response = await client().models.generateContent({
      model: MODEL,
      contents: prompt('[[fault:refused]] a'),
    })
    const [candidate] = response.candidates!
    expect(candidate).toMatchObject({ finishReason: 'IMAGE_SAFETY' })
    // `finishMessage` is in the body; the client passes over it.
    expect(candidate).not.toHaveProperty('content')
    expect(response.data).toBeUndefined()
    expect(response.sdkHttpResponse?.headers?.['x-proofsheet-charged']).toBe('unknown')
  })

  test('a blocked prompt has its reason and no candidates', async () => {
    const response = await client().models.generateContent({
      model: MODEL,
      contents: prompt('[[fault:blocked-prompt]] a'),
    })
    expect(response.promptFeedback?.blockReason).toBe('PROHIBITED_CONTENT')
    expect(response.candidates).toBeUndefined()
  })

  test('an answer in words is their text', async () => {
    const contents = prompt('[[fault:text-only]] a poem')
    const response = await client().models.generateContent({ model: MODEL, contents })
    expect(response.text).toBe('I cannot draw that, but I can describe it.')
    expect(response.candidates![0]!.finishReason).toBe('STOP')
    expect(shop.calls(contents)).toHaveLength(1)
  })

  test('a model that is not there is a 404 that names it', async () => {
    const error = rpcOf(await failure(client().models.generateContent({ model: 'gemini-9', contents: 'a' })))
    expect(error).toMatchObject({ name: 'ApiError', http: 404, code: 404 })
    expect(error.message).toContain('gemini-9')
  })

  test('a token that is not known is the error of a bad key', async () => {
    const bad = client({}, 'not-a-token')
    const error = rpcOf(await failure(bad.models.generateContent({ model: MODEL, contents: 'a' })))
    expect(error).toMatchObject({ http: 400, code: 400 })
    expect(error.details).toContainEqual(expect.objectContaining({ reason: 'API_KEY_INVALID' }))
  })

  test('an image that is none is refused by its place, and nothing is sent', async () => {
    const words = prompt()
    const contents = [
      { text: words },
      { inlineData: { mimeType: 'image/png', data: 'bm90IGEgcGljdHVyZQ==' } },
    ]
    const error = rpcOf(await failure(client().models.generateContent({ model: MODEL, contents })))
    expect(error).toMatchObject({ http: 400, code: 400 })
    expect(JSON.stringify(error)).toContain('contents[0].parts[1]')
    expect(shop.sent(words)).toEqual([])
  })

  test('more than one candidate is refused as Google refuses it', async () => {
    const words = prompt()
    const config = { candidateCount: 2 }
    const error = rpcOf(
      await failure(client().models.generateContent({ model: MODEL, contents: words, config })),
    )
    expect(error).toMatchObject({ http: 400, message: expect.stringContaining('Multiple candidates') })
    expect(shop.sent(words)).toEqual([])
  })

  test('an error of a stream is the same error', async () => {
    const config = { candidateCount: 2 }
    const streaming = client().models.generateContentStream({ model: MODEL, contents: prompt(), config })
    expect(rpcOf(await failure(streaming))).toMatchObject({ http: 400, code: 400 })
  })

  test('a provider that cannot be reached is a 503 that says that nothing was charged', async () => {
    const asking = client().models.generateContent({ model: `silent/${MODEL}`, contents: prompt() })
    const error = rpcOf(await failure(asking))
    expect(error).toMatchObject({ http: 503, status: 'UNAVAILABLE' })
    expect(error.details).toContainEqual(
      expect.objectContaining({
        reason: 'UNREACHABLE',
        metadata: expect.objectContaining({ charged: 'no' }),
      }),
    )
  })

  test('system words, safety settings, thinking and search reach the provider', async () => {
    const words = prompt()
    const safetySettings = [
      {
        category: current.HarmCategory.HARM_CATEGORY_HARASSMENT,
        threshold: current.HarmBlockThreshold.BLOCK_ONLY_HIGH,
      },
    ]
    await client().models.generateContent({
      model: MODEL,
      contents: words,
      config: {
        ...SMALL,
        systemInstruction: 'Draw in ink.',
        temperature: 0.5,
        safetySettings,
        thinkingConfig: { thinkingLevel: current.ThinkingLevel.HIGH },
        tools: [{ googleSearch: {} }],
      },
    })
    expect(JSON.parse(shop.sent(words)[0]!.body)).toMatchObject({
      systemInstruction: { parts: [{ text: 'Draw in ink.' }] },
      safetySettings,
      tools: [{ googleSearch: {} }],
      generationConfig: {
        temperature: 0.5,
        thinkingConfig: { thinkingLevel: 'HIGH' },
        imageConfig: { imageSize: '512' },
      },
    })
  })

  test('the address of the picture comes in place of its bytes when asked for', async () => {
    const words = prompt()
    const httpOptions = { headers: { 'x-proofsheet-delivery': 'url' } }
    const response = await client().models.generateContent({
      model: MODEL,
      contents: words,
      config: { ...SMALL, httpOptions },
    })
    const [generation] = await shop.generations(words)
    const files = partsOf(response).flatMap((part) => part.fileData ?? [])
    expect(files).toEqual([{ fileUri: generation!.image!.url, mimeType: generation!.image!.mimeType }])
  })

  test.for([
    [
      'files.upload',
      (c: Client) => c.files.upload({ file: new Blob(['abc'], { type: 'image/png' }) }),
      501,
      /Files API/,
    ],
    [
      'batches.create',
      (c: Client) => c.batches.create({ model: MODEL, src: [{ contents: 'a' }] }),
      404,
      /batch/,
    ],
    [
      'caches.create',
      (c: Client) => c.caches.create({ model: MODEL, config: { contents: 'a' } }),
      501,
      /cached/,
    ],
    [
      'models.embedContent',
      (c: Client) => c.models.embedContent({ model: MODEL, contents: 'a' }),
      404,
      /embed/,
    ],
  ] as const)('%s is an error that says what to use instead', async ([, ask, http, words]) => {
    const error = rpcOf(await failure(ask(client())))
    expect(error).toMatchObject({ http, message: expect.stringMatching(words) })
  })

  test('a picture whose client left is made once, stored and listed', async () => {
    const contents = prompt('[[fault:slow ms=1200]] a slow train')
    const left = new AbortController()
    shop.called(contents).then(() => left.abort())
    const config = { ...SMALL, abortSignal: left.signal }
    await failure(client().models.generateContent({ model: MODEL, contents, config }))
    const [generation] = await shop.generations(contents)
    expect(generation!.status).toBe('succeeded')
    expect((await shop.stored(generation!.image!.url)).byteLength).toBe(generation!.image!.bytes)
    expect(shop.calls(contents)).toHaveLength(1)
  })

  test('with an idempotency key the next call gets the picture that the first one left', async () => {
    const contents = prompt('[[fault:slow ms=1200]] a slow ship')
    const headers = { 'idempotency-key': prompt('key').replaceAll(' ', '-') }
    const asked = { model: MODEL, contents, config: SMALL }
    await failure(client({ headers, timeout: 300 }).models.generateContent(asked))
    const response = await client({ headers }).models.generateContent(asked)
    const [generation, ...others] = await shop.generations(contents)
    expect(others).toEqual([])
    expect(sha256(pictureOf(response))).toBe(generation!.image!.sha256)
    expect(shop.charges(contents)).toHaveLength(1)
  })
})

// Later majors refuse it themselves, before any request.
test('generateImages of @google/genai 1.x is an error that says what to use instead', async () => {
  const client = new one.GoogleGenAI({ apiKey: shop.token, httpOptions: { baseUrl: shop.url } })
  const error = rpcOf(await failure(client.models.generateImages({ model: MODEL, prompt: 'a' })))
  expect(error).toMatchObject({ http: 404, message: expect.stringContaining(':generateContent') })
})

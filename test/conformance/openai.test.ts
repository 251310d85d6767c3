// OpenAI's own client, and the Vercel AI SDK with its provider for OpenAI, unmodified: base URL and key are all that is
// changed.
import { createOpenAI } from '@ai-sdk/openai'
import { generateImage } from 'ai'
import OpenAI, { APIError, toFile } from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { failure, MODEL, openShop, photo, prompt, type Shop, sha256 } from './client.ts'

let shop: Shop
beforeAll(async () => {
  shop = await openShop()
}, 60_000)
afterAll(() => shop.close(), 60_000)

const client = (options: { apiKey?: string; timeout?: number } = {}) =>
  new OpenAI({ baseURL: `${shop.url}/openai/v1`, apiKey: shop.token, ...options })

const SMALL = { model: MODEL, quality: 'low' as const }

/** The client's error. */
async function errorOf(promise: PromiseLike<unknown>): Promise<APIError> {
  const error = await failure(promise)
  expect(error).toBeInstanceOf(APIError)
  return error as APIError
}

describe.concurrent('images.generate', () => {
  test('makes the picture that is stored', async () => {
    const words = prompt()
    const {
      data: answer,
      response,
      request_id,
    } = await client()
      .images.generate({ ...SMALL, prompt: words })
      .withResponse()
    const data = answer.data![0]!.b64_json!
    expect(sha256(await shop.stored(response.headers.get('x-proofsheet-image')!))).toBe(sha256(data))
    const [generation] = await shop.generations(words)
    expect(generation!.image).toMatchObject({ sha256: sha256(data) })
    const { width, height } = generation!.image!
    expect(answer.size).toBe(`${width}x${height}`)
    expect(answer.usage).toMatchObject({
      input_tokens: expect.any(Number),
      output_tokens: expect.any(Number),
    })
    expect(answer.usage!.total_tokens).toBe(answer.usage!.input_tokens + answer.usage!.output_tokens)
    expect(response.headers.get('x-should-retry')).toBe('false')
    expect(request_id).toMatch(/./)
  })

  test('gives addresses where they are asked for', async () => {
    const words = prompt()
    const answer = await client().images.generate({ ...SMALL, prompt: words, response_format: 'url' })
    const [generation] = await shop.generations(words)
    expect(answer.data).toEqual([{ url: generation!.image!.url }])
  })

  test('n is so many pictures, each of them different', async () => {
    const words = prompt()
    const answer = await client().images.generate({ ...SMALL, prompt: words, n: 3 })
    expect(new Set(answer.data!.map(({ b64_json }) => sha256(b64_json!))).size).toBe(3)
    expect(shop.charges(words)).toHaveLength(3)
  })

  test('pixels become the tier and the ratio of the model', async () => {
    const words = prompt()
    await client().images.generate({ model: MODEL, prompt: words, size: '1536x1024' })
    expect(shop.calls(words)).toMatchObject([{ size: '1K', aspect: '3:2' }])
  })

  test('streams the finished picture', async () => {
    const words = prompt()
    const stream = await client().images.generate({ ...SMALL, prompt: words, stream: true })
    const events = []
    for await (const event of stream) events.push(event)
    expect(events.map(({ type }) => type)).toEqual(['image_generation.completed'])
    const [event] = events as [OpenAI.ImageGenCompletedEvent]
    const [generation] = await shop.generations(words)
    expect(generation!.image!.sha256).toBe(sha256(event.b64_json))
    expect(event.usage.total_tokens).toBeGreaterThan(100)
    expect(shop.calls(words)).toHaveLength(1)
  })

  test('a refusal is a 400 that says so', async () => {
    const words = prompt('[[fault:refused]] a')
    const error = await errorOf(client().images.generate({ ...SMALL, prompt: words }))
    expect(error).toMatchObject({
      status: 400,
      code: 'moderation_blocked',
      type: 'image_generation_user_error',
    })
    expect(error.message).toContain('safety')
    expect(shop.calls(words)).toHaveLength(1)
  })

  test('an error of a stream is thrown by it', async () => {
    const words = prompt('[[fault:refused]] a')
    const streaming = async () => {
      for await (const _ of await client().images.generate({ ...SMALL, prompt: words, stream: true }));
    }
    expect(await errorOf(streaming())).toMatchObject({ code: 'moderation_blocked' })
    expect(shop.calls(words)).toHaveLength(1)
  })

  test.for([
    ['a model that is not there', { model: 'gpt-image-1' }, { status: 404, code: 'model_not_found' }],
    [
      'a size near to nothing',
      { model: MODEL, size: '100x1000' as '1024x1024' },
      { status: 400, param: 'size' },
    ],
    [
      'a transparent background',
      { model: MODEL, background: 'transparent' as const },
      { status: 400, param: 'background' },
    ],
  ] as const)('%s is refused by its field, and nothing is sent', async ([, body, expected]) => {
    const words = prompt()
    expect(await errorOf(client().images.generate({ prompt: words, ...body }))).toMatchObject(expected)
    expect(shop.sent(words)).toEqual([])
  })

  test('a token that is not known is an authentication error', async () => {
    const asking = client({ apiKey: 'not-a-token' }).images.generate({ ...SMALL, prompt: prompt() })
    expect(await failure(asking)).toBeInstanceOf(OpenAI.AuthenticationError)
  })

  test('with an idempotency key the next call gets the same picture', async () => {
    const words = prompt()
    const headers = { 'idempotency-key': prompt('key').replaceAll(' ', '-') }
    const ask = () => client().images.generate({ ...SMALL, prompt: words }, { headers })
    const first = await ask()
    expect((await ask()).data).toEqual(first.data)
    expect(shop.charges(words)).toHaveLength(1)
  })
})

describe.concurrent('images.edit', () => {
  test('carries one file to the provider', async () => {
    const image = await photo('jpeg')
    const words = prompt('make it blue')
    const answer = await client().images.edit({
      ...SMALL,
      prompt: words,
      image: await toFile(image, 'in.jpg', { type: 'image/jpeg' }),
    })
    expect(answer.data).toHaveLength(1)
    expect(shop.sent(words)[0]!.body).toContain(image.toString('base64'))
  })

  test('carries several files in their order', async () => {
    const images = await Promise.all([photo('png'), photo('webp'), photo('jpeg')])
    const words = prompt('put them on one table')
    await client().images.edit({
      ...SMALL,
      prompt: words,
      image: await Promise.all(images.map((image, index) => toFile(image, `${index}.img`))),
    })
    const { body } = shop.sent(words)[0]!
    const places = images.map((image) => body.indexOf(image.toString('base64')))
    expect(places.every((place, index) => place > (places[index - 1] ?? 0))).toBe(true)
  })

  test('takes data URLs as JSON', async () => {
    const image = await photo()
    const words = prompt('make it blue')
    const answer = await client().post<OpenAI.ImagesResponse>('/images/edits', {
      body: {
        ...SMALL,
        prompt: words,
        images: [{ image_url: `data:image/png;base64,${image.toString('base64')}` }],
      },
    })
    expect(answer.data).toHaveLength(1)
    expect(shop.sent(words)[0]!.body).toContain(image.toString('base64'))
  })

  test('takes the address of an earlier picture, without fetching it', async () => {
    const first = await client().images.generate({ ...SMALL, prompt: prompt() })
    const words = prompt('make it blue')
    await client().post('/images/edits', {
      body: { ...SMALL, prompt: words, images: [{ image_url: first.data![0]!.url }] },
    })
    expect(shop.sent(words)[0]!.body).toContain(first.data![0]!.b64_json)
  })

  test('streams the finished picture', async () => {
    const words = prompt('make it blue')
    const image = await toFile(await photo(), 'in.png')
    const stream = await client().images.edit({ ...SMALL, prompt: words, image, stream: true })
    const types = []
    for await (const { type } of stream) types.push(type)
    expect(types).toEqual(['image_edit.completed'])
  })

  test('a mask is refused by its field, and nothing is sent', async () => {
    const words = prompt()
    const [image, mask] = [await toFile(await photo(), 'in.png'), await toFile(await photo(), 'mask.png')]
    const error = await errorOf(client().images.edit({ ...SMALL, prompt: words, image, mask }))
    expect(error).toMatchObject({ status: 400, param: 'mask' })
    expect(shop.sent(words)).toEqual([])
  })

  test('a file that is no image is refused by its place', async () => {
    const words = prompt()
    const image = await toFile(Buffer.from('not a picture'), 'in.png', { type: 'image/png' })
    const error = await errorOf(client().images.edit({ ...SMALL, prompt: words, image }))
    expect(error).toMatchObject({ status: 400, param: 'image[0]' })
    expect(shop.sent(words)).toEqual([])
  })
})

describe.concurrent('chat.completions', () => {
  /** What OpenRouter's and LiteLLM's users read, and the client passes through without a type. */
  type Drawn = { images?: { type: string; image_url: { url: string } }[]; content: string | null }
  const IMAGES = { modalities: ['image', 'text'] as unknown as ['text'] }

  function pictureOf({ images }: Drawn): string {
    expect(images).toHaveLength(1)
    const [, data] = /^data:image\/(?:png|jpeg);base64,(.+)$/.exec(images![0]!.image_url.url) ?? []
    return data!
  }

  test('a picture is in message.images for those who ask for images', async () => {
    const words = prompt()
    const answer = await client().chat.completions.create({
      model: MODEL,
      messages: [{ role: 'user', content: words }],
      ...IMAGES,
    })
    const [choice] = answer.choices
    const data = pictureOf(choice!.message as Drawn)
    const [generation] = await shop.generations(words)
    expect(generation!.image!.sha256).toBe(sha256(data))
    expect(choice!.finish_reason).toBe('stop')
    expect(answer.usage!.total_tokens).toBe(answer.usage!.prompt_tokens + answer.usage!.completion_tokens)
  })

  test('a picture is Markdown for those who only read text', async () => {
    const words = prompt()
    const answer = await client().chat.completions.create({
      model: MODEL,
      messages: [{ role: 'user', content: words }],
    })
    const [generation] = await shop.generations(words)
    expect(answer.choices[0]!.message.content).toContain(`![image](${generation!.image!.url})`)
  })

  test('an image goes in, and the next turn edits the picture that came out', async () => {
    const image = await photo()
    const words = prompt('make it blue')
    const opening = {
      role: 'user' as const,
      content: [
        { type: 'text' as const, text: words },
        {
          type: 'image_url' as const,
          image_url: { url: `data:image/png;base64,${image.toString('base64')}` },
        },
      ],
    }
    const first = await client().chat.completions.create({ model: MODEL, messages: [opening], ...IMAGES })
    expect(shop.sent(words)[0]!.body).toContain(image.toString('base64'))
    const { message } = first.choices[0]!
    const more = prompt('now smaller')
    await client().chat.completions.create({
      model: MODEL,
      messages: [opening, message, { role: 'user', content: more }],
      ...IMAGES,
    })
    const { contents } = JSON.parse(shop.sent(more)[0]!.body)
    expect(contents.map(({ role }: { role: string }) => role)).toEqual(['user', 'model', 'user'])
    const data = contents[1].parts.flatMap(
      (part: { inlineData?: { data: string } }) => part.inlineData?.data ?? [],
    )
    expect(data).toEqual([pictureOf(message as Drawn)])
  })

  test('the next turn knows the picture by its Markdown', async () => {
    const opening = { role: 'user' as const, content: prompt() }
    const first = await client().chat.completions.create({ model: MODEL, messages: [opening] })
    const more = prompt('now smaller')
    const messages = [opening, first.choices[0]!.message, { role: 'user' as const, content: more }]
    await client().chat.completions.create({ model: MODEL, messages })
    const [generation] = await shop.generations(opening.content)
    const picture = Buffer.from(await shop.stored(generation!.image!.url)).toString('base64')
    expect(shop.sent(more)[0]!.body).toContain(picture)
  })

  test('streams the picture and the usage', async () => {
    const words = prompt()
    const stream = await client().chat.completions.create({
      model: MODEL,
      messages: [{ role: 'user', content: words }],
      stream: true,
      stream_options: { include_usage: true },
      ...IMAGES,
    })
    const chunks = []
    for await (const chunk of stream) chunks.push(chunk)
    const images = chunks.flatMap((chunk) => (chunk.choices[0]?.delta as Drawn | undefined)?.images ?? [])
    const [generation] = await shop.generations(words)
    expect(sha256(pictureOf({ images, content: null }))).toBe(generation!.image!.sha256)
    expect(chunks.flatMap(({ choices }) => choices[0]?.finish_reason ?? [])).toEqual(['stop'])
    expect(chunks.at(-1)!.usage!.total_tokens).toBeGreaterThan(100)
    expect(shop.calls(words)).toHaveLength(1)
  })

  test('an answer in words is their text', async () => {
    const words = prompt('[[fault:text-only]] a poem')
    const answer = await client().chat.completions.create({
      model: MODEL,
      messages: [{ role: 'user', content: words }],
    })
    expect(answer.choices[0]!.message.content).toBe('I cannot draw that, but I can describe it.')
    expect(shop.calls(words)).toHaveLength(1)
  })

  test('a refusal is told in the chat', async () => {
    const words = prompt('[[fault:refused]] a')
    const answer = await client().chat.completions.create({
      model: MODEL,
      messages: [{ role: 'user', content: words }],
    })
    expect(answer.choices[0]).toMatchObject({ finish_reason: 'content_filter' })
    expect(answer.choices[0]!.message.refusal).toContain('safety')
    expect(shop.calls(words)).toHaveLength(1)
  })
})

describe.concurrent('what else the client asks', () => {
  test('the models that are sold are listed, and got by any of their names', async () => {
    const ids = []
    for await (const { id } of client().models.list()) ids.push(id)
    expect(ids).toContain(MODEL)
    expect(await client().models.retrieve('nano-banana-2')).toMatchObject({ id: MODEL, object: 'model' })
    expect(await errorOf(client().models.retrieve('gpt-5'))).toMatchObject({
      status: 404,
      code: 'model_not_found',
    })
  })

  test.for([
    ['responses.create', () => client().responses.create({ model: MODEL, input: 'a' })],
    ['embeddings.create', () => client().embeddings.create({ model: MODEL, input: 'a' })],
    [
      'images.createVariation',
      async () => client().images.createVariation({ image: await toFile(await photo(), 'in.png') }),
    ],
  ] as const)('%s is a 404 that says what there is', async ([, ask]) => {
    const error = await errorOf(ask())
    expect(error).toMatchObject({ status: 404 })
    expect(error.message).toContain('/images/')
  })
})

describe.concurrent('@ai-sdk/openai', () => {
  const openai = () => createOpenAI({ baseURL: `${shop.url}/openai/v1`, apiKey: shop.token })

  test('generateImage makes the pictures that are stored', async () => {
    const words = prompt()
    const { images } = await generateImage({
      model: openai().image(MODEL),
      prompt: words,
      n: 2,
      providerOptions: { openai: { quality: 'low' } },
    })
    const generations = await shop.generations(words)
    const made = generations.map(({ image }) => image!.sha256)
    expect(images.map((image) => sha256(image.uint8Array)).sort()).toEqual(made.sort())
    expect(shop.charges(words)).toHaveLength(2)
  })

  test('an edit carries its images to the provider', async () => {
    const images = await Promise.all([photo('png'), photo('jpeg')])
    const words = prompt('put them together')
    await generateImage({
      model: openai().image(MODEL),
      prompt: { text: words, images },
      providerOptions: { openai: { quality: 'low' } },
    })
    for (const image of images) expect(shop.sent(words)[0]!.body).toContain(image.toString('base64'))
  })
})

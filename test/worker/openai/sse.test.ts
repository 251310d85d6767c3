import { expect, test } from 'vitest'
import { eventStream } from '../../../worker/openai/sse.ts'
import { env } from '../setup/bindings.ts'
import { large, sha256 } from '../setup/pictures.ts'

const textOf = (body: ReadableStream<Uint8Array>) => new Response(body).text()

test('events come one after the other, with and without a name', async () => {
  const body = eventStream(env.BUCKET, async (events) => {
    await events.send(['{"a":1}'], 'first')
    await events.send(['[DONE]'])
  })
  expect(await textOf(body)).toBe('event: first\ndata: {"a":1}\n\ndata: [DONE]\n\n')
})

test('comments are sent while there is nothing to say, and stop with it', async () => {
  let isHeard = () => {}
  const heard = new Promise<void>((resolve) => {
    isHeard = resolve
  })
  const body = eventStream(
    env.BUCKET,
    async (events) => {
      expect(await events.during(heard.then(() => 7))).toBe(7)
      await events.send(['x'])
    },
    1,
  )
  const reader = body.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    text += value
    if (text.split(': waiting').length > 3) isHeard()
  }
  expect(text).toMatch(/^(: waiting\n\n){3,}data: x\n\n$/)
})

test('what it waits for is thrown on', async () => {
  const body = eventStream(env.BUCKET, async (events) => {
    const error = await events.during(Promise.reject(new Error('no'))).catch((e: Error) => e.message)
    await events.send([String(error)])
  })
  expect(await textOf(body)).toBe('data: no\n\n')
})

test('a picture of R2 stands in an event as Base64', async () => {
  const bytes = large(3_000_001)
  await env.BUCKET.put('pictures/sse', bytes)
  const body = eventStream(env.BUCKET, (events) =>
    events.send(['{"b64":"', { key: 'pictures/sse', bytes: bytes.length }, '"}']),
  )
  const [, base64] = /^data: \{"b64":"(.*)"\}\n\n$/.exec(await textOf(body))!
  expect(sha256(Uint8Array.fromBase64(base64!))).toBe(sha256(bytes))
})

test('a picture that is gone breaks the stream off', async () => {
  const body = eventStream(env.BUCKET, (events) => events.send([{ key: 'pictures/none', bytes: 5 }]))
  await expect(textOf(body)).rejects.toThrow()
})

test('a client that leaves stops it', async () => {
  let stopped: unknown
  const body = eventStream(env.BUCKET, async (events) => {
    try {
      for (;;) await events.send(['x'])
    } catch (error) {
      stopped = error
      throw error
    }
  })
  const reader = body.getReader()
  await reader.read()
  await reader.cancel()
  await expect.poll(() => stopped).toBeInstanceOf(Error)
})

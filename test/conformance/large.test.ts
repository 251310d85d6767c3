// The largest legal request and a long picture, whole, over real HTTP. How much memory they take is bench/dropin.ts.
import { createHash } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Stack, startStack } from '../runner/sandbox.ts'
import { type HttpAnswer, post } from './surfaces.ts'

const MODEL = 'gemini-3.1-flash-image'
const IMAGE_BYTES = 7_000_000
const PNG_HEAD = Buffer.from('89504e470d0a1a0a0000000d', 'hex')

/** Bytes that begin like a PNG and are like no others of another number. */
function image(number: number, bytes = IMAGE_BYTES): Buffer {
  const content = Buffer.alloc(bytes, `image ${number} of a long request, `)
  PNG_HEAD.copy(content)
  return content
}

const digestOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const inline = (bytes: Buffer) => ({ inlineData: { mimeType: 'image/png', data: bytes.toString('base64') } })

type Body = { contents: { parts: { text?: string; inlineData?: { data: string } }[] }[] }

/** A provider that notes the digests of what it is sent, and draws 20 MB. */
const sent: { bytes: number; digests: string[] }[] = []
const picture = image(0, 20_000_000)
let provider: Server
let stack: Stack

beforeAll(async () => {
  provider = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const body = Buffer.concat(chunks)
    const { contents } = JSON.parse(body.toString()) as Body
    const images = contents.flatMap(({ parts }) => parts.flatMap((part) => part.inlineData?.data ?? []))
    sent.push({ bytes: body.length, digests: images.map((data) => digestOf(Buffer.from(data, 'base64'))) })
    response.setHeader('content-type', 'application/json')
    const candidate = { content: { role: 'model', parts: [inline(picture)] }, finishReason: 'STOP' }
    response.end(JSON.stringify({ candidates: [candidate] }))
  })
  await new Promise<void>((listening) => provider.listen(0, '127.0.0.1', listening))
  const baseUrl = `http://127.0.0.1:${(provider.address() as AddressInfo).port}`
  const roomy = { baseUrl, wire: { [MODEL]: MODEL }, maxRequestBytes: 150 * 1024 * 1024 }
  stack = await startStack({ PROVIDERS: JSON.stringify({ roomy }), ROOMY_API_KEY: 'key' })
}, 120_000)

afterAll(async () => {
  await stack?.close()
  await new Promise((closed) => provider.close(closed))
}, 60_000)

/** Asks a provider for a picture made of fourteen images, of which the first is that of `number`. */
function ask(of: string, number: number): Promise<HttpAnswer> {
  const pieces = [`{"contents":[{"role":"user","parts":[{"text":"one collage, ${number}"}`]
  const images = Array.from({ length: 14 }, (_, index) => image(number + index))
  for (const each of images) pieces.push(`,${JSON.stringify(inline(each))}`)
  pieces.push(']}]}')
  const url = `${stack.url}/v1beta/models/${of}/${MODEL}:generateContent`
  return post(
    url,
    stack.token,
    pieces.map((piece) => Buffer.from(piece)),
  )
}

test('fourteen images of 7 MB reach the provider byte for byte', async () => {
  const answer = await ask('roomy', 1)
  expect(answer.status, answer.text.slice(0, 300)).toBe(200)
  expect(sent).toHaveLength(1)
  expect(sent[0]!.bytes).toBeGreaterThan(130_000_000)
  expect(sent[0]!.digests).toEqual(Array.from({ length: 14 }, (_, index) => digestOf(image(1 + index))))
})

test('a picture of 20 MB comes out byte for byte, in the length that was told', async () => {
  const url = `${stack.url}/v1beta/models/roomy/${MODEL}:generateContent`
  const answer = await post(url, stack.token, JSON.stringify({ contents: [{ parts: [{ text: 'a wall' }] }] }))
  expect(answer.status).toBe(200)
  expect(answer.headers['content-length']).toBe(String(answer.text.length))
  const { data } = JSON.parse(answer.text).candidates[0].content.parts[0].inlineData
  expect(digestOf(Buffer.from(data, 'base64'))).toBe(digestOf(picture))
})

test('where a provider takes less, the sum is refused before it is sent, and told encoded', async () => {
  const answer = await ask('google', 100)
  expect(answer.status).toBe(400)
  expect(JSON.parse(answer.text).error).toMatchObject({
    status: 'INVALID_ARGUMENT',
    message: expect.stringMatching(/125 MiB together once encoded; google takes 100 MiB/),
  })
  expect(stack.emulator.calls()).toEqual([])
})

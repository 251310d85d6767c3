// Every example of the five seed documents, run against proofsheet with another host and another key and nothing else:
// the curl calls by the real curl, the programs by fetch and their own way of reading the answer.
import { execFile, execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sniff } from '../../core/media.ts'
import { findModel, pixelsOf } from '../../core/models.ts'
import {
  APIYI_CURLS,
  APIYI_PROGRAMS,
  type CurlExample,
  pointedAt,
  TOKAIFY_CURLS,
  TOKAIFY_PROGRAM,
} from './published.ts'
import { type Sent, tappedStack } from './wire.ts'

type Tapped = Awaited<ReturnType<typeof tappedStack>>

/** Worker and line of one relay: the examples name no provider, so each relay is the default of its own worker. */
const stacks: Partial<Record<'apiyi' | 'tokaify', Tapped>> = {}
const folder = mkdtempSync(join(tmpdir(), 'proofsheet-seeds-'))
const pictures = { png: [] as string[], jpeg: [] as string[] }

beforeAll(async () => {
  for (const color of ['#a33', '#3a3', '#33a']) {
    const drawn = sharp({ create: { width: 40, height: 30, channels: 3, background: color } })
    pictures.png.push((await drawn.clone().png().toBuffer()).toString('base64'))
    pictures.jpeg.push((await drawn.clone().jpeg().toBuffer()).toString('base64'))
  }
  const relay = {
    'third-relay': {
      baseUrl: 'https://relay.invalid',
      wire: { 'nano-banana-2': 'gemini-3.1-flash-image-preview', 'nano-banana': 'gemini-2.5-flash-image' },
    },
  }
  const more = { PROVIDERS: JSON.stringify(relay), THIRD_RELAY_API_KEY: 'key-of-third' }
  ;[stacks.apiyi, stacks.tokaify] = await Promise.all([
    tappedStack(['apiyi'], { DEFAULT_PROVIDER: 'apiyi' }),
    tappedStack(['tokaify', 'third-relay'], { DEFAULT_PROVIDER: 'tokaify', ...more }),
  ])
}, 120_000)

afterAll(async () => {
  await Promise.all(Object.values(stacks).map((stack) => stack.close()))
  rmSync(folder, { recursive: true, force: true })
})

const hasCurl = (() => {
  try {
    execFileSync('curl', ['--version'])
    return true
  } catch {
    console.warn('test/conformance/seeds.test.ts: there is no curl here, its examples are skipped')
    return false
  }
})()

type Json = { readonly [key: string]: unknown }
type NativePart = { text?: string; inlineData?: { mimeType: string; data: string } }
type Answer = {
  candidates: { content: { role: string; parts: NativePart[] }; finishReason: string }[]
  usageMetadata: { promptTokenCount: number; candidatesTokenCount: number; totalTokenCount: number }
  modelVersion: string
}
type Error = { error: { code: number; status: string; message: string; details: Json[] } }

/** A body or a word with images in their places. */
function filled(text: string, images: CurlExample['images'] = []): string {
  return images.reduce((all, kind, index) => all.replace(`IMAGE_${index + 1}`, pictures[kind][index]!), text)
}

async function curl(stack: Tapped, words: readonly string[]) {
  const headers = join(folder, 'headers')
  const quiet = ['--silent', '--show-error', '--dump-header', headers]
  const pointed = words.map((word) => pointedAt(stack.url, stack.token, word))
  const { stdout } = await promisify(execFile)('curl', [...quiet, ...pointed], { maxBuffer: 2 ** 27 })
  const head = readFileSync(headers, 'utf8').split('\r\n\r\n').at(-2)!
  return { status: Number(head.split(' ')[1]), head, text: stdout }
}

/** What one relay was sent since the last time this was asked. */
function sentTo(stack: Tapped): Sent[] {
  return stack.sent.splice(0)
}

/** What an example must arrive as: its own body, with the role that some documents demand. */
function expected(example: { defaults?: CurlExample['defaults'] }, body: Json): unknown {
  const { contents, generationConfig, ...rest } = body as { contents: Json[]; generationConfig: Json }
  return {
    ...rest,
    contents: contents.map((content) => ({ role: 'user', ...content })),
    generationConfig: { ...generationConfig, ...example.defaults },
  }
}

/** The pixels of a picture whose settings are in a body. */
function pixelsIn(body: Json, name = 'nano-banana-pro') {
  const { imageConfig = {} } = body.generationConfig as { imageConfig?: Json }
  const { aspectRatio = '1:1', imageSize = '1K' } = imageConfig
  return pixelsOf(findModel(name)!, imageSize as '1K', aspectRatio as '1:1')
}

/** A picture in an answer: its type is that of its bytes, its pixels were asked for, and it is the one that is stored. */
async function checkPicture(data: string, mimeType: string, stored: string, pixels: unknown): Promise<void> {
  const bytes = Buffer.from(data, 'base64')
  expect(sniff(bytes)).toBe(mimeType)
  const { width, height } = await sharp(bytes).metadata()
  expect({ width, height }).toEqual(pixels)
  const kept = Buffer.from(await (await fetch(stored)).arrayBuffer())
  expect(digestOf(bytes)).toBe(digestOf(kept))
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

describe.each([
  ['apiyi', APIYI_CURLS],
  ['tokaify', TOKAIFY_CURLS],
] as const)('the curl calls of %s', (relay, examples) => {
  test.skipIf(!hasCurl).for(examples)('$name', async (example) => {
    const stack = stacks[relay]!
    const words = example.words.map((word) => filled(word, example.images))
    const body = JSON.parse(words.at(-1)!) as Json
    const { status, head, text } = await curl(stack, words)

    expect(status, text.slice(0, 400)).toBe(200)
    expect(head).toMatch(/content-type: application\/json/i)
    const answer = JSON.parse(text) as Answer
    expect(answer.candidates).toHaveLength(1)
    const [{ content, finishReason }] = answer.candidates as [Answer['candidates'][0]]
    expect(finishReason).toBe('STOP')
    expect(content.role).toBe('model')
    const { promptTokenCount, candidatesTokenCount, totalTokenCount } = answer.usageMetadata
    expect(promptTokenCount).toBeGreaterThan(0)
    expect(totalTokenCount).toBeGreaterThanOrEqual(promptTokenCount + candidatesTokenCount)
    expect(answer.modelVersion).toMatch(/^gemini-3-pro-image/)
    const { mimeType, data } = content.parts[0]!.inlineData!
    const stored = /x-proofsheet-image: (\S+)/i.exec(head)![1]!
    await checkPicture(data, mimeType, stored, pixelsIn(body))

    const path = new URL(words.find((word) => word.startsWith('https:'))!).pathname
    expect(sentTo(stack)).toEqual([{ path: `/${relay}${path}`, body: expected(example, body) }])
    expect(stack.emulator.calls().at(-1)).toMatchObject({ prompt: example.prompt, charged: true })
  })
})

describe('the programs of the documents', () => {
  test.for([
    ...APIYI_PROGRAMS.map((program) => ({ relay: 'apiyi' as const, ...program })),
    { relay: 'tokaify' as const, ...TOKAIFY_PROGRAM },
  ])('$relay: $name', async ({ relay, body, images, reads, prompt }) => {
    const stack = stacks[relay]!
    const posted = filled(JSON.stringify(body), images)
    const response = await fetch(`${stack.url}/v1beta/models/gemini-3-pro-image-preview:generateContent`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${stack.token}`, 'Content-Type': 'application/json' },
      body: posted,
    })
    expect(response.status).toBe(200)
    const { parts } = ((await response.json()) as Answer).candidates[0]!.content
    const found = reads === 'any' ? parts.find((part) => part.inlineData) : parts[0]
    const { mimeType, data } = found!.inlineData!
    const stored = response.headers.get('x-proofsheet-image')!
    await checkPicture(data, mimeType, stored, pixelsIn(body as Json))
    expect(sentTo(stack).map((sent) => sent.body)).toEqual([expected({}, JSON.parse(posted))])
    expect(stack.emulator.calls().at(-1)).toMatchObject({ provider: relay, prompt, charged: true })
  })
})

/** A call that the documents describe in words or tables. */
async function post(relay: 'apiyi' | 'tokaify', model: string, body: object, key = true) {
  const stack = stacks[relay]!
  const response = await fetch(`${stack.url}/v1beta/models/${model}:generateContent`, {
    method: 'POST',
    headers: {
      ...(key ? { Authorization: `Bearer ${stack.token}` } : {}),
      'Content-Type': 'application/json',
    },
    body: JSON.stringify(body),
  })
  const json = (await response.json()) as Answer & Error
  return { status: response.status, json, headers: response.headers, sent: sentTo(stack) }
}

const PRO = 'gemini-3-pro-image-preview'
const PREVIEW_2 = 'gemini-3.1-flash-image-preview'
const said = (text: string) => [{ parts: [{ text }] }]

describe('what the documents describe without an example', () => {
  test('an image in snake_case is understood and passed on in camelCase', async () => {
    const [data] = pictures.png
    const contents = [
      { parts: [{ text: 'make it blue' }, { inline_data: { mime_type: 'image/png', data } }] },
    ]
    for (const relay of ['tokaify', 'apiyi'] as const) {
      const { status, sent } = await post(relay, PRO, { contents })
      expect(status).toBe(200)
      const [{ body }] = sent as [Sent]
      const parts = [{ text: 'make it blue' }, { inlineData: { mimeType: 'image/png', data } }]
      expect((body as Json).contents).toEqual([{ role: 'user', parts }])
      expect(stacks[relay]!.emulator.calls().at(-1)).toMatchObject({ references: 1 })
    }
  })

  test('an image before the text stays before the text', async () => {
    const [data] = pictures.jpeg
    const parts = [{ inlineData: { mimeType: 'image/jpeg', data } }, { text: 'add a hat' }]
    const { status, sent } = await post('apiyi', PRO, { contents: [{ parts }] })
    expect(status).toBe(200)
    expect((sent[0]!.body as Json).contents).toEqual([{ role: 'user', parts }])
  })

  test('image/jpg is a name of image/jpeg, towards relays that do not know it as well', async () => {
    const [data] = pictures.jpeg
    const parts = [{ text: 'add a scarf' }, { inlineData: { mimeType: 'image/jpg', data } }]
    const { status, sent } = await post('tokaify', PRO, { contents: [{ parts }] })
    expect(status).toBe(200)
    const [{ body }] = sent as [Sent]
    expect(JSON.stringify(body)).toContain('"mimeType":"image/jpeg"')
  })

  test.for([
    ['512px', 'apiyi', PREVIEW_2],
    ['0.5K', 'tokaify', `third-relay/${PREVIEW_2}`],
  ] as const)('the size %s is 512 on the wire', async ([imageSize, relay, model]) => {
    const generationConfig = { imageConfig: { imageSize, aspectRatio: '1:8' } }
    const { status, json, headers, sent } = await post(relay, model, {
      contents: said(`a lighthouse in ${imageSize}`),
      generationConfig,
    })
    expect(status, JSON.stringify(json).slice(0, 300)).toBe(200)
    const { mimeType, data } = json.candidates[0]!.content.parts.find((part) => part.inlineData)!.inlineData!
    const stored = headers.get('x-proofsheet-image')!
    await checkPicture(data, mimeType, stored, pixelsOf(findModel(PREVIEW_2)!, '512', '1:8'))
    expect((sent[0]!.body as { generationConfig: Json }).generationConfig.imageConfig).toEqual({
      aspectRatio: '1:8',
      imageSize: '512',
    })
  })

  test('image_config.aspect_ratio is understood', async () => {
    const { status, sent } = await post('tokaify', `third-relay/${PREVIEW_2}`, {
      contents: said('a pier'),
      generationConfig: { image_config: { aspect_ratio: '4:1' }, temperature: 1 },
    })
    expect(status).toBe(200)
    expect(sent[0]).toMatchObject({
      path: `/third-relay/v1beta/models/${PREVIEW_2}:generateContent`,
      body: { generationConfig: { imageConfig: { aspectRatio: '4:1' }, temperature: 1 } },
    })
  })

  test('towards a relay that does not fetch, an address that cannot be had is named', async () => {
    const fileUri = 'https://pictures.invalid/otter.png'
    const { status, json, sent } = await post('tokaify', PRO, {
      contents: [{ parts: [{ fileData: { fileUri, mimeType: 'image/png' } }, { text: 'add five dogs' }] }],
    })
    expect(status).toBe(400)
    expect(json.error).toMatchObject({ code: 400, status: 'INVALID_ARGUMENT' })
    expect(json.error.message).toContain('contents[0].parts[0]')
    expect(json.error.message).toContain(fileUri)
    expect(sent).toEqual([])
  })

  test('a system instruction reaches each relay in the form that it documents', async () => {
    const body = { contents: said('a bridge'), systemInstruction: { parts: [{ text: 'Draw in ink.' }] } }
    const apiyi = await post('apiyi', PRO, body)
    expect((apiyi.sent[0]!.body as Json).contents).toEqual([
      { role: 'model', parts: [{ text: 'Draw in ink.' }] },
      { role: 'user', parts: [{ text: 'a bridge' }] },
    ])
    const tokaify = await post('tokaify', PRO, body)
    expect(tokaify.sent[0]!.body).toMatchObject({ systemInstruction: { parts: [{ text: 'Draw in ink.' }] } })
  })

  test('generation 1 is called without a size, and another size than 1K is refused before it is sent', async () => {
    const first = await post('apiyi', 'gemini-2.5-flash-image', { contents: said('a small boat') })
    expect(first.status).toBe(200)
    expect(JSON.stringify(first.sent[0]!.body)).not.toContain('imageSize')
    const { status, json, sent } = await post('apiyi', 'gemini-2.5-flash-image', {
      contents: said('a small boat'),
      generationConfig: { imageConfig: { imageSize: '2K' } },
    })
    expect(status).toBe(400)
    expect(json.error.message).toMatch(/size.*2K|2K.*size/i)
    expect(sent).toEqual([])
  })

  test('a poem is an answer: its words come through, and it is no crash', async () => {
    const { status, json } = await post('tokaify', PRO, {
      contents: said('[[fault:text-only]] Writing a four-word Chinese short poem.'),
      generationConfig: { temperature: 0.7, maxOutputTokens: 100_000 },
    })
    expect(status).toBe(200)
    expect(json.candidates[0]).toMatchObject({
      content: { role: 'model', parts: [{ text: 'I cannot draw that, but I can describe it.' }] },
      finishReason: 'STOP',
    })
  })

  test('without a key nothing is sent, and the error says where the key belongs', async () => {
    const { status, json, sent } = await post('tokaify', PRO, { contents: said('a poem') }, false)
    expect(status).toBe(403)
    expect(json.error).toMatchObject({ code: 403, status: 'PERMISSION_DENIED' })
    expect(json.error.message).toContain('Authorization: Bearer')
    expect(sent).toEqual([])
  })
})

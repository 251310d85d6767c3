import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import sharp from 'sharp'
import { beforeEach, describe, expect, test } from 'vitest'
import { createEmulator } from '../../emulator/app.ts'
import { type AnyAnswer, answer, ask, picturesOf, prompt } from './ask.ts'

const { app, reset } = createEmulator()
beforeEach(reset)

const small = { responseModalities: ['TEXT', 'IMAGE'], imageConfig: { imageSize: '512' }, seed: 3 }
const faulty = (marker: string, config: Record<string, unknown> = small) =>
  prompt(`a fern [[fault:${marker}]]`, config)
const parts = ({ candidates }: AnyAnswer) => candidates[0]?.content?.parts ?? []

describe('several pictures', () => {
  const kinds = (body: AnyAnswer) =>
    parts(body).map(({ thought, inlineData, thoughtSignature }) =>
      [thought ? 'thought' : '', inlineData ? 'picture' : 'text', thoughtSignature ? 'signed' : '']
        .filter(Boolean)
        .join(' '),
    )
  test.for<[string, string[], number]>([
    ['thoughts', ['text signed', 'thought picture', 'thought picture', 'picture signed'], 1],
    ['drafts', ['text signed', 'picture signed', 'picture signed', 'picture signed'], 3],
    ['storyboard', ['text signed', 'picture signed', 'text', 'picture signed', 'text', 'picture signed'], 3],
  ])('%s', async ([fault, expected, counted]) => {
    const body = await answer(ask(app, faulty(fault)))
    expect(kinds(body)).toEqual(expected)
    expect(body.usageMetadata.candidatesTokensDetails).toEqual([
      { modality: 'IMAGE', tokenCount: counted * 747 },
    ])
    const plain = picturesOf(await answer(ask(app, prompt('a fern', small))))[0]!
    const pictures = picturesOf(body)
    expect(pictures.at(-1)!.bytes.equals(plain.bytes)).toBe(true)
    expect(
      new Set(pictures.map(({ bytes }) => createHash('sha256').update(bytes).digest('hex'))),
    ).toHaveLength(3)
  })
})

describe('the wire', () => {
  const raw = async (marker: string) => (await ask(app, faulty(marker))).text()
  const plain = async () => picturesOf(await answer(ask(app, prompt('a fern', small))))[0]!

  test.for([
    ['mime-first', /"inlineData": \{\s+"mimeType": "image\/jpeg",\s+"data": "/],
    ['data-first', /"inlineData": \{\s+"data": "[^"]+",\s+"mimeType": "image\/jpeg"/],
  ] as const)('%s orders the keys so', async ([fault, order]) => {
    const text = await raw(fault)
    expect(text).toMatch(order)
    expect(picturesOf(JSON.parse(text))[0]!.bytes.equals((await plain()).bytes)).toBe(true)
  })

  test('escaped writes solidus, padding and line breaks as escapes, and means the same picture', async () => {
    const text = await raw('escaped')
    const data = /"data": "([^"]+)"/.exec(text)![1]!
    expect(data).toMatch(/\\\//)
    expect(data).toMatch(/\\n/)
    expect(data).not.toMatch(/[^\\]\/|=/)
    expect(picturesOf(JSON.parse(text))[0]!.bytes.equals((await plain()).bytes)).toBe(true)
  })

  test('mislabelled says JPEG and is PNG', async () => {
    const [picture] = picturesOf(JSON.parse(await raw('mislabelled')))
    expect(picture!.mimeType).toBe('image/jpeg')
    expect((await sharp(picture!.bytes).metadata()).format).toBe('png')
  })

  test('tiny is a picture of three bytes', async () => {
    expect(picturesOf(JSON.parse(await raw('tiny')))[0]!.bytes).toHaveLength(3)
  })

  test('big is a valid PNG of exactly that many bytes in the asked pixels', async () => {
    const [picture] = picturesOf(JSON.parse(await raw('big bytes=3000001')))
    expect(picture!.bytes).toHaveLength(3_000_001)
    const { data, info } = await sharp(picture!.bytes).raw().toBuffer({ resolveWithObject: true })
    expect([info.width, info.height, data.length]).toEqual([512, 512, 512 * 512 * 3])
  })

  test('every chunk of a big PNG has the right checksum', async () => {
    const { bytes } = picturesOf(JSON.parse(await raw('big bytes=3000000')))[0]!
    const types: string[] = []
    for (let at = 8; at < bytes.length; ) {
      const end = at + 8 + bytes.readUInt32BE(at)
      expect(bytes.readUInt32BE(end)).toBe(crc32(bytes.subarray(at + 4, end)))
      types.push(bytes.toString('latin1', at + 4, at + 8))
      at = end + 4
    }
    expect(types.slice(-2)).toEqual(['prFs', 'IEND'])
  })

  test('url-answer gives a link in a text part, & escaped, and the link gives the picture', async () => {
    const text = await raw('url-answer')
    expect(text).toContain('\\u0026Signature=')
    const body = JSON.parse(text) as AnyAnswer
    expect(parts(body)).toMatchObject([
      { text: expect.stringMatching(/^http:/), thoughtSignature: expect.any(String) },
    ])
    const link = new URL(parts(body)[0]!.text!)
    const response = await app.request(link.pathname + link.search)
    expect(response.headers.get('content-type')).toBe('image/jpeg')
    const bytes = Buffer.from(await response.arrayBuffer())
    expect(bytes.equals((await plain()).bytes)).toBe(true)
  })
})

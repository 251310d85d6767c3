import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { MODELS, type Model, pixelsOf, type Size } from '../../core/models.ts'
import { createEmulator } from '../../emulator/app.ts'
import { answer, ask, NB2, PRO, picturesOf, prompt } from './ask.ts'

const { app } = createEmulator()

async function draw(text: string, imageConfig: Record<string, unknown>, model: string, ...parts: unknown[]) {
  const config = { responseModalities: ['IMAGE'], imageConfig }
  const pictures = picturesOf(await answer(ask(app, prompt(text, config, ...parts), { model })))
  expect(pictures).toHaveLength(1)
  const { mimeType, bytes } = pictures[0]!
  const { width, height, format } = await sharp(bytes).metadata()
  return { mimeType, bytes, pixels: { width, height }, format }
}

const cells = MODELS.flatMap((model) =>
  model.sizes.flatMap((size) => model.aspects.map((aspect) => ({ model, size, aspect }))),
)
const sizeOf = (model: Model, size: Size) => (model.sendsSize ? { imageSize: size } : {})

describe('pixels', () => {
  const small = cells.filter(({ size }) => size === '512' || size === '1K')
  const rows = MODELS.map((model) => ({
    name: model.name,
    cells: small.filter((cell) => cell.model === model),
  }))
  test.for(rows)('$name draws every ratio up to 1K in the documented pixels', async ({ cells }) => {
    for (const { model, size, aspect } of cells) {
      const { pixels, mimeType, format } = await draw(
        'a fern',
        { ...sizeOf(model, size), aspectRatio: aspect },
        model.id,
      )
      expect({ aspect, ...pixels }).toEqual({ aspect, ...pixelsOf(model, size, aspect) })
      expect(mimeType).toBe(`image/${format}`)
    }
  })

  test.for([
    [PRO, '2K', '21:9', 3168, 1344],
    [PRO, '4K', '16:9', 5504, 3072],
    [NB2, '2K', '4:5', 1856, 2304],
    [NB2, '4K', '1:8', 1536, 12288],
    ['gemini-nano-banana-2.1', '4K', '1:1', 4096, 4096],
  ] as const)(
    '%s at %s and %s has %i × %i pixels',
    async ([model, imageSize, aspectRatio, width, height]) => {
      expect((await draw('a fern', { imageSize, aspectRatio }, model)).pixels).toEqual({ width, height })
    },
  )

  test('without size and ratio the picture is 1K and square', async () => {
    expect((await draw('a fern', {}, NB2)).pixels).toEqual({ width: 1024, height: 1024 })
  })

  test('without a ratio the last input image decides', async () => {
    const wide = await blank(1600, 900)
    const tall = await blank(600, 800)
    expect((await draw('a fern', { imageSize: '512' }, NB2, wide, tall)).pixels).toEqual({
      width: 448,
      height: 600,
    })
    expect((await draw('a fern', { imageSize: '512' }, NB2, tall, wide)).pixels).toEqual({
      width: 688,
      height: 384,
    })
  })
})

describe('types', () => {
  test.for([
    [PRO, 'image/png', 'png'],
    [NB2, 'image/jpeg', 'jpeg'],
  ] as const)('%s answers %s', async ([model, mimeType, format]) => {
    expect(await draw('a fern', {}, model)).toMatchObject({ mimeType, format })
  })
})

describe('what a picture follows from', () => {
  const base = { imageSize: '512' }
  test('the same request with the same seed gets the same bytes', async () => {
    const seeded = async () => {
      const config = { responseModalities: ['IMAGE'], imageConfig: base, seed: 11 }
      return picturesOf(await answer(ask(app, prompt('a fern', config, await blank(40, 40)))))[0]!.bytes
    }
    expect((await seeded()).equals(await seeded())).toBe(true)
  })

  test('without a seed the same request gets another picture each time, as a model answers', async () => {
    const first = await draw('a lone fern', base, NB2)
    const second = await draw('a lone fern', base, NB2)
    expect(second.bytes.equals(first.bytes)).toBe(false)
  })

  test('prompt, reference and seed each change the still life, not only the card', async () => {
    const top = async (text: string, seed: number | undefined, ...parts: unknown[]) => {
      const config = {
        responseModalities: ['IMAGE'],
        imageConfig: { ...base, aspectRatio: '1:1' },
        ...(seed ? { seed } : {}),
      }
      const [picture] = picturesOf(await answer(ask(app, prompt(text, config, ...parts))))
      const upper = { left: 0, top: 0, width: 512, height: 300 }
      return sharp(picture!.bytes).extract(upper).resize(32, 20, { fit: 'fill' }).raw().toBuffer()
    }
    const plain = await top('a fern', undefined)
    const others = [
      await top('a moss', undefined),
      await top('a fern', 7),
      await top('a fern', undefined, await blank(9, 9)),
    ]
    for (const other of others) {
      const difference =
        other.reduce((sum, value, at) => sum + Math.abs(value - plain[at]!), 0) / plain.length
      expect(difference).toBeGreaterThan(4)
    }
  })

  test('a fault marker is not drawn', async () => {
    const seeded = async (text: string) => {
      const config = { responseModalities: ['IMAGE'], imageConfig: base, seed: 11 }
      return picturesOf(await answer(ask(app, prompt(text, config))))[0]!.bytes
    }
    expect((await seeded('a fern [[fault:data-first]]')).equals(await seeded('a fern'))).toBe(true)
  })
})

describe('any prompt', () => {
  test.for<[string, string]>([
    ['one letter', 'a'],
    ['no letter', ' '],
    ['accents and other alphabets', 'Žluťoučký kůň, “€ 49” — Ελληνικά, Привет, Việt'],
    ['signs that the font lacks', '日本語のポスター 🙂 مرحبا'],
    ['one very long word', 'x'.repeat(4_000)],
    ['a hundred thousand characters', 'word '.repeat(20_000)],
    ['markup and control characters', '<svg onload="x">&amp;\u0000\u0001\ud800</svg>\n\n\t"'],
  ])('%s is drawn in every shape of frame', async ([, text]) => {
    for (const aspectRatio of ['1:1', '8:1', '1:8', '21:9']) {
      const { pixels } = await draw(text, { imageSize: '512', aspectRatio }, NB2)
      expect(pixels).toEqual(pixelsOf(MODELS.find(({ id }) => id === NB2)!, '512', aspectRatio as '1:1'))
    }
  })

  test('fourteen input images, links and undecodable ones among them, are drawn', async () => {
    const png = await blank(64, 48)
    const heic = {
      inlineData: { mimeType: 'image/heic', data: Buffer.from('\0\0\0\x18ftypheic').toString('base64') },
    }
    const link = { fileData: { mimeType: 'image/png', fileUri: 'https://pictures.example/otter.png' } }
    const parts = [png, heic, link, ...Array.from({ length: 11 }, () => png)]
    expect((await draw('a fern', { imageSize: '512', aspectRatio: '8:1' }, NB2, ...parts)).format).toBe(
      'jpeg',
    )
  })
})

async function blank(width: number, height: number) {
  const bytes = await sharp({ create: { width, height, channels: 3, background: '#386' } })
    .png()
    .toBuffer()
  return { inlineData: { mimeType: 'image/png', data: bytes.toString('base64') } }
}

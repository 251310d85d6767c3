// Quick drawing stands in for drawing in measurements: what a reader of the picture relies on must stay true.
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { findModel } from '../../core/models.ts'
import { createEmulator } from '../../emulator/app.ts'
import { drawPicture } from '../../emulator/picture.ts'
import { quickDrawing } from '../../emulator/quick.ts'
import { answer, ask, NB2, PRO, picturesOf, prompt } from './ask.ts'

const { app } = createEmulator({ drawing: 'quick' })

async function picture(text: string, model: string, imageConfig: Record<string, unknown>) {
  const config = { responseModalities: ['IMAGE'], imageConfig }
  const { mimeType, bytes } = picturesOf(await answer(ask(app, prompt(text, config), { model })))[0]!
  const { width, height, format } = await sharp(bytes).metadata()
  return { mimeType, bytes, width, height, format }
}

describe('quick drawing', () => {
  test.for([
    ['JPEG', NB2, { imageSize: '512', aspectRatio: '1:1' }, 'image/jpeg', 512, 512],
    ['PNG', PRO, { imageSize: '1K', aspectRatio: '16:9' }, 'image/png', 1376, 768],
  ] as const)(
    'keeps type and pixels of a %s, and gives every request other bytes',
    async ([, model, imageConfig, mimeType, width, height]) => {
      const [fern, moss] = [
        await picture('a fern', model, imageConfig),
        await picture('moss', model, imageConfig),
      ]
      for (const { bytes, ...facts } of [fern, moss])
        expect(facts).toEqual({ mimeType, width, height, format: mimeType.slice('image/'.length) })
      expect(Buffer.from(fern.bytes).equals(Buffer.from(moss.bytes))).toBe(false)
      const [first, second] = await Promise.all(
        [fern, moss].map(({ bytes }) => sharp(bytes).raw().toBuffer()),
      )
      expect(first!.equals(second!)).toBe(true)
    },
  )

  test('draws once per kind, however many ask at the same time', async () => {
    let drawn = 0
    const draw = quickDrawing((subject) => {
      drawn++
      return drawPicture(subject)
    })
    const subject = {
      prompt: 'a fern',
      model: findModel(NB2)!,
      size: '512',
      pixels: { width: 512, height: 512 },
      references: [],
      mimeType: 'image/jpeg',
    } as const
    const pictures = await Promise.all(['a', 'b', 'a'].map((seed) => draw({ ...subject, seed })))
    expect(drawn).toBe(1)
    expect(pictures[0]!.bytes.equals(pictures[2]!.bytes)).toBe(true)
    expect(pictures[0]!.bytes.equals(pictures[1]!.bytes)).toBe(false)
  })
})

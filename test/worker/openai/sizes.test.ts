// What clients say of size and quality, as tier and ratio.
import { describe, expect, test } from 'vitest'
import { findModel, type Model, pixelsOf } from '../../../core/models.ts'
import { OpenAiError } from '../../../worker/openai/errors.ts'
import { type ShapeFields, shapeFields, shapeOf } from '../../../worker/openai/size.ts'
import { prompt } from '../setup/ask.ts'
import { errorOf, generate, imagesOf } from './ask.ts'

const NB2 = findModel('nano-banana-2')!
const NB21 = findModel('nano-banana-2.1')!
const PRO = findModel('nano-banana-pro')!
const LITE = findModel('nano-banana-2-lite')!
const FIRST = findModel('nano-banana')!

const shape = (model: Model, size?: string, more: ShapeFields = {}) => {
  const { size: tier, aspect } = shapeOf(model, { size, ...more })
  return [tier, aspect].filter(Boolean).join(' ')
}

test('every cell of a model’s table is that cell', () => {
  let cells = 0
  for (const model of [NB2, NB21, PRO, LITE, FIRST])
    for (const size of model.sizes)
      for (const aspect of model.aspects) {
        const { width, height } = pixelsOf(model, size, aspect)!
        expect(shapeOf(model, { size: `${width}x${height}` })).toEqual({ size, aspect })
        cells++
      }
  expect(cells).toBe(56 + 42 + 30 + 14 + 10)
})

describe('a size becomes', () => {
  test.for([
    ['auto', 'nano-banana-2', ''],
    ['', 'nano-banana-2', ''],
    ['2K', 'nano-banana-2', '2K'],
    ['4k', 'nano-banana-pro', '4K'],
    ['512', 'nano-banana-2', '512'],
    ['512px', 'nano-banana-2', '512'],
    ['16:9', 'nano-banana-2', '16:9'],
    ['1:8', 'nano-banana-2.1', '1:8'],
    // What OpenAI's clients send.
    ['256x256', 'nano-banana-2', '512 1:1'],
    ['512x512', 'nano-banana-2', '512 1:1'],
    ['512x512', 'nano-banana-pro', '1K 1:1'],
    ['1024x1024', 'nano-banana-2.1', '1K 1:1'],
    ['1536x1024', 'nano-banana-2', '1K 3:2'],
    ['1024x1536', 'nano-banana-2', '1K 2:3'],
    ['1792x1024', 'nano-banana-2', '1K 16:9'],
    ['1024x1792', 'nano-banana-2', '1K 9:16'],
    ['1280x896', 'nano-banana-2', '1K 3:2'],
    ['2048X2048', 'nano-banana-2', '2K 1:1'],
    // Nearer to 2752x1536 than to 5504x3072, by factor.
    ['3840x2160', 'nano-banana-2', '2K 16:9'],
    ['1920*1080', 'nano-banana-2', '1K 16:9'],
    ['2560x1440', 'nano-banana-2', '2K 16:9'],
    ['1408x768', 'nano-banana-2', '1K 16:9'],
    ['1024x1024', 'nano-banana-2-lite', '1K 1:1'],
    ['4096x4096', 'nano-banana-2-lite', '1K 1:1'],
    ['1060x1000', 'nano-banana-2', '1K 1:1'],
  ] as const)('%s at %s', ([size, model, expected]) => {
    expect(shape(findModel(model)!, size)).toBe(expected)
  })

  test('the same when it lies, turned round, as the other way', () => {
    const turn = (aspect = '') => aspect.split(':').reverse().join(':')
    for (const [width, height] of [
      [1792, 1024],
      [1536, 1024],
      [1280, 896],
      [4000, 1000],
      [1250, 1000],
    ] as const) {
      const lying = shapeOf(NB2, { size: `${width}x${height}` })
      const standing = shapeOf(NB2, { size: `${height}x${width}` })
      expect(standing).toEqual({ size: lying.size, aspect: turn(lying.aspect) })
    }
  })
})

describe('a quality decides the tier where the size does not', () => {
  test.for([
    ['low', 'nano-banana-2', '512'],
    ['low', 'nano-banana-pro', '1K'],
    ['standard', 'nano-banana-2', '1K'],
    ['medium', 'nano-banana-2', '1K'],
    ['auto', 'nano-banana-2', ''],
    ['high', 'nano-banana-2', '2K'],
    ['hd', 'nano-banana-pro', '2K'],
    ['xhigh', 'nano-banana-2', '4K'],
    ['max', 'nano-banana-2', '4K'],
    ['max', 'nano-banana-2-lite', '1K'],
    ['2K', 'nano-banana-2', '2K'],
  ] as const)('%s at %s', ([quality, model, expected]) => {
    expect(shape(findModel(model)!, undefined, { quality })).toBe(expected)
    expect(shape(findModel(model)!, '3:2', { quality })).toBe(`${expected} 3:2`.trim())
  })

  test('or the nearest tier below', () => {
    expect(shape({ ...NB2, sizes: ['1K', '2K'] }, undefined, { quality: 'max' })).toBe('2K')
  })

  test('pixels and tiers are stronger', () => {
    expect(shape(NB2, '1024x1024', { quality: 'high' })).toBe('1K 1:1')
    expect(shape(NB2, '4K', { quality: 'low' })).toBe('4K')
  })
})

test.for<[string, Record<string, unknown>]>([
  ['flat', { aspect_ratio: '16:9', image_size: '2K' }],
  ['OpenRouter', { image_config: { aspect_ratio: '16:9', image_size: '2K' } }],
  ['camelCase', { image_config: { aspectRatio: '16:9', imageSize: '2K' } }],
  ['Google', { extra_body: { google: { image_config: { aspect_ratio: '16:9', image_size: '2K' } } } }],
  [
    'Google, unpacked by the client',
    { google: { image_config: { aspect_ratio: '16:9', image_size: '2K' } } },
  ],
  ['with a size that leaves it open', { size: 'auto', aspect_ratio: '16:9', image_size: '2K' }],
  ['with a size that says the tier', { size: '2K', aspect_ratio: '16:9', image_size: '4K' }],
])('the names of other surfaces are understood: %s', ([, body]) => {
  expect(shapeOf(NB2, shapeFields(body))).toEqual({ size: '2K', aspect: '16:9' })
})

test.for<[ShapeFields, typeof NB2, string, string]>([
  [{ size: '1000x3000' }, PRO, 'size', 'invalid_size'],
  [{ size: '1070x1000' }, { ...NB2, aspects: ['1:1'] }, 'size', 'invalid_size'],
  [{ size: '1:8' }, PRO, 'size', 'invalid_size'],
  [{ size: '7:5' }, NB2, 'size', 'invalid_size'],
  [{ size: '512' }, PRO, 'size', 'invalid_size'],
  [{ size: 'large' }, NB2, 'size', 'invalid_size'],
  [{ size: '0x0' }, NB2, 'size', 'invalid_size'],
  [{ size: '1024' }, NB2, 'size', 'invalid_size'],
  [{ size: '99999999x1' }, NB2, 'size', 'invalid_size'],
  [{ imageSize: '8K' }, NB2, 'image_size', 'invalid_size'],
  [{ aspectRatio: 'wide' }, NB2, 'aspect_ratio', 'invalid_size'],
  [{ quality: 'best' }, NB2, 'quality', 'invalid_value'],
])('what is near to nothing is refused with what is possible: %o', ([fields, model, param, code]) => {
  try {
    shapeOf(model, fields)
  } catch (error) {
    expect(error).toBeInstanceOf(OpenAiError)
    expect((error as OpenAiError).facts).toMatchObject({ status: 400, param, code })
    if (code === 'invalid_size') expect((error as OpenAiError).message).toContain('1024x1024 (1:1)')
    return
  }
  throw new Error('it was taken')
})

test('a size that is no text is refused', () => {
  expect(() => shapeFields({ size: { width: 1 } })).toThrow('size: must be text')
  expect(shapeFields({ size: 512, quality: null })).toMatchObject({ size: '512', quality: undefined })
})

test('the picture has the size that was asked for', async () => {
  const sizeOf = async (fields: Record<string, unknown>) =>
    (await imagesOf(await generate({ prompt: prompt(), response_format: 'url', ...fields }))).size
  expect(await sizeOf({ size: '1536x1024' })).toBe('1264x848')
  expect(await sizeOf({ size: 'auto', quality: 'low', aspect_ratio: '9:16' })).toBe('384x688')
})

test('a size that a model cannot make is told in the words of this surface', async () => {
  const error = await errorOf(await generate({ prompt: prompt(), model: 'nano-banana-pro', size: '1:8' }))
  expect(error).toMatchObject({ status: 400, param: 'size', code: 'invalid_size' })
  expect(error.message).toMatch(/^size: "1:8" is near to no ratio that nano-banana-pro makes; possible are /)
})

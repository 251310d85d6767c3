import sharp from 'sharp'
import { expect, test } from 'vitest'
import { addGrain } from '../../emulator/grain.ts'
import { drawObject, SHAPE_NAMES } from '../../emulator/objects.ts'
import { randomOf } from '../../emulator/random.ts'

const [LEFT, RIGHT] = [60, 340]

test.for(SHAPE_NAMES.flatMap((name) => [0, 400].map((x) => [name, x] as const)))(
  'a %s that is asked to stand at %i stays between the edges',
  async ([name, x]) => {
    for (const seed of ['a', 'b', 'c', 'd']) {
      const at = { x, y: 350, unit: 200, left: LEFT, right: RIGHT, colour: '#c03020', random: randomOf(seed) }
      // The gradients of the shadows are not defined here, so that only the object itself is drawn.
      const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="400" height="400">${drawObject(name, 'o', at)}</svg>`
      const { data } = await sharp(Buffer.from(svg))
        .extractChannel('alpha')
        .raw()
        .toBuffer({ resolveWithObject: true })
      const columns = new Set<number>()
      data.forEach((alpha, index) => {
        if (alpha > 16) columns.add(index % 400)
      })
      expect(columns.size).toBeGreaterThan(20)
      expect(Math.min(...columns)).toBeGreaterThanOrEqual(LEFT - 1)
      expect(Math.max(...columns)).toBeLessThanOrEqual(RIGHT + 1)
    }
  },
)

test('grain is the same each time, a few levels at most, and keeps black and white in range', () => {
  const grained = (level: number) => {
    const pixels = new Uint8Array(3_000).fill(level)
    addGrain(pixels)
    return pixels
  }
  expect(grained(128)).toEqual(grained(128))
  expect(new Set(grained(128))).toEqual(new Set([126, 127, 128, 129, 130]))
  expect(Math.max(...grained(0))).toBe(2)
  expect(Math.min(...grained(255))).toBe(253)
})

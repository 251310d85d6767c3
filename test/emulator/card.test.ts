import { expect, test } from 'vitest'
import { cardOf, gridOf } from '../../emulator/card.ts'
import { PALETTES } from '../../emulator/palette.ts'

test.for([...'éßžŁ€“”—…ΩάЖёệ'])('the font has a glyph for %s', async (letter) => {
  const frame = { width: 300, height: 200, unit: 1 }
  const card = (prompt: string) => cardOf(frame, { prompt, facts: [] }, [], PALETTES[0]!)
  const [own, missing, space] = await Promise.all([card(letter), card('画'), card(' ')])
  expect(own).not.toBe(missing)
  expect(own).not.toBe(space)
})

test.for([1, 2, 5, 14])('%i thumbnails with their labels fit their box', (count) => {
  for (const [width, height] of [
    [800, 200],
    [140, 150],
    [400, 60],
  ] as const) {
    const { side, gap, height: used } = gridOf(count, width, height)
    const columns = Math.floor((width + gap) / (side + gap))
    expect(side).toBeGreaterThan(8)
    expect(used).toBeLessThanOrEqual(height * 1.05)
    expect(columns * Math.round(used / (side * 1.2))).toBeGreaterThanOrEqual(count)
  }
})

import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { ASPECTS, MODELS, pixelsOf } from '../../core/models.ts'
import { cardOf } from '../../emulator/card.ts'
import { gridOf } from '../../emulator/grid.ts'
import { layoutOf, roomOf } from '../../emulator/layout.ts'
import { CARD_COLOUR, edgeOf, PALETTES, type Palette } from '../../emulator/palette.ts'
import { setCard } from '../../emulator/setting.ts'
import { LINE_HEIGHT } from '../../emulator/wrap.ts'

const model = MODELS.find(({ id }) => id === 'gemini-3.1-flash-image')!
const frames = ASPECTS.flatMap((aspect) =>
  (['512', '4K'] as const).map((size) => ({ aspect, size, frame: pixelsOf(model, size, aspect)! })),
)
const COUNTS = [0, 1, 3, 14]
const facts = (frame: { width: number; height: number }) => [
  'Nano Banana 2 Lite',
  '512',
  `${frame.width} × ${frame.height}`,
]
const PACKSHOT =
  'Studio packshot of the stoneware mug from image 1, three-quarter view, standing on a slab of honed travertine before ' +
  'a seamless warm off-white backdrop. Keep its shape, proportions and glaze exactly as in image 1. Soft north light, ' +
  '85 mm lens at f/8, eye level, everything in focus. Muted earthy palette; natural contrast, no text.'

test.for([...'éßžŁ€“”—…ΩάЖёệ'])('the font has a glyph for %s', async (letter) => {
  const room = roomOf({ width: 400, height: 400 })
  const card = (prompt: string) => cardOf(setCard(room, { prompt, facts: [] }, 0, 6), [], PALETTES[0]!)
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
    const grid = gridOf(count, { width, height }, 12)
    expect(grid.side).toBeGreaterThan(8)
    expect(grid.width).toBeLessThanOrEqual(width)
    expect(grid.height).toBeLessThanOrEqual(height)
    const rows = Math.floor((grid.height + grid.gap) / (grid.side + grid.gap))
    expect(grid.columns * rows).toBeGreaterThanOrEqual(count)
  }
})

describe('the setting of a card', () => {
  test.for(frames)(
    'in $aspect at $size everything lies within the card, the card beside the stage',
    ({ frame }) => {
      for (const references of COUNTS)
        for (const prompt of ['a', PACKSHOT, PACKSHOT.repeat(50)]) {
          const room = roomOf(frame)
          const setting = setCard(room, { prompt, facts: facts(frame) }, references, 6)
          const { width, height, padding, gap, words, wordsWidth, thumbnails, foot } = setting
          const text = words.lines.length * words.fontSize * LINE_HEIGHT
          const grid = thumbnails?.grid ?? { width: 0, height: 0 }
          const isBeside = thumbnails?.isBeside ?? true
          const body = isBeside ? Math.max(text, grid.height) : text + gap + grid.height
          expect(body + gap + foot.height + 2 * padding).toBeLessThanOrEqual(height + 1)
          expect((isBeside ? wordsWidth + grid.width : wordsWidth) + 2 * padding).toBeLessThanOrEqual(width)
          expect(height).toBeLessThanOrEqual(room.height)
          const { stage, card } = layoutOf(frame, setting)
          expect(card.x).toBeGreaterThan(0)
          expect(card.x + card.width).toBeLessThan(frame.width)
          expect(card.y).toBeGreaterThan(0)
          expect(stage.x >= card.x + card.width || stage.y + stage.height <= card.y).toBe(true)
        }
    },
  )

  test.for(
    (['1:1', '4:5', '3:4', '9:16'] as const).flatMap((aspect) =>
      [0, 1, 2, 3].map((count) => [aspect, count] as const),
    ),
  )('in %s with %i references a usual prompt is whole and readable at 480 px', ([aspect, count]) => {
    for (const size of ['512', '1K'] as const) {
      const frame = pixelsOf(model, size, aspect)!
      const { words } = setCard(roomOf(frame), { prompt: PACKSHOT, facts: facts(frame) }, count, 6)
      expect(words.shown).toBe(1)
      expect((words.fontSize / frame.width) * 480).toBeGreaterThanOrEqual(10)
    }
  })

  test.for(ASPECTS.filter((aspect) => aspect !== '8:1'))(
    'in %s a prompt that is far too long is cut at a readable size',
    (aspect) => {
      for (const count of COUNTS) {
        const frame = pixelsOf(model, '1K', aspect)!
        const { words } = setCard(
          roomOf(frame),
          { prompt: PACKSHOT.repeat(50), facts: facts(frame) },
          count,
          6,
        )
        expect(words.lines.at(-1)).toMatch(/…$/)
        expect((words.fontSize / frame.width) * 480).toBeGreaterThanOrEqual(10)
      }
    },
  )
})

test.for([
  PACKSHOT,
  PACKSHOT.toUpperCase(),
  'Žluťoučký kůň příšerně úpěl ďábelské ódy, Straße nach Łódź, Ærøskøbing. '.repeat(4),
  'Широкая электрификация южных губерний даст мощный толчок подъёму хозяйства. '.repeat(4),
  'ШИРОКИЙ ЖЁЛТЫЙ ЩИТ НА ДУБОВОМ СТОЛЕ '.repeat(6),
  'Ξεσκεπάζω την ψυχοφθόρα βδελυγμία με θάρρος. '.repeat(5),
  'Trăm năm trong cõi người ta, chữ tài chữ mệnh khéo là ghét nhau. '.repeat(4),
  '日本語のポスター'.repeat(30),
])('drawn lines of %s stay off the margins of the card', async (prompt) => {
  const setting = setCard(roomOf({ width: 600, height: 750 }), { prompt, facts: ['NB'] }, 0, 6)
  const svg = await cardOf(setting, [], PALETTES[0]!)
  const side = { top: 20, height: setting.height - 40, width: setting.padding - 1 }
  const margin = { ...side, left: setting.width - side.width }
  const pixels = await sharp(Buffer.from(svg)).removeAlpha().extract(margin).raw().toBuffer()
  expect(Math.min(...pixels)).toBeGreaterThan(230)
})

describe('the chips', () => {
  const colours = PALETTES.flatMap(({ objects, ink }) => objects.map((colour) => ({ colour, ink })))
  test.for(colours)('$colour has an outline that differs from the card', ({ colour, ink }) => {
    expect(luminance(CARD_COLOUR) / luminance(edgeOf(colour, ink))).toBeGreaterThan(1.4)
  })

  test('one in the colour of the card is seen', async () => {
    const setting = setCard(roomOf({ width: 512, height: 512 }), { prompt: 'a fern', facts: [] }, 0, 1)
    const pixels = async (objects: Palette['objects']) => {
      const svg = await cardOf(setting, [], { ...PALETTES[0]!, objects })
      return sharp(Buffer.from(svg)).flatten({ background: CARD_COLOUR }).greyscale().raw().toBuffer()
    }
    const [without, one] = await Promise.all([pixels([]), pixels([CARD_COLOUR])])
    expect(one.filter((level, at) => without[at]! - level > 20).length).toBeGreaterThan(20)
  })
})

function luminance(colour: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => (Number.parseInt(colour.slice(at, at + 2), 16) / 255) ** 2.2)
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!
}

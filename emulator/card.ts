// Draws the card on a proof: what was asked, of whom, in which pixels, and what came with it. Text becomes paths.
// Where things go was decided in setting.ts; nothing here breaks a line or leaves its box.
import satori from 'satori'
import { FONT_FAMILY, loadFonts } from './fonts.ts'
import { type Grid, LABEL_HEIGHT } from './grid.ts'
import { CARD_COLOUR, edgeOf, type Palette, paleOf } from './palette.ts'
import { FOOT, type Foot, type Setting } from './setting.ts'
import { fitText, LINE_HEIGHT, measure } from './wrap.ts'

/** A reference as it is shown: a thumbnail as data URI, or words where there is nothing to show. */
export type Inset = { uri: string } | { words: string }

/** SVG of the card, in the size of its setting; `insets` are as many as it was set for. */
export async function cardOf(setting: Setting, insets: readonly Inset[], palette: Palette): Promise<string> {
  const { width, height, padding, gap, words, wordsWidth, thumbnails, foot } = setting
  const prompt = text(words.lines.join('\n'), {
    width: wordsWidth,
    flexShrink: 0,
    fontSize: words.fontSize,
    fontWeight: 600,
    lineHeight: LINE_HEIGHT,
    whiteSpace: 'pre',
  })
  const pictures = thumbnails ? [gallery(insets, thumbnails.grid, palette)] : []
  const card = box(
    {
      width,
      height,
      padding,
      boxSizing: 'border-box',
      flexDirection: 'column',
      justifyContent: 'space-between',
      backgroundColor: CARD_COLOUR,
      borderRadius: padding * 0.45,
      color: palette.ink,
      fontFamily: FONT_FAMILY,
    },
    [
      thumbnails?.isBeside
        ? box({ justifyContent: 'space-between' }, [prompt, ...pictures])
        : box({ flexDirection: 'column', gap }, [prompt, ...pictures]),
      footer(foot, palette),
    ],
  )
  const fonts = await loadFonts()
  return satori(card as Parameters<typeof satori>[0], { width, height, fonts })
}

function footer({ facts, fontSize, rows }: Foot, { ink, objects }: Palette): Node {
  const said = facts.map((fact) => text(fact, { color: paleOf(ink), whiteSpace: 'nowrap' }))
  const badge = text('emulated', {
    fontSize: fontSize * FOOT.badgeType,
    fontWeight: 600,
    color: CARD_COLOUR,
    backgroundColor: ink,
    borderRadius: fontSize,
    padding: `0 ${fontSize * FOOT.badgePadding}px`,
  })
  // Two boxes rather than a border, which would be drawn through a mask as large as the card.
  const edge = Math.max(1, fontSize * 0.05)
  const chips = box(
    { gap: fontSize * FOOT.chipGap, alignItems: 'center' },
    objects.map((colour) =>
      box({ padding: edge, backgroundColor: edgeOf(colour, ink), borderRadius: fontSize * 0.12 }, [
        box({
          width: fontSize * FOOT.chip - 2 * edge,
          height: fontSize * FOOT.chipHeight - 2 * edge,
          backgroundColor: colour,
        }),
      ]),
    ),
  )
  const row = { alignItems: 'center', columnGap: fontSize * FOOT.between, height: fontSize * FOOT.line }
  const between = { ...row, justifyContent: 'space-between' }
  return box(
    { flexDirection: 'column', fontSize, lineHeight: FOOT.line },
    rows === 1
      ? [box(between, [box(row, [...said, badge]), chips])]
      : [box(row, said), box(between, [badge, chips])],
  )
}

function gallery(insets: readonly Inset[], grid: Grid, { ink }: Palette): Node {
  const { side, label, gap } = grid
  const frame = { width: side, height: side, borderRadius: side * 0.05 }
  // Where "image 12" is wider than its thumbnail, the number alone must do.
  const word = side >= label * 4.9 ? 'image ' : ''
  return box(
    { flexWrap: 'wrap', alignContent: 'flex-start', gap, width: grid.width, flexShrink: 0 },
    insets.map((inset, index) =>
      box({ flexDirection: 'column', width: side, alignItems: 'center' }, [
        'uri' in inset
          ? { type: 'img', props: { src: inset.uri, width: side, height: side, style: frame } }
          : words(inset.words, side, label, { ...frame, color: ink }),
        text(`${word}${index + 1}`, {
          fontSize: label,
          lineHeight: LABEL_HEIGHT,
          height: Math.ceil(label * LABEL_HEIGHT),
          color: paleOf(ink),
          whiteSpace: 'nowrap',
        }),
      ]),
    ),
  )
}

function words(saying: string, side: number, label: number, style: Style): Node {
  const room = side * 0.86
  const sizes = { smallest: Math.min(label * 0.8, side / 6), largest: label }
  const { lines, fontSize } = fitText(measure(saying), { width: room, height: room }, sizes)
  return text(lines.join('\n'), {
    ...style,
    padding: side * 0.07,
    boxSizing: 'border-box',
    backgroundColor: '#e9e4d8',
    fontSize,
    lineHeight: LINE_HEIGHT,
    whiteSpace: 'pre',
  })
}

// Satori takes plain objects in the shape of React elements.
type Style = Record<string, string | number>
type Node = { type: string; props: { style?: Style; children?: Node[] | string; [name: string]: unknown } }

function box(style: Style, children: Node[] = []): Node {
  return { type: 'div', props: { style: { display: 'flex', ...style }, children } }
}

function text(children: string, style: Style): Node {
  return { type: 'div', props: { style: { display: 'flex', ...style }, children } }
}

// The card on a proof: what was asked, of whom, in which pixels, and what came with it. Text becomes paths.
// Nothing may leave its box: the prompt is set as large as fits, and cut with an ellipsis beyond a limit.
import satori from 'satori'
import { FONT_FAMILY, loadFonts } from './fonts.ts'
import type { Palette } from './palette.ts'
import { fitText, LINE_HEIGHT } from './wrap.ts'

export type CardText = {
  prompt: string
  /** Short facts for the foot: model, size, pixels. */
  facts: readonly string[]
}

/** A reference as it is shown: a thumbnail as data URI, or words where there is nothing to show. */
export type Inset = { uri: string } | { words: string }

/** SVG of the card: as wide as given, at most as high, lower where the text is short. `unit` is the measure of type, see
 *  layout.ts. */
export async function cardOf(
  { width, height, unit }: { width: number; height: number; unit: number },
  { prompt, facts }: CardText,
  insets: readonly Inset[],
  palette: Palette,
): Promise<string> {
  const padding = Math.round(Math.min(30 * unit, width * 0.07, height * 0.09))
  const inner = { width: width - 2 * padding, height: height - 2 * padding }
  const small = Math.max(7.5, Math.min(19 * unit, inner.width / 16))
  const strip = Math.max(2, Math.round(small * 0.45))
  const foot = fitText([...facts, 'emulated'].join('    '), inner, { smallest: small, largest: small })
  const footHeight = Math.ceil(foot.lines * small * 1.6)
  const gap = Math.round(padding * 0.6)
  const grid = insets.length > 0 ? gridOf(insets.length, inner.width, inner.height * 0.5) : undefined
  const fixed = footHeight + strip + 2 * gap + (grid ? grid.height + gap : 0)
  const words = fitText(
    prompt,
    { width: inner.width, height: inner.height - fixed },
    { smallest: small, largest: Math.max(small * 1.05, Math.min(58 * unit, inner.width / 8)) },
  )
  const room = Math.ceil(words.lines * words.fontSize * LINE_HEIGHT)
  const used = Math.min(height, fixed + room + 2 * padding)
  const card = box(
    {
      width,
      height: used,
      padding,
      boxSizing: 'border-box',
      flexDirection: 'column',
      justifyContent: 'space-between',
      backgroundColor: 'rgba(253, 251, 246, 0.94)',
      borderRadius: padding * 0.45,
      color: palette.ink,
      fontFamily: FONT_FAMILY,
    },
    [
      box({ flexDirection: 'column', gap, overflow: 'hidden' }, [
        box(
          { gap: strip, height: strip },
          palette.objects.map((backgroundColor) => box({ backgroundColor, width: strip * 4, height: strip })),
        ),
        text(words.text, {
          height: room,
          overflow: 'hidden',
          fontSize: words.fontSize,
          fontWeight: 600,
          lineHeight: LINE_HEIGHT,
          whiteSpace: 'pre-wrap',
          wordBreak: 'break-word',
        }),
        ...(grid ? [gallery(insets, grid, palette)] : []),
      ]),
      box(
        { flexWrap: 'wrap', columnGap: small * 0.9, fontSize: small, lineHeight: 1.5, alignItems: 'center' },
        [
          ...facts.map((fact) => text(fact, { opacity: 0.75 })),
          text('emulated', {
            fontSize: small * 0.86,
            fontWeight: 600,
            color: '#fdfbf6',
            backgroundColor: palette.ink,
            borderRadius: small,
            padding: `0 ${small * 0.6}px`,
          }),
        ],
      ),
    ],
  )
  const fonts = await loadFonts()
  const svg = await satori(card as Parameters<typeof satori>[0], { width, height: used, fonts })
  return svg
}

/** Side of a thumbnail, in px, so that `count` of them with labels fill at most the box. */
export type Grid = { side: number; label: number; gap: number; height: number }

/** The largest thumbnails that fit. */
export function gridOf(count: number, width: number, height: number): Grid {
  const grids = Array.from({ length: count }, (_, index) => {
    const columns = index + 1
    const rows = Math.ceil(count / columns)
    const gap = Math.round(width * 0.02)
    const side = Math.floor(Math.min(width / columns - gap, (height / rows - gap) / 1.3))
    const label = Math.max(5, Math.min(side * 0.2, width * 0.045))
    return { side, label, gap, height: rows * (side + Math.ceil(label * 1.4) + gap) }
  })
  return grids.reduce((best, grid) => (grid.side > best.side ? grid : best))
}

function gallery(insets: readonly Inset[], grid: Grid, { ink }: Palette): Node {
  const { side, label, gap } = grid
  const frame = { width: side, height: side, borderRadius: side * 0.06 }
  return box(
    { flexWrap: 'wrap', gap, height: grid.height, overflow: 'hidden' },
    insets.map((inset, index) =>
      box({ flexDirection: 'column', width: side, alignItems: 'center' }, [
        'uri' in inset
          ? { type: 'img', props: { src: inset.uri, width: side, height: side, style: frame } }
          : text(
              fitText(
                inset.words,
                { width: side * 0.86, height: side * 0.86 },
                { smallest: label * 0.7, largest: label },
              ).text,
              {
                ...frame,
                padding: side * 0.07,
                boxSizing: 'border-box',
                backgroundColor: '#e9e4d8',
                color: ink,
                fontSize: label * 0.7,
                overflow: 'hidden',
                wordBreak: 'break-all',
              },
            ),
        text(`image ${index + 1}`, { fontSize: label, lineHeight: 1.4, opacity: 0.8, whiteSpace: 'nowrap' }),
      ]),
    ),
  )
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

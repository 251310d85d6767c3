// The still life behind the card, as one SVG: wall, window light, table or shelves, groups of objects, soft dusk.
// Follows from a seed and the frame alone. No filters, so that it is drawn in milliseconds.
import type { Box } from './layout.ts'
import { drawObject, SHAPE_NAMES } from './objects.ts'
import { mix, type Palette } from './palette.ts'
import type { Random } from './random.ts'

/** SVG of `width` × `height` in drawing units; the objects stand within `stage`. */
export function artOf(width: number, height: number, stage: Box, palette: Palette, random: Random): string {
  const rows = Math.max(1, Math.round(stage.height / stage.width / 1.15))
  const columns = Math.max(1, Math.round(stage.width / stage.height / 1.1))
  const cellWidth = stage.width / columns
  const cellHeight = stage.height / rows
  const unit = Math.min(cellHeight * 0.62, cellWidth * 0.78)
  const lines = Array.from({ length: rows }, (_, row) => stage.y + cellHeight * (row + 0.8))
  const cells = lines.flatMap((line, row) =>
    Array.from({ length: columns }, (_, column) => ({
      id: `o${row}c${column}`,
      x: stage.x + cellWidth * (column + 0.5),
      line,
    })),
  )
  const air = unit * 0.09
  const edges = { left: stage.x + air, right: stage.x + stage.width - air }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">
${shadings(palette)}
<rect width="${width}" height="${height}" fill="url(#wall)"/>
${backdrop(cells, unit, palette, random)}
${panes(width, height, random)}
${rows === 1 ? table(width, height, lines[0]! - unit * 0.07) : lines.map((line) => shelf(width, line, unit)).join('')}
${cells.map((cell) => group(cell, cellWidth, unit, edges, palette, random)).join('')}
<rect width="${width}" height="${height}" fill="url(#light)"/>
<rect width="${width}" height="${height}" fill="url(#dusk)"/>
</svg>`
}

function shadings({ wall, table }: Palette): string {
  const run = (first: string, second: string) =>
    `<stop offset="0" stop-color="${first}"/><stop offset="1" stop-color="${second}"/>`
  return `<defs>
<linearGradient id="wall" x1="0" y1="0" x2="0.8" y2="1">${run(wall[0], wall[1])}</linearGradient>
<linearGradient id="table" x1="0" y1="0" x2="0.15" y2="1">${run(table[0], table[1])}</linearGradient>
<linearGradient id="pane" x1="0" y1="0" x2="0" y2="1">${eased('#fff8e7', 0.17, 0)}</linearGradient>
<radialGradient id="shade">${eased(mix(table[1], '#000000', 0.6), 0.55, 0)}</radialGradient>
<radialGradient id="contact">${eased('#0d0710', 0.7, 0)}</radialGradient>
<radialGradient id="light" cx="0.14" cy="0.05" r="1">${eased('#fff3d6', 0.42, 0)}</radialGradient>
<radialGradient id="dusk" cx="0.45" cy="0.4" r="0.95">${eased('#120818', 0, 0.38, 0.35)}</radialGradient>
</defs>`
}

// A run of opacity without corners at its ends: the eye sees a corner as a ring.
function eased(colour: string, from: number, to: number, start = 0): string {
  return Array.from({ length: 9 }, (_, index) => {
    const t = index / 8
    const opacity = from + (to - from) * t * t * (3 - 2 * t)
    return `<stop offset="${start + (1 - start) * t}" stop-color="${colour}" stop-opacity="${opacity}"/>`
  }).join('')
}

// A disc or an arch behind each group, so that the wall has a shape of its own.
function backdrop(
  cells: readonly { x: number; line: number }[],
  unit: number,
  { wall, objects }: Palette,
  random: Random,
): string {
  const isArch = random.next() < 0.5
  return cells
    .map(({ x, line }) => {
      const colour = mix(wall[1], random.pick(objects), random.between(0.35, 0.75))
      const cx = x + random.between(-0.22, 0.22) * unit
      const r = unit * random.between(0.36, 0.5)
      if (!isArch) return `<circle cx="${cx}" cy="${line - unit * 0.8}" r="${r}" fill="${colour}"/>`
      const top = line - unit * random.between(0.75, 0.95)
      return `<path d="M${cx - r} ${line} V${top} A${r} ${r} 0 0 1 ${cx + r} ${top} V${line} Z" fill="${colour}"/>`
    })
    .join('')
}

// Light through a window that is above the frame: the shafts come in from the top edge and fade out downwards.
function panes(width: number, height: number, random: Random): string {
  const side = Math.min(width, height)
  const [w, gap, slant] = [side * random.between(0.2, 0.3), side * 0.05, side * random.between(0.25, 0.45)]
  const count = Math.max(2, Math.ceil(width / (w + gap) / 2.2))
  const start = width * random.between(-0.05, 0.25)
  const [top, bottom] = [-side * 0.02, Math.min(height, side * 1.4) * 0.72]
  return Array.from({ length: count }, (_, index) => {
    const x = start + index * (w + gap)
    return `<path d="M${x} ${top} H${x + w} L${x + w + slant} ${bottom} H${x + slant} Z" fill="url(#pane)"/>`
  }).join('')
}

function table(width: number, height: number, top: number): string {
  return `<rect y="${top}" width="${width}" height="${height - top}" fill="url(#table)"/>
<rect y="${top}" width="${width}" height="${Math.max(1, height * 0.004)}" fill="#fff" fill-opacity="0.35"/>`
}

function shelf(width: number, line: number, unit: number): string {
  const [top, thick] = [line - unit * 0.05, unit * 0.16]
  return `<rect y="${top + thick}" width="${width}" height="${thick * 0.7}" fill="#0d0710" fill-opacity="0.14"/>
<rect y="${top}" width="${width}" height="${thick}" fill="url(#table)"/>
<rect y="${top}" width="${width}" height="${Math.max(1, unit * 0.012)}" fill="#fff" fill-opacity="0.35"/>`
}

// Tall things stand behind, low ones in front of them and a little lower.
function group(
  { id, x, line }: { id: string; x: number; line: number },
  cellWidth: number,
  unit: number,
  edges: { left: number; right: number },
  { objects }: Palette,
  random: Random,
): string {
  const TALL = ['bottle', 'vase', 'cone', 'cylinder']
  const LOW = SHAPE_NAMES.filter((name) => !TALL.includes(name))
  const spread = Math.min(cellWidth * 0.34, unit * 0.62)
  const colours = [...objects].sort(() => random.next() - 0.5)
  const behind = Array.from({ length: random.whole(2, 3) }, () => random.pick(TALL))
  const front = Array.from({ length: random.whole(1, 3) }, () => random.pick(LOW))
  const stand = (names: readonly string[], layer: string, lower: number, first: number) =>
    names.map((name, index) => {
      const share = names.length === 1 ? random.between(-0.6, 0.6) : (index / (names.length - 1)) * 2 - 1
      return drawObject(name, `${id}${layer}${index}`, {
        x: x + (share + random.between(-0.14, 0.14)) * spread,
        y: line + lower * unit,
        unit,
        ...edges,
        colour: colours[(first + index) % colours.length]!,
        random,
      })
    })
  return [...stand(behind, 'b', 0, 0), ...stand(front, 'f', 0.035, behind.length)].join('')
}

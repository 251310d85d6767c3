// The things of a still life as SVG: each stands on its base line at (x, y), is lit from the left and casts a shadow.
// Sizes are in the units of the drawing; nothing here knows the frame.
import { mix } from './palette.ts'
import type { Random } from './random.ts'

/** `unit` is the height of a tall object. Nothing but a shadow reaches beyond `left` and `right`: an object that would
 *  stands further in than `x` says. */
export type Placement = {
  x: number
  y: number
  unit: number
  left: number
  right: number
  colour: string
  random: Random
}

/** Draws one object; `id` makes its gradients unique in the document. */
export type Shape = (id: string, at: Placement) => string

const SHAPES: Readonly<Record<string, Shape>> = {
  sphere: (id, at) => {
    const { y, unit, colour, random } = at
    const r = unit * random.between(0.13, 0.21)
    const x = inside(at, r)
    return body(
      id,
      colour,
      'radial',
      x,
      y,
      r,
      `<circle cx="${x}" cy="${y - r}" r="${r}" fill="url(#${id})"/>`,
    )
  },
  bottle: (id, at) => {
    const { y, unit, colour, random } = at
    const h = unit * random.between(0.85, 1)
    const w = h * random.between(0.14, 0.18)
    const x = inside(at, w)
    const neck = w * 0.32
    const path = `M${x - w} ${y} V${y - h * 0.52} C${x - w} ${y - h * 0.68} ${x - neck} ${y - h * 0.68} ${x - neck} ${y - h * 0.8} V${y - h} H${x + neck} V${y - h * 0.8} C${x + neck} ${y - h * 0.68} ${x + w} ${y - h * 0.68} ${x + w} ${y - h * 0.52} V${y} Z`
    return body(id, colour, 'linear', x, y, w, `<path d="${path}" fill="url(#${id})"/>`)
  },
  vase: (id, at) => {
    const { y, unit, colour, random } = at
    const h = unit * random.between(0.5, 0.68)
    const w = h * random.between(0.32, 0.42)
    const stems = random.next() < 0.75 ? branchesOf(unit, random) : { reach: 0, svg: '' }
    const x = inside(at, Math.max(w * 1.15, stems.reach))
    const [foot, neck, lip] = [w * 0.5, w * 0.34, w * 0.52]
    const path = `M${x - foot} ${y} C${x - w * 1.5} ${y - h * 0.45} ${x - w * 0.9} ${y - h * 0.72} ${x - neck} ${y - h * 0.8} C${x - neck} ${y - h * 0.9} ${x - neck} ${y - h * 0.94} ${x - lip} ${y - h} H${x + lip} C${x + neck} ${y - h * 0.94} ${x + neck} ${y - h * 0.9} ${x + neck} ${y - h * 0.8} C${x + w * 0.9} ${y - h * 0.72} ${x + w * 1.5} ${y - h * 0.45} ${x + foot} ${y} Z`
    const mouth = `<ellipse cx="${x}" cy="${y - h}" rx="${lip}" ry="${lip * 0.16}" fill="${mix(colour, '#000000', 0.55)}"/>`
    const standing = `<g transform="translate(${x} ${y - h})">${stems.svg}</g>`
    return standing + body(id, colour, 'linear', x, y, w, `<path d="${path}" fill="url(#${id})"/>${mouth}`)
  },
  bowl: (id, at) => {
    const { y, unit, colour, random } = at
    const w = unit * random.between(0.24, 0.32)
    const x = inside(at, w)
    const h = w * random.between(0.62, 0.8)
    const path = `M${x - w} ${y - h} C${x - w} ${y - h * 0.2} ${x - w * 0.5} ${y} ${x - w * 0.35} ${y} H${x + w * 0.35} C${x + w * 0.5} ${y} ${x + w} ${y - h * 0.2} ${x + w} ${y - h} Z`
    const fruit = [-0.42, 0.08, 0.5].map((dx, index) => {
      const r = w * random.between(0.26, 0.34)
      const shade = mix(colour, random.pick(['#f4a259', '#d1495b', '#f6e27f', '#8cb369']), 0.8)
      const fruitId = `${id}f${index}`
      return `${gradient(fruitId, shade, 'radial')}<circle cx="${x + dx * w}" cy="${y - h - r * 0.35}" r="${r}" fill="url(#${fruitId})"/>`
    })
    return body(
      id,
      colour,
      'linear',
      x,
      y,
      w * 0.6,
      `${fruit.join('')}<path d="${path}" fill="url(#${id})"/>`,
    )
  },
  cylinder: (id, at) => {
    const { y, unit, colour, random } = at
    const h = unit * random.between(0.28, 0.5)
    const w = unit * random.between(0.1, 0.17)
    const x = inside(at, w)
    const ry = w * 0.2
    const side = `M${x - w} ${y - h} V${y - ry} A${w} ${ry} 0 0 0 ${x + w} ${y - ry} V${y - h} Z`
    const top = `<ellipse cx="${x}" cy="${y - h}" rx="${w}" ry="${ry}" fill="${mix(colour, '#ffffff', 0.35)}"/>`
    return body(id, colour, 'linear', x, y, w, `<path d="${side}" fill="url(#${id})"/>${top}`)
  },
  cone: (id, at) => {
    const { y, unit, colour, random } = at
    const h = unit * random.between(0.42, 0.62)
    const w = h * random.between(0.26, 0.34)
    const x = inside(at, w)
    const path = `M${x - w} ${y - w * 0.12} A${w} ${w * 0.18} 0 0 0 ${x + w} ${y - w * 0.12} L${x} ${y - h} Z`
    return body(id, colour, 'linear', x, y, w, `<path d="${path}" fill="url(#${id})"/>`)
  },
  pear: (id, at) => {
    const { y, unit, colour, random } = at
    const h = unit * random.between(0.32, 0.42)
    const w = h * 0.42
    const x = inside(at, w * 1.1)
    const path = `M${x} ${y} C${x - w * 1.5} ${y} ${x - w * 1.2} ${y - h * 0.5} ${x - w * 0.45} ${y - h * 0.72} C${x - w * 0.4} ${y - h} ${x + w * 0.4} ${y - h} ${x + w * 0.45} ${y - h * 0.72} C${x + w * 1.2} ${y - h * 0.5} ${x + w * 1.5} ${y} ${x} ${y} Z`
    const stalk = `<path d="M${x} ${y - h * 0.92} q ${w * 0.1} ${-h * 0.12} ${w * 0.3} ${-h * 0.16}" stroke="#4a3526" stroke-width="${h * 0.03}" stroke-linecap="round" fill="none"/>`
    return body(id, colour, 'radial', x, y, w, `${stalk}<path d="${path}" fill="url(#${id})"/>`)
  },
  blocks: (id, at) => {
    const { y, unit, colour, random } = at
    const w = unit * random.between(0.2, 0.28)
    const x = inside(at, w * 1.12)
    const layers = [0, 1, 2].map((layer) => {
      const h = unit * 0.075
      const shift = random.between(-0.12, 0.12) * w
      const shade = mix(colour, ['#ffffff', '#000000', '#e9c46a'][layer]!, 0.25)
      return `<rect x="${x - w + shift}" y="${y - h * (layer + 1)}" width="${w * 2}" height="${h}" rx="${h * 0.14}" fill="${shade}"/>`
    })
    return body(id, colour, 'linear', x, y, w, layers.join(''))
  },
}

export const SHAPE_NAMES: readonly string[] = Object.keys(SHAPES)

/** An object by its name in `SHAPE_NAMES`. */
export function drawObject(name: string, id: string, at: Placement): string {
  return SHAPES[name]!(id, at)
}

function inside({ x, left, right }: Placement, reach: number): number {
  return Math.max(left + reach, Math.min(right - reach, x))
}

// The light comes from the upper left: a shadow to the right on the table, a dark touch below.
function body(
  id: string,
  colour: string,
  kind: 'linear' | 'radial',
  x: number,
  y: number,
  halfWidth: number,
  shape: string,
): string {
  const long = halfWidth * 2.6
  return `${gradient(id, colour, kind)}
<ellipse cx="${x + long * 0.55}" cy="${y + halfWidth * 0.1}" rx="${long}" ry="${halfWidth * 0.24}" fill="url(#shade)"/>
<ellipse cx="${x + halfWidth * 0.12}" cy="${y}" rx="${halfWidth * 1.15}" ry="${halfWidth * 0.16}" fill="url(#contact)"/>
${shape}`
}

function gradient(id: string, colour: string, kind: 'linear' | 'radial'): string {
  const stops = (list: [number, string][]) =>
    list.map(([offset, stop]) => `<stop offset="${offset}" stop-color="${stop}"/>`).join('')
  const light = mix(colour, '#fff6e6', 0.55)
  const dark = mix(colour, '#1a1026', 0.5)
  if (kind === 'radial')
    return `<radialGradient id="${id}" cx="0.36" cy="0.3" r="0.75" fx="0.32" fy="0.26">${stops([
      [0, light],
      [0.35, colour],
      [1, dark],
    ])}</radialGradient>`
  return `<linearGradient id="${id}" x1="0" x2="1" y1="0" y2="0.06">${stops([
    [0, mix(colour, dark, 0.25)],
    [0.24, light],
    [0.5, colour],
    [1, dark],
  ])}</linearGradient>`
}

// Around the origin, with how far they reach to either side.
function branchesOf(unit: number, random: Random): { reach: number; svg: string } {
  const green = random.pick(['#6b8f5e', '#4f7a67', '#8a9a5b', '#b5894e', '#c9705d'])
  let reach = 0
  const stems = Array.from({ length: random.whole(3, 5) }, (_, index) => {
    const lean = (index - 1.6) * random.between(0.1, 0.16) * unit
    const height = unit * random.between(0.32, 0.5)
    reach = Math.max(reach, Math.abs(lean) + unit * 0.11)
    const stem = `<path d="M0 0 Q${lean * 0.15} ${-height * 0.6} ${lean} ${-height}" stroke="${mix(green, '#20180f', 0.35)}" stroke-width="${unit * 0.008}" fill="none"/>`
    const leaves = [0.45, 0.6, 0.75, 0.9, 1].map((t, leaf) => {
      const px = lean * (0.3 * t * (1 - t) + t * t)
      const py = -height * (1.2 * t * (1 - t) + t * t)
      const side = leaf % 2 === 0 ? 1 : -1
      const angle = (lean > 0 ? 35 : -35) + side * 48
      const shade = mix(green, side > 0 ? '#ffffff' : '#000000', random.between(0.05, 0.25))
      return `<ellipse cx="${px}" cy="${py}" rx="${unit * 0.022}" ry="${unit * 0.062}" fill="${shade}" transform="rotate(${angle} ${px} ${py}) translate(0 ${-unit * 0.045})"/>`
    })
    return stem + leaves.join('')
  })
  return { reach, svg: stems.join('') }
}

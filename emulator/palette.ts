// Colours of a still life: a dozen sets chosen to look well together, and the mixing that shades them.

export type Palette = {
  wall: readonly [light: string, dark: string]
  table: readonly [light: string, dark: string]
  /** What the objects are made of. */
  objects: readonly string[]
  /** Text and outlines on paper. */
  ink: string
}

export const PALETTES: readonly Palette[] = [
  {
    wall: ['#f3d9c4', '#d89f82'],
    table: ['#b5654a', '#7c3a2d'],
    objects: ['#2f5d62', '#f2efe6', '#e0a458', '#a63d40', '#5e8b7e', '#f6c6a8'],
    ink: '#3a211b',
  },
  {
    wall: ['#dfe8ec', '#9db7c4'],
    table: ['#efe5d6', '#b9a68c'],
    objects: ['#1f4e79', '#e76f51', '#f4f1ea', '#e9c46a', '#5b8e9d', '#264653'],
    ink: '#16303f',
  },
  {
    wall: ['#2c4a47', '#132725'],
    table: ['#8a5a3b', '#3f2519'],
    objects: ['#e8b04b', '#d9583b', '#efe3cc', '#5fa08a', '#b8c9a9', '#7a2e2a'],
    ink: '#142b29',
  },
  {
    wall: ['#f6e7ee', '#d4a5b9'],
    table: ['#7b5e7b', '#45334d'],
    objects: ['#f9f5f0', '#e26d7c', '#5c7ea8', '#f0c987', '#8cae92', '#3d2a4a'],
    ink: '#37243f',
  },
  {
    wall: ['#f7efd2', '#dcc07a'],
    table: ['#d98e4a', '#91521f'],
    objects: ['#3a5a40', '#a3b18a', '#fdfaf0', '#bc4b32', '#e9a23b', '#6b705c'],
    ink: '#3d2c12',
  },
  {
    wall: ['#344e86', '#16213f'],
    table: ['#53618f', '#222c52'],
    objects: ['#f4d58d', '#f2e9de', '#e4572e', '#76b5c5', '#c9ada7', '#8d99ae'],
    ink: '#18224a',
  },
  {
    wall: ['#e3ecd9', '#a5bf95'],
    table: ['#f1ead9', '#bda981'],
    objects: ['#e07a5f', '#3d405b', '#f8f5ec', '#81b29a', '#f2cc8f', '#6a8d3f'],
    ink: '#27351f',
  },
  {
    wall: ['#efe9e1', '#c8bdae'],
    table: ['#8b8378', '#4b463f'],
    objects: ['#1e1e24', '#d64933', '#f7f4ee', '#92828d', '#e6af2e', '#5a7d7c'],
    ink: '#2a2621',
  },
  {
    wall: ['#ffd9b8', '#ef8a62'],
    table: ['#5f6caf', '#2c3465'],
    objects: ['#ffe8d6', '#c8324e', '#ffb347', '#2a9d8f', '#7d5ba6', '#f4f1de'],
    ink: '#2b2454',
  },
  {
    wall: ['#d7f0ea', '#7cc3b6'],
    table: ['#f7d9c9', '#d58f74'],
    objects: ['#ff6f59', '#254441', '#fdf8ee', '#f5c65d', '#43aa8b', '#b2675e'],
    ink: '#173936',
  },
  {
    wall: ['#6d2f3a', '#2e1118'],
    table: ['#c98a5a', '#6d3f27'],
    objects: ['#f3e3cf', '#e6a34a', '#3f6c6b', '#d4574a', '#8fa89b', '#f7c9b0'],
    ink: '#3a141d',
  },
  {
    wall: ['#e6e3f4', '#a9a3d1'],
    table: ['#cfd8dc', '#86979f'],
    objects: ['#f6bd60', '#5a4fcf', '#fbf9f4', '#f28482', '#84a59d', '#343a69'],
    ink: '#272457',
  },
]

/** The paper of the card. */
export const CARD_COLOUR = '#fdfbf6'

/** The outline of a colour on the card: dark enough to be seen where the colour itself is as light as the paper. */
export function edgeOf(colour: string, ink: string): string {
  return mix(colour, ink, 0.35)
}

/** An ink for lesser text. */
export function paleOf(ink: string): string {
  return mix(ink, CARD_COLOUR, 0.25)
}

/** Two `#rrggbb` colours mixed; `share` of the second, 0 to 1. */
export function mix(first: string, second: string, share: number): string {
  const channel = (at: number) => {
    const [a, b] = [first, second].map((colour) => Number.parseInt(colour.slice(at, at + 2), 16))
    return Math.round(a! + (b! - a!) * share)
      .toString(16)
      .padStart(2, '0')
  }
  return `#${channel(1)}${channel(3)}${channel(5)}`
}

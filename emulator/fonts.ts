// Inter (SIL Open Font License 1.1), from its npm package, because a machine may have no fonts at all.
// Latin with accents, Greek, Cyrillic and Vietnamese are there; what is not is drawn as an empty box.
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { Font } from 'satori'

const SUBSETS = ['latin', 'latin-ext', 'greek', 'cyrillic', 'vietnamese']
const WEIGHTS = [400, 600] as const

/** The CSS family list that covers all subsets. */
export const FONT_FAMILY = SUBSETS.map((subset) => `Inter ${subset}`).join(', ')

let loading: Promise<Font[]> | undefined

/** The fonts, read once for all pictures. */
export function loadFonts(): Promise<Font[]> {
  loading ??= Promise.all(SUBSETS.flatMap((subset) => WEIGHTS.map((weight) => readFont(subset, weight))))
  return loading
}

async function readFont(subset: string, weight: 400 | 600): Promise<Font> {
  const { resolve } = createRequire(import.meta.url)
  const file = resolve(`@fontsource/inter/files/inter-${subset}-${weight}-normal.woff`)
  return { name: `Inter ${subset}`, data: await readFile(file), weight, style: 'normal' }
}

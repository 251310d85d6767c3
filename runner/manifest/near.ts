// "Did you mean": the nearest of the names that would have been right.
import { distance } from 'fastest-levenshtein'

// Ids are compared one by one; past this many, the first ones stand for all.
const MOST_COMPARED = 5_000

/** Up to `most` names close to the wanted one, nearest first. Close: a third of the letters may differ, and at least two,
 *  which is what a swap of neighbours counts; in words of up to three letters one, or their order. */
export function near(wanted: string, names: Iterable<string>, most = 1): string[] {
  const limit = Math.max(wanted.length < 4 ? 1 : 2, Math.floor(wanted.length / 3))
  const scored: { name: string; steps: number }[] = []
  const letters = lettersOf(wanted)
  let compared = 0
  for (const name of names) {
    if (++compared > MOST_COMPARED) break
    if (Math.abs(name.length - wanted.length) > limit) continue
    const steps = distance(wanted.toLowerCase(), name.toLowerCase())
    if (steps <= limit || (steps === 2 && lettersOf(name) === letters)) scored.push({ name, steps })
  }
  return scored
    .sort((a, b) => a.steps - b.steps)
    .slice(0, most)
    .map(({ name }) => name)
}

function lettersOf(word: string): string {
  return [...word.toLowerCase()].sort().join('')
}

/** `did you mean \`x\`?`, or undefined when nothing is close. */
export function didYouMean(wanted: string, names: Iterable<string>): string | undefined {
  const [nearest] = near(wanted, names)
  return nearest === undefined ? undefined : `did you mean \`${nearest}\`?`
}

/** Which of the keys was meant; undefined when none is near. */
export function meantBy(key: string, keys: readonly string[]): string | undefined {
  const translated = SYNONYMS[key]
  return translated !== undefined && keys.includes(translated) ? translated : near(key, keys)[0]
}

// Words that other tools use for our keys.
const SYNONYMS: Record<string, string> = {
  references: 'refs',
  images: 'refs',
  variables: 'vars',
  n: 'samples',
  count: 'samples',
  aspectRatio: 'aspect',
  aspect_ratio: 'aspect',
  ratio: 'aspect',
  imageSize: 'size',
  resolution: 'size',
  extends: 'use',
  preset: 'use',
  exclude: 'skip',
  labels: 'tags',
  filename: 'output',
  csv: 'table',
  column: 'key',
  perImage: 'per_image',
  confirmAbove: 'confirm_above',
}

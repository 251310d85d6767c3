// "Did you mean": the nearest of the names that would have been right.
import { distance } from 'fastest-levenshtein'

// Ids are compared one by one; past this many, the first ones stand for all.
const MOST_COMPARED = 5_000

/** Up to `most` names close to the wanted one, nearest first. Close: a third of the letters may differ; in short words one,
 *  from four letters on two, which is what a swap of neighbours counts. */
export function near(wanted: string, names: Iterable<string>, most = 1): string[] {
  const limit = Math.max(wanted.length < 4 ? 1 : 2, Math.floor(wanted.length / 3))
  const scored: { name: string; steps: number }[] = []
  let compared = 0
  for (const name of names) {
    if (++compared > MOST_COMPARED) break
    if (Math.abs(name.length - wanted.length) > limit) continue
    const steps = distance(wanted.toLowerCase(), name.toLowerCase())
    if (steps <= limit) scored.push({ name, steps })
  }
  return scored
    .sort((a, b) => a.steps - b.steps)
    .slice(0, most)
    .map(({ name }) => name)
}

/** `did you mean \`x\`?`, or undefined when nothing is close. */
export function didYouMean(wanted: string, names: Iterable<string>): string | undefined {
  const [nearest] = near(wanted, names)
  return nearest === undefined ? undefined : `did you mean \`${nearest}\`?`
}

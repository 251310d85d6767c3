// Which ids there are, and of which items nothing is known because they could not be opened: what is in those is never
// called missing.
import picomatch from 'picomatch'
import { baseMatcher, baseOf, isPattern } from './ids.ts'
import { near } from './near.ts'

const MOST_SHOWN = 3

export class KnownIds {
  /** Id of a picture → its samples, in the order of the manifest. */
  readonly bases = new Map<string, number>()
  /** Items that could not be opened. */
  readonly broken = new Set<string>()
  /** Nothing is known of any item. */
  unknown = false
  /** Pictures of which it is not known how many samples they have. */
  readonly #open = new Set<string>()
  /** Pattern → the ids it matches. */
  readonly #matched = new Map<string, readonly string[]>()
  /** Ids in the order of their letters, each with its place in the manifest. */
  #sorted: { id: string; place: number }[] | undefined

  /** `samples` is undefined where their number is not known. */
  add(base: string, samples: number | undefined): void {
    this.bases.set(base, samples ?? 1)
    if (samples === undefined) this.#open.add(base)
  }

  /** Whether there is such a picture, or such a sample of one. */
  has(id: string): boolean {
    const base = baseOf(id)
    const samples = this.bases.get(base)
    if (samples === undefined) return false
    if (base === id || this.#open.has(base)) return true
    const sample = id.slice(base.length + 1)
    return /^[1-9]\d*$/.test(sample) && Number(sample) <= samples
  }

  /** Whether an id, or what a pattern matches, might be in an item of which nothing is known. */
  mayHold(pattern: string): boolean {
    if (this.unknown || this.broken.size === 0) return this.unknown
    const [first = ''] = pattern.split(/[/#]/, 1)
    if (!isPattern(pattern)) return this.broken.has(first)
    if (/[{[]/.test(pattern) || first.includes('**')) return true
    const matches = picomatch(first, { nonegate: true, noextglob: true, dot: true })
    return [...this.broken].some((name) => matches(name))
  }

  /** The pictures whose ids match, in the order of the manifest. */
  matching(pattern: string): readonly string[] {
    const known = this.#matched.get(pattern)
    if (known) return known
    const matches = baseMatcher(pattern)
    const prefix = pattern.normalize().split(/[*?[{\\]/, 1)[0] ?? ''
    const found = this.#beginningWith(prefix).filter((id) => matches(id))
    this.#matched.set(pattern, found)
    return found
  }

  /** What to say of an id that there is not. */
  closest(wanted: string): string {
    const below = this.#beginningWith(`${wanted}/`)
    if (below.length > 0) return `it has ${below.length} pictures: ${shortened(below)}`
    const samples = this.bases.get(baseOf(wanted))
    if (samples !== undefined)
      return samples === 1 ? `\`${baseOf(wanted)}\` has one sample` : `its samples: 1 to ${samples}`
    const nearest = near(wanted, this.bases.keys(), MOST_SHOWN)
    return nearest.length > 0 ? `closest: ${nearest.join(', ')}` : `ids: ${shortened([...this.bases.keys()])}`
  }

  // In the order of the manifest. A matrix of thousands may have one pattern per cell: each is asked of few ids.
  #beginningWith(prefix: string): string[] {
    this.#sorted ??= [...this.bases.keys()]
      .map((id, place) => ({ id, place }))
      .sort((a, b) => (a.id < b.id ? -1 : 1))
    const sorted = this.#sorted
    let low = 0
    let high = sorted.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (sorted[middle]!.id < prefix) low = middle + 1
      else high = middle
    }
    const found = []
    for (let at = low; sorted[at]?.id.startsWith(prefix); at++) found.push(sorted[at]!)
    return found.sort((a, b) => a.place - b.place).map(({ id }) => id)
  }
}

function shortened(names: readonly string[]): string {
  return `${names.slice(0, MOST_SHOWN).join(', ')}${names.length > MOST_SHOWN ? ', …' : ''}`
}

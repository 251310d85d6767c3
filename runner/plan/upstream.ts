// What an item is made from: which samples a `from` may mean, which of them it does mean, and the order that follows.
// Knows no state and no price. Chains may be as long as the manifest, so nothing here calls itself.
import { baseOf } from '../manifest/ids.ts'
import type { Item } from '../manifest/item.ts'

/** The samples of every picture by the id they share, in the order of their numbers. */
export type Families = ReadonlyMap<string, readonly Item[]>

/** Groups items by the picture they are samples of. */
export function familiesOf(items: readonly Item[]): Families {
  return Map.groupBy(items, (item) => item.base)
}

/** The items that a `from` may mean: all samples of a picture, or the one that is named with `#n`. Empty when there is no
 *  such item. */
export function meant(from: string, families: Families): readonly Item[] {
  const base = baseOf(from)
  const samples = families.get(base) ?? []
  if (base === from) return samples
  const number = Number(from.slice(base.length + 1))
  return samples.filter((item) => item.sample === number)
}

/** The ids that an item is made from. In a plan every one of them is a single item's. */
export function upstreamOf({ references }: Pick<Item, 'references'>): string[] {
  return references.flatMap((reference) => (reference.kind === 'from' ? [reference.item] : []))
}

/** The items so that each comes after all that it may be made from; else in their own order. There must be no cycle. */
export function upstreamFirst(items: readonly Item[], families: Families): Item[] {
  const ordered = new Set<Item>()
  for (const root of items) {
    const path = [{ item: root, ahead: needs(root, families) }]
    while (path.length > 0) {
      const { item, ahead } = path.at(-1)!
      const next = ordered.has(item) ? undefined : ahead.pop()
      if (next) {
        if (!ordered.has(next)) path.push({ item: next, ahead: needs(next, families) })
      } else {
        ordered.add(item)
        path.pop()
      }
    }
  }
  return [...ordered]
}

/** Last one first. */
function needs(item: Item, families: Families): Item[] {
  return upstreamOf(item)
    .flatMap((from) => meant(from, families))
    .reverse()
}

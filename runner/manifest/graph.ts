// Which item needs which other item's picture: none may wait for itself. Samples share their references: `a#2` needs what
// `a` needs.
import { baseOf } from './ids.ts'
import type { Findings, Path } from './problems.ts'
import type { Wanted } from './references.ts'

const MOST_ON_CIRCLE = 8

/** Reports every cycle once, by its path. */
export function reportCycles(
  cells: Iterable<{ id: string; wanted: readonly Wanted[] }>,
  findings: Findings,
): void {
  const needs = new Map<string, { id: string; at: Path }[]>()
  for (const { id, wanted } of cells) {
    const from = wanted.flatMap((each) =>
      each.kind === 'from' ? [{ id: baseOf(each.item), at: each.at }] : [],
    )
    if (from.length > 0) needs.set(id, from)
  }
  // Depth first with a stack of its own: a chain may be as long as the catalog.
  const done = new Set<string>()
  for (const start of needs.keys()) {
    if (done.has(start)) continue
    const trail = [{ id: start, next: 0 }]
    const onTrail = new Set([start])
    for (let top = trail.at(-1); top; top = trail.at(-1)) {
      const need = needs.get(top.id)?.[top.next++]
      if (!need) {
        done.add(top.id)
        onTrail.delete(top.id)
        trail.pop()
      } else if (onTrail.has(need.id)) {
        const circle = trail.slice(trail.findIndex(({ id }) => id === need.id)).map(({ id }) => id)
        const message = `waits for itself: ${arrows([...circle, need.id])}`
        const hint =
          circle.length === 1 ? 'a picture cannot be made from itself' : 'take away one of these `from`'
        findings.add({ at: need.at, cause: 'cycle', message, hint, item: top.id })
      } else if (!done.has(need.id)) {
        trail.push({ id: need.id, next: 0 })
        onTrail.add(need.id)
      }
    }
  }
}

// A long circle by its beginning and its end.
function arrows(ids: readonly string[]): string {
  const shown =
    ids.length > MOST_ON_CIRCLE ? [...ids.slice(0, MOST_ON_CIRCLE - 2), '…', ...ids.slice(-2)] : ids
  return shown.join(' → ')
}

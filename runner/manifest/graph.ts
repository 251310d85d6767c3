// Which item needs which other item's picture. A `from` must name an item that exists, and no item may wait for itself.
// Samples share their references: `a#2` needs what `a` needs.
import type { Draft } from './expand.ts'
import { near } from './near.ts'
import type { Findings, Path } from './problems.ts'

const MOST_SHOWN = 3
const MOST_ON_CIRCLE = 8

/** Reports every `from` that names nothing, and every cycle once, by its path. `broken` are items of which no id is known:
 *  what they might contain is not called missing. */
export function checkGraph(
  drafts: readonly Draft[],
  ids: ReadonlySet<string>,
  broken: ReadonlySet<string>,
  findings: Findings,
): void {
  const needs = new Map<string, { id: string; at: Path }[]>()
  for (const { id, references } of drafts) {
    const known: { id: string; at: Path }[] = []
    for (const { at, ...wanted } of references) {
      if (wanted.kind !== 'from') continue
      const { item } = wanted
      if (ids.has(item)) known.push({ id: baseOf(item), at })
      else if (!broken.has(`items.${item.split(/[/#]/, 1)[0]}`)) {
        const message = `nothing is called \`${item}\``
        const hint = () => closest(item, ids)
        findings.add({ at, cause: 'from', message, hint, item: id, subject: item })
      }
    }
    needs.set(id, known)
  }
  reportCycles(needs, findings)
}

// Depth first with a stack of its own: a chain may be as long as the catalog.
function reportCycles(
  needs: ReadonlyMap<string, readonly { id: string; at: Path }[]>,
  findings: Findings,
): void {
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
        findings.add({ at: need.at, cause: 'cycle', message, item: top.id })
      } else if (!done.has(need.id)) {
        trail.push({ id: need.id, next: 0 })
        onTrail.add(need.id)
      }
    }
  }
}

function closest(wanted: string, ids: ReadonlySet<string>): string {
  const below = [...ids].filter((id) => id.startsWith(`${wanted}/`))
  if (below.length > 0) return `it has ${below.length} pictures: ${shortened(below)}`
  const samples = [...ids].filter((id) => baseOf(id) === baseOf(wanted))
  if (samples.length > 0) return `its samples: ${shortened(samples)}`
  const nearest = near(wanted, ids, MOST_SHOWN)
  return nearest.length > 0 ? `closest: ${nearest.join(', ')}` : `ids: ${shortened([...ids])}`
}

// A long circle by its beginning and its end.
function arrows(ids: readonly string[]): string {
  const shown =
    ids.length > MOST_ON_CIRCLE ? [...ids.slice(0, MOST_ON_CIRCLE - 2), '…', ...ids.slice(-2)] : ids
  return shown.join(' → ')
}

function shortened(ids: readonly string[]): string {
  return `${ids.slice(0, MOST_SHOWN).join(', ')}${ids.length > MOST_SHOWN ? ', …' : ''}`
}

function baseOf(id: string): string {
  return id.replace(/#.*$/, '')
}

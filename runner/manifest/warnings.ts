// What is allowed and yet is hardly meant: names that nothing uses, and cells that all ask for the same picture. Never an
// error; said only about a manifest without any.
import { stableJson } from '../../core/request.ts'
import type { AxisSources } from './axes.ts'
import type { Item } from './item.ts'
import type { Fields } from './merge.ts'
import type { Findings, Path } from './problems.ts'

const MOST_COLUMNS = 5

/** The names of a section, and those that some item uses. */
type Use = readonly [section: string, names: Fields, used: ReadonlySet<string>]

/** Warns of vars, refs and presets that no item uses. */
export function warnOfUnused(sections: readonly Use[], findings: Findings): void {
  for (const [section, names, used] of sections) {
    for (const name of names.keys()) {
      if (used.has(name)) continue
      const at = [section, name]
      findings.add({ at, part: 'key', message: 'nothing uses it', severity: 'warning' })
    }
  }
}

/** Warns of columns that no item uses, in one line for each table. */
export function warnOfColumns({ used }: AxisSources, findings: Findings): void {
  for (const [{ columns }, names] of used) {
    const idle = columns.filter(({ name }) => !names.has(name))
    const [first] = idle
    if (!first) continue
    const shown = idle.slice(0, MOST_COLUMNS).map(({ written }) => `\`${written}\``)
    const more = idle.length > MOST_COLUMNS ? ` and ${idle.length - MOST_COLUMNS} more` : ''
    const message = `nothing uses the column${idle.length === 1 ? '' : 's'} ${shown.join(', ')}${more}`
    findings.add({ at: first.at, part: 'key', message, severity: 'warning' })
  }
}

/** Warns of a matrix whose cells are all the same wish: each would be bought. */
export function warnOfRepeats(
  cells: readonly { id: string; at: Path }[],
  items: readonly Item[],
  findings: Findings,
): void {
  const byId = new Map(items.map((item) => [item.id, item]))
  const byItem = Map.groupBy(cells, ({ at }) => String(at[1]))
  for (const some of byItem.values()) {
    const [first, ...others] = some
    if (!first || others.length === 0) continue
    const wish = wishOf(byId.get(first.id)!)
    if (others.some(({ id }) => wishOf(byId.get(id)!) !== wish)) continue
    const message = `all ${some.length} cells ask for the same picture`
    const hint = 'use the names of its axes in the prompt, or `samples` for several of one kind'
    findings.add({ at: [...first.at, 'matrix'], part: 'key', message, hint, severity: 'warning' })
  }
}

function wishOf({ model, prompt, size, aspect, parameters, references }: Item): string {
  return stableJson({ model, prompt, size, aspect, parameters, references })
}

// What is allowed and yet is hardly meant: names that nothing uses, and cells that all ask for the same picture. Never an
// error; said only about a manifest without any.
import { stableJson } from '../../core/request.ts'
import type { Draft, Ground } from './expand.ts'
import type { Item } from './item.ts'
import type { Findings } from './problems.ts'

/** Warns of vars, refs and presets that no item uses. */
export function warnOfUnused(
  { vars, shelf, presets, rendering, usedPresets }: Ground,
  findings: Findings,
): void {
  const sections = [
    ['vars', vars, rendering.usedVars],
    ['refs', shelf.named, shelf.usedNames],
    ['presets', presets, usedPresets],
  ] as const
  for (const [section, names, used] of sections) {
    for (const name of names.keys()) {
      if (used.has(name)) continue
      const at = [section, name]
      findings.add({ at, part: 'key', message: 'nothing uses it', severity: 'warning' })
    }
  }
}

/** Warns of a matrix whose cells are all the same wish: each would be bought. */
export function warnOfRepeats(drafts: readonly Draft[], items: readonly Item[], findings: Findings): void {
  const byId = new Map(items.map((item) => [item.id, item]))
  const byItem = Map.groupBy(drafts, ({ at }) => String(at[1]))
  for (const cells of byItem.values()) {
    const [first] = cells
    if (!first || cells.length < 2) continue
    const wishes = new Set(cells.map(({ id }) => wishOf(byId.get(id)!)))
    if (wishes.size > 1) continue
    const message = `all ${cells.length} cells ask for the same picture`
    const hint = 'use the names of its axes in the prompt, or `samples` for several of one kind'
    findings.add({ at: [...first.at, 'matrix'], part: 'key', message, hint, severity: 'warning' })
  }
}

function wishOf({ model, prompt, size, aspect, parameters, references }: Item): string {
  return stableJson({ model, prompt, size, aspect, parameters, references })
}

// The values behind a problem: what the names in the text stand for, in the cell where it was found, and in which row of
// which table they are.
import type { Sourced } from './merge.ts'
import { type Finding, Findings, type Path, SourceFile, type ValueInScope } from './problems.ts'
import type { Scope } from './scope.ts'
import { parseTemplate } from './template.ts'

const MOST_VALUES = 5

/** Where texts are, by the first step of a path: the manifest for a path without a file. */
export type Texts = (file: SourceFile | undefined) => Sourced | undefined

/** The values in scope at a finding. */
export function explainer(
  texts: Texts,
  scopeOf: (id: string) => Scope | undefined,
): (finding: Finding) => ValueInScope[] {
  return ({ at, item }) => {
    const scope = item === undefined ? undefined : scopeOf(item)
    const [first] = at
    const file = first instanceof SourceFile ? first : undefined
    const text = scope && textAt(texts(file), file ? at.slice(1) : at)
    if (!scope || text === undefined) return []
    const quiet = scope.telling(new Findings())
    const values = new Map<string, string>()
    for (const piece of parseTemplate(text)) {
      if (typeof piece === 'string' || !('name' in piece) || piece.root === 'image') continue
      const value = quiet.text(`\${${piece.name}}`, [])
      if (value === undefined) continue
      const row = scope.axes.get(piece.root)?.row
      values.set(piece.name, `${value}${row ? ` (row ${row.number} of ${row.file})` : ''}`)
    }
    return [...values].slice(0, MOST_VALUES).map(([name, value]) => ({ name, value }))
  }
}

function textAt(source: Sourced | undefined, path: Path): string | undefined {
  let here = source
  for (const step of path) {
    if (!here) return undefined
    if ('map' in here && typeof step === 'string') here = here.map.get(step)
    else if ('list' in here && typeof step === 'number') here = here.list[step]
    else return undefined
  }
  return here && 'scalar' in here && typeof here.scalar === 'string' ? here.scalar : undefined
}

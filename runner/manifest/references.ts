// The `refs` of one cell: each entry is told apart by its spelling, never by trying. Names (`@logo`) are looked up here;
// files are not touched here. Reads rendered text only, so a path may come from an axis.
import { isAbsolute, resolve } from 'node:path'
import { entriesOf, type Fields, type Sourced, textOf } from './merge.ts'
import { didYouMean } from './near.ts'
import type { Findings, Path } from './problems.ts'
import type { Scope } from './scope.ts'

/** A reference before its file was read. `at` is where it was written: in the item, or in the top-level `refs`. */
export type Wanted = { at: Path; as?: string } & (
  | { kind: 'file'; path: string; shown: string }
  | { kind: 'url'; url: string }
  | { kind: 'from'; item: string }
)

/** What references are resolved against. */
export type Shelf = {
  /** Folder of the manifest. */
  folder: string
  /** The top-level `refs`. */
  named: Fields
  usedNames: Set<string>
  findings: Findings
}

/** The references of a cell in order; those with problems are left out, and then it is not `whole`. */
export function referencesOf(
  refs: Sourced | undefined,
  scope: Scope,
  shelf: Shelf,
): { wanted: Wanted[]; whole: boolean } {
  const entries = entriesOf(refs)
  const wanted: Wanted[] = []
  const names = new Set<string>()
  let whole = true
  for (const entry of entries) {
    const reference = referenceOf(entry, scope, shelf)
    const as = reference?.as
    const twice = as !== undefined && names.has(as)
    if (twice) {
      const at = [...entry.at, 'as']
      shelf.findings.add({ at, message: `two references are called \`${as}\``, item: scope.id })
    }
    if (as !== undefined) names.add(as)
    if (reference && !twice) wanted.push(reference)
    else whole = false
  }
  return { wanted, whole }
}

/** Name → position from 1. */
export function countReferences(wanted: readonly Wanted[]): Map<string, number> {
  return new Map(wanted.flatMap(({ as }, index) => (as === undefined ? [] : [[as, index + 1] as const])))
}

function referenceOf(entry: Sourced, scope: Scope, shelf: Shelf): Wanted | undefined {
  const rendered = scope.render(entry)
  if (!rendered) return undefined
  if ('scalar' in rendered) return sourceOf(String(rendered.scalar), rendered.at, scope, shelf)
  if (!('map' in rendered)) return undefined
  const as = textOf(rendered.map.get('as'))
  const named = as === undefined ? {} : { as }
  const from = rendered.map.get('from')
  if (from) return { kind: 'from', item: textOf(from)!.normalize().replace(/#1$/, ''), at: from.at, ...named }
  const image = rendered.map.get('image')!
  const source = sourceOf(textOf(image)!, image.at, scope, shelf)
  return source && { ...source, ...named }
}

function sourceOf(text: string, at: Path, scope: Scope, shelf: Shelf): Wanted | undefined {
  const { findings, named } = shelf
  if (text.startsWith('@')) {
    const name = text.slice(1)
    const target = named.get(name)
    if (!target) {
      const names = [...named.keys()].map((known) => `@${known}`)
      const hint = didYouMean(text, names) ?? `\`refs\` at the top has: ${names.join(', ') || 'nothing'}`
      findings.add({ at, message: `no reference is called \`@${name}\``, hint, item: scope.id })
      return undefined
    }
    shelf.usedNames.add(name)
    const rendered = scope.render(target)
    return rendered && fileOrUrl(textOf(rendered)!, rendered.at, scope, shelf)
  }
  return fileOrUrl(text, at, scope, shelf)
}

function fileOrUrl(text: string, at: Path, scope: Scope, { findings, folder }: Shelf): Wanted | undefined {
  if (/^https:\/\//i.test(text)) {
    if (URL.canParse(text)) return { kind: 'url', url: text, at }
    findings.add({ at, message: `\`${text}\` is no URL`, item: scope.id })
    return undefined
  }
  if (/^[a-z][a-z0-9+.-]+:/i.test(text)) {
    const message = `\`${text.slice(0, 60)}\` cannot be fetched: a reference is a path or an https URL`
    findings.add({ at, message, item: scope.id })
    return undefined
  }
  if (text.trim() === '') {
    findings.add({
      at,
      message: 'is empty',
      hint: 'a reference is a path, an https URL or @name',
      item: scope.id,
    })
    return undefined
  }
  return { kind: 'file', path: isAbsolute(text) ? text : resolve(folder, text), shown: text, at }
}

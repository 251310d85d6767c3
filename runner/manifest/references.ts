// The `refs` of one cell, in two steps. First each entry is told apart by its spelling, never by trying, and names (`@logo`)
// are looked up; then, when files and ids are known, entries are counted out into pictures. Reads rendered text only, so
// a path may come from an axis.
import { isAbsolute, resolve } from 'node:path'
import { closedFolder } from './absence.ts'
import type { ClosedFolder } from './effects.ts'
import { isPattern } from './ids.ts'
import type { ItemReference } from './item.ts'
import { entriesOf, type Fields, fieldsOf, type Sourced, textOf } from './merge.ts'
import { didYouMean } from './near.ts'
import type { Findings, Path } from './problems.ts'
import type { Scope } from './scope.ts'

/** One picture, before its file was read. `at` is where it was written: in the item, or in the top-level `refs`. */
export type Wanted = { at: Path; as?: string } & (
  | { kind: 'file'; path: string; shown: string }
  | Extract<ItemReference, { kind: 'url' | 'from' }>
)

/** One entry of `refs`: any number of pictures. `item` may be a pattern of ids, `shown` one of paths. */
export type Entry = { at: Path; as?: string; max?: number; optional?: boolean } & (
  | { kind: 'file'; path: string; shown: string }
  | { kind: 'url'; url: string }
  | { kind: 'from'; item: string; wait?: 'pick' }
)

/** The entries of a cell in order; those with problems are left out, and then it is not `whole`. */
export type Entries = { entries: readonly Entry[]; whole: boolean }

/** What references are resolved against. */
export type Shelf = {
  /** Folder of the manifest, absolute. */
  folder: string
  /** The top-level `refs`. */
  named: Sourced | undefined
  usedNames: Set<string>
  findings: Findings
}

/** The entries of a cell. */
export function entriesOfCell(refs: Sourced | undefined, scope: Scope, shelf: Shelf): Entries {
  const entries: Entry[] = []
  const names = new Set<string>()
  let whole = !(refs && 'broken' in refs)
  for (const source of entriesOf(refs)) {
    const entry = entryOf(source, scope, shelf)
    const as = entry?.as
    const twice = as !== undefined && names.has(as)
    if (twice) {
      const at = [...source.at, 'as']
      const message = `two references are called \`${as}\``
      shelf.findings.add({ at, message, hint: 'rename one of them', item: scope.id })
    }
    if (as !== undefined) names.add(as)
    if (entry && !twice) entries.push(entry)
    else whole = false
  }
  return { entries, whole }
}

function entryOf(source: Sourced, scope: Scope, shelf: Shelf): Entry | undefined {
  const rendered = scope.render(source)
  if (!rendered) return undefined
  if ('scalar' in rendered) return placeOf(String(rendered.scalar), rendered.at, scope, shelf)
  return 'map' in rendered ? fromMap(rendered.map, scope, shelf) : undefined
}

function fromMap(fields: Fields, scope: Scope, shelf: Shelf): Entry | undefined {
  const as = textOf(fields.get('as'))
  const max = textOf(fields.get('max'))
  const options = {
    ...(as === undefined ? {} : { as }),
    ...(max === undefined ? {} : { max: Number(max) }),
    ...(textOf(fields.get('optional')) === 'true' ? { optional: true } : {}),
  }
  const from = fields.get('from')
  const image = fields.get('image')
  const text = textOf(from ?? image)
  if (text === undefined) return undefined
  if (from) {
    const wait = textOf(fields.get('wait')) === 'pick' ? { wait: 'pick' as const } : {}
    return { kind: 'from', item: text.normalize(), at: from.at, ...wait, ...options }
  }
  // An empty cell of a table names no picture; at no path there is none.
  if (options.optional && text.trim() === '')
    return { kind: 'file', path: '', shown: '', at: image!.at, ...options }
  const place = placeOf(text, image!.at, scope, shelf)
  return place && { ...place, ...options }
}

function placeOf(text: string, at: Path, scope: Scope, shelf: Shelf): Entry | undefined {
  const { findings, named } = shelf
  if (!text.startsWith('@')) return fileOrUrl(text, at, scope, shelf)
  const name = text.slice(1)
  const target = fieldsOf(named).get(name)
  if (!target) {
    if (named && 'broken' in named) return undefined
    const names = [...fieldsOf(named).keys()].map((known) => `@${known}`)
    const hint = didYouMean(text, names) ?? `\`refs\` at the top has: ${names.join(', ') || 'nothing'}`
    findings.add({ at, message: `no reference is called \`@${name}\``, hint, item: scope.id })
    return undefined
  }
  shelf.usedNames.add(name)
  const rendered = scope.render(target)
  if (!rendered) return undefined
  if ('map' in rendered) {
    const again = textOf(rendered.map.get('image'))
    if (!again?.startsWith('@')) return fromMap(rendered.map, scope, shelf)
  }
  // A name of a name would be a path that begins with `@`.
  const path = 'map' in rendered ? rendered.map.get('image')! : rendered
  return fileOrUrl(textOf(path)!, path.at, scope, shelf)
}

function fileOrUrl(text: string, at: Path, scope: Scope, { findings, folder }: Shelf): Entry | undefined {
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
    const hint = 'a reference is a path, an https URL or @name'
    findings.add({ at, message: 'is empty', hint, item: scope.id })
    return undefined
  }
  return { kind: 'file', path: isAbsolute(text) ? text : resolve(folder, text), shown: text, at }
}

/** What is known when entries are counted. */
export type Stock = {
  /** Whether there is nothing at this absolute path. */
  isMissing(path: string): boolean
  /** The files of a pattern, as paths from the manifest's folder; undefined where the text names a file itself. */
  filesOf(pattern: string): readonly string[] | ClosedFolder | undefined
  /** Whether there is a picture or sample of this id, or might be. */
  hasId(id: string): boolean
  /** The pictures whose ids match. */
  idsOf(pattern: string): readonly string[]
  /** What to say of an id that there is not. */
  closest(id: string): string
  /** Whether what a pattern matches is not fully known. */
  mayHold(pattern: string): boolean
}

/** The pictures of a cell in order, and the positions that each name stands for. An entry with a problem of its own is
 *  left out, and then it is not `whole`. */
export function count(
  { entries, whole }: Entries,
  stock: Stock,
  shelf: Pick<Shelf, 'findings' | 'folder'>,
  item: string,
): { wanted: Wanted[]; images: Map<string, readonly number[]>; whole: boolean } {
  const wanted: Wanted[] = []
  const images = new Map<string, readonly number[]>()
  let counted = whole
  for (const entry of entries) {
    const { as } = entry
    const pictures = picturesOf(entry, stock, shelf, item)
    if (!pictures) counted = false
    const first = wanted.length + 1
    for (const picture of pictures ?? []) wanted.push(picture)
    if (as !== undefined)
      images.set(
        as,
        (pictures ?? []).map((_, index) => first + index),
      )
  }
  return { wanted, images, whole: counted }
}

function picturesOf(
  entry: Entry,
  stock: Stock,
  { findings, folder }: Pick<Shelf, 'findings' | 'folder'>,
  item: string,
): Wanted[] | undefined {
  const { max = Number.POSITIVE_INFINITY, optional, ...one } = entry
  const { at } = one
  if (one.kind === 'url') return [one]
  if (one.kind === 'file') {
    const files = isPattern(one.shown) ? stock.filesOf(one.shown) : undefined
    if (!files) return optional && stock.isMissing(one.path) ? [] : [one]
    if ('unreadable' in files) {
      const [message, hint] = closedFolder(files.folder, files.unreadable)
      findings.add({ at, cause: 'closed', message, hint, item, subject: one.shown })
      return undefined
    }
    if (files.length === 0 && !optional) {
      const hint = 'patterns start at the folder of the manifest; `optional: true` allows none'
      findings.add({
        at,
        cause: 'pattern',
        message: `no file matches \`${one.shown}\``,
        hint,
        item,
        subject: one.shown,
      })
      return undefined
    }
    return files.slice(0, max).map((shown) => ({ ...one, shown, path: resolve(folder, shown) }))
  }
  const { item: wanted } = one
  const add = (message: string, hint: () => string) => {
    findings.add({ at, cause: 'from', message, hint, item, subject: wanted })
    return undefined
  }
  if (!isPattern(wanted)) {
    if (stock.hasId(wanted)) return [one]
    if (stock.mayHold(wanted)) return undefined
    return optional ? [] : add(`nothing is called \`${wanted}\``, () => stock.closest(wanted))
  }
  if (wanted.includes('#'))
    return add(
      `\`${wanted}\` is a pattern of pictures, not of samples`,
      () => 'leave out `#` and what follows it',
    )
  const ids = stock.idsOf(wanted)
  if (ids.length > 0) return ids.slice(0, max).map((id) => ({ ...one, item: id }))
  if (stock.mayHold(wanted)) return undefined
  return optional ? [] : add(`no id matches \`${wanted}\``, () => stock.closest(wanted))
}

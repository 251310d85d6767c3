// Where each field of an item got its value: a line of the manifest, a row of a table, a prompt's file, a flag.
import { FIELDS } from './fields.ts'
import type { Item, Origin } from './item.ts'
import type { Layered } from './layers.ts'
import { plain, type Sourced } from './merge.ts'
import { type Path, SourceFile } from './problems.ts'
import type { Wanted } from './references.ts'
import type { Scope } from './scope.ts'

/** What is kept of a cell to answer for its values. */
export type Answerable = {
  item: Item
  scope: Scope
  layered: Layered
  wanted: readonly Wanted[]
  /** The file that its prompt is in, if it is in one. */
  promptFile: SourceFile | undefined
}

// Fields whose text the item has in another spelling: numbers out of tables, names without an extension.
const FINAL = ['prompt', 'size', 'aspect', 'output']

/** The fields of a cell in the order of the documentation, axes first. */
export function originsOf(cell: Answerable, manifest: SourceFile): Origin[] {
  const { scope, layered } = cell
  const origin = (field: string, value: unknown, at: Path): Origin => {
    const [first] = at
    const file = first instanceof SourceFile ? first : manifest
    const { line } = file.locate({ at: file === first ? at.slice(1) : at })
    return { field, value, file: file.file, line }
  }
  const axes = [...scope.axes].flatMap(([name, { value, fields, at }]) => [
    origin(name, value, at),
    ...[...(fields ?? [])].map(([key, member]) => origin(`${name}.${key}`, plain(member), member.at)),
  ])
  const fields = FIELDS.flatMap((field): Origin[] => {
    if (field === 'prompt' && cell.promptFile) return [origin(field, cell.item.prompt, [cell.promptFile])]
    if (field === 'vars')
      return [...layered.vars.fields].flatMap(([name, value]) => members(`vars.${name}`, value))
    if (field === 'refs')
      return cell.item.references.map((reference, index) =>
        origin(`refs[${index}]`, nameOf(reference), cell.wanted[index]?.at ?? []),
      )
    const source = layered.fields.get(field)
    if (!source) return []
    const value = FINAL.includes(field) ? cell.item[field as 'size'] : cell.item.parameters[field as 'seed']
    return typeof value === 'object' || value === undefined
      ? members(field, source)
      : [origin(field, value, source.at)]
  })
  return [...axes, ...fields]

  // Maps and lists may come from several layers: each member has its own line.
  function members(field: string, source: Sourced): Origin[] {
    if ('map' in source) return [...source.map].flatMap(([key, member]) => members(`${field}.${key}`, member))
    if ('list' in source && source.list.some((entry) => !('scalar' in entry)))
      return source.list.map((entry, index) => whole(`${field}[${index}]`, entry))
    return [whole(field, source)]
  }

  function whole(field: string, source: Sourced): Origin {
    const rendered = scope.render(source)
    return origin(field, rendered && plain(rendered), source.at)
  }
}

function nameOf(reference: Item['references'][number]): string {
  switch (reference.kind) {
    case 'file':
      return reference.shown
    case 'url':
      return reference.url
    case 'from':
      return reference.item
  }
}

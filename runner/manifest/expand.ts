// From items to drafts: layers merged, cells opened, texts rendered. Nothing is read and no model is known here; what a
// draft says is what the manifest says, cell by cell.
import { resolve } from 'node:path'
import { type Axis, axesOf, type Cell, cellCount, cellsOf } from './matrix.ts'
import { entriesOf, type Fields, fieldsOf, mergeFields, type Sourced, textOf } from './merge.ts'
import { didYouMean } from './near.ts'
import type { Path } from './problems.ts'
import { countReferences, referencesOf, type Shelf, type Wanted } from './references.ts'
import { type Rendering, Scope } from './scope.ts'

/** The largest catalog, in pictures. */
export const MAX_PICTURES = 100_000

/** The text of a prompt, or the file it is in. */
export type PromptSource = { at: Path } & ({ text: string } | { file: string; shown: string })

/** One cell of one item, rendered. What has a problem is left out; the rest is still worth checking. */
export type Draft = {
  id: string
  /** Path of the item. */
  at: Path
  samples: number
  /** All fields that are not named here. */
  fields: Fields
  /** Names of fields that are left out. */
  unrendered: ReadonlySet<string>
  references: readonly Wanted[]
  /** Where the list of references was written. */
  refsAt: Path
  prompt: PromptSource | undefined
  /** Renders what is read later. */
  scope: Scope
}

/** The parts of a document that items are made of, and what they need on the way. `broken` has the names of items and
 *  presets (`items.x`, `presets.x`) that were found wrong already and are passed over. */
export type Ground = {
  vars: Fields
  defaults: Fields
  presets: Fields
  usedPresets: Set<string>
  broken: Set<string>
  rendering: Rendering
  shelf: Shelf
}

/** All drafts, and every id there is. An item that cannot be opened joins `broken`: nothing is known of its ids. */
export type Expansion = { drafts: Draft[]; ids: Set<string> }

type Opened = { name: string; at: Path; fields: Fields; axes: Axis[]; samples: number }

const HANDLED = ['refs', 'prompt', 'matrix', 'use', 'vars', 'samples']

/** Opens all items. Problems go to the findings. */
export function expand(items: Fields, ground: Ground): Expansion {
  const drafts: Draft[] = []
  const ids = new Set<string>()
  const folded = new Map<string, string>()
  for (const [name, source] of items) {
    const opened = ground.broken.has(`items.${name}`) ? undefined : open(name, source, ids.size, ground)
    if (!opened) {
      ground.broken.add(`items.${name}`)
      continue
    }
    for (const cell of cellsOf(name, opened.axes)) {
      for (let sample = 1; sample <= opened.samples; sample++) ids.add(sampleId(cell.id, sample))
      checkCase(cell.id, opened, folded, ground)
      drafts.push(draftOf(cell, opened, ground))
    }
  }
  return { drafts, ids }
}

/** The id of a sample, from 1. */
export function sampleId(id: string, sample: number): string {
  return sample === 1 ? id : `${id}#${sample}`
}

function open(name: string, source: Sourced, before: number, ground: Ground): Opened | undefined {
  const { findings } = ground.rendering
  const own = fieldsOf(source)
  const fields = layer(own, ground)
  const axes = axesOf(own.get('matrix'), findings)
  if (!fields || !axes) return undefined
  if (!fields.has('prompt')) {
    const hint = 'say `prompt:` here or in `defaults`'
    findings.add({ at: source.at, part: 'key', message: 'has no `prompt`', hint })
    return undefined
  }
  const samples = Number(textOf(fields.get('samples')) ?? 1)
  const pictures = cellCount(axes) * samples
  if (before + pictures > MAX_PICTURES) {
    const message = `makes ${pictures} pictures; a manifest has at most ${MAX_PICTURES} together`
    findings.add({ at: source.at, part: 'key', message })
    return undefined
  }
  return { name, at: source.at, fields, axes, samples }
}

// defaults < use, in order < item. Under the defaults there is nothing, and `"..."` in them is that.
function layer(item: Fields, ground: Ground): Fields | undefined {
  let fields = mergeFields(new Map(), ground.defaults)
  let whole = true
  for (const entry of entriesOf(item.get('use'))) {
    const name = textOf(entry) ?? ''
    const preset = ground.presets.get(name)
    ground.usedPresets.add(name)
    if (!preset) {
      const known = [...ground.presets.keys()]
      const hint = didYouMean(name, known) ?? `presets: ${known.join(', ') || 'none'}`
      ground.rendering.findings.add({ at: entry.at, message: `no preset is called \`${name}\``, hint })
    }
    if (!preset || ground.broken.has(`presets.${name}`)) whole = false
    else fields = mergeFields(fields, fieldsOf(preset))
  }
  return whole ? mergeFields(fields, item) : undefined
}

function draftOf(cell: Cell, opened: Opened, ground: Ground): Draft {
  const { fields, at, samples } = opened
  const vars = mergeFields(ground.vars, fieldsOf(fields.get('vars')))
  const scope = new Scope(cell.id, cell.axes, vars, ground.rendering)
  const refs = fields.get('refs')
  const { wanted, whole } = referencesOf(refs, scope, ground.shelf)
  scope.countImages(whole ? countReferences(wanted) : 'uncounted')
  const rendered = new Map<string, Sourced>()
  const unrendered = new Set<string>()
  for (const [key, value] of fields) {
    if (HANDLED.includes(key)) continue
    const result = scope.render(value)
    if (result) rendered.set(key, result)
    else unrendered.add(key)
  }
  return {
    id: cell.id,
    at,
    samples,
    fields: rendered,
    unrendered,
    references: wanted,
    refsAt: refs?.at ?? at,
    prompt: promptOf(fields.get('prompt'), scope, ground.shelf),
    scope,
  }
}

const FILE_PREFIX = 'file:'

function promptOf(prompt: Sourced | undefined, scope: Scope, { folder }: Shelf): PromptSource | undefined {
  const written = textOf(prompt)
  if (!prompt || written === undefined) return undefined
  const text = scope.text(written, prompt.at)
  if (text === undefined) return undefined
  // Only what the manifest itself says is a prefix: a value that begins with `file:` is prose.
  if (!written.startsWith(FILE_PREFIX)) return { at: prompt.at, text: String(text) }
  const shown = String(text).slice(FILE_PREFIX.length)
  return { at: prompt.at, shown, file: resolve(folder, shown) }
}

// Ids become file names, and on many disks `A.png` is `a.png`.
function checkCase(id: string, { at }: Opened, folded: Map<string, string>, { rendering }: Ground): void {
  const twin = folded.get(id.toLowerCase())
  folded.set(id.toLowerCase(), id)
  if (twin === undefined) return
  const message = `\`${id}\` and \`${twin}\` differ in case only: one file would overwrite the other`
  rendering.findings.add({ at, part: 'key', cause: 'case', message })
}

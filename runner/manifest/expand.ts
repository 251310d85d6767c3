// From items to cells: axes opened, layers found, samples counted. Then each cell's texts are rendered, once its references
// are counted. No file is read here and no model is known: a draft says what the manifest says, cell by cell.
import { type AxisSources, axesOf } from './axes.ts'
import { DECIMAL } from './fields.ts'
import { KnownIds } from './known.ts'
import type { Layered, LayerStack } from './layers.ts'
import { type Cell, cellCount, cellsOf } from './matrix.ts'
import { type Fields, type Sourced, textOf } from './merge.ts'
import type { Findings, Path } from './problems.ts'
import { type PromptSource, textPrompt } from './prompt.ts'
import { type Rendering, Scope } from './scope.ts'
import { withoutSkipped } from './skip.ts'
import { show } from './words.ts'

/** The largest catalog, in pictures. */
export const MAX_PICTURES = 100_000

// What `skip` may choose from.
const MAX_CELLS = 1_000_000

/** One cell of one item, opened. */
export type Open = {
  id: string
  /** Path of the item. */
  at: Path
  samples: number
  layered: Layered
  scope: Scope
}

/** What items are opened with. */
type Ground = { layers: LayerStack; sources: AxisSources; rendering: Rendering }

/** Opens all items. Problems go to the findings; an item that cannot be opened is `broken` among the ids. */
export function openItems(items: Fields, ground: Ground): { cells: Open[]; ids: KnownIds } {
  const { findings } = ground.rendering
  const cells: Open[] = []
  const ids = new KnownIds()
  const folded = new Map<string, string>()
  let pictures = 0
  for (const [name, source] of items) {
    const opened = 'map' in source ? openItem(name, source, MAX_PICTURES - pictures, ground) : undefined
    if (!opened) {
      ids.broken.add(name.normalize())
      continue
    }
    for (const { samples, ...cell } of opened) {
      cells.push({ ...cell, samples: samples ?? 1 })
      ids.add(cell.id, samples)
      pictures += samples ?? 1
      checkCase(cell.id, source.at, folded, findings)
    }
  }
  return { cells, ids }
}

type Counted = Omit<Open, 'samples'> & { samples: number | undefined }

function openItem(
  name: string,
  { at, map }: Extract<Sourced, { map: Fields }>,
  room: number,
  { layers, sources, rendering }: Ground,
): Counted[] | undefined {
  const { findings } = rendering
  const own = new Map(map)
  for (const key of ['matrix', 'skip']) own.delete(key)
  const layersOf = layers.of(own)
  const axes = axesOf(map.get('matrix'), sources, findings)
  if (!axes) return undefined
  const tooMany = (pictures: number) => {
    const message = `makes ${pictures} pictures; a manifest has at most ${MAX_PICTURES} together`
    const hint = 'use fewer values, leave cells out with `skip`, or split the manifest'
    findings.add({ at, part: 'key', message, hint })
    return undefined
  }
  const skip = map.get('skip')
  const open = cellCount(axes)
  if (open > (skip ? MAX_CELLS : room)) return tooMany(open)
  const cells = withoutSkipped(cellsOf(name, axes), axes, skip, findings)
  if (!cells) return undefined
  const opened: Counted[] = []
  let pictures = 0
  for (const cell of cells) {
    const counted = openCell(cell, at, layersOf(cell.id), rendering)
    opened.push(counted)
    pictures += counted.samples ?? 1
  }
  return pictures > room ? tooMany(pictures) : opened
}

function openCell({ id, axes }: Cell, at: Path, layered: Layered, rendering: Rendering): Counted {
  const scope = new Scope(id, axes, layered.vars, rendering)
  return {
    id,
    at,
    layered,
    scope,
    samples: samplesOf(layered.fields.get('samples'), scope, rendering.findings),
  }
}

function samplesOf(source: Sourced | undefined, scope: Scope, findings: Findings): number | undefined {
  if (!source) return 1
  const text = textOf(scope.render(source))
  if (text === undefined) return undefined
  const samples = DECIMAL.test(text) ? Number(text) : Number.NaN
  if (Number.isInteger(samples) && samples >= 1) return samples
  const message =
    samples < 1 ? `must be at least 1, is ${samples}` : `must be a whole number, is ${show(text)}`
  findings.add({ at: source.at, message, item: scope.id })
  return undefined
}

// Ids become file names, and on many disks `A.png` is `a.png`.
function checkCase(id: string, at: Path, folded: Map<string, string>, findings: Findings): void {
  const lower = id.toLowerCase()
  const twin = folded.get(lower)
  folded.set(lower, id)
  if (twin === undefined) return
  const message =
    twin === id
      ? `two pictures are called \`${id}\``
      : `\`${id}\` and \`${twin}\` differ in case only: one file would overwrite the other`
  findings.add({ at, part: 'key', cause: 'case', message, hint: 'rename one of them' })
}

/** A cell with its texts rendered. What has a problem is left out; the rest is still worth checking. */
export type Draft = Open & {
  /** All fields that are not named here. */
  fields: Fields
  /** Names of fields that are left out. */
  unrendered: ReadonlySet<string>
  /** Where the list of references was written. */
  refsAt: Path
  prompt: PromptSource | undefined
}

const HANDLED = ['refs', 'prompt', 'matrix', 'use', 'vars', 'samples', 'skip']
const NONE: ReadonlySet<string> = new Set()

/** Renders cells. What no name occurs in is the same for all cells of one set of layers, and is looked at once. */
export class Renderer {
  readonly #frames = new Map<Layered, { constant: Fields; others: readonly [string, Sourced][] }>()

  /** `prompt` is what `promptFile` found where the prompt is a file. */
  render(cell: Open, prompt: PromptSource | undefined, findings: Findings): Draft {
    const { layered, scope, at } = cell
    const { constant, others } = this.#frameOf(layered)
    let fields = constant
    let unrendered = NONE
    if (others.length > 0) {
      const rendered = new Map(constant)
      const left = new Set<string>()
      for (const [key, value] of others) {
        const result = scope.render(value)
        if (result) rendered.set(key, result)
        else left.add(key)
      }
      fields = rendered
      unrendered = left
    }
    const written = layered.fields.get('prompt')
    if (!written && !layered.partial) {
      const hint = 'say `prompt:` here or in `defaults`'
      findings.add({ at, part: 'key', message: 'has no `prompt`', hint })
    }
    const refsAt = layered.fields.get('refs')?.at ?? at
    return { ...cell, fields, unrendered, refsAt, prompt: prompt ?? textPrompt(cell) }
  }

  #frameOf(layered: Layered) {
    const known = this.#frames.get(layered)
    if (known) return known
    const entries = [...layered.fields].filter(([key]) => !HANDLED.includes(key))
    const frame = {
      constant: new Map(entries.filter(([, value]) => isConstant(value))),
      others: entries.filter(([, value]) => !isConstant(value)),
    }
    this.#frames.set(layered, frame)
    return frame
  }
}

function isConstant(value: Sourced): boolean {
  if ('broken' in value) return false
  if ('scalar' in value) return typeof value.scalar !== 'string' || !value.scalar.includes('${')
  return 'list' in value ? value.list.every(isConstant) : [...value.map.values()].every(isConstant)
}

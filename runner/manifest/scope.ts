// What the names in `${…}` mean inside one cell: its axes, then the vars, `id`, and `image.<as>` where pictures are counted.
// Vars are rendered when they are used, in the cell that uses them; a var that needs itself is a problem.
import { MAX_PROMPT_CHARS } from '../../core/models.ts'
import type { Fields, Scalar, Sourced } from './merge.ts'
import { didYouMean } from './near.ts'
import type { Finding, Findings, Path } from './problems.ts'
import { fill, type Malformed, type Placeholder, parseTemplate, type Template } from './template.ts'

/** Names that no var and no axis may take. */
export const RESERVED_NAMES = ['id', 'image']

// A list of every row of a large table would hide the message.
const MOST_NAMES_SHOWN = 20

// Vars that use each other twice double at every step; far beyond any prompt, and far below what a machine holds.
const MAX_TEXT_CHARS = 8 * MAX_PROMPT_CHARS

/** What all cells of a manifest share: templates that were read once, where problems go, and which vars were used. */
export type Rendering = {
  findings: Findings
  templates: Map<string, Template>
  usedVars: Set<string>
}

/** Axis name → the names it defines (`product`, `product.name`) and their values. */
export type AxisNames = ReadonlyMap<string, ReadonlyMap<string, Scalar>>

export class Scope {
  readonly id: string
  readonly #axes: AxisNames
  readonly #vars: Fields
  readonly #rendering: Rendering
  /** Reference name → its position from 1; undefined where pictures cannot be named. */
  #images: ReadonlyMap<string, number> | 'uncounted' | undefined

  /** Vars that were rendered here already; undefined after a problem. */
  readonly #rendered = new Map<string, Scalar | undefined>()

  constructor(id: string, axes: AxisNames, vars: Fields, rendering: Rendering) {
    this.id = id
    this.#axes = axes
    this.#vars = vars
    this.#rendering = rendering
  }

  /** From here on `${image.NAME}` renders as `image K`. `uncounted`: the references have problems of their own, and
   *  their names are not asked for. */
  countImages(images: ReadonlyMap<string, number> | 'uncounted'): void {
    this.#images = images
    this.#rendered.clear()
  }

  /** The value with every text in it rendered; undefined after a problem, which has been reported. */
  render(value: Sourced): Sourced | undefined {
    const { at } = value
    if ('list' in value) {
      const list = value.list.map((entry) => this.render(entry))
      return list.every((entry) => entry !== undefined) ? { at, list } : undefined
    }
    if ('map' in value) {
      const members = [...value.map].map(([key, member]) => [key, this.render(member)] as const)
      const whole = members.every((member): member is [string, Sourced] => member[1] !== undefined)
      return whole ? { at, map: new Map(members) } : undefined
    }
    if (typeof value.scalar !== 'string') return value
    const scalar = this.text(value.scalar, at)
    return scalar === undefined ? undefined : { at, scalar }
  }

  /** One rendered text. `where` is put before a problem's message, for a text that is not in the manifest itself. */
  text(text: string, at: Path, where = ''): Scalar | undefined {
    return this.#fill(text, at, where, [])
  }

  #fill(text: string, at: Path, where: string, inside: readonly string[]): Scalar | undefined {
    if (!text.includes('${')) return text
    const { templates } = this.#rendering
    const template = templates.get(text) ?? parseTemplate(text)
    templates.set(text, template)
    const filled = fill(template, (piece) => this.#lookUp(piece, at, where, inside))
    if (typeof filled !== 'string' || filled.length <= MAX_TEXT_CHARS) return filled
    const message = `${where}becomes longer than ${MAX_TEXT_CHARS} characters`
    this.#rendering.findings.add({ at, message, item: this.id })
    return undefined
  }

  #lookUp(
    piece: Placeholder | Malformed,
    at: Path,
    where: string,
    inside: readonly string[],
  ): Scalar | undefined {
    const fail = (message: string, hint?: Finding['hint']) => {
      this.#rendering.findings.add({ at, within: piece.text, message: where + message, hint, item: this.id })
      return undefined
    }
    if ('message' in piece) return fail(piece.message, piece.hint)
    const { name } = piece
    const [root = name] = name.split('.', 1)
    if (root === 'image') return this.#image(name, fail)
    if (name === 'id') return this.id
    const axis = this.#axes.get(root)
    if (axis?.has(name)) return axis.get(name)
    // An axis hides a var of its name, with all its fields.
    const found = axis ? undefined : this.#varOf(name)
    if (found) this.#rendering.usedVars.add(root)
    if (found && 'scalar' in found) {
      if (inside.includes(name)) return this.#circle(inside.slice(inside.indexOf(name)))
      const { scalar } = found
      if (typeof scalar !== 'string') return scalar
      if (!this.#rendered.has(name))
        this.#rendered.set(name, this.#fill(scalar, found.at, '', [...inside, name]))
      return this.#rendered.get(name)
    }
    if (found && 'map' in found) {
      const fields = [...found.map.keys()].map((field) => `${name}.${field}`)
      return fail(`\`${name}\` has several values`, `use ${list(fields)}`)
    }
    return fail(`nothing is called \`${name}\``, () => {
      const names = this.#names()
      const nearest = didYouMean(name, names)
      return `${nearest ? `${nearest} ` : ''}in scope: ${list(names)}`
    })
  }

  #image(name: string, fail: (message: string, hint?: Finding['hint']) => undefined) {
    if (!this.#images)
      return fail(`\`${name}\` cannot be used here`, 'references are counted in prompt, system and metadata')
    if (this.#images === 'uncounted') return name
    const as = name.slice('image.'.length)
    const position = this.#images.get(as)
    if (name !== 'image' && position !== undefined) return `image ${position}`
    const known = [...this.#images.keys()].map((key) => `image.${key}`)
    const hint = known.length > 0 ? `in scope: ${list(known)}` : 'name one with `as:` in refs'
    return fail(`no reference is called \`${name}\``, didYouMean(name, known) ?? hint)
  }

  // Told from the first name in the alphabet, so that a circle is one problem wherever it is entered.
  #circle(names: readonly string[]): undefined {
    const first = names.toSorted()[0] ?? ''
    const from = names.indexOf(first)
    const circle = [...names.slice(from), ...names.slice(0, from), first]
    const at = this.#varOf(first)?.at ?? []
    const message = `needs itself: ${circle.join(' → ')}`
    this.#rendering.findings.add({ at, message, item: this.id })
    return undefined
  }

  #varOf(name: string): Sourced | undefined {
    const [root = name, ...rest] = name.split('.')
    const value = this.#vars.get(root)
    if (rest.length === 0 || !value) return value
    return 'map' in value ? value.map.get(rest.join('.')) : undefined
  }

  #names(): string[] {
    const axes = [...this.#axes.values()].flatMap((names) => [...names.keys()])
    const vars = [...this.#vars].flatMap(([name, value]) =>
      'map' in value ? [...value.map.keys()].map((key) => `${name}.${key}`) : [name],
    )
    const counted = this.#images === 'uncounted' ? undefined : this.#images
    const images = [...(counted?.keys() ?? [])].map((as) => `image.${as}`)
    return [...new Set([...axes, ...vars.filter((name) => !this.#axes.has(name)), 'id', ...images])]
  }
}

function list(names: readonly string[]): string {
  const more = names.length - MOST_NAMES_SHOWN
  return `${names.slice(0, MOST_NAMES_SHOWN).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

// What the names in `${…}` mean inside one cell: its axes, then the vars, `id`, and `image.<as>` where pictures are counted.
// Vars are rendered when they are used, in the cell that uses them; a var that needs itself is a problem.
import { MAX_PROMPT_CHARS } from '../../core/models.ts'
import type { AxisNames } from './matrix.ts'
import type { Fields, Scalar, Sourced } from './merge.ts'
import { didYouMean } from './near.ts'
import type { Finding, Findings, Path } from './problems.ts'
import { fill, type Malformed, type Placeholder, parseTemplate, type Template } from './template.ts'

/** Names that no var and no axis may take. */
export const RESERVED_NAMES = ['id', 'image']

// A list of every column of a large table would hide the message.
const MOST_NAMES_SHOWN = 20

// Vars that use each other twice double at every step; far beyond any prompt, and far below what a machine holds.
const MAX_TEXT_CHARS = 8 * MAX_PROMPT_CHARS

/** What all cells of a manifest share: templates that were read once, where problems go, and which vars were used. */
export type Rendering = {
  findings: Findings
  templates: Map<string, Template>
  usedVars: Set<string>
}

/** The vars of a cell. `open`: some of them are not known, and none is called missing. */
export type Vars = { fields: Fields; open: boolean }

/** Name of a reference → the positions of its pictures, from 1. */
type Images = ReadonlyMap<string, readonly number[]>

type Fail = (message: string, hint?: Finding['hint']) => undefined

export class Scope {
  readonly id: string
  readonly axes: AxisNames
  readonly #vars: Vars
  readonly #rendering: Rendering
  /** `uncounted`: the references have problems of their own; undefined where pictures cannot be named. */
  #images: Images | 'uncounted' | undefined

  /** Vars that were rendered here already; undefined after a problem. */
  #rendered: Map<string, Scalar | undefined> | undefined

  constructor(id: string, axes: AxisNames, vars: Vars, rendering: Rendering) {
    this.id = id
    this.axes = axes
    this.#vars = vars
    this.#rendering = rendering
  }

  /** From here on `${image.NAME}` renders as `image K`. `uncounted`: the references have problems of their own, and
   *  their names are not asked for. */
  countImages(images: Images | 'uncounted'): void {
    this.#images = images
    this.#rendered = undefined
  }

  /** The same cell, telling its problems elsewhere. */
  telling(findings: Findings): Scope {
    const twin = new Scope(this.id, this.axes, this.#vars, { ...this.#rendering, findings })
    twin.#images = this.#images
    return twin
  }

  /** The value with every text in it rendered; undefined after a problem, which has been reported. */
  render(value: Sourced): Sourced | undefined {
    const { at } = value
    if ('broken' in value) return undefined
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

  /** One rendered text, written at `at`; undefined after a problem. */
  text(text: string, at: Path): Scalar | undefined {
    return this.#fill(text, at, [])
  }

  #fill(text: string, at: Path, inside: readonly string[]): Scalar | undefined {
    if (!text.includes('${')) return text
    const { templates } = this.#rendering
    let template = templates.get(text)
    if (!template) {
      template = parseTemplate(text)
      templates.set(text, template)
    }
    const filled = fill(template, (piece) => this.#lookUp(piece, at, inside))
    if (typeof filled !== 'string' || filled.length <= MAX_TEXT_CHARS) return filled
    const message = `becomes longer than ${MAX_TEXT_CHARS} characters`
    this.#rendering.findings.add({ at, message, item: this.id })
    return undefined
  }

  #lookUp(piece: Placeholder | Malformed, at: Path, inside: readonly string[]): Scalar | undefined {
    const fail: Fail = (message, hint) => {
      this.#rendering.findings.add({ at, within: piece.text, message, hint, item: this.id })
      return undefined
    }
    if ('message' in piece) return fail(piece.message, piece.hint)
    const { name, root, field } = piece
    if (root === 'image') return this.#image(name, fail)
    if (name === 'id') return this.id
    const axis = this.axes.get(root)
    // An axis hides a var of its name, with all its fields.
    if (axis && field === undefined) return axis.value
    const found = axis ? axis.fields?.get(field!) : this.#varOf(root, field)
    if (!found) {
      if (!axis && this.#vars.open) return undefined
      return fail(`nothing is called \`${name}\``, () => {
        const names = this.#names()
        const nearest = didYouMean(name, names)
        return `${nearest ? `${nearest} ` : ''}in scope: ${list(names)}`
      })
    }
    if (axis) axis.used?.add(field!)
    else this.#rendering.usedVars.add(root)
    if ('broken' in found) return undefined
    if ('list' in found) return fail(`\`${name}\` is a list`, 'only text and numbers can be used')
    if ('map' in found) {
      if (axis) return fail(`\`${name}\` is a map`, 'only text and numbers can be used')
      return fail(
        `\`${name}\` has several values`,
        `use ${list([...found.map.keys()].map((key) => `${name}.${key}`))}`,
      )
    }
    // What is not said in a table is nothing, as an empty cell is.
    if (axis) return found.scalar ?? ''
    return this.#value(name, found, inside)
  }

  #value(name: string, found: { at: Path; scalar: Scalar }, inside: readonly string[]): Scalar | undefined {
    const { scalar, at } = found
    if (inside.includes(name)) return this.#circle(inside.slice(inside.indexOf(name)))
    if (typeof scalar !== 'string' || !scalar.includes('${')) return scalar
    this.#rendered ??= new Map()
    if (!this.#rendered.has(name)) this.#rendered.set(name, this.#fill(scalar, at, [...inside, name]))
    return this.#rendered.get(name)
  }

  #image(name: string, fail: Fail): Scalar | undefined {
    if (!this.#images)
      return fail(`\`${name}\` cannot be used here`, 'references are counted in prompt, system and metadata')
    if (this.#images === 'uncounted') return name
    const as = name.slice('image.'.length)
    const positions = name === 'image' ? undefined : this.#images.get(as)
    if (positions?.length === 0)
      return fail(
        `\`${name}\` is optional and has no picture here`,
        'leave it out of the text, or give it one',
      )
    if (positions) return ordinals(positions)
    const known = [...this.#images.keys()].map((key) => `image.${key}`)
    const hint = known.length > 0 ? `in scope: ${list(known)}` : 'name one with `as:` in refs'
    return fail(`no reference is called \`${name}\``, didYouMean(name, known) ?? hint)
  }

  // Told from the first name in the alphabet, so that a circle is one problem wherever it is entered.
  #circle(names: readonly string[]): undefined {
    const first = names.toSorted()[0] ?? ''
    const from = names.indexOf(first)
    const circle = [...names.slice(from), ...names.slice(0, from), first]
    const [root = first, ...rest] = first.split('.')
    const at = this.#varOf(root, rest.length > 0 ? rest.join('.') : undefined)?.at ?? []
    const message = `needs itself: ${circle.join(' → ')}`
    this.#rendering.findings.add({ at, message, item: this.id })
    return undefined
  }

  #varOf(root: string, field: string | undefined): Sourced | undefined {
    const value = this.#vars.fields.get(root)
    if (field === undefined || !value || 'broken' in value) return value
    return 'map' in value ? value.map.get(field) : undefined
  }

  #names(): string[] {
    const axes = [...this.axes].flatMap(([name, { fields }]) => [
      name,
      ...[...(fields?.keys() ?? [])].map((field) => `${name}.${field}`),
    ])
    const vars = [...this.#vars.fields].flatMap(([name, value]) =>
      'map' in value ? [...value.map.keys()].map((key) => `${name}.${key}`) : [name],
    )
    const counted = this.#images === 'uncounted' ? undefined : this.#images
    const images = [...(counted?.keys() ?? [])].map((as) => `image.${as}`)
    return [...new Set([...axes, ...vars.filter((name) => !this.axes.has(name)), 'id', ...images])]
  }
}

/** `image 2`, `images 2 and 3`, `images 2, 3 and 4`. */
function ordinals(positions: readonly number[]): string {
  if (positions.length === 1) return `image ${positions[0]}`
  return `images ${positions.slice(0, -1).join(', ')} and ${positions.at(-1)}`
}

function list(names: readonly string[]): string {
  const more = names.length - MOST_NAMES_SHOWN
  return `${names.slice(0, MOST_NAMES_SHOWN).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

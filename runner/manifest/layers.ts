// Which layers lie over each other in a cell: defaults < use < item < overrides < profile < --set. Cells without an override
// share one result; so do those with the same ones.
import type { Flags } from './flags.ts'
import { idMatcher } from './ids.ts'
import { entriesOf, type Fields, fieldsOf, mergeFields, type Sourced, textOf } from './merge.ts'
import { didYouMean, near } from './near.ts'
import type { Findings, Path } from './problems.ts'
import type { Vars } from './scope.ts'

/** What the cells of an item have in common that are touched by the same overrides. Objects of this type are shared, so
 *  that what follows from them alone is found once. */
export type Layered = {
  fields: Fields
  vars: Vars
  /** A layer is not known: no field is called missing. */
  partial: boolean
}

type Override = { at: Path; pattern: string; matches: (id: string) => boolean; fields: Sourced; met: boolean }

/** The parts of a manifest that layers are made of. */
type Sections = {
  vars: Sourced | undefined
  defaults: Sourced | undefined
  presets: Sourced | undefined
  profiles: Sourced | undefined
  overrides: Sourced | undefined
}

/** The layers of a manifest and its flags. */
export class LayerStack {
  readonly #sections: Sections
  readonly #flags: Flags
  readonly #findings: Findings
  readonly #overrides: Override[]
  readonly #profile: Sourced | undefined
  readonly usedPresets = new Set<string>()

  constructor(sections: Sections, flags: Flags, findings: Findings) {
    this.#sections = sections
    this.#flags = flags
    this.#findings = findings
    this.#overrides = [...fieldsOf(sections.overrides)].flatMap(([pattern, fields]) => {
      const { at } = fields
      if (!pattern.includes('#')) return [{ at, pattern, matches: idMatcher(pattern), fields, met: false }]
      const message = 'an override is for all samples of a picture'
      findings.add({ at, part: 'key', message, hint: 'leave out `#` and what follows it' })
      return []
    })
    this.#profile = this.#findProfile()
  }

  /** The layers of an item: asked with the id of a cell, it answers what holds there. */
  of(item: Fields): (id: string) => Layered {
    const below = this.#below(item)
    const shared = new Map<string, Layered>()
    const applying: Override[] = []
    return (id) => {
      applying.length = 0
      for (const override of this.#overrides) if (override.matches(id)) applying.push(override)
      const name = applying.map(({ pattern }) => pattern).join('\0')
      const known = shared.get(name)
      if (known) return known
      for (const override of applying) override.met = true
      const made = this.#layered(below, applying)
      shared.set(name, made)
      return made
    }
  }

  /** Reports overrides that no cell has met. `unknown` says whether ids that are not known might match. */
  reportIdle(ids: readonly string[], unknown: (pattern: string) => boolean): void {
    for (const { at, pattern, met } of this.#overrides) {
      if (met || unknown(pattern)) continue
      const hint = () => {
        const nearest = near(pattern, ids, 3)
        if (nearest.length > 0) return `closest: ${nearest.join(', ')}`
        return `ids: ${ids.slice(0, 3).join(', ')}${ids.length > 3 ? ', …' : ''}`
      }
      this.#findings.add({ at, part: 'key', message: `no id matches \`${pattern}\``, hint })
    }
  }

  // defaults < use, in order < item. Under the defaults there is nothing, and `"..."` in them is that.
  #below(item: Fields): { fields: Fields; partial: boolean } {
    const { defaults, presets } = this.#sections
    const layers: (Sourced | undefined)[] = [defaults]
    let partial = false
    const use = item.get('use')
    if (use && 'broken' in use) partial = true
    for (const entry of entriesOf(use)) {
      const name = textOf(entry)
      if (name === undefined) partial = true
      else layers.push(this.#preset(name, entry.at, presets))
    }
    let fields: Fields = new Map()
    for (const layer of layers) {
      if (layer && 'broken' in layer) partial = true
      fields = mergeFields(fields, fieldsOf(layer))
    }
    return { fields: mergeFields(fields, item), partial }
  }

  #preset(name: string, at: Path, presets: Sourced | undefined): Sourced {
    const preset = fieldsOf(presets).get(name)
    this.usedPresets.add(name)
    if (preset) return preset
    if (!presets || !('broken' in presets)) {
      const known = [...fieldsOf(presets).keys()]
      const hint = didYouMean(name, known) ?? `presets: ${known.join(', ') || 'none'}`
      this.#findings.add({ at, message: `no preset is called \`${name}\``, hint })
    }
    return { at, broken: true }
  }

  #findProfile(): Sourced | undefined {
    const { profile } = this.#flags
    const { profiles } = this.#sections
    if (!profile) return undefined
    const { name, at } = profile
    const found = fieldsOf(profiles).get(name)
    if (found) return found
    if (!profiles || !('broken' in profiles)) {
      const known = [...fieldsOf(profiles).keys()]
      const nearest = didYouMean(name, known)
      const hint = `${nearest ? `${nearest} ` : ''}profiles: ${known.join(', ') || 'none'}`
      this.#findings.add({ at, message: `no profile is called \`${name}\``, hint })
    }
    return { at, broken: true }
  }

  #layered(below: { fields: Fields; partial: boolean }, overrides: readonly Override[]): Layered {
    const { set, vars: flagVars } = this.#flags
    const { vars: top } = this.#sections
    let { fields, partial } = below
    for (const layer of [...overrides.map((override) => override.fields), this.#profile]) {
      if (!layer) continue
      if ('broken' in layer) partial = true
      fields = mergeFields(fields, fieldsOf(layer))
    }
    for (const layer of set) fields = mergeFields(fields, layer)
    const own = fields.get('vars')
    const broken = [top, own].some((vars) => vars && 'broken' in vars)
    const vars = mergeFields(mergeFields(fieldsOf(top), fieldsOf(own)), flagVars)
    return { fields, partial, vars: { fields: vars, open: partial || broken } }
  }
}

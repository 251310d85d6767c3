// What the command line lays over a manifest: `--profile name`, `--set field=value`, `--var name=value`. Each flag is a text
// of its own that problems point into.
import { parseDocument } from 'yaml'
import { type Fields, type Marks, merge, mergeFields, type Sourced, sourced } from './merge.ts'
import { didYouMean } from './near.ts'
import { type Findings, type Path, SourceFile } from './problems.ts'
import { checkLayer } from './shape.ts'

/** What the command line lays over every item: a profile of the manifest, then `--set field=value`, and `--var name=value`
 *  over every var. Each text as it was written after its flag. */
export type Layers = { profile?: string | undefined; set: readonly string[]; vars: readonly string[] }

/** A profile by its name, and where it was named. */
type NamedProfile = { name: string; at: Path }

export type Flags = {
  profile?: NamedProfile
  /** A layer for each `--set`, later ones over earlier ones. */
  set: readonly Fields[]
  /** All `--var` together. */
  vars: Fields
}

/** Reads the flags. `known` has the vars that some layer has; undefined where they cannot be told. */
export function readFlags(layers: Layers, known: Fields | undefined, findings: Findings): Flags {
  const set = layers.set.map((written) => setting(written, findings))
  const vars = new Map<string, Sourced>()
  const all = set.reduce((vars, layer) => vars && mergeFields(vars, varsOf(layer)), known)
  for (const written of layers.vars) {
    const [name, value] = variable(written, all, findings) ?? []
    if (name !== undefined && value) vars.set(name, merge(vars.get(name), value))
  }
  const { profile: name } = layers
  const profile = name === undefined ? {} : { profile: { name, at: [flagFile('--profile', name, 0)] } }
  return { set, vars, ...profile }
}

function setting(written: string, findings: Findings): Fields {
  const split = written.indexOf('=')
  const field = written.slice(0, Math.max(0, split)).trim()
  const file = flagFile('--set', written, split + 1)
  if (field === '' || /(^|\.)(\.|$)/.test(field)) {
    const hint = 'as in --set size=2K or --set thinking.level=high'
    findings.add({ at: [file], message: 'is not of the form field=value', hint })
    return new Map()
  }
  const steps = field.split('.')
  const text = written.slice(split + 1)
  const value = readValue(steps, text)
  if (value === undefined) {
    const hint = 'put quotes around it, as in --set \'prompt="…"\''
    findings.add({ at: [file, ...steps], message: 'the value cannot be read as YAML', hint })
    return new Map()
  }
  const data = steps.reduceRight<unknown>((inner, step) => ({ [step]: inner }), value.value)
  const marks: Marks = checkLayer(data, (path) => [file, ...path], findings)
  // A list or a map in a flag is one value, wherever in it the problem is.
  const whole = sourced(data, [file], marks)
  return 'map' in whole ? whole.map : new Map()
}

// Fields that are text. Prose is not YAML: `--set prompt=a: b` means what it says, and quotes around it are taken off.
const TEXTS = ['model', 'provider', 'prompt', 'aspect', 'output', 'system']

function readValue([root, ...rest]: readonly string[], text: string): { value: unknown } | undefined {
  const read = readYaml(text)
  const prose =
    (rest.length === 0 && TEXTS.includes(root!)) || (rest.length > 0 && ['vars', 'metadata'].includes(root!))
  if (!prose || typeof read?.value === 'string') return read
  const scalar = rest.length > 0 && ['number', 'boolean'].includes(typeof read?.value)
  return scalar ? read : { value: text }
}

// An alias is refused, as is what is nested too deeply: the library throws at both.
function readYaml(text: string): { value: unknown } | undefined {
  try {
    const document = parseDocument(text, { version: '1.2', prettyErrors: false, stringKeys: true })
    const readable = document.errors.length === 0 && document.warnings.length === 0
    return readable ? { value: document.toJS({ maxAliasCount: 0 }) } : undefined
  } catch {
    return undefined
  }
}

function variable(
  written: string,
  known: Fields | undefined,
  findings: Findings,
): [string, Sourced] | undefined {
  const split = written.indexOf('=')
  const name = written.slice(0, Math.max(0, split)).trim()
  const file = flagFile('--var', written, split + 1)
  const [root = '', ...rest] = name.split('.')
  const field = rest.join('.')
  if (name === '' || root === '' || (rest.length > 0 && field === '')) {
    const hint = 'as in --var light=dusk or --var tone.warm=oat'
    findings.add({ at: [file], message: 'is not of the form name=value', hint })
    return undefined
  }
  if (known && !has(known, root, field)) {
    const names = [...known].flatMap(([key, value]) =>
      'map' in value ? [...value.map.keys()].map((inner) => `${key}.${inner}`) : [key],
    )
    const hint = didYouMean(name, names) ?? `vars: ${names.slice(0, 20).join(', ') || 'none'}`
    findings.add({ at: [file], within: name, message: `no var is called \`${name}\``, hint })
    return undefined
  }
  const scalar: Sourced = { at: [file, name], scalar: written.slice(split + 1) }
  return [root, field === '' ? scalar : { at: [file, root], map: new Map([[field, scalar]]) }]
}

function has(known: Fields, root: string, field: string): boolean {
  const value = known.get(root)
  if (!value || 'broken' in value) return value !== undefined
  return field === '' || ('map' in value && value.map.has(field))
}

function varsOf(fields: Fields): Fields {
  const vars = fields.get('vars')
  return vars && 'map' in vars ? vars.map : new Map()
}

/** A flag as a text: `--set size=9K`, whose value begins `at` characters after the name of the flag and a space. */
function flagFile(flag: string, written: string, at: number): SourceFile {
  const text = `${flag} ${written}`
  const value = flag.length + 1 + at
  return new SourceFile(
    text,
    ({ part, within }) => {
      const found = within === undefined ? -1 : text.indexOf(within, flag.length)
      if (found !== -1) return { line: 1, column: found + 1, width: within!.length }
      const field = flag.length + 1
      if (part === 'key' && at > 0) return { line: 1, column: field + 1, width: Math.max(1, at - 1) }
      return { line: 1, column: value + 1, width: Math.max(1, text.length - value) }
    },
    () => text,
  )
}

/** All vars of some layers, for flags and suggestions; undefined where a part of them is broken. */
export function allVars(layers: readonly (Sourced | undefined)[]): Fields | undefined {
  let all: Fields | undefined = new Map()
  for (const layer of layers) {
    if (layer && 'broken' in layer) return undefined
    if (all && layer && 'map' in layer) all = mergeFields(all, layer.map)
  }
  return all
}

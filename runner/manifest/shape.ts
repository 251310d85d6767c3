// Whether the values have the shape the schema says, in plain words: the validator's own wording never leaves this file.
// A misspelt key is one problem, not an unknown key and a missing one.
import type { z } from 'zod'
import { near } from './near.ts'
import type { Findings, Path } from './problems.ts'
import {
  FallbackSchema,
  FromReferenceSchema,
  ImageReferenceSchema,
  ItemSchema,
  LayerSchema,
  MANIFEST_VERSION,
  ManifestSchema,
  ThinkingSchema,
} from './schema.ts'

type Issue = z.core.$ZodIssue

/** Reports every value that is not as the schema wants it. Returns false when the document cannot be read further: its
 *  shape is wrong outside of single items and presets. The others are named by `broken`, as `items.x` or `presets.x`. */
export function checkShape(data: unknown, findings: Findings): { readable: boolean; broken: Set<string> } {
  const broken = new Set<string>()
  const version = valueAt(data, ['version'])
  if (typeof version === 'number' && version > MANIFEST_VERSION) {
    const message = `this manifest is of version ${version}; this proofsheet reads version ${MANIFEST_VERSION}`
    findings.add({ at: ['version'], message, hint: 'upgrade proofsheet' })
    return { readable: false, broken }
  }
  const { error } = ManifestSchema.safeParse(data)
  let readable = true
  for (const issue of error?.issues ?? []) {
    const [section, name] = issue.path
    if ((section === 'items' || section === 'presets') && name !== undefined)
      broken.add(`${section}.${String(name)}`)
    else readable = false
  }
  report(error?.issues ?? [], data, (path) => path, findings)
  return { readable, broken }
}

/** Reports the issues of a schema on one value. `place` tells where a part of the value is in the document. */
export function report(
  issues: readonly Issue[],
  data: unknown,
  place: (path: Path) => Path,
  findings: Findings,
  item?: string,
): void {
  const known = item === undefined ? {} : { item }
  const misspelt = new Set<string>()
  const missing: { at: Path; key: string }[] = []
  for (const issue of issues.flatMap((each) => narrow(each, [], data))) {
    const path = issue.path.map((step) => (typeof step === 'number' ? step : String(step)))
    const at = place(path)
    const value = valueAt(data, path)
    if (issue.code === 'unrecognized_keys') {
      const keys = keysAt(at)
      for (const key of issue.keys) {
        const meant = SYNONYMS[key] ?? near(key, keys)[0]
        if (meant !== undefined) misspelt.add([...at, meant].join('\0'))
        findings.add({ at: [...at, key], part: 'key', ...unknownKey(key, meant, keys), ...known })
      }
    } else if (issue.code === 'invalid_type' && value === undefined) {
      missing.push({ at, key: String(at.at(-1)) })
    } else if (issue.code === 'invalid_key') {
      const key = String(at.at(-1))
      const { message = 'is not a name' } =
        key === '<<' ? unknownKey(key, undefined, []) : (issue.issues[0] ?? {})
      findings.add({ at, part: 'key', message: key === '<<' ? message : `\`${key}\` ${message}` })
    } else {
      findings.add({ at, ...plainWords(issue, value, String(at.at(-1))), ...known })
    }
  }
  for (const { at, key } of missing) {
    if (misspelt.has(at.join('\0'))) continue
    const owner = at.slice(0, -1)
    findings.add({ at: owner, part: 'key', message: `has no \`${key}\``, ...known })
  }
}

/** What an issue says, and a hint. `key` is the last step of the path. */
function plainWords(issue: Issue, value: unknown, key: string): { message: string; hint?: string } {
  const is = `, is ${show(value)}`
  switch (issue.code) {
    case 'invalid_type':
      return {
        message: `must be ${WHOLE.has(key) ? 'a whole number' : (KINDS[issue.expected] ?? issue.expected)}${is}`,
      }
    case 'invalid_value': {
      const values = issue.values.map(String).filter((v) => v !== '...')
      const [nearest] = near(String(value), values)
      const message = `must be ${values.length > 1 ? 'one of ' : ''}${values.join(', ')}${is}`
      return nearest === undefined ? { message } : { message, hint: `did you mean \`${nearest}\`?` }
    }
    case 'too_small':
      if (issue.origin === 'array') return { message: 'is an empty list' }
      if (issue.origin === 'string') return { message: 'is empty' }
      return { message: `must be ${issue.inclusive ? 'at least' : 'more than'} ${issue.minimum}${is}` }
    case 'too_big':
      if (issue.origin === 'string') return { message: `is longer than ${issue.maximum} characters` }
      return { message: `must be at most ${issue.maximum}${is}` }
    case 'invalid_format':
      // Our own words where the schema has some; the validator's begin with "Invalid".
      if (!issue.message.startsWith('Invalid')) return { message: `${show(value)} ${issue.message}` }
      return { message: `must be of the form ${issue.pattern ?? issue.format}${is}` }
    case 'custom':
      return { message: issue.message }
    default:
      return { message: `is not what belongs here${is}` }
  }
}

// Of a text where a whole number belongs, the validator says only that it is no number.
const WHOLE = new Set(['samples', 'seed', 'topK', 'maxOutputTokens', 'budget'])

// What the validator expected → what a person calls it.
const KINDS: Record<string, string> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
  record: 'a map',
}

/** A value as it fits into a sentence. */
export function show(value: unknown): string {
  if (value === null) return 'empty'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a map'
  const text = JSON.stringify(value) ?? 'missing'
  return text.length > 60 ? `${text.slice(0, 57)}…"` : text
}

// A union says only that nothing fitted. Which of its members was meant shows in the value; the problems of that member
// are the ones to tell.
function narrow(issue: Issue, base: readonly PropertyKey[], data: unknown): Issue[] {
  const path = [...base, ...issue.path]
  if (issue.code !== 'invalid_union') return [{ ...issue, path } as Issue]
  const value = valueAt(data, path)
  const say = (message: string): Issue[] => [{ code: 'custom', path, message, input: value }]
  const member = (issue.errors[branchOf(path, value)] ?? []) as Issue[]
  if (isReference(path) && isMap(value)) {
    const which = ['image', 'from'].filter((key) => Object.hasOwn(value, key))
    if (which.length === 2) return say('has both `image` and `from`')
    // A misspelt `image` or `from` is told as an unknown key.
    const unknown = member.filter(({ code }) => code === 'unrecognized_keys')
    if (which.length === 0 && unknown.length === 0) return say('has neither `image` nor `from`')
    if (which.length === 0) return unknown.map((each) => ({ ...each, path }) as Issue)
  }
  const wanted = alternatives(path)
  if (wanted && member.some((inner) => inner.code === 'invalid_type' && inner.path.length === 0))
    return say(`must be ${wanted}, is ${show(value)}`)
  return member.flatMap((inner) => narrow(inner, path, data))
}

/** What a union takes, in words; undefined where its first member says it all. */
function alternatives(path: readonly PropertyKey[]): string | undefined {
  if (isReference(path)) return 'a path, an https URL, @name, {image} or {from}'
  if (path.at(-2) === 'matrix') return 'a list of values, or a map of id → value'
  if (path.at(-2) === 'fallback' || path.at(-2) === 'safetySettings') return 'a map'
  const scalar = path.at(-1) === 'size' || ['vars', 'metadata', 'matrix'].some((key) => path.includes(key))
  return scalar ? 'text or a number' : undefined
}

/** Index of the union's member that the value is meant to be. The order of members is schema.ts's. */
function branchOf(path: readonly PropertyKey[], value: unknown): number {
  if (isReference(path)) return isMap(value) ? ('from' in value ? 2 : 1) : 0
  if (path.at(-2) === 'matrix') return Array.isArray(value) || !isMap(value) ? 0 : 1
  // A value or a map of values: axis entries and vars.
  if (path.at(-2) === 'vars' || path.at(-3) === 'matrix') return isMap(value) ? 1 : 0
  return 0
}

function isReference(path: readonly PropertyKey[]): boolean {
  return path.at(-2) === 'refs' && typeof path.at(-1) === 'number'
}

// Words that other tools use for our keys.
const SYNONYMS: Record<string, string> = {
  references: 'refs',
  images: 'refs',
  variables: 'vars',
  n: 'samples',
  count: 'samples',
  aspectRatio: 'aspect',
  aspect_ratio: 'aspect',
  ratio: 'aspect',
  imageSize: 'size',
  resolution: 'size',
  extends: 'use',
  preset: 'use',
}

function unknownKey(key: string, meant: string | undefined, keys: readonly string[]) {
  const message = key === '<<' ? 'merge keys are not read' : `unknown key \`${key}\``
  if (key === '<<') return { message, hint: 'put the fields into `presets` and say `use: [name]`' }
  if (meant !== undefined && keys.includes(meant)) return { message, hint: `did you mean \`${meant}\`?` }
  if (key in ItemSchema.shape) return { message, hint: `\`${key}\` belongs to an item` }
  return { message, hint: `known keys: ${keys.join(', ')}` }
}

/** The keys that a map at this place may have. */
function keysAt(path: Path): readonly string[] {
  const [section] = path
  const owner = typeof path.at(-1) === 'number' ? path.at(-2) : path.at(-1)
  if (path.length === 0) return Object.keys(ManifestSchema.shape)
  if (path.length === 1) return Object.keys(LayerSchema.shape)
  if (path.length === 2) return Object.keys((section === 'items' ? ItemSchema : LayerSchema).shape)
  if (owner === 'refs')
    return [...Object.keys(ImageReferenceSchema.shape), ...Object.keys(FromReferenceSchema.shape)]
  if (owner === 'fallback') return Object.keys(FallbackSchema.shape)
  if (owner === 'thinking') return Object.keys(ThinkingSchema.shape)
  return ['category', 'threshold']
}

function isMap(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

function valueAt(data: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, step) =>
      value !== null && typeof value === 'object' && Object.hasOwn(value, step)
        ? (value as Record<PropertyKey, unknown>)[step]
        : undefined,
    data,
  )
}

// A union says only that nothing fitted. Which of its members was meant shows in the value; the problems of that member are
// the ones to tell. The order of members is that of fields.ts and schema.ts.
import type { z } from 'zod'
import { axisKind } from './axis-kind.ts'
import { isMap, show, valueAt } from './words.ts'

export type Issue = z.core.$ZodIssue

/** The issues that are worth telling, with paths from the top of `data`. `base` is where the issue's path begins. */
export function narrow(issue: Issue, base: readonly PropertyKey[], data: unknown): Issue[] {
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
  if (isAxis(path) && isMap(value) && axisKind(value) !== 'map') {
    const has = (key: string) => typeof value[key] === 'string'
    if (has('table') && has('glob')) return say('has both `table` and `glob`')
  }
  const wanted = alternatives(path)
  if (wanted && member.some((inner) => inner.code === 'invalid_type' && inner.path.length === 0))
    return say(`must be ${wanted}, is ${show(value)}`)
  return member.flatMap((inner) => narrow(inner, path, data))
}

/** What a union takes, in words; undefined where its first member says it all. */
function alternatives(path: readonly PropertyKey[]): string | undefined {
  if (isReference(path)) {
    const name = path.length === 2 ? '' : '@name, '
    return `a path, an https URL, ${name}{image} or {from}`
  }
  if (isAxis(path)) return 'a list of values, a map of id → value, {table, key} or {glob}'
  if (path[0] === 'prices') return '{perRequest}, or {inputPerMillion, textPerMillion, imagePerMillion}'
  if (path.at(-2) === 'fallback' || path.at(-2) === 'safetySettings') return 'a map'
  if (path.at(-3) === 'skip') return 'text, a number or a list of them'
  const owners = ['vars', 'metadata', 'matrix', 'tags', 'skip']
  const scalar = path.at(-1) === 'size' || owners.some((key) => path.includes(key))
  return scalar ? 'text or a number' : undefined
}

const AXIS_MEMBERS = { map: 1, table: 2, glob: 3 }

/** Index of the union's member that the value is meant to be. */
function branchOf(path: readonly PropertyKey[], value: unknown): number {
  if (isReference(path)) return isMap(value) ? ('from' in value ? 2 : 1) : 0
  if (isAxis(path)) {
    if (!isMap(value)) return 0
    return AXIS_MEMBERS[axisKind(value)]
  }
  if (path[0] === 'prices')
    return isMap(value) && !('perRequest' in value) && Object.keys(value).length > 0 ? 1 : 0
  if (path.at(-3) === 'skip') return Array.isArray(value) ? 1 : 0
  // A value or a map of values: axis entries and vars.
  if (path.at(-2) === 'vars' || path.at(-3) === 'matrix') return isMap(value) ? 1 : 0
  return 0
}

function isReference(path: readonly PropertyKey[]): boolean {
  if (path.length === 2 && path[0] === 'refs') return true
  return path.at(-2) === 'refs' && typeof path.at(-1) === 'number'
}

function isAxis(path: readonly PropertyKey[]): boolean {
  return path.at(-2) === 'matrix' && path.length === 4
}

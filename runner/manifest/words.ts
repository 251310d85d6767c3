// What the validator found, in the words of a person: its own never leave the files about shape.
import type { z } from 'zod'
import { HARM_CATEGORIES } from '../../core/request.ts'
import { near } from './near.ts'
import type { Path } from './problems.ts'

/** What an issue says, and a hint. `at` is where the value is written. */
export function plainWords(
  issue: z.core.$ZodIssue,
  value: unknown,
  at: Path,
): { message: string; hint?: string } {
  const is = `, is ${show(value)}`
  switch (issue.code) {
    case 'invalid_type': {
      const kind = issue.expected === 'number' && isWhole(at) ? 'int' : issue.expected
      return { message: `must be ${KINDS[kind] ?? kind}${is}` }
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
      if (issue.origin === 'array') return { message: `has more than ${issue.maximum} entries` }
      return { message: `must be at most ${issue.maximum}${is}` }
    case 'invalid_format':
      // Our own words where the schema has some; the validator's begin with "Invalid".
      if (at.at(-1) === 'category')
        return { message: `${issue.message}${is}`, hint: categoryHint(String(value)) }
      if (!issue.message.startsWith('Invalid')) return { message: `${show(value)} ${issue.message}` }
      return { message: `must be of the form ${issue.pattern ?? issue.format}${is}` }
    case 'custom':
      return { message: issue.message }
    default:
      return { message: `is not what belongs here${is}` }
  }
}

// `HATE_SPEECH` is near `HARM_CATEGORY_HATE_SPEECH`, though most of its letters are missing.
function categoryHint(written: string): string {
  const own = written.toUpperCase().replace(/[^A-Z]+/g, '_')
  const names = HARM_CATEGORIES.map((name) => name.slice(HARM_PREFIX.length))
  const [nearest] = near(own.replace(/^HARM_(CATEGORY_)?/, ''), names)
  if (nearest !== undefined) return `did you mean \`${HARM_PREFIX}${nearest}\`?`
  return `categories: ${HARM_CATEGORIES.join(', ')}`
}

const HARM_PREFIX = 'HARM_CATEGORY_'

// Of a text where a whole number belongs, the validator says only that it is no number.
function isWhole(at: Path): boolean {
  if (at[0] === 'budget') return false
  return ['samples', 'seed', 'topK', 'maxOutputTokens', 'budget', 'max'].includes(String(at.at(-1)))
}

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

export function isMap(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

/** A part of a plain value; undefined where there is none. */
export function valueAt(data: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, step) =>
      value !== null && typeof value === 'object' && Object.hasOwn(value, step)
        ? (value as Record<PropertyKey, unknown>)[step]
        : undefined,
    data,
  )
}

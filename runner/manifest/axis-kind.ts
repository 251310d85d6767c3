// How an axis that is a map is told apart: the rows of a table, the files of a pattern, or values of its own. A misspelt key
// must not make values of what was meant as a table: `{ golb: ./photos/*.jpg }` would be one picture, called `golb`.
import { meantBy } from './near.ts'

type AxisKind = 'table' | 'glob' | 'map'

const KEYS = ['table', 'glob', 'key']
const TABLE_NAME = /\.(csv|tsv|jsonl|ndjson|json|ya?ml)$/i
const FILE_PATTERN = /[*?[{/]/

/** What a map on an axis is meant to be. */
export function axisKind(axis: object): AxisKind {
  const { table, glob, ...others } = axis as Record<string, unknown>
  const isAlone = (key: string) => Object.keys(axis).every((each) => each === key || each === 'key')
  if (typeof table === 'string' && (isAlone('table') || TABLE_NAME.test(table))) return 'table'
  if (typeof glob === 'string' && (isAlone('glob') || FILE_PATTERN.test(glob))) return 'glob'
  return Object.keys(others).length > 0 ? misspelt(axis as Record<string, unknown>) : 'map'
}

function misspelt(axis: Record<string, unknown>): AxisKind {
  const meant = Object.keys(axis).map((key) => meantBy(key, KEYS))
  const isTexts = Object.values(axis).every((value) => typeof value === 'string')
  if (!isTexts || new Set(meant).size < meant.length || meant.includes(undefined)) return 'map'
  const [path = ''] = Object.values(axis).filter((_, index) => meant[index] !== 'key') as string[]
  if (meant.includes('table') && (meant.includes('key') || TABLE_NAME.test(path))) return 'table'
  return meant.includes('glob') && meant.length === 1 && FILE_PATTERN.test(path) ? 'glob' : 'map'
}

// What a schema finds wrong, in words for whoever sent it. A schema's own words go before these.
import type { z } from 'zod'

/** The words of an issue; undefined where those of the validator are to be used. */
export function plainWords(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'too_small':
      return leastWords(issue.origin, Number(issue.minimum), issue.inclusive ?? true)
    case 'too_big':
      return mostWords(issue.origin, Number(issue.maximum), issue.inclusive ?? true)
    case 'invalid_format':
      return FORMATS[issue.format]
    default:
      return undefined
  }
}

const FORMATS: Readonly<Record<string, string>> = {
  datetime: 'must be an instant of UTC, such as 2026-11-21T09:30:00Z',
  date: 'must be a day, such as 2026-11-21',
  url: 'must be an https:// address on a public host',
}

function leastWords(origin: string, least: number, isInclusive: boolean): string {
  const of = unitOf(origin, least)
  if (of === undefined) return `must be ${isInclusive ? 'at least' : 'more than'} ${least}`
  return least === 1 ? 'must not be empty' : `must have at least ${least} ${of}`
}

function mostWords(origin: string, most: number, isInclusive: boolean): string {
  const of = unitOf(origin, most)
  if (of === undefined) return `must be ${isInclusive ? 'at most' : 'less than'} ${most}`
  return `may have at most ${most} ${of}`
}

/** What is counted in a value; undefined for a number. */
function unitOf(origin: string, count: number): string | undefined {
  if (origin === 'string') return count === 1 ? 'character' : 'characters'
  if (origin === 'array') return count === 1 ? 'entry' : 'entries'
  return undefined
}

// `from` and `to` of a call: days or instants, as ISO 8601 writes them.
import { z } from 'zod'
import { fieldProblem } from './problem.ts'

/** Epoch ms: from this on, and before this. */
export type Span = { from?: number; before?: number }

const DAY_MS = 86_400_000
const Day = z.iso.date()
const Instant = z.iso.datetime({ offset: true })

/** The span of `from` and `to`. Days are those of UTC, and the last one is in it whole. Throws `invalid_request`. */
export function spanOf(query: { from?: string | undefined; to?: string | undefined }): Span {
  const from = instantOf('from', query.from, 0)
  const before = instantOf('to', query.to, DAY_MS)
  if (from !== undefined && before !== undefined && before <= from)
    throw fieldProblem('to', 'is before `from`')
  return { ...(from === undefined ? {} : { from }), ...(before === undefined ? {} : { before }) }
}

/** `dayMs`: what is added to a whole day. */
function instantOf(path: string, text: string | undefined, dayMs: number): number | undefined {
  if (text === undefined) return undefined
  if (Day.safeParse(text).success) return Date.parse(`${text}T00:00:00Z`) + dayMs
  // In an address `+` stands for a space.
  const instant = text.replace(' ', '+')
  if (Instant.safeParse(instant).success) return Date.parse(instant)
  throw fieldProblem(path, 'give a day (2026-11-21) or an instant with its zone (2026-11-21T09:30:00Z)')
}

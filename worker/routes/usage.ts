// /api/usage: what was spent, from the ledger.
import { CONTRACT } from '../../core/contract.ts'
import { USAGE_BY, type UsageBy } from '../../core/usage.ts'
import { USAGE } from '../description/examples.ts'
import { fromDatabase } from '../http/database.ts'
import { declare, routes } from '../http/declare.ts'
import { Problem } from '../http/problem.ts'
import { spanOf } from '../http/span.ts'
import { usageOf } from '../money/usage.ts'

const route = declare(CONTRACT.usage, {
  summary: 'What was spent, by day, model, provider, token or batch',
  description:
    'Sums of the ledger of the workspace. A call counts once, at the instant it was sent; one that ended a moment ago may still be told as under way. What the emulator drew is not in it: that is a workspace of its own.',
  tag: 'Prices',
  answers: { 200: { description: 'The sums.', example: USAGE } },
  problems: ['invalid_request', 'unavailable'],
})

export const usage = routes().openapi(route, async (c) => {
  const query = c.req.valid('query')
  const by = byOf(query.by)
  const span = spanOf(query)
  return c.json(await fromDatabase(c, () => usageOf(c.env.DB, c.var.workspace, span, by)), 200)
})

function byOf(text = 'day'): UsageBy {
  const by = USAGE_BY.find((known) => known === text)
  if (by) return by
  const message = `must be one of ${USAGE_BY.join(', ')}`
  throw new Problem('invalid_request', `by: ${message}`, { errors: [{ path: 'by', message }] })
}

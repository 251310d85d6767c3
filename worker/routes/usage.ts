// /api/usage: what was spent, from the ledger.
import { CONTRACT } from '../../core/contract.ts'
import { USAGE_BY, type UsageBy } from '../../core/usage.ts'
import { USAGE } from '../description/examples.ts'
import { declare, routes } from '../http/declare.ts'
import { fieldProblem } from '../http/problem.ts'
import { reached } from '../http/reach.ts'
import { spanOf } from '../http/span.ts'
import { workspaceOf } from '../http/workspace.ts'
import { usageOf } from '../money/usage.ts'

const route = declare(CONTRACT.usage, {
  summary: 'What was spent, by day, model, provider, token or batch',
  description:
    'Sums of the ledger of the workspace. A call counts once, at the instant it was sent; one that ended a moment ago may still be told as under way. At most 1,000 rows at a time. With `emulated` it is what the emulator drew, at list prices, and nothing of it was paid; that is kept apart from what was bought.',
  tag: 'Prices',
  answers: { 200: { description: 'The sums.', example: USAGE } },
  problems: ['invalid_request', 'unavailable'],
})

export const usage = routes().openapi(route, async (c) => {
  const query = c.req.valid('query')
  const by = byOf(query.by)
  const span = spanOf(query)
  const workspace = workspaceOf(c, query)
  const read = () => usageOf(c.env.DB, workspace, span, by, query.cursor)
  const sums = await reached(c.var, 'the ledger of this worker', read)
  return c.json({ ...sums, emulated: c.var.market.emulated }, 200)
})

function byOf(text = 'day'): UsageBy {
  const by = USAGE_BY.find((known) => known === text)
  if (by) return by
  throw fieldProblem('by', `must be one of ${USAGE_BY.join(', ')}`)
}

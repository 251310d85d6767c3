// One event per line, for programs. The first line names the format, so that a reader can refuse what it does not know.
import type { Quote } from '../../core/cost.ts'
import { toUsd } from '../../core/money.ts'
import { PRICE_TABLE_VERSION } from '../../core/prices.ts'
import type { Plan } from '../plan/plan.ts'
import type { Progress, ProgressContext } from './context.ts'

/** Writes events as JSON lines on stderr. */
export function jsonProgress({ stderr, total, now }: ProgressContext): Progress {
  const write = (line: object) => stderr.write(`${JSON.stringify(line)}\n`)
  write({ type: 'version', format: 'proofsheet-events', version: 1, total })
  return {
    event: (event) => write({ ...event, at: new Date(now()).toISOString() }),
    end: () => {},
  }
}

/** The plan as JSON. Money is decimal USD, null where it is not known. */
export function planJson(plan: Plan, worker: string) {
  const money = (quote: Quote) => ({
    expected: quote.unknown.length === 0 ? toUsd(quote.expected) : null,
    atMost: quote.unknown.length === 0 ? toUsd(quote.atMost) : null,
    unknown: quote.unknown,
  })
  return {
    format: 'proofsheet-plan',
    version: 1,
    worker,
    emulated: plan.emulated,
    pricesAsOf: PRICE_TABLE_VERSION,
    ...money(plan.quote),
    currency: 'USD',
    items: plan.items.map((p) => ({
      id: p.item.id,
      state: p.state,
      reasons: p.reasons,
      provider: p.provider,
      model: p.item.model,
      size: p.size,
      aspect: p.item.aspect ?? null,
      fingerprint: p.fingerprint,
      ...money(p.quote),
    })),
    orphans: plan.orphans.map((entry) => entry.id),
  }
}

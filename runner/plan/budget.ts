// What a budget says of a plan: whether the most it may cost fits, and which pictures may cost more than one may.
import type { Quote } from '../../core/cost.ts'
import { formatUsd, type MicroUsd } from '../../core/money.ts'
import type { Budget } from '../manifest/item.ts'
import { type Plan, toMake } from './plan.ts'

/** How a plan stands to its limit. `over`: it is expected to cost more; `maybe`: it may, at most. */
export type Fit = 'fits' | 'maybe' | 'over' | 'unknown'

/** The limit of a run: the budget's, which a flag may lower and never raise; undefined when there is none. */
export function limitOf(budget: Budget, maxCost?: MicroUsd): MicroUsd | undefined {
  const limits = [budget.max, maxCost].filter((limit) => limit !== undefined)
  return limits.length === 0 ? undefined : Math.min(...limits)
}

/** Whether a sum fits into a limit. */
export function fitOf(quote: Quote, limit: MicroUsd): Fit {
  if (quote.expected > limit) return 'over'
  if (quote.unknown.length > 0) return 'unknown'
  return quote.atMost > limit ? 'maybe' : 'fits'
}

/** `item`: an example, at this line of the manifest. */
export type OverPerImage = { item: string; line: number; message: string }

/** What may cost more than `budget.per_image`, or may for all that is known. Pictures of one item with one price are one
 *  problem. */
export function overPerImage(plan: Plan, { perImage }: Budget): OverPerImage[] {
  if (perImage === undefined) return []
  const problems = toMake(plan).flatMap(({ item, quote }) => {
    const message = messageOf(quote, perImage)
    return message === undefined ? [] : [{ item: item.id, line: item.line, message }]
  })
  const groups = Map.groupBy(problems, ({ line, message }) => `${line} ${message}`)
  return [...groups.values()].map(([first, ...others]) => {
    const more = others.length > 0 ? ` and ${others.length} more` : ''
    return { ...first!, message: `${first!.message} (in ${first!.item}${more})` }
  })
}

function messageOf({ atMost, unknown }: Quote, perImage: MicroUsd): string | undefined {
  const limit = `\`budget.per_image\` of ${formatUsd(perImage)}`
  if (atMost > perImage)
    return `may cost up to ${formatUsd(atMost)}, more than ${limit}: take a smaller size, a cheaper model or fewer fallbacks, or raise it`
  if (unknown.length > 0)
    return `${limit} cannot be kept, because this is not known: ${unknown.join(', ')}; say it under \`prices\``
  return undefined
}

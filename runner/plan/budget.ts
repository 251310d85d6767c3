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
export type OverPerImage = { item: string; line: number; message: string; hint: string }

/** What may cost more than `budget.per_image`, or may for all that is known. Pictures of one item with one price are one
 *  problem. */
export function overPerImage(plan: Plan, { perImage }: Budget): OverPerImage[] {
  if (perImage === undefined) return []
  const problems = toMake(plan).flatMap(({ item, quote }) => {
    const problem = problemOf(quote, perImage)
    return problem === undefined ? [] : [{ item: item.id, line: item.line, ...problem }]
  })
  const groups = Map.groupBy(problems, ({ line, message }) => `${line} ${message}`)
  return [...groups.values()].map(([first, ...others]) => {
    const { item, message } = first!
    const more = others.length > 0 ? ` and ${others.length} more` : ''
    // An item of one picture is named by the place already.
    return more || /[/#]/.test(item) ? { ...first!, message: `${message} (in ${item}${more})` } : first!
  })
}

function problemOf(
  { atMost, unknown }: Quote,
  perImage: MicroUsd,
): { message: string; hint: string } | undefined {
  const limit = `\`budget.per_image\` of ${formatUsd(perImage)}`
  if (atMost > perImage)
    return {
      message: `may cost up to ${formatUsd(atMost)}, more than ${limit}`,
      hint: 'take a smaller size, a cheaper model or fewer fallbacks, or raise it',
    }
  if (unknown.length > 0)
    return {
      message: `${limit} cannot be kept, because this is not known: ${unknown.join(', ')}`,
      hint: 'say it under `prices`',
    }
  return undefined
}

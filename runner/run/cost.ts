// What a generation cost, by the prices of the manifest where it gives some, else by the worker's. Both are settled by the
// same code over the same usage.
import type { GenerationView } from '../../core/api.ts'
import { settle, type Usage } from '../../core/cost.ts'
import { toUsd } from '../../core/money.ts'
import type { Manifest } from '../manifest/item.ts'

export type Prices = Manifest['prices']

/** USD of all attempts of an ended generation; null when one of them is not known. */
export function costOf(view: GenerationView, prices: Prices): number | null {
  const { attempts, usage } = view
  const rowOf = (attempt: (typeof attempts)[number]) => prices[attempt.provider]?.[attempt.model]
  if (!attempts.some((attempt) => attempt.charged !== 'no' && rowOf(attempt))) return view.cost.actual
  const pictures = (view.image ? 1 : 0) + view.moreImages.length
  let sum = 0
  for (const attempt of attempts) {
    if (attempt.charged === 'no') continue
    if (attempt.charged === 'unknown') return null
    const row = rowOf(attempt)
    // A generation tells the usage of its last attempt.
    const isLast = attempt === attempts.at(-1)
    const own = row && settle(row, isLast ? ((usage ?? undefined) as Usage | undefined) : undefined, pictures)
    const cost = row ? own : attempt.cost === null ? undefined : Math.round(attempt.cost * 1e6)
    if (cost === undefined) return null
    sum += cost
  }
  return toUsd(sum)
}

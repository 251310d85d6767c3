// Models end. A picture of one that has ended cannot be made; of one that ends soon, not for long.
import type { Model } from '../../core/models.ts'

/** Days before a model's end in which it is told of. */
const SOON_DAYS = 60

const DAY_MS = 86_400_000

/** What is said of a model on a day (`2026-11-21`); undefined when it lives on, or the day is not known. */
export function endOf(
  { short, lifecycle }: Pick<Model, 'short' | 'lifecycle'>,
  today: string,
): { severity: 'error' | 'warning'; message: string; hint?: string } | undefined {
  const { shutdownOn, successor } = lifecycle
  if (shutdownOn === undefined) return undefined
  const days = Math.round((Date.parse(shutdownOn) - Date.parse(today)) / DAY_MS)
  if (!(days <= SOON_DAYS)) return undefined
  const advice = successor === undefined ? {} : { hint: `its successor is ${successor}` }
  if (days < 0) return { severity: 'error', message: `${short} was shut down on ${shutdownOn}`, ...advice }
  const left = days === 0 ? 'today' : `in ${days} ${days === 1 ? 'day' : 'days'}`
  return { severity: 'warning', message: `${short} is shut down ${left}, on ${shutdownOn}`, ...advice }
}

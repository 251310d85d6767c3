// Roughly how long a plan takes. The seconds are reports of users, not promises: good for "a cup of coffee or a night".
import type { Size } from '../../core/models.ts'
import { type Plan, type PlanItem, toMake } from './plan.ts'
import { familiesOf, upstreamFirst, upstreamOf } from './upstream.ts'

// Seconds from request to picture, as reported up to 2026-11: Lite about 4, Nano Banana 2 12–13 and Pro about 23 at 1K,
// 2.1 15–40, anything at 4K 30–150 (middle taken). Nobody has reported 512 and 2K: they count as 1K.
const SECONDS: Readonly<Record<string, number>> = {
  'gemini-3.1-flash-lite-image': 4,
  'gemini-3.1-flash-image': 13,
  'gemini-3-pro-image': 23,
  'gemini-nano-banana-2.1': 27,
}
const SECONDS_4K = 90

/** Seconds of one picture; undefined where nobody has reported any. */
function secondsOf(model: string, size: Size): number | undefined {
  const seconds = SECONDS[model]
  return seconds !== undefined && size === '4K' ? SECONDS_4K : seconds
}

/** Seconds for all that is to be made with so many in flight: the work shared out, but never less than the longest chain of
 *  pictures made from each other. Models that nobody has timed are left out; undefined when none is left, and for the
 *  emulator, which takes no time of its own. */
export function durationOf(plan: Plan, inFlight: number): number | undefined {
  if (plan.emulated) return undefined
  const pictures = toMake(plan)
  const timed = pictures.flatMap((p) => secondsOf(p.item.model, p.size) ?? [])
  if (timed.length === 0) return undefined
  const work = timed.reduce((sum, seconds) => sum + seconds, 0)
  return Math.max(work / inFlight, longestChain(pictures))
}

function longestChain(pictures: readonly PlanItem[]): number {
  const items = pictures.map((p) => p.item)
  const sizes = new Map(pictures.map((p) => [p.item.id, p.size]))
  const ends = new Map<string, number>()
  let longest = 0
  for (const item of upstreamFirst(items, familiesOf(items))) {
    const ready = upstreamOf(item).reduce((latest, id) => Math.max(latest, ends.get(id) ?? 0), 0)
    const end = ready + (secondsOf(item.model, sizes.get(item.id)!) ?? 0)
    ends.set(item.id, end)
    longest = Math.max(longest, end)
  }
  return longest
}

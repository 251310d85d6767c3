// How figures look to people.
import { type Quote, unknownExpected } from '../../core/cost.ts'
import { formatUsd, type MicroUsd } from '../../core/money.ts'

/** An amount for a table: rounded up to a hundredth of a cent. */
export function amount(microUsd: MicroUsd): string {
  return formatUsd(Math.ceil(microUsd / 100) * 100)
}

/** One figure of a quote: `?` when nothing of it is known, `≥` when something is missing from it. */
export function quoted(microUsd: MicroUsd, { unknown }: Pick<Quote, 'unknown'>): string {
  if (unknown.length === 0) return amount(microUsd)
  return microUsd === 0 ? '?' : `≥ ${amount(microUsd)}`
}

/** The expected figure of a quote. */
export function quotedExpected(quote: Quote): string {
  return quoted(quote.expected, { unknown: unknownExpected(quote) })
}

/** The most that a quote may come to. */
export function quotedAtMost(quote: Quote): string {
  return quoted(quote.atMost, quote)
}

/** USD from JSON, where null is not known. */
export function usdOf(usd: number | null): string {
  return usd === null ? '?' : amount(Math.round(usd * 1_000_000))
}

/** `3.4 s`, `2 min 5 s` */
export function duration(ms: number): string {
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}

/** `about 40 s`, `about 4 min`, `about 3 h` */
export function roughly(seconds: number): string {
  if (seconds < 55) return `about ${Math.max(5, Math.ceil(seconds / 5) * 5)} s`
  if (seconds < 90 * 60) return `about ${Math.round(seconds / 60)} min`
  return `about ${Math.round(seconds / 3600)} h`
}

/** `812 KB`, `1.4 MB` */
export function fileSize(bytes: number): string {
  return bytes < 1_000_000 ? `${Math.ceil(bytes / 1000)} KB` : `${(bytes / 1_000_000).toFixed(1)} MB`
}

/** `1 picture`, `3 pictures` */
export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`
}

// Money is whole micro-USD ($1 = 1,000,000). Fractions exist only inside one sum and are rounded up at its end.

/** Whole micro-USD. */
export type MicroUsd = number

/** USD as a decimal number, for JSON. */
export function toUsd(microUsd: MicroUsd): number {
  return microUsd / 1_000_000
}

/** Micro-USD of a decimal number of USD as people write it (`0.055`); undefined when negative, not finite, or finer
 *  than a micro-USD. */
export function fromUsd(usd: number): MicroUsd | undefined {
  const micro = Math.round(usd * 1_000_000)
  // The quotient is the double nearest to the decimal, as the parsed literal is: equal only when nothing was lost.
  return usd >= 0 && Number.isSafeInteger(micro) && toUsd(micro) === usd ? micro : undefined
}

/** `$0.055`, `$12.40`: at least two decimals, and as many more as the amount has. */
export function formatUsd(microUsd: MicroUsd): string {
  const [whole, fraction = ''] = (Math.abs(microUsd) / 1_000_000).toFixed(6).split('.')
  const decimals = fraction.replace(/0+$/, '').padEnd(2, '0')
  return `${microUsd < 0 ? '-' : ''}$${whole}.${decimals}`
}

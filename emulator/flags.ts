// Faults and limits as the command line names them. Returns what they mean, or says what is wrong with them.
import { FAULTS, type FaultName } from './faults.ts'
import type { LimitRule } from './limits.ts'
import type { FaultRule } from './mischief.ts'

/** A flag that cannot be read; the message names it. */
export class FlagError extends Error {
  override name = 'FlagError'
}

/** `--fault name=probability[,param=value…]`; with a seed, other draws than without. @throws FlagError */
export function faultRule(text: string, seed: string | undefined): FaultRule {
  const [first = '', ...rest] = text.split(',')
  const { name, value } = pairOf('--fault', first)
  if (!Object.hasOwn(FAULTS, name))
    throw new FlagError(`--fault knows ${Object.keys(FAULTS).join(', ')}, not ${JSON.stringify(name)}`)
  const probability = Number(value)
  if (!(probability >= 0 && probability <= 1))
    throw new FlagError(`--fault ${name} takes a probability from 0 to 1, not ${value}`)
  const { provider, ...parameters } = Object.fromEntries(
    rest.map((pair) => pairOf(`--fault ${name}`, pair)).map((pair) => [pair.name, pair.value]),
  )
  return {
    fault: name as FaultName,
    probability,
    parameters,
    ...(provider === undefined ? {} : { provider }),
    ...(seed === undefined ? {} : { seed: `${seed} ${name}` }),
  }
}

const LIMITS = ['perMinute', 'perDay', 'concurrency'] as const

/** `--limit provider:perMinute=20[,perDay=…][,concurrency=…]`. @throws FlagError */
export function limitRule(text: string): LimitRule {
  const [, provider, rest] = /^([a-z][a-z0-9-]*):(.+)$/.exec(text) ?? []
  if (!provider || !rest)
    throw new FlagError(`--limit takes a provider and its limits, as in apiyi:perMinute=20, not ${text}`)
  const limits = rest.split(',').map((pair) => {
    const { name, value } = pairOf('--limit', pair)
    const limit = LIMITS.find((each) => each === name)
    if (!limit) throw new FlagError(`--limit knows ${LIMITS.join(', ')}, not ${JSON.stringify(name)}`)
    if (!/^[1-9]\d*$/.test(value)) throw new FlagError(`--limit ${name} takes a whole number, not ${value}`)
    return [limit, Number(value)] as const
  })
  return { provider, ...Object.fromEntries(limits) }
}

function pairOf(flag: string, pair: string): { name: string; value: string } {
  const [, name, value] = /^([A-Za-z][\w-]*)=(.+)$/.exec(pair) ?? []
  if (name === undefined || value === undefined)
    throw new FlagError(`${flag} takes name=value, not ${JSON.stringify(pair)}`)
  return { name, value }
}

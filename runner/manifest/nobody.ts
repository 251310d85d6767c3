// What is said of a model or a provider that there is not.
import type { Market } from '../../core/market.ts'
import { MODELS } from '../../core/models.ts'
import { didYouMean } from './near.ts'

type Said = { message: string; hint: () => string }

/** A name that no model has. */
export function noModel(name: string): Said {
  const names = MODELS.flatMap(({ short, id, aliases }) => [short, id, ...aliases])
  const hint = () => didYouMean(name, names) ?? `models: ${MODELS.map(({ short }) => short).join(', ')}`
  return { message: `there is no model \`${name}\``, hint }
}

/** A name that no provider has. */
export function noProvider(name: string, { sellers }: Market): Said {
  const ids = sellers.map(({ id }) => id)
  const hint = () => didYouMean(name, ids) ?? `providers: ${ids.join(', ')}`
  return { message: `there is no provider \`${name}\``, hint }
}

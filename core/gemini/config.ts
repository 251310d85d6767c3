// Values of `generationConfig` that every model reads alike.
import { invalid, invalidFields, type RpcError } from './rpc.ts'

/** One call makes one candidate (discuss.ai.google.dev/t/124694).
 *  @throws RpcError 400 for more. */
export function checkCandidates(count: number | undefined): void {
  if ((count ?? 1) > 1) throw invalid('Multiple candidates is not enabled for this model')
}

/** What the answer may hold, in upper case and in the order given; undefined when nothing is said.
 *  @throws RpcError 400 for a name that is no modality of an image model. */
export function readModalities(wanted: readonly string[] | undefined): ('TEXT' | 'IMAGE')[] | undefined {
  const names = (wanted ?? []).map((name, index) => {
    const upper = name.toUpperCase()
    if (upper === 'TEXT' || upper === 'IMAGE') return upper
    if (upper === 'MODALITY_UNSPECIFIED') return undefined
    throw noSuchValue(`generation_config.response_modalities[${index}]`, name)
  })
  const known = names.filter((name) => name !== undefined)
  return known.length > 0 ? known : undefined
}

const LEVELS = ['minimal', 'low', 'medium', 'high'] as const

/** How hard to think; undefined when nothing is said.
 *  @throws RpcError 400 for a level that is none. */
export function readThinkingLevel(wanted: string | undefined): (typeof LEVELS)[number] | undefined {
  const lower = wanted?.toLowerCase()
  if (lower === undefined || lower === '' || lower === 'thinking_level_unspecified') return undefined
  const level = LEVELS.find((known) => known === lower)
  if (level) return level
  throw noSuchValue('generation_config.thinking_config.thinking_level', wanted!)
}

/** A word that is none of an enumeration's. */
export function noSuchValue(path: string, value: string): RpcError {
  const description = `Invalid value at '${path}' (TYPE_ENUM), "${value}"`
  return invalidFields([{ field: path, description }])
}

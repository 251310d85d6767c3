// Where in the caller's body each field of a request came from, so that what is wrong is told in the caller's words.
import { Problem } from '../http/problem.ts'

export type Places = {
  /** The part of each reference: `contents[0].parts[1]`. */
  images: readonly string[]
  /** Where the system text stood: `system_instruction`, or a first turn of the model. */
  system: string
}

/** Request fields and their paths in Google's spelling. */
const FIELDS: Readonly<Record<string, string>> = {
  model: 'model',
  provider: 'model',
  prompt: 'contents',
  references: 'contents',
  size: 'generation_config.image_config.image_size',
  aspect: 'generation_config.image_config.aspect_ratio',
  temperature: 'generation_config.temperature',
  topP: 'generation_config.top_p',
  topK: 'generation_config.top_k',
  seed: 'generation_config.seed',
  maxOutputTokens: 'generation_config.max_output_tokens',
  modalities: 'generation_config.response_modalities',
  thinking: 'generation_config.thinking_config',
  'thinking.level': 'generation_config.thinking_config.thinking_level',
  'thinking.budget': 'generation_config.thinking_config.thinking_budget',
  safetySettings: 'safety_settings',
}

/** The path in the caller's body of a path in the request. Unknown ones stay as they are. */
export function placeOf(path: string, places: Places): string {
  const [, field = path, index, rest = ''] = /^([A-Za-z.]+)(?:\[(\d+)\])?(.*)$/.exec(path) ?? []
  if (field === 'system') return places.system
  if (field === 'references' && index !== undefined) return places.images[Number(index)] ?? 'contents'
  const known = FIELDS[field]
  if (known === undefined) return path
  return `${known}${index === undefined ? '' : `[${index}]`}${rest}`
}

/** The problem with its paths in the caller's words. */
export function relocate(problem: Problem, places: Places): Problem {
  if (!problem.errors) return problem
  const errors = problem.errors.map(({ path, message }) => ({ path: placeOf(path, places), message }))
  const detail = errors.map(({ path, message }) => `${path}: ${message}`).join('; ')
  return new Problem(problem.code, detail, { errors, cause: problem.cause })
}

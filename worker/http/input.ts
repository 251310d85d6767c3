// Turns what callers send into values, or into one problem that names every field at fault.
import type { z } from 'zod'
import { MAX_WAIT_S } from '../../core/contract.ts'
import { type FieldError, fieldProblem, Problem } from './problem.ts'
import { plainWords } from './words.ts'

/** Parses a value with a schema. Throws `invalid_request` with one error per field. */
export function parse<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const result = schema.safeParse(value, { reportInput: true, error: plainWords })
  if (result.success) return result.data
  const errors = result.error.issues.flatMap((issue) => explain(issue))
  throw new Problem(
    'invalid_request',
    errors.map(({ path, message }) => `${path || 'body'}: ${message}`).join('; '),
    {
      errors,
    },
  )
}

/** Reads a small JSON body. Throws `payload_too_large` and `invalid_json`. */
export async function readJson(request: Request, maxBytes: number): Promise<unknown> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of request.body ?? []) {
    bytes += chunk.byteLength
    if (bytes > maxBytes) throw new Problem('payload_too_large', `the body is over ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  try {
    return JSON.parse(await new Blob(chunks).text())
  } catch (cause) {
    throw new Problem('invalid_json', (cause as Error).message, { cause })
  }
}

/** `Idempotency-Key`: a structured-field string (quoted) or the bare text; 1 to 255 visible ASCII characters.
 *  Undefined when absent; throws `invalid_key`. */
export function idempotencyKey(header: string | undefined): string | undefined {
  if (header === undefined) return undefined
  const key = /^"((?:[^"\\]|\\["\\])*)"$/.exec(header)?.[1]?.replace(/\\(["\\])/g, '$1') ?? header
  if (!/^[\x21-\x7e]{1,255}$/.test(key))
    throw new Problem('invalid_key', 'give 1 to 255 visible ASCII characters, bare or as a quoted string')
  return key
}

/** Seconds to wait, from `Prefer: wait=N` or `respond-async` (RFC 7240), and what to say was applied. */
export function preferredWait(
  header: string | undefined,
  otherwiseS: number,
): { seconds: number; applied?: string } {
  const preferences = (header ?? '').split(',').map((p) => p.trim().toLowerCase())
  const wait = preferences.map((p) => /^wait\s*=\s*"?(\d+)"?$/.exec(p)?.[1]).find((n) => n !== undefined)
  if (wait === undefined)
    return preferences.includes('respond-async')
      ? { seconds: 0, applied: 'respond-async' }
      : { seconds: otherwiseS }
  const seconds = Math.min(Number(wait), MAX_WAIT_S)
  return { seconds, applied: `wait=${seconds}` }
}

/** Seconds of `?wait=`. Throws `invalid_request`. */
export function waitOf(text = '0'): number {
  const seconds = Number(text)
  if (!Number.isFinite(seconds) || seconds < 0 || seconds > MAX_WAIT_S)
    throw fieldProblem('wait', `seconds, 0 to ${MAX_WAIT_S}`)
  return seconds
}

/** An issue in plain words. A union that failed says only that it did: then the branch that came nearest speaks. */
function explain(issue: z.core.$ZodIssue, prefix: readonly PropertyKey[] = []): FieldError[] {
  const path = [...prefix, ...issue.path]
  const at = (message: string) => [{ path: pathText(path), message }]
  switch (issue.code) {
    case 'invalid_union': {
      if (issue.errors.length === 0) return at(issue.message)
      const nearest = [...issue.errors].sort((a, b) => distance(a) - distance(b))[0]!
      return nearest.flatMap((inner) => explain(inner, path))
    }
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({ path: pathText([...path, key]), message: 'unknown field' }))
    case 'invalid_type':
      return at(issue.input === undefined ? 'is missing' : `must be of type ${issue.expected}`)
    case 'invalid_value':
      if (issue.input === undefined) return at('is missing')
      return at(`must be one of ${issue.values.map(String).join(', ')}`)
    default:
      return at(issue.message)
  }
}

/** How far a branch is from what came; a missing or an unknown key says that another branch was meant. */
function distance(issues: readonly z.core.$ZodIssue[]): number {
  return issues.reduce((sum, issue) => {
    const otherShape =
      issue.code === 'unrecognized_keys' || (issue.code === 'invalid_type' && issue.input === undefined)
    return sum + (otherShape ? 10 : 1)
  }, 0)
}

/** `references[2].url` */
function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`
    return text ? `${text}.${String(key)}` : String(key)
  }, '')
}

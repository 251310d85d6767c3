// Reads a request of the Gemini API as Google's reader does: key by key, any casing, nothing unknown.
// Knows names and types only; what a model can do with the values is for whoever asks.
import { invalidFields, type Violation } from './rpc.ts'
import { COUNT_TOKENS_BODY, GENERATE_CONTENT_BODY, type Spec } from './spec.ts'

/** `Data`: what stands in the place of an image's bytes. */
export type Part<Data = string> = {
  text?: string
  inlineData?: { mimeType?: string; data?: Data }
  fileData?: { mimeType?: string; fileUri?: string }
  thought?: boolean
  thoughtSignature?: string
  [other: string]: unknown
}

export type Content<Data = string> = { role?: string; parts?: Part<Data>[] }

export type GenerationConfig = {
  responseModalities?: string[]
  imageConfig?: { aspectRatio?: string; imageSize?: string; personGeneration?: string }
  candidateCount?: number
  temperature?: number
  topP?: number
  topK?: number
  seed?: number
  maxOutputTokens?: number
  thinkingConfig?: { includeThoughts?: boolean; thinkingLevel?: string; thinkingBudget?: number }
  [other: string]: unknown
}

type Json = { readonly [key: string]: unknown }

/** A body after reading: camelCase, every value of the type its field has; what may be absent still may be. */
export type Body<Data = string> = {
  contents?: Content<Data>[]
  systemInstruction?: Content<Data>
  generationConfig?: GenerationConfig
  safetySettings?: { category?: string; threshold?: string }[]
  tools?: Json[]
  toolConfig?: Json
  cachedContent?: string
  serviceTier?: string
}

/** The body of `countTokens` after reading. */
export type CountBody = { contents?: Content<number>[]; generateContentRequest?: Body<number> }

/** Reads a parsed body. Key by key, camelCase and snake_case are the same (Python's client mixes both in one body).
 *  @throws RpcError 400 that names every unknown or mistyped field at once. */
export function readBody(json: unknown): Body {
  return readAs(json, GENERATE_CONTENT_BODY) as Body
}

/** Reads a body out of which `images` images were taken: their bytes are numbers, from 0 in the order of the body.
 *  @throws RpcError as `readBody`. */
export function readTakenBody(json: unknown, images: number): Body<number> {
  return readAs(json, GENERATE_CONTENT_BODY, images) as Body<number>
}

/** Reads a body of `countTokens` out of which `images` images were taken.
 *  @throws RpcError as `readBody`. */
export function readCountBody(json: unknown, images: number): CountBody {
  return readAs(json, COUNT_TOKENS_BODY, images) as CountBody
}

/** A field as error messages spell it: `imageConfig` is `image_config`. */
export function snake(camel: string): string {
  return camel.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

function readAs(json: unknown, spec: Spec, images?: number): unknown {
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw invalidFields([
      { field: '', description: 'Invalid JSON payload received. Root element must be a message.' },
    ])
  const reading = { violations: [], images }
  const body = read(json, spec, '', reading)
  if (reading.violations.length > 0) throw invalidFields(reading.violations)
  return body
}

/** What goes along while a body is read. `images`: absent where images are still Base64. */
type Reading = { violations: Violation[]; images: number | undefined }

function read(value: unknown, spec: Spec, path: string, reading: Reading): unknown {
  if (spec === 'any' || value === null) return value ?? undefined
  const { violations } = reading
  if (typeof spec === 'string') {
    const own = spec === 'integer' || spec === 'number' ? numberIn(value) : value
    if (hasType(own, spec, reading)) return own
    violations.push(mistyped(value, spec, path))
    return undefined
  }
  if ('list' in spec) {
    const list = Array.isArray(value) ? value : [value]
    return list.map((element, index) => {
      const where = `${path}[${index}]`
      if (element === null) violations.push(mistyped(element, 'object', where))
      return read(element, spec.list, where, reading)
    })
  }
  if (typeof value !== 'object' || Array.isArray(value)) {
    violations.push(mistyped(value, 'object', path))
    return undefined
  }
  const members = Object.entries(value).map(([name, member]) => {
    const camel = name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
    const own = Object.hasOwn(spec.fields, camel) ? spec.fields[camel] : undefined
    if (own) return [camel, read(member, own, path ? `${path}.${snake(camel)}` : snake(camel), reading)]
    const where = path ? ` at '${path}'` : ''
    const description = `Invalid JSON payload received. Unknown name "${name}"${where}: Cannot find field.`
    violations.push({ field: path, description })
    return [camel, undefined]
  })
  return Object.fromEntries(members.filter(([, member]) => member !== undefined))
}

/** Numbers may be quoted (protobuf.dev, JSON mapping). */
function numberIn(value: unknown): unknown {
  return typeof value === 'string' && /^-?\d+(\.\d+)?([eE][-+]?\d+)?$/.test(value) ? Number(value) : value
}

function hasType(value: unknown, type: string, { images }: Reading): boolean {
  if (type === 'integer') return Number.isInteger(value)
  if (type !== 'bytes') return typeof value === type
  if (images === undefined) return typeof value === 'string'
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) < images
}

function mistyped(value: unknown, type: string, path: string): Violation {
  const names: Record<string, string> = {
    string: 'STRING',
    bytes: 'BYTES',
    number: 'FLOAT',
    integer: 'INT32',
    boolean: 'BOOL',
  }
  const description = `Invalid value at '${path}' (TYPE_${names[type] ?? 'MESSAGE'}), ${JSON.stringify(value).slice(0, 80)}`
  return { field: path, description }
}

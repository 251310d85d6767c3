// The fields of a generateContent body and their JSON types, read as Google's reader does: any casing, nothing unknown.
// Knows names and types only; what a model can do with the values is for whoever asks.
import { invalidFields, type Violation } from './rpc.ts'

/** `any`: not looked into. A list also accepts a single element, as protocol buffers do. */
type Spec =
  | 'any'
  | 'string'
  | 'number'
  | 'integer'
  | 'boolean'
  | { fields: Readonly<Record<string, Spec>> }
  | { list: Spec }

const PART: Spec = {
  fields: {
    text: 'string',
    inlineData: { fields: { mimeType: 'string', data: 'string', displayName: 'string' } },
    fileData: { fields: { mimeType: 'string', fileUri: 'string', displayName: 'string' } },
    functionCall: 'any',
    functionResponse: 'any',
    executableCode: 'any',
    codeExecutionResult: 'any',
    thought: 'boolean',
    thoughtSignature: 'string',
    mediaResolution: 'any',
    videoMetadata: 'any',
    partMetadata: 'any',
  },
}

const CONTENT: Spec = { fields: { role: 'string', parts: { list: PART } } }

// Vertex-only members (outputMimeType, prominentPeople, labels…) are absent on purpose: the Gemini API refuses them
// (req_llm#517).
const GENERATION_CONFIG: Spec = {
  fields: {
    responseModalities: { list: 'string' },
    imageConfig: { fields: { aspectRatio: 'string', imageSize: 'string', personGeneration: 'string' } },
    candidateCount: 'integer',
    temperature: 'number',
    topP: 'number',
    topK: 'number',
    seed: 'integer',
    maxOutputTokens: 'integer',
    stopSequences: { list: 'string' },
    presencePenalty: 'number',
    frequencyPenalty: 'number',
    responseLogprobs: 'boolean',
    logprobs: 'integer',
    responseMimeType: 'string',
    responseSchema: 'any',
    responseJsonSchema: 'any',
    speechConfig: 'any',
    mediaResolution: 'any',
    enableEnhancedCivicAnswers: 'boolean',
    thinkingConfig: {
      fields: { includeThoughts: 'boolean', thinkingLevel: 'string', thinkingBudget: 'integer' },
    },
  },
}

const BODY: Spec = {
  fields: {
    model: 'string',
    contents: { list: CONTENT },
    systemInstruction: CONTENT,
    generationConfig: GENERATION_CONFIG,
    safetySettings: { list: { fields: { category: 'string', threshold: 'string' } } },
    tools: { list: 'any' },
    toolConfig: 'any',
    cachedContent: 'string',
    serviceTier: 'string',
    store: 'boolean',
  },
}

export type Part = {
  text?: string
  inlineData?: { mimeType?: string; data?: string }
  fileData?: { mimeType?: string; fileUri?: string }
  [other: string]: unknown
}

export type Content = { role?: string; parts?: Part[] }

/** A body after reading: camelCase, every value of the type its field has; what may be absent still may be. */
export type Body = {
  contents?: Content[]
  systemInstruction?: Content
  generationConfig?: {
    responseModalities?: string[]
    imageConfig?: { aspectRatio?: string; imageSize?: string; personGeneration?: string }
    candidateCount?: number
    temperature?: number
    topP?: number
    topK?: number
    seed?: number
    maxOutputTokens?: number
    thinkingConfig?: { includeThoughts?: boolean; thinkingLevel?: string; thinkingBudget?: number }
  }
  tools?: unknown[]
}

/** Reads a parsed body. Key by key, camelCase and snake_case are the same (Python's client mixes both in one body).
 *  @throws RpcError 400 that names every unknown or mistyped field at once. */
export function readBody(json: unknown): Body {
  const violations: Violation[] = []
  const body = read(json, BODY, '', violations)
  if (violations.length > 0) throw invalidFields(violations)
  return body as Body
}

function read(value: unknown, spec: Spec, path: string, violations: Violation[]): unknown {
  if (spec === 'any' || value === null) return value ?? undefined
  if (typeof spec === 'string') {
    if (hasType(value, spec)) return value
    violations.push(mistyped(value, spec, path))
    return undefined
  }
  if ('list' in spec) {
    const list = Array.isArray(value) ? value : [value]
    return list.map((element, index) => {
      const where = `${path}[${index}]`
      if (element === null) violations.push(mistyped(element, 'object', where))
      return read(element, spec.list, where, violations)
    })
  }
  if (typeof value !== 'object' || Array.isArray(value)) {
    violations.push(mistyped(value, 'object', path))
    return undefined
  }
  const members = Object.entries(value).map(([name, member]) => {
    const camel = name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
    const own = Object.hasOwn(spec.fields, camel) ? spec.fields[camel] : undefined
    if (own) return [camel, read(member, own, path ? `${path}.${snake(camel)}` : snake(camel), violations)]
    const where = path ? ` at '${path}'` : ''
    const description = `Invalid JSON payload received. Unknown name "${name}"${where}: Cannot find field.`
    violations.push({ field: path, description })
    return [camel, undefined]
  })
  return Object.fromEntries(members.filter(([, member]) => member !== undefined))
}

function hasType(value: unknown, type: string): boolean {
  if (type === 'integer') return Number.isInteger(value)
  return typeof value === type
}

function mistyped(value: unknown, type: string, path: string): Violation {
  const names: Record<string, string> = {
    string: 'STRING',
    number: 'FLOAT',
    integer: 'INT32',
    boolean: 'BOOL',
  }
  const description = `Invalid value at '${path}' (TYPE_${names[type] ?? 'MESSAGE'}), ${JSON.stringify(value).slice(0, 80)}`
  return { field: path, description }
}

function snake(camel: string): string {
  return camel.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

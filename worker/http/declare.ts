// Routes as @hono/zod-openapi takes them: the contract says what passes, the caller what it means. Bodies are left out
// here and described in description/document.ts: handlers read theirs as a stream, and the library would read it first.
import { OpenAPIHono } from '@hono/zod-openapi'
import type { z } from 'zod'
import { PROBLEMS, type ProblemCode } from '../../core/api.ts'
import { CONTRACT, type Endpoint } from '../../core/contract.ts'
import type { AppEnv } from '../env.ts'
import { knownParameters } from './parameters.ts'
import { Problem, TITLES } from './problem.ts'
import { requires, SCOPE_OF } from './scopes.ts'

/** A header of an answer. */
export type HeaderText = { description: string; schema: { type: 'string' | 'integer' }; required?: boolean }

export type AnswerText = { description: string; headers?: Record<string, HeaderText>; example?: unknown }

/** What a call means, in words. */
export type About<E extends Endpoint> = {
  summary: string
  description?: string
  tag: string
  /** By status. */
  answers: { [Status in E['statuses'][number]]: AnswerText }
  /** Answers without a body, by status. */
  others?: Record<number, { description: string }>
  /** Beside those that every call with a token can meet. */
  problems?: readonly ProblemCode[]
}

type Answer<E extends Endpoint> = E['answer'] extends z.ZodType
  ? { description: string; content: { 'application/json': { schema: E['answer'] } } }
  : { description: string }

export type Declared<E extends Endpoint> = {
  method: E['method']
  path: E['path']
  request: E extends { request: infer R } ? R : object
  responses: { [Status in E['statuses'][number]]: Answer<E> }
}

/** Where what was made is found. */
export const LOCATION = {
  description: 'Where to ask for it again.',
  schema: { type: 'string' },
  required: true,
} as const satisfies HeaderText

/** The answer of a request that was repeated. */
export const REPLAYED = {
  description: '`true`: it was asked for before; this request bought nothing.',
  schema: { type: 'string' },
} as const satisfies HeaderText

/** When it is worth another try. */
const RETRY_AFTER = { description: 'Seconds.', schema: { type: 'integer' } } as const satisfies HeaderText

/** What every answer to a token that has a rate limit tells. */
const RATE: Record<string, HeaderText> = {
  RateLimit: {
    description:
      'For a token with `perMinute`: the calls that are left (`r`), and the seconds until there are all of them again (`t`).',
    schema: { type: 'string' },
  },
  'RateLimit-Policy': {
    description: 'For a token with `perMinute`: the calls (`q`) that it may make in so many seconds (`w`).',
    schema: { type: 'string' },
  },
}

/** Headers of problems, by status, beside those of every answer. */
const PROBLEM_HEADERS: Record<number, Record<string, HeaderText>> = {
  401: { 'WWW-Authenticate': { description: '`Bearer`', schema: { type: 'string' } } },
  429: { 'Retry-After': { ...RETRY_AFTER, required: true } },
  503: { 'Retry-After': RETRY_AFTER },
}

/** Problems of every call that wants a token, and of every call. */
const WITH_TOKEN: readonly ProblemCode[] = [
  'invalid_request',
  'unauthorised',
  'forbidden',
  'too_many_requests',
  'unavailable',
  'misconfigured',
]
const ALWAYS: readonly ProblemCode[] = ['internal']

/** Content of a body that is an image. */
export const IMAGE_CONTENT = { 'image/*': { schema: { type: 'string', format: 'binary' } } } as const

/** Media type of one JSON value a line. */
export const NDJSON = 'application/x-ndjson'

/** The route of an endpoint. */
export function declare<const E extends Endpoint>(endpoint: E, about: About<E>): Declared<E> {
  const { summary, description, tag, problems = [], others } = about
  const { method, path, request = {}, answer: schema, inLines } = endpoint as Endpoint
  const answers = Object.entries<AnswerText>(about.answers).map(([status, { example, ...said }]) => {
    const json = {
      [inLines ? NDJSON : 'application/json']: { schema, ...(example === undefined ? {} : { example }) },
    }
    const headers = { ...said.headers, ...(endpoint.open ? {} : RATE) }
    return [status, { ...said, headers, content: schema === 'image' ? IMAGE_CONTENT : json }]
  })
  const codes = new Set([...problems, ...(endpoint.open ? [] : WITH_TOKEN), ...ALWAYS])
  const operationId = Object.entries<Endpoint>(CONTRACT).find(([, known]) => known === endpoint)![0]
  const route = {
    operationId,
    method,
    path,
    summary,
    ...(description ? { description } : {}),
    tags: [tag],
    request,
    responses: {
      ...Object.fromEntries(answers),
      ...others,
      ...problemAnswers([...codes], endpoint.open ? {} : RATE),
    },
    ...(endpoint.open
      ? { security: [] }
      : {
          middleware: [requires(SCOPE_OF[operationId as keyof typeof SCOPE_OF]), knownParameters(endpoint)],
        }),
  }
  // Problems are thrown, so handlers need not know of them; the rest is what it was given.
  return route as unknown as Declared<E>
}

/** One answer for each status of these codes. */
function problemAnswers(codes: readonly ProblemCode[], always: Record<string, HeaderText>) {
  const statuses = [...new Set(codes.map((code) => PROBLEMS[code]))].sort()
  return Object.fromEntries(
    statuses.map((status) => {
      const own = codes.filter((code) => PROBLEMS[code] === status)
      const schema = {
        allOf: [
          { $ref: '#/components/schemas/Problem' },
          {
            type: 'object',
            properties: {
              code: { type: 'string', enum: own },
              status: { type: 'integer', enum: [status] },
            },
          },
        ],
      }
      const description = own.map((code) => `\`${code}\`: ${TITLES[code]}.`).join('\n\n')
      const headers = { ...PROBLEM_HEADERS[status], ...always }
      return [status, { description, headers, content: { 'application/problem+json': { schema } } }]
    }),
  )
}

/** A part of the application whose parameters are checked by the contract: what is wrong with one is a Problem. */
export function routes(): OpenAPIHono<AppEnv> {
  return new OpenAPIHono<AppEnv>({
    defaultHook(result) {
      if (result.success) return
      const data = (result as { data?: Record<string, unknown> }).data ?? {}
      const errors = result.error.issues.map(({ path, message }) => {
        const name = path.join('.')
        return { path: name, message: Array.isArray(data[name]) ? 'given more than once' : message }
      })
      throw new Problem(
        'invalid_request',
        errors.map((error) => `${error.path}: ${error.message}`).join('; '),
        { errors },
      )
    },
  })
}

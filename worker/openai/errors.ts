// The error body of the OpenAI API, and what becomes of everything that can go wrong in it. The one place of this surface
// that knows statuses, types and codes. Its clients repeat 408, 409, 429 and 500 upwards by themselves unless
// `x-should-retry` says no (openai 7.55.0, observed): whatever may have cost money says so.
import type { Context } from 'hono'
import { type GenerationView, isEnded } from '../../core/api.ts'
import { ConfigurationError } from '../../core/market.ts'
import type { Outcome } from '../../core/outcome.ts'
import type { AppEnv } from '../env.ts'
import { notReadyWords } from '../generation/view.ts'
import { resultHeaders } from '../http/dropin.ts'
import { logBug } from '../http/log.ts'
import { Problem } from '../http/problem.ts'
import { goneWords } from '../retention/deleted.ts'

/** `type` of an error, as far as clients know them. */
export type ErrorType =
  | 'invalid_request_error'
  | 'image_generation_user_error'
  | 'image_generation_error'
  | 'rate_limit_error'
  | 'insufficient_quota'
  | 'server_error'

export type ErrorFacts = {
  status: number
  type: ErrorType
  code: string | null
  /** The field at fault, as the caller wrote it. */
  param?: string | null
}

/** What the caller is told; thrown anywhere on this surface. `headers` go with it. */
export class OpenAiError extends Error {
  override name = 'OpenAiError'
  readonly facts: ErrorFacts
  readonly headers: Readonly<Record<string, string>>
  readonly budget: Problem['budget']

  constructor(
    facts: ErrorFacts,
    message: string,
    options: { headers?: Record<string, string>; budget?: Problem['budget']; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.facts = facts
    this.headers = options.headers ?? {}
    this.budget = options.budget
  }

  /** The body, and the data of an `error` event in a stream. */
  get body() {
    const { type, param = null, code } = this.facts
    const budget = this.budget ? { budget: this.budget } : {}
    return { error: { message: this.message, type, param, code, ...budget } }
  }
}

/** A field that cannot be used. `code` is one of OpenAI's where it has one. */
export function invalidField(param: string | null, message: string, code = 'invalid_value'): OpenAiError {
  return new OpenAiError({ status: 400, type: 'invalid_request_error', code, param }, message)
}

/** What any error is to a caller of this surface. A bug is logged here, and tells nothing but where to find it. */
export function openAiError(c: Context<AppEnv>, error: unknown): OpenAiError {
  if (error instanceof OpenAiError) return error
  if (error instanceof Problem) return ofProblem(error)
  const headers = { 'x-should-retry': 'false' }
  const facts = { status: 500, type: 'server_error' } as const
  if (error instanceof ConfigurationError)
    return new OpenAiError({ ...facts, code: 'misconfigured' }, error.message, { headers })
  logBug(c.var, error)
  const message = `something went wrong in the worker; its log has it under ${c.var.requestId}`
  return new OpenAiError({ ...facts, code: 'internal' }, message, { headers })
}

/** The error as a response. */
export function errorResponse(error: OpenAiError, requestId: string): Response {
  return new Response(JSON.stringify(error.body), {
    status: error.facts.status,
    headers: { 'content-type': 'application/json', 'x-request-id': requestId, ...error.headers },
  })
}

/** Headers of every answer that is about generations, a success or not. */
export function answerHeaders(
  c: Context<AppEnv>,
  views: readonly GenerationView[],
  replayed: boolean,
): Record<string, string> {
  const isSent = views.some((view) => view.attempts.length > 0 || !isEnded(view.status))
  return {
    'x-request-id': c.var.requestId,
    ...resultHeaders(views, replayed),
    // What a provider was asked may be on the bill: the client must not ask again by itself.
    ...(isSent ? { 'x-should-retry': 'false' } : {}),
  }
}

/** A picture that was made and is not stored any more. `headers`: those of its answer. */
export function pictureGone(
  { id, deletedAt }: { id: string; deletedAt?: number | undefined },
  headers: Record<string, string> = {},
): OpenAiError {
  return new OpenAiError(PICTURE_GONE, goneWords('the picture', deletedAt, id), { headers })
}

/** A generation that has no picture, or none yet, as an error. `headers`: those of its answer. */
export function generationError(view: GenerationView, headers: Record<string, string>): OpenAiError {
  if (!isEnded(view.status))
    return new OpenAiError(
      { status: 504, type: 'server_error', code: 'timeout' },
      notReadyWords(view.id, view.paused),
      { headers },
    )
  const { code, message } = view.error ?? { code: 'orphaned' as const, message: 'it ended without a picture' }
  const charges = view.attempts.map((attempt) => attempt.charged)
  const isUncertain = view.status === 'uncertain' || charges.includes('unknown')
  return new OpenAiError(
    OUTCOME_ERRORS[code],
    `${PREFIXES[code] ?? ''}${message || code}${isUncertain ? doubt(view.id) : ''}`,
    { headers },
  )
}

function doubt(id: string): string {
  return ` (generation ${id}: it is not known whether it was charged. The same request again within a minute gets this answer again and buys nothing; with the header x-proofsheet-shield: off it buys anew)`
}

const user = 'image_generation_user_error'
const server = 'server_error'
const invalid = 'invalid_request_error'

const PICTURE_GONE: ErrorFacts = { status: 410, type: invalid, code: 'picture_gone' }

const OUTCOME_ERRORS: Record<Outcome, ErrorFacts> = {
  // A generation that succeeded has a picture, unless somebody has deleted it since.
  succeeded: PICTURE_GONE,
  refused: { status: 400, type: user, code: 'moderation_blocked' },
  no_image: { status: 422, type: 'image_generation_error', code: 'no_image' },
  rate_limited: { status: 429, type: 'rate_limit_error', code: 'rate_limit_exceeded' },
  quota_exhausted: { status: 429, type: 'insufficient_quota', code: 'insufficient_quota' },
  unavailable: { status: 503, type: server, code: 'unavailable' },
  unreachable: { status: 503, type: server, code: 'unreachable' },
  unauthorised: { status: 400, type: invalid, code: 'provider_key_refused' },
  model_gone: { status: 404, type: invalid, code: 'model_not_found', param: 'model' },
  rejected: { status: 400, type: invalid, code: 'rejected' },
  provider_error: { status: 500, type: server, code: 'provider_error' },
  timed_out: { status: 504, type: server, code: 'timed_out' },
  cut_off: { status: 500, type: server, code: 'cut_off' },
  malformed: { status: 500, type: server, code: 'malformed' },
  not_stored: { status: 500, type: server, code: 'not_stored' },
  orphaned: { status: 500, type: server, code: 'orphaned' },
  expired: { status: 503, type: server, code: 'expired' },
  cancelled: { status: 409, type: invalid, code: 'cancelled' },
}

const PREFIXES: Partial<Record<Outcome, string>> = {
  refused: "the provider's safety rules refused it: ",
  no_image: 'the model answered without a picture: ',
  unauthorised: "the provider did not take this worker's key for it, which is its operator's to set: ",
  rejected: 'the provider refused the request: ',
  not_stored: 'the picture was made and charged, but could not be stored: ',
}

/** How a problem reads here; what is not listed is a 400 under its own code. */
const PROBLEM_ERRORS: Partial<Record<Problem['code'], ErrorFacts>> = {
  unauthorised: { status: 401, type: invalid, code: 'invalid_api_key' },
  max_cost_exceeded: { status: 402, type: invalid, code: 'max_cost_exceeded' },
  budget_exceeded: { status: 402, type: 'insufficient_quota', code: 'budget_exceeded' },
  forbidden: { status: 403, type: invalid, code: 'forbidden' },
  too_many_requests: { status: 429, type: 'rate_limit_error', code: 'rate_limit_exceeded' },
  unavailable: { status: 503, type: server, code: 'unavailable' },
  not_found: { status: 404, type: invalid, code: 'not_found' },
  method_not_allowed: { status: 405, type: invalid, code: 'method_not_allowed' },
  payload_too_large: { status: 413, type: invalid, code: 'payload_too_large' },
  unsupported_media_type: { status: 400, type: invalid, code: 'invalid_image' },
  key_reused: { status: 422, type: invalid, code: 'key_reused', param: 'Idempotency-Key' },
  invalid_key: { status: 400, type: invalid, code: 'invalid_key', param: 'Idempotency-Key' },
  unknown_model: { status: 404, type: invalid, code: 'model_not_found', param: 'model' },
  unknown_provider: { status: 404, type: invalid, code: 'model_not_found', param: 'model' },
  not_sold: { status: 404, type: invalid, code: 'model_not_found', param: 'model' },
  internal: { status: 500, type: server, code: 'internal' },
  misconfigured: { status: 500, type: server, code: 'misconfigured' },
}

function ofProblem(problem: Problem): OpenAiError {
  const { code, errors, message, budget, retryAfterMs } = problem
  const facts = PROBLEM_ERRORS[code] ?? { status: 400, type: invalid, code }
  const headers: Record<string, string> = {
    ...(facts.status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
    ...(retryAfterMs === undefined ? {} : { 'retry-after': String(Math.ceil(retryAfterMs / 1_000)) }),
    // Nothing was bought by what is unavailable, so that may be asked again.
    ...((facts.status >= 500 && code !== 'unavailable') || facts.status === 402
      ? { 'x-should-retry': 'false' }
      : {}),
  }
  const param = facts.param ?? errors?.[0]?.path ?? null
  return new OpenAiError({ ...facts, param }, message, { headers, budget, cause: problem })
}

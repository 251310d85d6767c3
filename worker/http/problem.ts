// The one error of the HTTP side, and the one place where it is written as an RFC 9457 problem.
import { PROBLEMS, type ProblemCode, type ProblemView } from '../../core/api.ts'

export type FieldError = { path: string; message: string }

export type ProblemOptions = {
  errors?: readonly FieldError[]
  budget?: ProblemView['budget']
  /** When it is worth another try, in ms from now. */
  retryAfterMs?: number | undefined
  /** A bug came where a generation may have been accepted already. */
  mayBeCharged?: boolean
  cause?: unknown
}

/** What the caller is told. Thrown before anything was sent to a provider, hence `charged: no`: what happens later is a
 *  result, not a problem. Only a bug may have come after a generation was accepted. */
export class Problem extends Error {
  override name = 'Problem'
  readonly code: ProblemCode
  readonly errors: readonly FieldError[] | undefined
  readonly budget: ProblemView['budget']
  readonly retryAfterMs: number | undefined
  readonly mayBeCharged: boolean

  constructor(code: ProblemCode, detail: string, options: ProblemOptions = {}) {
    super(detail, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.errors = options.errors
    this.budget = options.budget
    this.retryAfterMs = options.retryAfterMs
    this.mayBeCharged = options.mayBeCharged ?? false
  }
}

/** The problem of one field. `path` as in `references[2].url`. */
export function fieldProblem(path: string, message: string, code: ProblemCode = 'invalid_request'): Problem {
  return new Problem(code, `${path}: ${message}`, { errors: [{ path, message }] })
}

/** What each code means, in a few words. */
export const TITLES: Record<ProblemCode, string> = {
  invalid_json: 'Not JSON',
  invalid_request: 'The request is not valid',
  invalid_key: 'The Idempotency-Key is not valid',
  unauthorised: 'A token that is valid is needed',
  max_cost_exceeded: 'It could cost more than you allow',
  budget_exceeded: 'The budget of the token has no room for it',
  forbidden: 'The token may not do this',
  not_found: 'Not found',
  method_not_allowed: 'Method not allowed',
  not_cancellable: 'It cannot be cancelled any more',
  gone: 'Deleted',
  payload_too_large: 'Too large',
  unsupported_media_type: 'Not an image that can be used',
  digest_mismatch: 'The bytes have another digest',
  key_reused: 'The key belongs to another request',
  reference_not_found: 'A reference is missing',
  reference_unreachable: 'A reference could not be fetched',
  unknown_model: 'Unknown model',
  unknown_provider: 'Unknown provider',
  not_sold: 'The provider does not sell this model',
  not_configured: 'What it needs is not set up here',
  unsupported: 'The model cannot do this',
  too_many_requests: 'Too many requests',
  internal: 'Internal error',
  unavailable: 'Not available for the moment',
  misconfigured: 'The worker is not set up',
}

/** The problem as a response. */
export function problemResponse(problem: Problem, requestId: string): Response {
  const status = PROBLEMS[problem.code]
  const body: ProblemView = {
    type: `https://proofsheet.dev/problems/${problem.code}`,
    title: TITLES[problem.code],
    status,
    detail: problem.message,
    code: problem.code,
    charged: problem.mayBeCharged ? 'unknown' : 'no',
    retryAfterMs: problem.retryAfterMs ?? null,
    requestId,
    ...(problem.errors ? { errors: [...problem.errors] } : {}),
    ...(problem.budget ? { budget: problem.budget } : {}),
  }
  const headers: Record<string, string> = {
    'content-type': 'application/problem+json',
    // What the middleware sets is lost with the response that it was set on.
    'x-request-id': requestId,
  }
  if (problem.retryAfterMs !== undefined)
    headers['retry-after'] = String(Math.ceil(problem.retryAfterMs / 1_000))
  if (status === 401) headers['www-authenticate'] = 'Bearer'
  return new Response(JSON.stringify(body), { status, headers })
}

// The error body of the Gemini API: `google.rpc.Status` as JSON. Knows codes, statuses and the vendor's own sentences
// where they are known; refuses to know when an error is due.

/** HTTP status of each `google.rpc` code in use (ai.google.dev, api-errors page, 2026-10). */
export const RPC_STATUSES = {
  INVALID_ARGUMENT: 400,
  FAILED_PRECONDITION: 400,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  NOT_FOUND: 404,
  ALREADY_EXISTS: 409,
  RESOURCE_EXHAUSTED: 429,
  CANCELLED: 499,
  INTERNAL: 500,
  UNIMPLEMENTED: 501,
  UNAVAILABLE: 503,
  DEADLINE_EXCEEDED: 504,
} as const
export type RpcStatus = keyof typeof RPC_STATUSES

export type RpcDetail = { '@type': string; [key: string]: unknown }

/** A field that a request got wrong; `field` is a snake_case path such as `generation_config.image_config`. */
export type Violation = { field: string; description: string }

/** Thrown anywhere while a request is judged; written to HTTP in one place. */
export class RpcError extends Error {
  override name = 'RpcError'
  status: RpcStatus
  details: readonly RpcDetail[]

  constructor(status: RpcStatus, message: string, details: readonly RpcDetail[] = []) {
    super(message)
    this.status = status
    this.details = details
  }

  /** The HTTP status. */
  get code(): number {
    return RPC_STATUSES[this.status]
  }

  /** The body as Google writes it; `details` is left out when empty. */
  get body(): { error: { code: number; message: string; status: string; details?: readonly RpcDetail[] } } {
    const { code, message, status, details } = this
    return { error: { code, message, status, ...(details.length > 0 ? { details } : {}) } }
  }
}

/** A 400 without field violations, as the model's own checks give it. */
export function invalid(message: string): RpcError {
  return new RpcError('INVALID_ARGUMENT', message)
}

/** A 400 of the JSON reader, which names each field (uni-api#129). */
export function invalidFields(violations: readonly Violation[]): RpcError {
  return new RpcError('INVALID_ARGUMENT', violations.map((v) => v.description).join('\n'), [
    { '@type': 'type.googleapis.com/google.rpc.BadRequest', fieldViolations: violations },
  ])
}

/** A key that is not taken (Google answers 400, not 401). `why`: added to the words by which Google's clients know it. */
export function invalidKey(why = ''): RpcError {
  const words = 'API key not valid. Please pass a valid API key.'
  const message = why ? `${words} (${why})` : words
  return new RpcError('INVALID_ARGUMENT', message, [
    {
      '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
      reason: 'API_KEY_INVALID',
      domain: 'googleapis.com',
      metadata: { service: 'generativelanguage.googleapis.com' },
    },
    { '@type': 'type.googleapis.com/google.rpc.LocalizedMessage', locale: 'en-US', message },
  ])
}

/** A limit per minute: the delay is fractional seconds as text, and there is no `Retry-After` (dcdpr/jp#1061). */
export function rateLimited(retrySeconds: number, model: string): RpcError {
  const delay = `${retrySeconds.toFixed(9)}s`
  return exhausted(
    'GenerateRequestsPerMinutePerProjectPerModel',
    `${QUOTA_PROSE} Please retry in ${delay}.`,
    model,
    [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: delay }],
  )
}

/** A limit per day: the same prose, so that only the quota's id tells (gemini-cli#10925, pi-go#177). */
export function dailyQuota(model: string): RpcError {
  return exhausted('GenerateRequestsPerDayPerProjectPerModel-FreeTier', QUOTA_PROSE, model, [
    { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '45.837906927s' },
  ])
}

const QUOTA_PROSE = 'You exceeded your current quota, please check your plan and billing details.'

function exhausted(quotaId: string, message: string, model: string, more: RpcDetail[]): RpcError {
  return new RpcError('RESOURCE_EXHAUSTED', message, [
    {
      '@type': 'type.googleapis.com/google.rpc.QuotaFailure',
      violations: [
        {
          quotaMetric: 'generativelanguage.googleapis.com/generate_content_requests',
          quotaId,
          quotaDimensions: { location: 'global', model },
        },
      ],
    },
    {
      '@type': 'type.googleapis.com/google.rpc.Help',
      links: [
        {
          description: 'Learn more about Gemini API quotas',
          url: 'https://ai.google.dev/gemini-api/docs/rate-limits',
        },
      ],
    },
    ...more,
  ])
}

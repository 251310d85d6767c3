// Everything that can go wrong, as a google.rpc error: the one place of this surface that knows statuses. What proofsheet
// knows beside Google's contract stands in an ErrorInfo of the domain `proofsheet`.
import type { Context } from 'hono'
import { isEnded } from '../../core/api.ts'
import { dailyQuota, invalidKey, type RpcDetail, RpcError, type RpcStatus } from '../../core/gemini/rpc.ts'
import { ConfigurationError } from '../../core/market.ts'
import type { Outcome } from '../../core/outcome.ts'
import type { AppEnv } from '../env.ts'
import { chargedOf, type GenerationRecord, resultOf } from '../generation/record.ts'
import { errorOf, notReadyWords } from '../generation/view.ts'
import { logBug } from '../http/log.ts'
import { Problem } from '../http/problem.ts'
import { goneWords } from '../retention/deleted.ts'

/** Delay that a client is told after a rate limit whose provider named none, in ms. */
const RETRY_MS = 60_000

/** The error of any failure before there was a generation. A bug is logged, and says nothing but where to find it. */
export function rpcErrorOf(c: Context<AppEnv>, error: unknown): RpcError {
  if (error instanceof RpcError) return error
  if (error instanceof Problem) return ofProblem(error)
  if (error instanceof ConfigurationError)
    return told('FAILED_PRECONDITION', `the worker is not set up: ${error.message}`, 'misconfigured')
  logBug(c.var, error)
  return told(
    'INTERNAL',
    `something went wrong in the worker; its log has it under ${c.var.requestId}`,
    'internal',
  )
}

/** The error as a response; a stream without `alt=sse` answers it as a list of one (mscraftsman/generative-ai#169). */
export function errorResponse(
  c: Context<AppEnv>,
  error: RpcError,
  asList: boolean,
  headers: Record<string, string> = {},
): Response {
  return new Response(JSON.stringify(asList ? [error.body] : error.body, null, 2), {
    status: error.code,
    headers: {
      ...headers,
      'content-type': 'application/json; charset=UTF-8',
      'x-request-id': c.var.requestId,
    },
  })
}

/** Why a generation has no answer of a provider's own; undefined when it has one, with a picture or without. */
export function endedError(record: GenerationRecord): RpcError | undefined {
  const { id, status } = record
  const last = resultOf(record)
  const facts = { generation: id, charged: last ? chargedOf(last) : 'no' }
  if (!isEnded(status)) return told('DEADLINE_EXCEEDED', notReadyWords(id, record.paused), 'not_ready', facts)
  if (status === 'cancelled')
    return told('CANCELLED', `generation ${id} was cancelled before it was sent`, 'cancelled', facts)
  const verdict = last?.ending?.verdict
  if (!verdict) return told('UNAVAILABLE', errorOf(record)!.message, 'unreachable', facts)
  const { outcome } = verdict
  if (outcome === 'succeeded' || outcome === 'refused' || outcome === 'no_image') return undefined
  const { status: rpcStatus, words } = OUTCOMES[outcome]
  const message = errorOf(record)?.message || outcome
  const text = `${words ? `${words}: ` : ''}${message}${doubt(record)}`
  const error = told(rpcStatus, text, outcome, facts)
  if (outcome === 'rate_limited')
    error.details = [...error.details, retryInfo(verdict.retryAfterMs ?? RETRY_MS)]
  if (outcome === 'quota_exhausted')
    error.details = [...error.details, ...quotaOf(record.routes[last!.route]!.model)]
  return error
}

/** A picture that was made and is not stored any more. There is no google.rpc code for 410; 404 is not repeated either. */
export function pictureGone({ id, deletedAt }: Pick<GenerationRecord, 'id' | 'deletedAt'>): RpcError {
  return told('NOT_FOUND', goneWords('the picture', deletedAt, id), 'picture_gone', { generation: id })
}

type Facts = Readonly<Record<string, string>>

function told(status: RpcStatus, message: string, reason: string, metadata: Facts = {}): RpcError {
  return new RpcError(status, message, [errorInfo(reason, metadata)])
}

function errorInfo(reason: string, metadata: Facts): RpcDetail {
  return {
    '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
    reason: reason.toUpperCase(),
    domain: 'proofsheet',
    ...(Object.keys(metadata).length > 0 ? { metadata } : {}),
  }
}

function retryInfo(ms: number): RpcDetail {
  return { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: `${ms / 1000}s` }
}

/** A quota of the day, in the words by which Google's clients know that waiting is of no use. */
function quotaOf(model: string): readonly RpcDetail[] {
  return dailyQuota(model).details.filter((detail) => detail['@type'].endsWith('.QuotaFailure'))
}

function doubt({ id, status, attempts }: GenerationRecord): string {
  if (status !== 'uncertain' && !attempts.some((attempt) => chargedOf(attempt) === 'unknown')) return ''
  return ` (generation ${id}: it is not known whether it was charged. The same request again within a minute gets this answer again and buys nothing; with the header x-proofsheet-shield: off it buys anew)`
}

/** Outcomes without a provider's 200 that can be shown, by Google's status for them. */
const OUTCOMES: Record<
  Exclude<Outcome, 'succeeded' | 'refused' | 'no_image'>,
  { status: RpcStatus; words?: string }
> = {
  rate_limited: { status: 'RESOURCE_EXHAUSTED' },
  quota_exhausted: { status: 'RESOURCE_EXHAUSTED' },
  unavailable: { status: 'UNAVAILABLE' },
  unreachable: { status: 'UNAVAILABLE' },
  unauthorised: {
    status: 'FAILED_PRECONDITION',
    words: "the provider did not take this worker's key for it, which is its operator's to set",
  },
  model_gone: { status: 'NOT_FOUND' },
  rejected: { status: 'INVALID_ARGUMENT' },
  provider_error: { status: 'INTERNAL' },
  timed_out: { status: 'DEADLINE_EXCEEDED' },
  cut_off: { status: 'INTERNAL' },
  malformed: { status: 'INTERNAL' },
  not_stored: { status: 'INTERNAL', words: 'the picture was made and charged, but could not be stored' },
  orphaned: { status: 'INTERNAL' },
  expired: { status: 'UNAVAILABLE' },
  cancelled: { status: 'CANCELLED' },
}

/** Google's status of a problem; what is not listed is INVALID_ARGUMENT. */
const PROBLEMS: Partial<Record<Problem['code'], RpcStatus>> = {
  max_cost_exceeded: 'FAILED_PRECONDITION',
  budget_exceeded: 'RESOURCE_EXHAUSTED',
  forbidden: 'PERMISSION_DENIED',
  too_many_requests: 'RESOURCE_EXHAUSTED',
  unavailable: 'UNAVAILABLE',
  not_found: 'NOT_FOUND',
  method_not_allowed: 'NOT_FOUND',
  key_reused: 'ALREADY_EXISTS',
  unknown_model: 'NOT_FOUND',
  unknown_provider: 'NOT_FOUND',
  not_sold: 'NOT_FOUND',
  not_configured: 'FAILED_PRECONDITION',
  internal: 'INTERNAL',
  misconfigured: 'FAILED_PRECONDITION',
}

/** A budget that is used up is a 402 here as well: clients repeat a 429 by themselves, which would be of no use (@ai-sdk
 *  and google-genai repeat 408, 429 and 5xx). */
class OverBudgetError extends RpcError {
  override get code(): number {
    return 402
  }
}

function ofProblem(problem: Problem): RpcError {
  const { code, message, errors = [], budget, retryAfterMs } = problem
  // A token that is missing is told by the route, which knows that none came.
  if (code === 'unauthorised') return invalidKey(message)
  if (code === 'budget_exceeded')
    return new OverBudgetError('RESOURCE_EXHAUSTED', message, [
      errorInfo(code, { charged: 'no', ...(budget ? textOf(budget) : {}) }),
    ])
  const words = code === 'payload_too_large' ? `Request payload size exceeds the limit: ${message}` : message
  const error = told(PROBLEMS[code] ?? 'INVALID_ARGUMENT', words, code)
  if (error.status === 'INVALID_ARGUMENT' && errors.length > 0)
    error.details = [
      {
        '@type': 'type.googleapis.com/google.rpc.BadRequest',
        fieldViolations: errors.map((e) => ({ field: e.path, description: e.message })),
      },
      ...error.details,
    ]
  if (retryAfterMs !== undefined) error.details = [...error.details, retryInfo(retryAfterMs)]
  return error
}

/** Metadata of an ErrorInfo are texts. */
function textOf(values: object): Facts {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]))
}

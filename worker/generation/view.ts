// A record as callers see it. Money becomes decimal USD, instants become ISO 8601, R2 keys become addresses.

import type { z } from 'zod'
import type { AttemptSchema, GenerationView, ImageView } from '../../core/api.ts'
import { toUsd } from '../../core/money.ts'
import type { StoredPicture } from '../stream/picture.ts'
import { nextStep } from './policy.ts'
import { type Attempt, chargedOf, costOf, type GenerationRecord, resultOf } from './record.ts'

/** `imagesUrl`: where pictures are served from, no trailing slash. `now` is epoch ms, for what is still running. */
export function viewOf(record: GenerationRecord, imagesUrl: string, now: number): GenerationView {
  const result = resultOf(record)
  const ending = result?.ending
  const { provider, model } = record.routes[result?.route ?? 0]!
  const { quote } = record
  const priced = quote.unknown.length === 0
  const actual = record.status === 'queued' || record.status === 'running' ? null : costOf(record)
  const { metadata, ...request } = record.request
  const shown = { imagesUrl, deletedAt: record.deletedAt }
  return {
    id: record.id,
    status: record.status,
    provider,
    model,
    emulated: record.emulated,
    image: ending?.picture ? imageOf(ending.picture, shown, ending.isThought) : null,
    moreImages: furtherOf(record).map((picture) => imageOf(picture, shown)),
    text: ending?.text ?? null,
    finishReason: ending?.finishReason ?? null,
    error: errorOf(record),
    cost: {
      estimated: priced ? toUsd(quote.expected) : null,
      atMost: priced ? toUsd(quote.atMost) : null,
      actual: actual === null ? null : toUsd(actual),
      difference: priced && actual !== null ? toUsd(actual - quote.expected) : null,
      currency: 'USD',
      basis: record.basis,
    },
    attempts: record.attempts.map((attempt) => attemptOf(attempt, record, now)),
    usage: ending?.usage ?? null,
    request,
    metadata: metadata ?? {},
    ...(record.token === undefined ? {} : { token: record.token }),
    ...(record.batch === undefined ? {} : { batch: record.batch }),
    ...(record.paused && record.status === 'queued' ? { paused: true } : {}),
    createdAt: new Date(record.createdAt).toISOString(),
    finishedAt: record.finishedAt === undefined ? null : new Date(record.finishedAt).toISOString(),
  }
}

/** Further pictures: of the same answer, then of other calls, which may be paid for. */
function furtherOf(record: GenerationRecord): StoredPicture[] {
  const result = resultOf(record)
  const beside = record.attempts
    .filter((attempt) => attempt !== result)
    .flatMap(({ ending }) => [...(ending?.others ?? []), ending?.picture])
  return [...(result?.ending?.others ?? []), ...beside].filter((picture) => picture !== undefined)
}

function attemptOf(attempt: Attempt, record: GenerationRecord, now: number): z.output<typeof AttemptSchema> {
  const { provider, model } = record.routes[attempt.route]!
  const { ending, startedAt } = attempt
  return {
    provider,
    model,
    startedAt: new Date(startedAt).toISOString(),
    ms: (ending?.endedAt ?? now) - startedAt,
    outcome: ending?.verdict.outcome ?? null,
    charged: chargedOf(attempt),
    cost: ending && ending.costMicroUsd !== null ? toUsd(ending.costMicroUsd) : null,
    message: ending?.verdict.message || null,
    requestId: ending?.requestId ?? null,
  }
}

function imageOf(
  picture: StoredPicture,
  { imagesUrl, deletedAt }: { imagesUrl: string; deletedAt: number | undefined },
  isThought?: boolean,
): ImageView {
  const { key, mimeType, bytes, width, height, sha256 } = picture
  return {
    url: `${imagesUrl}/${key.replace(/^pictures\//, '')}`,
    mimeType,
    bytes,
    width,
    height,
    sha256,
    ...(isThought ? { thought: true } : {}),
    ...(deletedAt === undefined ? {} : { deletedAt: new Date(deletedAt).toISOString() }),
  }
}

/** Why there is no picture; null when there is one, or may be yet. */
export function errorOf(record: GenerationRecord): GenerationView['error'] {
  if (record.status === 'succeeded' || record.status === 'queued' || record.status === 'running') return null
  if (record.status === 'cancelled')
    return { code: 'cancelled', message: 'it was cancelled by its caller before it was sent' }
  const verdict = record.attempts.at(-1)?.ending?.verdict
  const late = lateWords(record)
  if (!verdict) return { code: 'expired', message: late ?? '' }
  const said = verdict.message
  return {
    code: verdict.outcome,
    message: late ? `${late}${said && `. The provider said last: ${said}`}` : said,
  }
}

/** What a client is told that cannot wait any longer. */
export function notReadyWords(id: string, paused: boolean | undefined): string {
  const why = paused ? 'waits because this worker is paused by its operator' : 'goes on being made'
  return `the picture is not ready yet and ${why}; ask for it at /api/generations/${id}`
}

/** That its deadline ended it, and what to do; undefined when it ended for another reason: whatever was left to try. */
function lateWords(record: GenerationRecord): string | undefined {
  const { status, createdAt, deadlineAt, finishedAt = deadlineAt, attempts, paused } = record
  if (
    status !== 'failed' ||
    nextStep({ ...record, deadlineAt: Number.POSITIVE_INFINITY }, finishedAt).kind === 'end'
  )
    return undefined
  const passed = `its deadline of ${Math.round((deadlineAt - createdAt) / 1_000)} s passed`
  if (paused)
    return `${passed} while this worker was paused by its operator, so that nothing could be sent; ask again once /healthz says that it is not \`paused\` any more`
  if (attempts.length === 0) return `${passed} before it could be sent; ask again with a later \`deadline\``
  return `${passed} before a provider took it; ask again with a later \`deadline\``
}

// A record as callers see it. Money becomes decimal USD, instants become ISO 8601, R2 keys become addresses.

import type { z } from 'zod'
import type { AttemptSchema, GenerationView, ImageView } from '../../core/api.ts'
import { toUsd } from '../../core/money.ts'
import type { StoredPicture } from '../stream/picture.ts'
import { type Attempt, chargedOf, costOf, type GenerationRecord } from './record.ts'

/** `imagesUrl`: where pictures are served from, no trailing slash. `now` is epoch ms, for what is still running. */
export function viewOf(record: GenerationRecord, imagesUrl: string, now: number): GenerationView {
  const last = record.attempts.at(-1)
  const ending = last?.ending
  const { provider, model } = record.routes[last?.route ?? 0]!
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
    createdAt: new Date(record.createdAt).toISOString(),
    finishedAt: record.finishedAt === undefined ? null : new Date(record.finishedAt).toISOString(),
  }
}

/** Further pictures: of calls that were given up before, which may be paid for, and of the same answer. */
function furtherOf({ attempts }: GenerationRecord): StoredPicture[] {
  const before = attempts.slice(0, -1).flatMap(({ ending }) => [...(ending?.others ?? []), ending?.picture])
  const same = attempts.at(-1)?.ending?.others ?? []
  return [...before, ...same].filter((picture) => picture !== undefined)
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

function errorOf(record: GenerationRecord): GenerationView['error'] {
  if (record.status === 'succeeded' || record.status === 'queued' || record.status === 'running') return null
  if (record.status === 'cancelled')
    return { code: 'cancelled', message: 'it was cancelled by its caller before it was sent' }
  const verdict = record.attempts.at(-1)?.ending?.verdict
  if (!verdict)
    return {
      code: 'expired',
      message: 'its deadline passed before it could be sent; ask again with a later `deadline`',
    }
  return { code: verdict.outcome, message: verdict.message }
}

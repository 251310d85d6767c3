// Examples of the description: what a call looks like that somebody might make. A test holds each against its schema.
import type { z } from 'zod'
import type { NewTokenSchema, TokenRequestSchema, TokenView } from '../../core/accounts.ts'
import type { EstimateView, GenerationView, StoredReference } from '../../core/api.ts'
import type { BatchLineSchema, BatchResult, BatchView } from '../../core/batch.ts'
import type { RequestSchema } from '../../core/request.ts'
import type { UsageReport } from '../../core/usage.ts'

const SHA256 = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'

/** A whole PNG, one pixel, as Base64. */
const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

/** A picture from a prompt, and one from a reference. */
export const REQUESTS = {
  'from words': {
    model: 'nano-banana-2',
    prompt: 'Studio packshot of a terracotta planter, three-quarter view, soft north-window light',
    size: '1K',
    aspect: '4:5',
  },
  'from a reference': {
    model: 'nano-banana-pro',
    prompt: 'Place what the image shows on a pale oak kitchen table',
    // One pixel: what stands here may be sent as it is.
    references: [{ data: PIXEL, mimeType: 'image/png' }],
    size: '2K',
    aspect: '16:9',
    fallback: [{ model: 'nano-banana-2', on: ['unavailable'] }],
    maxCost: 0.3,
    metadata: { sku: 'ff-201' },
  },
} satisfies Record<string, z.input<typeof RequestSchema>>

export const STORED_REFERENCE: StoredReference = { sha256: SHA256, mimeType: 'image/png', bytes: 48_213 }

const QUEUED: GenerationView = {
  id: 'gen_7k2m9q4x1c8v5b3n6z0w2r4t8y',
  status: 'queued',
  provider: 'apiyi',
  model: 'gemini-3.1-flash-image',
  emulated: false,
  image: null,
  moreImages: [],
  text: null,
  finishReason: null,
  error: null,
  cost: {
    estimated: 0.055,
    atMost: 0.055,
    actual: null,
    difference: null,
    currency: 'USD',
    basis: 'apiyi per request: the price list of the relay, checked 2026-11-02',
  },
  attempts: [],
  usage: null,
  request: { ...REQUESTS['from words'], model: 'gemini-3.1-flash-image', provider: 'apiyi', references: [] },
  metadata: {},
  createdAt: '2026-11-21T09:30:00.000Z',
  finishedAt: null,
}

export const QUEUED_GENERATION = QUEUED

export const CANCELLED_GENERATION: GenerationView = {
  ...QUEUED,
  status: 'cancelled',
  error: { code: 'cancelled', message: 'it was cancelled before it was sent' },
  cost: { ...QUEUED.cost, actual: 0, difference: -0.055 },
  finishedAt: '2026-11-21T09:30:02.000Z',
}

export const GENERATION: GenerationView = {
  ...QUEUED,
  status: 'succeeded',
  image: {
    url: 'https://proofsheet.example/images/4t9v2k7c1m8x5q3z6b0n2w4r8y.png',
    mimeType: 'image/png',
    bytes: 1_402_118,
    width: 896,
    height: 1152,
    sha256: SHA256,
  },
  finishReason: 'STOP',
  cost: { ...QUEUED.cost, actual: 0.055, difference: 0 },
  attempts: [
    {
      provider: 'apiyi',
      model: 'gemini-3.1-flash-image',
      startedAt: '2026-11-21T09:30:00.120Z',
      ms: 14_380,
      outcome: 'succeeded',
      charged: 'yes',
      cost: 0.055,
      message: null,
      requestId: 'req_8d1f0c52',
    },
  ],
  finishedAt: '2026-11-21T09:30:14.500Z',
}

export const ESTIMATE: EstimateView = {
  expected: 0.055,
  atMost: 0.055,
  currency: 'USD',
  unknown: [],
  requests: [
    {
      provider: 'apiyi',
      model: 'gemini-3.1-flash-image',
      expected: 0.055,
      atMost: 0.055,
      unknown: [],
      existing: null,
    },
  ],
  emulated: false,
  pricesAsOf: '2026-11-02',
}

const SPENT = {
  generations: 12,
  attempts: 13,
  pictures: 12,
  cost: 0.66,
  unpriced: 0,
  uncertain: 1,
  uncertainAtMost: 0.055,
  running: 0,
  runningAtMost: 0,
}

export const USAGE: UsageReport = {
  by: 'day',
  from: '2026-11-21T00:00:00.000Z',
  to: '2026-11-22T00:00:00.000Z',
  currency: 'USD',
  emulated: false,
  rows: [{ name: '2026-11-21', ...SPENT }],
  total: SPENT,
  cursor: null,
}

export const TOKEN_REQUEST = {
  name: 'web shop, nightly',
  workspace: 'shop',
  scopes: ['generate', 'read'],
  budget: { day: 5, total: 200 },
  perMinute: 120,
  expiresAt: '2027-06-30T00:00:00Z',
} satisfies z.input<typeof TokenRequestSchema>

export const TOKEN: TokenView = {
  id: 'tok_5h2k8m1n4p',
  name: TOKEN_REQUEST.name,
  workspace: TOKEN_REQUEST.workspace,
  scopes: ['generate', 'read'],
  budget: {
    day: { limit: 5, committed: 0.11, remaining: 4.89 },
    total: { limit: 200, committed: 12.485, remaining: 187.515 },
  },
  perMinute: TOKEN_REQUEST.perMinute,
  createdAt: '2026-11-20T09:00:00.000Z',
  expiresAt: '2027-06-30T00:00:00.000Z',
  revokedAt: null,
}

export const NEW_TOKEN: z.output<typeof NewTokenSchema> = {
  ...TOKEN,
  budget: {
    day: { limit: 5, committed: 0, remaining: 5 },
    total: { limit: 200, committed: 0, remaining: 200 },
  },
  token: 'ps_5h2k8m1n4p_4t9v2k7c1m8x5q3z6b0n2w4r8y0g3s6a1d9f7h2j5k8p4e1cv0',
}

/** A picture, and one that is made from it. */
export const BATCH_LINES = [
  { ...REQUESTS['from words'], key: 'planter' },
  { model: 'nano-banana-2', prompt: 'The planter of the image by the sea', references: [{ key: 'planter' }] },
] satisfies z.input<typeof BatchLineSchema>[]

export const BATCH: BatchView = {
  id: 'bat_3f8s1d6g9h2j4k7m0n5p8q1r6t',
  status: 'running',
  total: 2,
  counts: {
    waiting: 1,
    queued: 0,
    running: 0,
    succeeded: 1,
    refused: 0,
    failed: 0,
    uncertain: 0,
    cancelled: 0,
  },
  cost: { estimated: 0.11, atMost: 0.11, actual: 0.055, uncertain: 0, currency: 'USD' },
  metadata: {},
  createdAt: '2026-11-21T09:30:00.000Z',
  cancelledAt: null,
  finishedAt: null,
}

export const BATCH_RESULT: BatchResult = {
  seq: 1,
  line: 1,
  key: 'planter',
  generation: { ...GENERATION, batch: BATCH.id },
  error: null,
}

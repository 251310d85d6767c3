// Examples of the description: what a call looks like that somebody might make. A test holds each against its schema.
import type { z } from 'zod'
import type { EstimateView, GenerationView, StoredReference } from '../../core/api.ts'
import type { RequestSchema } from '../../core/request.ts'

const SHA256 = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'

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
    prompt: 'Place the exact planter of the image on a pale oak kitchen table',
    references: [{ sha256: SHA256 }],
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

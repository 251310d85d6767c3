// Who sells the models: address, auth style, wire ids and billing habits, all as data, because relays differ from Google
// in nothing else. What an operator adds and changes is in market.ts.
import { MODELS } from './models.ts'

/** Three-valued on purpose: what is not established is `unknown`, never a guess. */
export type Charged = 'no' | 'yes' | 'unknown'

export type Provider = {
  id: string
  name: string
  /** No trailing slash; the path is always `/v1beta/models/{wire id}:generateContent`. */
  baseUrl: string
  auth: 'bearer' | 'x-goog-api-key'
  /** Where a system text goes: the top-level field, or a first turn with `role: "model"` (APIYI's documented form). */
  system: 'systemInstruction' | 'model-turn'
  /** Canonical model id → the id this provider expects. A model without one is not sold here. */
  wire: Readonly<Record<string, string>>
  /** Whether a 200 that was refused, or has no picture, is billed. */
  chargesOnRefusal: Charged
  /** Statuses after which nothing was billed and the same request may be sent again. Any 5xx that is not listed may
   *  hide a call that went on, and is not repeated: so too 521, 522, 523 and 525, which Cloudflare gives when it never reached
   *  the server behind it, but which a relay may also send after it has passed the call on. An operator who knows lists
   *  them. */
  freeStatuses: readonly number[]
  /** Largest request body in bytes, Base64 included. */
  maxRequestBytes: number
  /** Models that take `thinkingConfig`; absent: all that can think. */
  thinkingModels?: readonly string[]
  /** Whether `fileData.fileUri` is fetched by the provider. */
  fileUri: boolean
  /** Host suffix of pictures that are answered as a temporary URL in a text part (APIYI's NB-OSS keys). */
  pictureUrlHost?: string
  /** Highest `temperature`. */
  maxTemperature: number
  /** Most calls at once per key and model. What a key may do is not published; the pace adapts below this. */
  concurrency: number
  /** Most calls per minute per key and model, where the operator knows it; else the provider's own 429 sets the pace. */
  perMinute?: number
}

const CONCURRENCY = 64

const REQUEST_BYTES = 100 * 1024 * 1024

const everyModel = Object.fromEntries(MODELS.map((m) => [m.id, m.id]))

/** Built-in providers, in the order in which a request without a provider tries them. */
export const PROVIDERS: readonly Provider[] = [
  {
    id: 'google',
    name: 'Google Gemini API',
    baseUrl: 'https://generativelanguage.googleapis.com',
    auth: 'x-goog-api-key',
    system: 'systemInstruction',
    wire: everyModel,
    // No general statement of Google's exists; its finish message sometimes says "you will not be charged".
    chargesOnRefusal: 'unknown',
    freeStatuses: [429, 500, 503],
    maxRequestBytes: REQUEST_BYTES,
    fileUri: true,
    maxTemperature: 2,
    concurrency: CONCURRENCY,
  },
  {
    id: 'apiyi',
    name: 'APIYI',
    baseUrl: 'https://api.apiyi.com',
    auth: 'bearer',
    system: 'model-turn',
    // It sells the preview ids and routes them to the released models (since 2026-06-20).
    wire: {
      'gemini-3-pro-image': 'gemini-3-pro-image-preview',
      'gemini-3.1-flash-image': 'gemini-3.1-flash-image-preview',
      'gemini-3.1-flash-lite-image': 'gemini-3.1-flash-lite-image',
      'gemini-2.5-flash-image': 'gemini-2.5-flash-image',
    },
    chargesOnRefusal: 'yes',
    // "Failed requests are not billed", but its front end may answer 500 for a call that went on.
    freeStatuses: [429, 503],
    maxRequestBytes: REQUEST_BYTES,
    thinkingModels: ['gemini-3.1-flash-image'],
    fileUri: true,
    pictureUrlHost: 'oss-us-west-1.aliyuncs.com',
    maxTemperature: 2,
    concurrency: CONCURRENCY,
  },
  {
    id: 'tokaify',
    name: 'Tokaify',
    baseUrl: 'https://api.tokaify.com',
    auth: 'bearer',
    system: 'systemInstruction',
    wire: { 'gemini-3-pro-image': 'gemini-3-pro-image-preview' },
    chargesOnRefusal: 'unknown',
    // Nothing is documented: a 429 or 503 is the provider's refusal to start (RFC 9110, RFC 6585).
    freeStatuses: [429, 503],
    maxRequestBytes: REQUEST_BYTES,
    fileUri: false,
    maxTemperature: 2,
    concurrency: CONCURRENCY,
  },
]

/** What a new provider is taken for until the operator says otherwise: a Bearer relay that says nothing of billing. */
export function blankProvider(id: string): Provider {
  return {
    id,
    name: id,
    baseUrl: '',
    auth: 'bearer',
    system: 'systemInstruction',
    wire: {},
    chargesOnRefusal: 'unknown',
    freeStatuses: [429, 503],
    maxRequestBytes: REQUEST_BYTES,
    fileUri: false,
    maxTemperature: 2,
    concurrency: CONCURRENCY,
  }
}

// Pages of other origins may call this worker, on every surface. Tokens come in headers, never in cookies, so a page can
// do no more than who gave it the token; and a browser asks beforehand without one.
import { cors } from 'hono/cors'

/** Our own headers, which a page could not read otherwise. */
const EXPOSED = [
  'Location',
  'Retry-After',
  'Preference-Applied',
  'Idempotent-Replayed',
  'ETag',
  'Content-Range',
  'Allow',
  'X-Request-Id',
  'RateLimit',
  'RateLimit-Policy',
  'x-proofsheet-generation',
  'x-proofsheet-image',
  'x-proofsheet-cost',
  'x-proofsheet-charged',
  'x-proofsheet-emulated',
  'x-proofsheet-failed',
  'x-should-retry',
]

/** Seconds for which a browser remembers that it may; the longest that any of them heeds (Firefox: a day, Chromium: two
 *  hours). */
const MAX_AGE_S = 86_400

/** Answers what browsers ask before a call, and says on every answer that any page may read it. Takes every header that
 *  the page wants to send: clients bring their own (`x-stainless-…`, `x-goog-api-client`). */
export const browsers = cors({
  origin: '*',
  allowMethods: ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS'],
  exposeHeaders: EXPOSED,
  maxAge: MAX_AGE_S,
})

// A reference given by its address: fetched here, because the inline form is the reliable way in. Addresses come from
// callers, so only https on public hosts is asked, every hop of a redirect included.
import type { StoredReference } from '../../core/api.ts'
import { refusalOf } from '../http/address.ts'
import { Problem } from '../http/problem.ts'
import { ReferenceWriter } from './store.ts'

export type Fetch = (input: string, init: RequestInit) => Promise<Response>

const MAX_REDIRECTS = 5
const TIMEOUT_MS = 30_000

/** Fetches and stores the image. Throws `reference_unreachable` and what ReferenceWriter throws. */
export async function downloadReference(
  url: string,
  bucket: Pick<R2Bucket, 'head' | 'put'>,
  workspace: string,
  fetch: Fetch,
): Promise<StoredReference> {
  const response = await follow(url, fetch)
  const writer = new ReferenceWriter()
  try {
    for await (const chunk of response.body ?? []) writer.write(chunk)
  } catch (cause) {
    if (cause instanceof Problem) throw new Problem(cause.code, `${url}: ${cause.message}`)
    throw unreachable(url, `the download broke off: ${(cause as Error).message}`)
  }
  try {
    return await writer.store(bucket, workspace)
  } catch (cause) {
    throw cause instanceof Problem ? new Problem(cause.code, `${url}: ${cause.message}`) : cause
  }
}

async function follow(url: string, fetch: Fetch): Promise<Response> {
  const signal = AbortSignal.timeout(TIMEOUT_MS)
  let next = url
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const refusal = refusalOf(next)
    if (refusal) throw unreachable(url, refusal)
    let response: Response
    try {
      response = await fetch(next, { redirect: 'manual', signal, headers: { accept: 'image/*' } })
    } catch (cause) {
      throw unreachable(url, (cause as Error).message)
    }
    if (response.status === 200) return response
    await response.body?.cancel()
    const location = response.headers.get('location')
    if (response.status < 300 || response.status > 399 || !location || !URL.canParse(location, next))
      throw unreachable(url, `the server answered ${response.status}`)
    next = new URL(location, next).href
  }
  throw unreachable(url, `more than ${MAX_REDIRECTS} redirects`)
}

function unreachable(url: string, why: string): Problem {
  return new Problem('reference_unreachable', `${url} could not be fetched: ${why}`)
}

// /images/:name.:ext: the pictures. Open to all who know the name, which is 128 random bits; immutable.
import type { Context } from 'hono'
import { CONTRACT } from '../../core/contract.ts'
import type { AppEnv } from '../env.ts'
import { declare, routes } from '../http/declare.ts'
import { Problem } from '../http/problem.ts'
import { INDEX, reached } from '../http/reach.ts'
import { deletionOf, goneWords } from '../retention/deleted.ts'

const route = declare(CONTRACT.readImage, {
  summary: 'A picture',
  description:
    'No token: whoever has the address has the picture. Immutable. One `Range`, the conditions of RFC 9110 and calls from other origins are heeded.',
  tag: 'Pictures',
  answers: {
    200: {
      description: 'The picture.',
      headers: {
        ETag: { description: 'Strong.', schema: { type: 'string' } },
        'Cache-Control': { description: 'A year, immutable.', schema: { type: 'string' } },
      },
    },
  },
  others: {
    206: { description: 'The range that was asked for; `Content-Range` says which.' },
    304: { description: 'As the caller has it already.' },
    412: { description: 'Not what `If-Match` or `If-Unmodified-Since` says.' },
    416: { description: 'The picture has no such range.' },
  },
  problems: ['not_found', 'gone', 'unavailable'],
})

export const images = routes()
images.openAPIRegistry.registerPath(route)
images.get('/images/:file{[0-9a-z-]+\\.[a-z]+}', async (c) => {
  const key = `pictures/${c.req.param('file')}`
  const { headers } = c.req.raw
  const head = c.req.raw.method === 'GET' && headers.has('range') ? await c.env.BUCKET.head(key) : null
  const range = head ? rangeOf(headers, head) : undefined
  if (head && range === 'unsatisfiable')
    return new Response(null, {
      status: 416,
      headers: { ...headersOf(head), 'content-range': `bytes */${head.size}` },
    })
  const object = await c.env.BUCKET.get(key, {
    onlyIf: conditionsOf(headers),
    ...(typeof range === 'object' ? { range } : {}),
  })
  if (!object) throw await missing(c, c.req.param('file'))
  if (!('body' in object)) {
    const isMatch = matches(headers.get('if-match'), object) ?? !headers.has('if-unmodified-since')
    return new Response(null, { status: isMatch ? 304 : 412, headers: headersOf(object) })
  }
  if (c.req.raw.method === 'HEAD') {
    await object.body.cancel()
    return new Response(null, { headers: { ...headersOf(object), 'content-length': String(object.size) } })
  }
  if (typeof range !== 'object')
    return new Response(object.body, {
      headers: { ...headersOf(object), 'content-length': String(object.size) },
    })
  const end = range.offset + range.length - 1
  return new Response(object.body, {
    status: 206,
    headers: {
      ...headersOf(object),
      'content-length': String(range.length),
      'content-range': `bytes ${range.offset}-${end}/${object.size}`,
    },
  })
})

/** Why a picture is not there: retention has noted what it deleted; of what somebody else deleted, nobody knows here. */
async function missing(c: Context<AppEnv>, file: string): Promise<Problem> {
  const name = /^([0-9a-z]{26})(-\d+)?\./.exec(file)?.[1]
  const deleted = name && (await reached(c.var, INDEX, () => deletionOf(c.env.DB, name)))
  return deleted
    ? new Problem('gone', goneWords(`the picture ${file}`, deleted.deletedAt, deleted.generation))
    : new Problem(
        'not_found',
        `there is no picture ${file}; if there was one, it was deleted from the bucket`,
      )
}

/** Whether `If-Match` holds; undefined without one. */
function matches(ifMatch: string | null, object: R2Object): boolean | undefined {
  return ifMatch === null ? undefined : ifMatch.trim() === '*' || ifMatch.includes(object.httpEtag)
}

function headersOf(object: R2Object): Record<string, string> {
  return {
    'content-type': object.httpMetadata!.contentType!,
    'cache-control': 'public, max-age=31536000, immutable',
    etag: object.httpEtag,
    'last-modified': object.uploaded.toUTCString(),
    'accept-ranges': 'bytes',
    'x-content-type-options': 'nosniff',
  }
}

/** The preconditions without `If-Range`, which speaks of the range only, and without what is malformed: R2 would throw
 *  where RFC 9110 says to pass over it. */
function conditionsOf(headers: Headers): Headers {
  const conditions = new Headers()
  for (const [name, form] of CONDITIONS) {
    const value = headers.get(name)
    if (value !== null && form.test(value.trim())) conditions.set(name, value)
  }
  return conditions
}

const ETAGS = /^(\*|(W\/)?"[^"]*"(\s*,\s*(W\/)?"[^"]*")*)$/
const DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/
const CONDITIONS = [
  ['if-none-match', ETAGS],
  ['if-match', ETAGS],
  ['if-modified-since', DATE],
  ['if-unmodified-since', DATE],
] as const

/** The one range that is asked for. Several at once, other units and a stale `If-Range` get the whole picture, as
 *  RFC 9110 allows. */
function rangeOf(
  headers: Headers,
  object: R2Object,
): { offset: number; length: number } | 'unsatisfiable' | undefined {
  const ifRange = headers.get('if-range')
  if (ifRange && ifRange !== object.httpEtag) return undefined
  const match = /^bytes=(\d*)-(\d*)$/.exec(headers.get('range')!.trim())
  if (!match || (match[1] === '' && match[2] === '')) return undefined
  const { size } = object
  const [first, last] = [match[1]!, match[2]!]
  const offset = first === '' ? Math.max(0, size - Number(last)) : Number(first)
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1)
  if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined
  if (offset >= size || (first === '' && Number(last) === 0)) return 'unsatisfiable'
  return { offset, length: end - offset + 1 }
}

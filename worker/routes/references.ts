// /api/references: upload an input image once, under the SHA-256 of its bytes.
import type { Context } from 'hono'
import { CONTRACT } from '../../core/contract.ts'
import { STORED_REFERENCE } from '../description/examples.ts'
import type { AppEnv } from '../env.ts'
import { declare, routes } from '../http/declare.ts'
import { Problem } from '../http/problem.ts'
import { findReference, ReferenceWriter, referenceKey } from '../references/store.ts'

const upload = declare(CONTRACT.storeReference, {
  summary: 'Store an input image',
  description:
    'The body is its bytes. What they are, they say themselves; a `Content-Type` that says otherwise is an error.',
  tag: 'References',
  answers: {
    201: {
      description: 'Stored under its digest.',
      headers: { Location: { description: 'Where the bytes are.', schema: { type: 'string' } } },
      example: STORED_REFERENCE,
    },
  },
  problems: ['payload_too_large', 'unsupported_media_type'],
})

const put = declare(CONTRACT.putReference, {
  summary: 'Store an input image under a digest that is known beforehand',
  description: 'The body is its bytes.',
  tag: 'References',
  answers: {
    200: { description: 'It was there already.', example: STORED_REFERENCE },
    201: { description: 'Stored.', example: STORED_REFERENCE },
  },
  problems: ['invalid_request', 'payload_too_large', 'unsupported_media_type', 'digest_mismatch'],
})

const get = declare(CONTRACT.readReference, {
  summary: 'The bytes of an input image',
  tag: 'References',
  answers: {
    200: {
      description: 'The image.',
      headers: { ETag: { description: 'Strong.', schema: { type: 'string' } } },
    },
  },
  problems: ['invalid_request', 'not_found'],
})

export const references = routes()
  .openapi(upload, async (c) => {
    const reference = await receive(c)
    c.header('location', `/api/references/${reference.sha256}`)
    return c.json(reference, 201)
  })
  .openapi(put, async (c) => {
    const sha256 = c.req.valid('param').sha256
    const existing = await findReference(c.env.BUCKET, c.var.workspace, sha256)
    if (existing) {
      await c.req.raw.body?.cancel()
      return c.json(existing, 200)
    }
    return c.json(await receive(c, sha256), 201)
  })
  .openapi(get, async (c) => {
    const sha256 = c.req.valid('param').sha256
    const key = referenceKey(c.var.workspace, sha256)
    // HEAD runs this handler too: then the bytes are not fetched.
    const object = c.req.raw.method === 'HEAD' ? await c.env.BUCKET.head(key) : await c.env.BUCKET.get(key)
    if (!object) throw new Problem('not_found', `no reference ${sha256} is stored`)
    return new Response('body' in object ? (object as R2ObjectBody).body : null, {
      headers: {
        'content-type': object.httpMetadata!.contentType!,
        'content-length': String(object.size),
        'x-content-type-options': 'nosniff',
        etag: object.httpEtag,
      },
    })
  })

/** Reads the body and stores it. Throws what ReferenceWriter throws. */
async function receive(c: Context<AppEnv>, sha256?: string) {
  const type = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase()
  const writer = new ReferenceWriter()
  for await (const chunk of c.req.raw.body ?? []) writer.write(chunk)
  return writer.store(c.env.BUCKET, c.var.workspace, {
    ...(sha256 ? { sha256 } : {}),
    // curl's default and the generic type claim nothing.
    mimeType: type?.startsWith('image/') ? type : undefined,
  })
}

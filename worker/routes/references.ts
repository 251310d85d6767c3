// /api/references: upload an input image once, under the SHA-256 of its bytes.
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { StoredReferenceSchema } from '../../core/api.ts'
import { Sha256Schema } from '../../core/request.ts'
import type { AppEnv } from '../env.ts'
import { parse } from '../http/input.ts'
import { Problem } from '../http/problem.ts'
import { findReference, ReferenceWriter, referenceKey } from '../references/store.ts'

const stored = (description: string) => ({
  description,
  content: { 'application/json': { schema: StoredReferenceSchema } },
})
const params = z.object({ sha256: z.string() })

const upload = createRoute({
  method: 'post',
  path: '/',
  summary: 'Store an image; the body is its bytes',
  responses: { 201: stored('Stored under its digest.') },
})

const put = createRoute({
  method: 'put',
  path: '/{sha256}',
  summary: 'Store an image under a digest that is known beforehand; the body is its bytes',
  request: { params },
  responses: { 200: stored('It was there already.'), 201: stored('Stored.') },
})

const get = createRoute({
  method: 'get',
  path: '/{sha256}',
  summary: 'The bytes; HEAD says whether they are there',
  request: { params },
  responses: { 200: { description: 'The image.' } },
})

export const references = new OpenAPIHono<AppEnv>()
  .openapi(upload, async (c) => {
    const reference = await receive(c)
    c.header('location', `/api/references/${reference.sha256}`)
    return c.json(reference, 201)
  })
  .openapi(put, async (c) => {
    const sha256 = parse(Sha256Schema, c.req.valid('param').sha256)
    const existing = await findReference(c.env.BUCKET, c.var.workspace, sha256)
    if (existing) {
      await c.req.raw.body?.cancel()
      return c.json(existing, 200)
    }
    return c.json(await receive(c, sha256), 201)
  })
  .openapi(get, async (c) => {
    const sha256 = parse(Sha256Schema, c.req.valid('param').sha256)
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

// The description against the application: nothing undeclared, nothing that is not there, no body read by the library.
import { describe, expect, test } from 'vitest'
import type { z } from 'zod'
import { PROBLEMS } from '../../core/api.ts'
import { CONTRACT } from '../../core/contract.ts'
import { createApp } from '../../worker/app.ts'
import { ask, askAs, problemOf } from './setup/ask.ts'
import { env } from './setup/bindings.ts'

type Media = { schema?: unknown; example?: unknown; examples?: Record<string, { value: unknown }> }
type Operation = {
  operationId: string
  summary: string
  tags: string[]
  security?: unknown[]
  parameters?: { name: string; in: string; description?: string }[]
  requestBody?: { content: Record<string, Media> }
  responses: Record<string, { description: string; headers?: object; content?: Record<string, Media> }>
}
type Document = {
  openapi: string
  servers: { url: string }[]
  tags: { name: string }[]
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, unknown>; securitySchemes: Record<string, unknown> }
}

async function read(): Promise<Document> {
  const response = await askAs('/openapi.json')
  expect(response.status).toBe(200)
  return response.json()
}

const operationsOf = ({ paths }: Document) =>
  Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ method, path, operation })),
  )

test('every route of /api, /images and /healthz is declared, and nothing else is', async () => {
  const app = createApp(() => {}, Date.now)
  const served = app.routes
    .filter(({ method, path }) => method !== 'ALL' && /^\/(api|images|healthz)\b/.test(path))
    .map(({ method, path }) => `${method} ${path.replace(/:(\w+)(\{.*\})?(?=\/|$)/g, '{$1}')}`)
  const declared = operationsOf(await read())
    .filter(({ method }) => method !== 'head')
    .map(({ method, path }) => `${method.toUpperCase()} ${path}`)
  expect(declared.length).toBeGreaterThan(8)
  expect(new Set(declared)).toEqual(new Set(served))
})

test('it wants no token, names the worker’s own address, and may be read from elsewhere', async () => {
  const response = await askAs('/openapi.json')
  expect(response.headers.get('access-control-allow-origin')).toBe('*')
  const document = (await response.json()) as Document
  expect(document.openapi).toBe('3.1.0')
  expect(document.servers).toEqual([{ url: 'https://proofsheet.test' }])
})

test('HEAD is declared where it is answered', async () => {
  const heads = operationsOf(await read()).filter(({ method }) => method === 'head')
  expect(heads.map(({ path }) => path).sort()).toEqual(['/api/references/{sha256}', '/images/{file}'])
  for (const { operation } of heads)
    for (const response of Object.values(operation.responses)) expect(response.content).toBeUndefined()
})

test('every call says what it does, where it belongs, and whether it wants a token', async () => {
  const document = await read()
  const tags = document.tags.map(({ name }) => name)
  for (const { path, operation } of operationsOf(document)) {
    expect(operation.summary, path).toMatch(/\w+/)
    for (const tag of operation.tags) expect(tags).toContain(tag)
    if (path.startsWith('/api')) {
      expect(operation.security, path).toBeUndefined()
      expect(Object.keys(operation.responses), path).toContain('401')
    } else expect(operation.security, path).toEqual([])
  }
  expect(Object.keys(document.components.securitySchemes)).toEqual(['bearer', 'googleKey', 'queryKey'])
})

test('schemas have names', async () => {
  const { components, paths } = await read()
  expect(Object.keys(components.schemas).sort()).toEqual([
    'Attempt',
    'Batch',
    'BatchLine',
    'BatchList',
    'BatchRequest',
    'BatchResult',
    'Estimate',
    'EstimateRequest',
    'EstimatedRequest',
    'Generation',
    'GenerationList',
    'Health',
    'Image',
    'Models',
    'NewToken',
    'Problem',
    'Reference',
    'Request',
    'StoredReference',
    'Token',
    'TokenList',
    'TokenRequest',
    'Usage',
  ])
  const make = paths['/api/generations']!.post!
  expect(make.requestBody!.content['application/json']!.schema).toEqual({
    $ref: '#/components/schemas/Request',
  })
  expect(make.responses[201]!.content!['application/json']!.schema).toEqual({
    $ref: '#/components/schemas/Generation',
  })
})

// A reader of the schema would refuse what has no picture yet.
test('a named schema never admits null of itself: where null may stand, it says so beside the name', async () => {
  const { schemas } = (await read()).components
  for (const [name, schema] of Object.entries(schemas))
    expect([(schema as { type?: unknown }).type].flat(), name).not.toContain('null')
  const { properties } = schemas.Generation as { properties: Record<string, unknown> }
  expect(properties.image).toEqual({ anyOf: [{ $ref: '#/components/schemas/Image' }, { type: 'null' }] })
})

test('a call that makes a picture tells its headers', async () => {
  const { paths } = await read()
  const make = paths['/api/generations']!.post!
  expect(make.parameters!.map(({ name }) => name)).toEqual([
    'idempotency-key',
    'prefer',
    'x-proofsheet-shield',
  ])
  expect(Object.keys(make.responses[202]!.headers!)).toEqual([
    'Location',
    'Retry-After',
    'Preference-Applied',
    'Idempotent-Replayed',
    'RateLimit',
    'RateLimit-Policy',
  ])
})

test('what may be NDJSON says so, by the schema of a line', async () => {
  const { paths } = await read()
  expect(paths['/api/batches']!.post!.requestBody!.content).toMatchObject({
    'application/json': { schema: { $ref: '#/components/schemas/BatchRequest' } },
    'application/x-ndjson': { schema: { $ref: '#/components/schemas/BatchLine' } },
    'application/jsonl': { schema: { $ref: '#/components/schemas/BatchLine' } },
  })
  const { content } = paths['/api/batches/{id}/results']!.get!.responses[200]!
  expect(Object.keys(content!)).toEqual(['application/x-ndjson'])
  expect(content!['application/x-ndjson']!.schema).toEqual({ $ref: '#/components/schemas/BatchResult' })
  const example = content!['application/x-ndjson']!.example
  expect(CONTRACT.batchResults.answer.safeParse(example).error).toBeUndefined()
})

test('every answer to a token tells its rate, and what may pass when to ask again', async () => {
  const document = await read()
  for (const { path, operation } of operationsOf(document)) {
    if (!path.startsWith('/api')) continue
    for (const [status, { headers = {} }] of Object.entries(operation.responses)) {
      if (status === '304') continue
      const names = Object.keys(headers)
      expect(names, `${operation.operationId} ${status}`).toEqual(
        expect.arrayContaining(['RateLimit', 'RateLimit-Policy']),
      )
      if (status === '429' || status === '503') expect(names).toContain('Retry-After')
    }
  }
})

test('what the worker sends by itself is described, with messages that are what they say', async () => {
  const { webhooks } = (await read()) as unknown as { webhooks: Record<string, { post: Operation }> }
  expect(Object.keys(webhooks)).toEqual(['generation.ended', 'batch.ended'])
  const dataOf = (name: string) => {
    const { schema, example } = webhooks[name]!.post.requestBody!.content['application/json']!
    const types = (schema as { properties: { type: { enum?: string[]; const?: string } } }).properties.type
    const { type, data } = example as { type: string; data: unknown }
    expect([types.const, ...(types.enum ?? [])]).toContain(type)
    return data
  }
  expect(CONTRACT.readGeneration.answer.safeParse(dataOf('generation.ended')).error).toBeUndefined()
  expect(CONTRACT.readBatch.answer.safeParse(dataOf('batch.ended')).error).toBeUndefined()
})

test('examples of what is sent are taken as they are', async () => {
  const { paths } = await read()
  let sent = 0
  for (const path of ['/api/generations', '/api/batches', '/api/tokens', '/api/estimate'])
    for (const [type, { examples = {} }] of Object.entries(paths[path]!.post!.requestBody!.content))
      for (const { value } of Object.values(examples)) {
        const body = typeof value === 'string' ? value : JSON.stringify(value)
        const response = await ask(path, { method: 'POST', body, headers: { 'content-type': type } })
        expect([200, 201], `${path} ${type} ${await response.text()}`).toContain(response.status)
        sent++
      }
  expect(sent).toBeGreaterThan(6)
})

describe('problems', () => {
  const codesOf = (media: Media) =>
    (media.schema as { allOf: [unknown, { properties: { code: { enum: string[] } } }] }).allOf[1].properties
      .code.enum

  test('every code stands at its status, and each stands somewhere', async () => {
    const document = await read()
    const seen = new Set<string>()
    for (const { operation } of operationsOf(document))
      for (const [status, { content }] of Object.entries(operation.responses)) {
        const media = content?.['application/problem+json']
        for (const code of media ? codesOf(media) : []) {
          seen.add(code)
          expect(PROBLEMS[code as keyof typeof PROBLEMS], `${operation.operationId} ${code}`).toBe(
            Number(status),
          )
        }
      }
    // Of a method that no operation has.
    seen.add('method_not_allowed')
    expect([...seen].sort()).toEqual(Object.keys(PROBLEMS).sort())
  })

  test.for<[call: string, init: RequestInit]>([
    ['/api/generations', { method: 'POST', body: '{' }],
    ['/api/generations', { method: 'POST', body: '{"model":"nano-banana-2","prompt":"x","sise":1}' }],
    ['/api/generations', { method: 'POST', body: '{"model":"x","prompt":"x"}' }],
    ['/api/generations', { method: 'POST', body: '{}', headers: { 'idempotency-key': 'a b' } }],
    [
      '/api/generations',
      { method: 'POST', body: '{"model":"nano-banana-2","prompt":"x","maxCost":0.000001}' },
    ],
    ['/api/generations?limit=0', {}],
    ['/api/generations/gen_1', {}],
    ['/api/references', { method: 'POST', body: 'no image' }],
    [`/api/references/${'0'.repeat(64)}`, { method: 'PUT', body: 'no image' }],
    [`/api/references/${'0'.repeat(64)}`, {}],
    ['/api/references/abc', {}],
    ['/api/estimate', { method: 'POST', body: '{"requests":[]}' }],
    ['/images/none.png', {}],
  ])('%s answers %j with a problem that it declares', async ([path, init]) => {
    const problem = await problemOf(await ask(path, init))
    const { paths } = await read()
    const method = (init.method ?? 'GET').toLowerCase()
    const template = path
      .split('?')[0]!
      .replace(/(generations)\/.+/, '$1/{id}')
      .replace(/(references)\/.+/, '$1/{sha256}')
      .replace(/(images)\/.+/, '$1/{file}')
    const response = paths[template]![method]!.responses[problem.status]!
    expect(codesOf(response.content!['application/problem+json']!)).toContain(problem.code)
  })
})

test('what is wrong with a parameter is a problem that names it', async () => {
  const problem = await problemOf(await ask('/api/references/abc'))
  expect(problem).toMatchObject({
    code: 'invalid_request',
    detail: 'sha256: SHA-256 as 64 lower-case hex digits',
    errors: [{ path: 'sha256', message: 'SHA-256 as 64 lower-case hex digits' }],
  })
})

test('examples are what their schemas say', async () => {
  const document = await read()
  let examples = 0
  for (const { operation } of operationsOf(document)) {
    const endpoint = CONTRACT[operation.operationId as keyof typeof CONTRACT] as
      | { body?: z.ZodType; answer: z.ZodType }
      | undefined
    for (const { value } of Object.values(
      operation.requestBody?.content['application/json']?.examples ?? {},
    )) {
      expect(endpoint!.body!.safeParse(value).error, operation.operationId).toBeUndefined()
      examples++
    }
    for (const { content } of Object.values(operation.responses)) {
      const example = content?.['application/json']?.example
      if (example === undefined) continue
      expect(endpoint!.answer.safeParse(example).error, operation.operationId).toBeUndefined()
      examples++
    }
  }
  expect(examples).toBeGreaterThan(10)
})

test('a body is not read before its handler reads it, whatever it is called', async () => {
  for (const type of [undefined, 'text/plain', 'application/json', 'application/x-www-form-urlencoded']) {
    const body = JSON.stringify({ model: 'nano-banana-2', prompt: 'x' })
    const headers = new Headers(type ? { 'content-type': type } : {})
    // Bytes carry no type of their own.
    const init = { method: 'POST', body: new TextEncoder().encode(body), headers }
    expect((await ask('/api/estimate', init)).status, type).toBe(200)
  }
  const app = createApp(() => {}, Date.now)
  const consuming = new ReadableStream({
    pull(controller) {
      controller.error(new Error('the body was read'))
    },
  })
  const request = new Request('https://proofsheet.test/api/generations', {
    method: 'POST',
    body: consuming,
    headers: {
      authorization: `Bearer ${env.ADMIN_TOKEN}`,
      'idempotency-key': 'not one',
      'content-type': 'application/json',
    },
  })
  expect((await problemOf(await app.fetch(request, env as never))).code).toBe('invalid_key')
})

describe('/docs', () => {
  test('is a page that may load nothing from elsewhere', async () => {
    const response = await askAs('/docs')
    expect(response.headers.get('content-type')).toBe('text/html; charset=UTF-8')
    const policy = response.headers.get('content-security-policy')!
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("connect-src 'self'")
    expect(policy).not.toMatch(/https?:|unsafe/)
    const page = await response.text()
    for (const [, address] of page.matchAll(/(?:src|href)="([^"]+)"/g)) {
      if (address === 'data:,') continue
      expect((await askAs(address!)).status, address).toBe(200)
    }
  })

  test.for([
    '/docs/',
    '/docs/package.json',
    '/docs/swagger-ui.js',
    '/swagger-ui.css',
    '/swagger-ui-bundle.js',
    '/',
  ])('%s is not there: no more of the package is served than the page needs', async (path) => {
    expect((await problemOf(await askAs(path))).code).toBe('not_found')
  })
})

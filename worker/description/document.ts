// /openapi.json: what the routes declare of themselves, the bodies of the contract, and what holds for all of them.
import { OpenAPIHono } from '@hono/zod-openapi'
import { ProblemSchema } from '../../core/api.ts'
import { API_VERSION, CONTRACT, type Endpoint } from '../../core/contract.ts'
import type { AppEnv } from '../env.ts'
import { IMAGE_CONTENT, NDJSON } from '../http/declare.ts'
import { BATCH_LINES, REQUESTS, TOKEN_REQUEST } from './examples.ts'
import { registerWebhooks } from './webhooks.ts'

const DESCRIPTION = `See the price, then the pictures. Prompts and reference images in, stored pictures and their URLs out; the price is known before.

Money is a decimal number of USD, instants are ISO 8601. What was not accepted is a problem (RFC 9457,
\`application/problem+json\`): branch on its \`code\`. A path that does not exist is \`not_found\`, a method that a path does
not take is \`method_not_allowed\` (405), with \`Allow\`. JSON answers carry \`X-Request-Id\`.

The same worker speaks two contracts that are not described here, because they are their vendors': existing clients
change the address and the key, and nothing else. \`/v1beta\` and \`/v1\` take the calls of the
[Gemini API](https://ai.google.dev/api/generate-content), \`/openai/v1\` those of the
[OpenAI API](https://platform.openai.com/docs/api-reference/images) that concern images.`

const TAGS = [
  { name: 'Generations', description: 'One wanted picture each. They are bought at most once per key.' },
  { name: 'Batches', description: 'Many pictures, handed over at once and made without their caller.' },
  { name: 'References', description: 'Input images, uploaded once and named by the SHA-256 of their bytes.' },
  { name: 'Prices', description: 'What can be made, by whom, and for how much. Buys nothing.' },
  { name: 'Pictures', description: 'What was made.' },
  { name: 'Webhooks', description: 'What the worker sends by itself, to the address that a request names.' },
  { name: 'Tokens', description: 'Who else may call, and how much they may spend.' },
  { name: 'Worker', description: 'Whether it is there.' },
]

/** Examples of bodies, by operation. */
const BODIES: Record<string, Record<string, unknown>> = {
  makeGeneration: REQUESTS,
  makeBatch: { 'a picture, and one made from it': { requests: BATCH_LINES } },
  makeToken: { 'with a budget': TOKEN_REQUEST },
  estimate: { one: REQUESTS['from words'], several: { requests: Object.values(REQUESTS) } },
}

/** NDJSON: requests of a batch as they are sent. */
const LINES = BATCH_LINES.map((line) => `${JSON.stringify(line)}\n`).join('')

/** The OpenAPI 3.1 document of an application. `server`: the address it is reached at. */
export function documentOf(app: Pick<OpenAPIHono<AppEnv>, 'openAPIRegistry'>, server: string) {
  const described = new OpenAPIHono()
  const registry = described.openAPIRegistry
  registry.register('Problem', ProblemSchema)
  registry.registerComponent('securitySchemes', 'bearer', { type: 'http', scheme: 'bearer' })
  registry.registerComponent('securitySchemes', 'googleKey', {
    type: 'apiKey',
    in: 'header',
    name: 'x-goog-api-key',
    description: "The same token, as Google's clients send it.",
  })
  registry.registerComponent('securitySchemes', 'queryKey', {
    type: 'apiKey',
    in: 'query',
    name: 'key',
    description: 'The same token, where no header can be sent.',
  })
  registerWebhooks(registry)
  for (const definition of app.openAPIRegistry.definitions) {
    if (definition.type !== 'route') continue
    const { route } = definition
    const { body, bodyLines, head }: Endpoint = CONTRACT[route.operationId as keyof typeof CONTRACT]
    const request = {
      ...route.request,
      ...(body ? { body: bodyOf(body, bodyLines, route.operationId!) } : {}),
    }
    registry.registerPath({ ...route, request })
    if (head) registry.registerPath(headOf(route))
  }
  return described.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'proofsheet',
      version: API_VERSION,
      description: DESCRIPTION,
      license: { name: 'MIT' },
    },
    servers: [{ url: server }],
    tags: TAGS,
    security: [{ bearer: [] }, { googleKey: [] }, { queryKey: [] }],
  })
}

type Route = Parameters<OpenAPIHono['openAPIRegistry']['registerPath']>[0]

function bodyOf(body: NonNullable<Endpoint['body']>, line: Endpoint['bodyLines'], operation: string) {
  if (body === 'image') return { required: true, content: IMAGE_CONTENT }
  const examples = Object.entries(BODIES[operation] ?? {}).map(([name, value]) => [name, { value }])
  const json = { schema: body, examples: Object.fromEntries(examples) }
  // OpenAPI 3.1 has no word for a list without brackets: the schema is that of a line.
  const media = line && { schema: line, examples: { 'one a line': { value: LINES } } }
  const lines = media ? { [NDJSON]: media, 'application/jsonl': media } : {}
  return { required: true, content: { 'application/json': json, ...lines } }
}

/** HEAD beside a GET: the same without bodies. */
function headOf(route: Route): Route {
  const responses = Object.entries(route.responses).map(([status, response]) => {
    const { content: _, ...bare } = response as { content?: unknown; description: string }
    return [status, bare]
  })
  return {
    ...route,
    method: 'head',
    operationId: `${route.operationId}Head`,
    summary: `${route.summary}: whether it is there, and its headers`,
    responses: Object.fromEntries(responses),
  }
}

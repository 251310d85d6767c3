// /api/models: what can be made here, by whom, and for how much.
import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import { ModelsSchema } from '../../core/api.ts'
import { catalogueOf } from '../../core/catalogue.ts'
import type { AppEnv } from '../env.ts'

const route = createRoute({
  method: 'get',
  path: '/',
  summary: 'Models with limits, lifecycle and dated prices per provider',
  responses: {
    200: { description: 'The catalogue.', content: { 'application/json': { schema: ModelsSchema } } },
  },
})

export const models = new OpenAPIHono<AppEnv>().openapi(route, (c) => c.json(catalogueOf(c.var.market), 200))

// /api/models: what can be made here, by whom, and for how much.
import { catalogueOf } from '../../core/catalogue.ts'
import { CONTRACT } from '../../core/contract.ts'
import { declare, routes } from '../http/declare.ts'

const route = declare(CONTRACT.models, {
  summary: 'Models with limits, lifecycle and dated prices per provider',
  tag: 'Prices',
  answers: { 200: { description: 'The catalogue.' } },
})

export const models = routes().openapi(route, (c) => c.json(catalogueOf(c.var.market), 200))

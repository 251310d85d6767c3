// /healthz: whether the worker is there, and whether it buys.
import { CONTRACT } from '../../core/contract.ts'
import { marketOf } from '../../core/market.ts'
import { declare, routes } from '../http/declare.ts'

const route = declare(CONTRACT.health, {
  summary: 'Whether the worker is there',
  tag: 'Worker',
  answers: { 200: { description: 'It is.', example: { ok: true, emulated: false } } },
  problems: ['misconfigured'],
})

export const health = routes().openapi(route, (c) =>
  c.json({ ok: true as const, emulated: marketOf(c.env).emulated }, 200),
)

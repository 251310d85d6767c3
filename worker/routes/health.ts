// /healthz: whether the worker is there, whether it buys, and whether it is paused.
import { CONTRACT } from '../../core/contract.ts'
import { marketOf } from '../../core/market.ts'
import { isPaused } from '../generation/pause.ts'
import { declare, routes } from '../http/declare.ts'

const route = declare(CONTRACT.health, {
  summary: 'Whether the worker is there',
  tag: 'Worker',
  answers: { 200: { description: 'It is.', example: { ok: true, emulated: false, paused: false } } },
  problems: ['misconfigured'],
})

export const health = routes().openapi(route, (c) =>
  c.json({ ok: true as const, emulated: marketOf(c.env).emulated, paused: isPaused(c.env) }, 200),
)

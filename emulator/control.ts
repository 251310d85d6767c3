// What a test may ask of a running emulator: its records, and, for one provider id at a time, its clock, its limits and its faults, so
// that tests that share an emulator do not disturb each other. Any id will do: an unknown one is a relay of its own.
import { type Context, Hono } from 'hono'
import { knownFault } from './faults.ts'
import type { createLimits, LimitRule } from './limits.ts'
import type { createMischief, FaultRule } from './mischief.ts'
import type { Witness } from './witness.ts'

export type Controlled = {
  witness: Pick<Witness, 'calls' | 'bill'>
  limits: Pick<ReturnType<typeof createLimits>, 'set'>
  mischief: Pick<ReturnType<typeof createMischief>, 'set'>
  /** Sets a provider's clock, in epoch ms; undefined gives it the usual one back. */
  setClock(provider: string, now: number | undefined): void
  reset(): void
}

/** `GET /calls`, `GET /bill`, `POST /reset`, `POST /limits`, `POST /faults`, `POST /clock`. */
export function controlOf({ witness, limits, mischief, setClock, reset }: Controlled) {
  const app = new Hono()
  const done = (c: Context) => c.body(null, 204)
  app.get('/calls', (c) => c.json({ calls: witness.calls() }))
  app.get('/bill', (c) => c.json({ charges: witness.bill() }))
  app.post('/reset', (c) => {
    reset()
    return done(c)
  })
  // `{provider, perMinute?, perDay?, concurrency?}`: without any of them the provider is not limited.
  app.post('/limits', async (c) => {
    limits.set(await c.req.json<LimitRule>())
    return done(c)
  })
  // `{provider, rules}`: what befalls its calls by chance, in place of what it was told before.
  app.post('/faults', async (c) => {
    const { provider, rules } = await c.req.json<{ provider: string; rules: FaultRule[] }>()
    for (const { fault } of rules) knownFault(fault)
    mischief.set(provider, rules)
    return done(c)
  })
  // `{provider, now}`: epoch ms at which its clock stands from now on; null: it goes with the machine's again.
  app.post('/clock', async (c) => {
    const { provider, now } = await c.req.json<{ provider: string; now: number | null }>()
    setClock(provider, now ?? undefined)
    return done(c)
  })
  return app
}

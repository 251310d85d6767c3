// A soak: hundreds of pictures at once, every fault, clients that leave and repeat, objects that die, D1 and R2 that refuse
// or lose their answers; and in the end ledger = bill, nothing bought twice, nothing lost, nothing left to do.
// Inside workerd, because there everything that is kept can be looked at, and every failure be placed: objects die as in a
// deploy (`abortAllDurableObjects`), what is stored stays.
//
// What is drawn follows from a seed: `SOAK_SEED=… npm run soak` draws it again; SOAK_MINUTES or SOAK_GENERATIONS make it
// longer.
import { expect, test, vi } from 'vitest'
import { ask } from '../worker/setup/ask.ts'
import { env } from '../worker/setup/bindings.ts'
import { PNG } from '../worker/setup/pictures.ts'
import { makeToken } from '../worker/setup/tokens.ts'
import { findingsOf } from './soak/audit.ts'
import { chanceOf } from './soak/chance.ts'
import { clientsOf, order } from './soak/clients.ts'
import { demandOf, STANDING, WHO } from './soak/demand.ts'
import { drain } from './soak/drain.ts'
import { gather } from './soak/facts.ts'
import { weatherOf } from './soak/weather.ts'

const settings = env as unknown as Record<
  'SOAK_SEED' | 'SOAK_GENERATIONS' | 'SOAK_MINUTES' | 'THOROUGH',
  string
>

/** Time from one wish to the next, on average, and how many are wished in a minute then. */
const EVERY_MS = 160
const A_MINUTE = 60_000 / EVERY_MS

const seed = settings.SOAK_SEED || String(crypto.getRandomValues(new Uint32Array(1))[0])
const count =
  Number(settings.SOAK_GENERATIONS) ||
  Math.round(Number(settings.SOAK_MINUTES) * A_MINUTE) ||
  (settings.THOROUGH ? 240 : 80)

/** For how long clients that have no answer go on after the last wish, in ms. */
const PATIENCE_MS = 15_000

test(`${count} wishes under every fault: ledger = bill, nothing lost, nothing twice (seed ${seed})`, {
  timeout: 300_000 + count * EVERY_MS * 4,
}, async () => {
  const beganAt = Date.now()
  const lines: string[] = []
  vi.spyOn(console, 'log').mockImplementation((...values) => void lines.push(values.map(String).join(' ')))

  for (const [provider, rules] of Object.entries(STANDING))
    await order('/faults', { provider, rules: rules.map((rule) => ({ ...rule, seed })) })
  await order('/limits', { provider: 'google', concurrency: 5 })
  await order('/limits', { provider: 'apiyi', concurrency: 12 })
  const tokens = await tokensOf()
  const references = await referencesFor(tokens)
  const demand = demandOf(chanceOf(`${seed} demand`), count, EVERY_MS, references)
  const clients = clientsOf(
    tokens.map(({ token }) => token),
    chanceOf(`${seed} clients`),
  )
  const weather = weatherOf(chanceOf(`${seed} weather`))

  const storm = weather.storm()
  const asking = Promise.all([
    Promise.all(demand.wishes.map(clients.wants)),
    Promise.all(demand.batches.map(clients.handsOver)),
  ])
  const patience = scheduler.wait(count * EVERY_MS + PATIENCE_MS)
  await Promise.race([asking, patience])
  weather.calm()
  await storm
  clients.over()
  const [told, toldOfBatches] = await asking
  const calmAt = Date.now()
  const stillAwake = await drain(400 + count, 150)
  vi.useRealTimers()
  const drainSeconds = Math.round((Date.now() - calmAt) / 1_000)

  const facts = await gather({ tokens, told, toldOfBatches, received: weather.received, lines })
  const { findings, figures } = await findingsOf(facts, clients.call)
  const seconds = Math.round((Date.now() - beganAt) / 1_000)
  console.info(
    `soak ${JSON.stringify({ seed, wishes: count, seconds, drainSeconds, ...weather.counts, ...figures }, null, 1)}`,
  )
  const awake = stillAwake.map(({ kind, stub, at }) => `${kind} ${stub.id} wakes at ${at}`)
  expect([...clients.complaints, ...awake, ...findings]).toEqual([])
})

/** The tokens of WHO, in its order. */
async function tokensOf() {
  const tokens: { id: string; token: string }[] = []
  for (const { name, ...wanted } of WHO)
    tokens.push(
      name === 'admin' ? { id: 'admin', token: env.ADMIN_TOKEN } : await makeToken({ name, ...wanted }),
    )
  return tokens
}

/** Stores one reference in every workspace; its digest. */
async function referencesFor(tokens: readonly { token: string }[]): Promise<string> {
  let sha256 = ''
  for (const { token } of tokens) {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'image/png' }
    const response = await ask('/api/references', { method: 'POST', headers, body: PNG })
    if (response.status >= 300) throw new Error(`${response.status} ${await response.text()}`)
    ;({ sha256 } = await response.json<{ sha256: string }>())
  }
  return sha256
}

// What a budget holds: for how long at most, who is woken by it, whether there may be room later, and for whom it counts.
import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { generationId } from '../../worker/generation/name.ts'
import { LOOK_MS } from '../../worker/money/account.ts'
import { ProviderGate } from '../../worker/providers/gate.ts'
import { problemOf, prompt } from './setup/ask.ts'
import { env } from './setup/bindings.ts'
import { alarmOf, plant, stub, wish } from './setup/objects.ts'
import { askWith, makeToken } from './setup/tokens.ts'

const NOON = Date.UTC(2026, 10, 30, 12)

// The timers themselves stay real: only the clock is turned.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] })
  vi.setSystemTime(NOON)
})
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

const id = () => generationId('default', crypto.randomUUID())

/** The account of a token that no other test has. */
function account() {
  const token = `tok_${crypto.randomUUID()}`
  return { token, object: env.ACCOUNT.get(env.ACCOUNT.idFromName(token)) }
}

test('a hold without a generation is let go after a quarter of an hour, also where another one lasts a day', async () => {
  const { token, object } = account()
  const lasting = { ...wish(id(), { prompt: prompt(), deadline: 86_400 }), token }
  await plant(lasting)
  await object.reserve(lasting.id, 10, { day: 100 })
  vi.setSystemTime(NOON + LOOK_MS)
  await runDurableObjectAlarm(object)
  await object.reserve(id(), 90, { day: 100 })
  expect(await runInDurableObject(object, (_, { storage }) => storage.getAlarm())).toBe(NOON + 2 * LOOK_MS)
  vi.setSystemTime(NOON + 2 * LOOK_MS)
  await runDurableObjectAlarm(object)
  expect(await object.standing({ day: 100 })).toMatchObject({ day: { committed: 10 } })
})

test('a generation that is under way and sleeps is woken by the account that holds for it', async () => {
  const { token, object } = account()
  const asleep = { ...wish(id(), { prompt: prompt() }), token }
  await plant(asleep)
  await runInDurableObject(stub(asleep.id), (_, { storage }) => storage.deleteAlarm())
  await object.reserve(asleep.id, 10, { total: 100 })
  vi.setSystemTime(NOON + LOOK_MS)
  await runDurableObjectAlarm(object)
  expect(await alarmOf(asleep.id)).toBe(NOON + LOOK_MS)
})

test('a refusal says whether there may be room when what is under way has ended', async () => {
  const { object } = account()
  const budget = { day: 100, total: 150 }
  const ask = (amount: number) => object.reserve(id(), amount, budget)
  await object.reserve('gen_open', 60, budget)
  expect(await ask(50)).toMatchObject({ kind: 'over_budget', period: 'day', mayFit: true })
  expect(await ask(101)).toMatchObject({ kind: 'over_budget', mayFit: false })
  await object.settle('gen_open', 60)
  expect(await ask(50)).toMatchObject({ kind: 'over_budget', mayFit: false })
  // What it held yesterday counts in the whole alone.
  await object.reserve('gen_night', 40, budget)
  vi.setSystemTime(Date.UTC(2026, 11, 1))
  expect(await ask(60)).toMatchObject({ kind: 'over_budget', period: 'total', mayFit: true })
  await object.reserve('gen_morning', 50, budget)
  await object.settle('gen_night', null)
  expect(await ask(60)).toMatchObject({ kind: 'over_budget', period: 'total', mayFit: false })
})

test('what the emulator draws does not count in the budget for real pictures', async () => {
  vi.useRealTimers()
  vi.spyOn(ProviderGate.prototype, 'enter').mockImplementation(async () => ({
    kind: 'wait',
    recheckAt: Date.now() + 3_600_000,
  }))
  const { token } = await makeToken({ budget: { total: 0.055 } })
  const emulated = {
    GOOGLE_API_KEY: '',
    APIYI_API_KEY: '',
    TOKAIFY_API_KEY: '',
    PROVIDERS: '',
    EMULATOR_URL: env.EMULATOR,
  }
  const post = (changes = {}) => {
    const body = JSON.stringify({
      model: 'nano-banana-2',
      provider: 'apiyi',
      size: '512',
      prompt: prompt(),
    })
    const init = { method: 'POST', body, headers: { prefer: 'respond-async' } }
    return askWith(token, '/api/generations', init, changes)
  }
  expect((await post(emulated)).status).toBe(202)
  expect((await post()).status).toBe(202)
  const full = await post()
  expect(full.headers.get('retry-after')).toBe('30')
  expect(await problemOf(full)).toMatchObject({ code: 'budget_exceeded', retryAfterMs: 30_000 })
  expect(await problemOf(await post(emulated))).toMatchObject({ code: 'budget_exceeded' })
})

// What a key may do: the 429 of each limit, when it ends, and that a test may set limits and clock of one provider alone.
import { describe, expect, test } from 'vitest'
import { createEmulator, type EmulatorOptions } from '../../emulator/app.ts'
import { type AnyError, ask, NB2, PRO, prompt } from './ask.ts'

const words = prompt('a fern', { responseModalities: ['TEXT'] })

/** An emulator whose clock stands until it is moved. */
function limited(limits: NonNullable<EmulatorOptions['limits']>) {
  const clock = { now: Date.UTC(2026, 10, 21, 12) }
  const emulator = createEmulator({ limits, now: () => clock.now })
  const status = async (provider = 'google', model = NB2) =>
    (await ask(emulator.app, words, { provider, model })).status
  const post = (path: string, body: unknown) =>
    emulator.app.request(path, { method: 'POST', body: JSON.stringify(body) })
  return { ...emulator, clock, status, post }
}

test('every answer of a provider bears the id of its call, errors too', async () => {
  const { app, calls, bill } = createEmulator()
  const ids = [
    await ask(app, words),
    await ask(app, '{'),
    await ask(app, prompt('a fern [[fault:html]]')),
  ].map((response) => response.headers.get('x-request-id'))
  expect(ids).toEqual(['call-1', 'call-2', 'call-3'])
  expect(calls().map(({ id }) => id)).toEqual(ids)
  expect(bill().map(({ call }) => call)).toEqual(['call-1', 'call-3'])
})

describe('a limit per minute', () => {
  test('turns away what is too much, and says when the next call is free', async () => {
    const { app, clock, status, calls, bill } = limited([{ provider: 'google', perMinute: 2 }])
    expect(await status()).toBe(200)
    clock.now += 10_500
    expect(await status()).toBe(200)
    clock.now += 1_000
    const response = await ask(app, words)
    expect(response.status).toBe(429)
    const { error } = (await response.json()) as AnyError
    expect(error.details!.at(-1)).toMatchObject({ retryDelay: '48.500000000s' })
    expect(JSON.stringify(error.details)).toContain('PerMinute')
    expect(calls().at(-1)).toMatchObject({ prompt: 'a fern', status: 429, charged: false })
    expect(bill()).toHaveLength(2)
    clock.now += 48_499
    expect(await status()).toBe(429)
    clock.now += 1
    expect(await status()).toBe(200)
    expect(await status()).toBe(429)
  })

  test('counts each model and each provider for itself', async () => {
    const { status } = limited([{ provider: 'google', perMinute: 1 }])
    expect([await status(), await status('google', PRO), await status('relay')]).toEqual([200, 200, 200])
    expect([await status(), await status('google', PRO), await status('relay')]).toEqual([429, 429, 200])
  })
})

test('a limit per day names a quota of the day and ends with the day', async () => {
  const { app, clock, status } = limited([{ provider: 'google', perDay: 1 }])
  expect(await status()).toBe(200)
  const response = await ask(app, words)
  expect([response.status, await response.text()]).toEqual([429, expect.stringContaining('PerDay')])
  clock.now = Date.UTC(2026, 10, 21, 23, 59, 59, 999)
  expect(await status()).toBe(429)
  clock.now += 1
  expect(await status()).toBe(200)
})

test('calls beyond those that may run at once are turned away without a delay', async () => {
  const gate = Promise.withResolvers<void>()
  const { app } = createEmulator({
    limits: [{ provider: 'google', concurrency: 1 }],
    sleep: (ms) => (ms > 0 ? gate.promise : Promise.resolve()),
  })
  const first = ask(app, prompt('a fern [[fault:slow ms=5]]', { responseModalities: ['TEXT'] }))
  // The first one is in once the second one is refused; that it came first is the order of the requests.
  const second = await ask(app, words)
  expect([second.status, await second.text()]).toEqual([429, expect.not.stringContaining('retryDelay')])
  gate.resolve()
  expect((await first).status).toBe(200)
  expect((await ask(app, words)).status).toBe(200)
})

describe('a running emulator', () => {
  test('takes limits for one provider, in place of those it has', async () => {
    const { status, post } = limited([])
    expect((await post('/limits', { provider: 'google', perMinute: 1 })).status).toBe(204)
    expect([await status(), await status(), await status('relay'), await status('relay')]).toEqual([
      200, 429, 200, 200,
    ])
    // New limits begin to count anew.
    await post('/limits', { provider: 'google', perMinute: 1 })
    expect([await status(), await status()]).toEqual([200, 429])
    await post('/limits', { provider: 'google' })
    expect([await status(), await status()]).toEqual([200, 200])
  })

  test('takes a clock for one provider, and gives it back', async () => {
    const { status, post, calls, clock } = limited([{ provider: 'google', perMinute: 1 }])
    const at = clock.now + 60_000
    expect([await status(), await status()]).toEqual([200, 429])
    await post('/clock', { provider: 'google', now: at })
    expect([await status(), await status('relay')]).toEqual([200, 200])
    expect(calls().map(({ receivedAt }) => receivedAt - clock.now)).toEqual([0, 0, 60_000, 0])
    await post('/clock', { provider: 'google', now: null })
    await status()
    expect(calls().at(-1)!.receivedAt).toBe(clock.now)
  })

  test('forgets what was set and counted when it is reset', async () => {
    const { status, post } = limited([{ provider: 'google', perMinute: 1 }])
    await post('/limits', { provider: 'relay', perMinute: 1 })
    expect([await status(), await status('relay')]).toEqual([200, 200])
    expect([await status(), await status('relay')]).toEqual([429, 429])
    await post('/reset', {})
    expect([await status(), await status('relay'), await status('relay')]).toEqual([200, 200, 200])
  })
})

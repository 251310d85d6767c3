import { expect, test, vi } from 'vitest'
import { dev } from '../../../runner/commands/dev.ts'
import { attachLocal } from '../../../runner/local/attach.ts'
import { placeOf } from '../../../runner/local/place.ts'
import { findServer } from '../../../runner/local/record.ts'
import { freePort, PLAIN, send, stateDirectory } from './local.ts'

test('dev serves at its port with a printed token, shares its worker, and ends it when it is interrupted', async () => {
  const stateDir = stateDirectory()
  const port = await freePort()
  const interruption = new AbortController()
  const write = vi.fn()
  const report = vi.fn()
  const ended = dev({ stateDir, port }, { env: PLAIN, write, report, interrupted: interruption.signal })
  await vi.waitUntil(() => write.mock.calls.length > 0, { timeout: 40_000 })
  expect(
    write.mock.calls.join('').replaceAll(String(port), '8787').replace(stateDir, '.proofsheet'),
  ).toMatchInlineSnapshot(`
    "proofsheet worker  http://127.0.0.1:8787
    behind it          the emulator: no provider key is set, pictures are drawn here and cost nothing
    storage            .proofsheet/worker/emulated
    webhooks           refused: set WEBHOOK_SECRET, which signs them, in the environment

    curl http://127.0.0.1:8787/api/generations \\
      -H "Authorization: Bearer local" -H "Content-Type: application/json" \\
      -d '{"model": "nano-banana-2", "prompt": "A fern in a clay pot, soft window light"}'

    Ctrl-C ends it.
    "
  `)

  const url = `http://127.0.0.1:${port}`
  expect(await send({ url, token: 'local' }, 'GET', '/api/generations')).toEqual({
    generations: [],
    cursor: null,
  })
  const beside = await attachLocal({ stateDir, env: PLAIN, emulatorLatencyMs: 0 })
  expect(beside).toMatchObject({ url, token: 'local' })
  await beside.release()

  interruption.abort()
  expect(await ended).toBe(0)
  expect(report).not.toHaveBeenCalled()
  expect(findServer(placeOf(stateDir).record)).toBeUndefined()
})

test('dev hears PAUSED and WEBHOOK_SECRET of the environment, and says so', async () => {
  const stateDir = stateDirectory()
  const interruption = new AbortController()
  const write = vi.fn()
  const env = { ...PLAIN, PAUSED: 'yes', WEBHOOK_SECRET: `whsec_${Buffer.alloc(24).toString('base64')}` }
  const ended = dev({ stateDir, port: 0 }, { env, write, report: vi.fn(), interrupted: interruption.signal })
  await vi.waitUntil(() => write.mock.calls.length > 0, { timeout: 40_000 })
  const page = write.mock.calls.join('')
  expect(page).toContain('paused             PAUSED=yes: what is asked for stays queued, nothing is sent')
  expect(page).not.toContain('webhooks')
  const worker = { url: /http:\S+/.exec(page)![0], token: 'local' }
  expect(await send(worker, 'GET', '/healthz')).toMatchObject({ paused: true })
  const request = {
    model: 'nano-banana-2',
    prompt: 'a kite',
    webhook: 'https://hooks.example.com/made',
  }
  expect(await send(worker, 'POST', '/api/generations', request)).toMatchObject({ status: 'queued' })
  interruption.abort()
  expect(await ended).toBe(0)
})

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { attachLocal } from '../../../runner/local/attach.ts'
import { placeOf } from '../../../runner/local/place.ts'
import { identityOf, isAlive } from '../../../runner/local/process.ts'
import { readServing, writeServing } from '../../../runner/local/record.ts'
import {
  FERN,
  freePort,
  KEY,
  PLAIN,
  paidProvider,
  processesOf,
  send,
  stateDirectory,
  untilGone,
} from './local.ts'

const template = realpathSync(mkdtempSync(join(tmpdir(), 'proofsheet-template-')))

beforeAll(async () => {
  const { release } = await attachLocal({ stateDir: template, env: PLAIN })
  await release()
  await untilGone(template)
}, 60_000)

afterAll(() => rmSync(template, { recursive: true }))

test('starters at the same time get one server; after the last release it ends with all its processes', async () => {
  const stateDir = stateDirectory(template)
  const attach = () => attachLocal({ stateDir, env: PLAIN, emulatorLatencyMs: 0 })
  const attached = await Promise.all([attach(), attach(), attach()])
  expect(new Set(attached.map(({ url }) => url)).size).toBe(1)
  expect(attached[0].emulated).toBe(true)
  expect(await send(attached[0], 'GET', '/healthz')).toEqual({ ok: true, emulated: true, paused: false })

  await attached[0].release()
  await attached[1].release()
  expect((await send(attached[2], 'POST', '/api/generations', FERN)).status).toBe('queued')
  await attached[2].release()
  await untilGone(stateDir)
  expect(readServing(placeOf(stateDir).record)).toBeUndefined()

  // What was made is there at the next start, and the migrations are not applied again.
  const migrated = join(placeOf(stateDir).storage.emulated, 'migrated')
  const migratedAt = statSync(migrated).mtimeMs
  const again = await attach()
  const { generations } = await send(again, 'GET', '/api/generations')
  expect(generations).toMatchObject([{ status: 'succeeded', request: { prompt: 'a fern' } }])
  expect(statSync(migrated).mtimeMs).toBe(migratedAt)
  await again.release()
})

test('a picture that is paid for is stored though its client is killed, and then the server ends', async () => {
  const stateDir = stateDirectory(template)
  // Longer than a server without clients lives.
  const { env, calls } = await paidProvider(2_500)
  const client = spawn(
    process.execPath,
    [
      '--input-type=module',
      '--eval',
      `import { attachLocal } from ${JSON.stringify(new URL('../../../runner/local/attach.ts', import.meta.url))}
       const { url, token } = await attachLocal(${JSON.stringify({ stateDir, env })})
       await fetch(url + '/api/generations', {
         method: 'POST',
         headers: { authorization: 'Bearer ' + token, 'content-type': 'application/json' },
         body: ${JSON.stringify(JSON.stringify(FERN))},
       })`,
    ],
    { env, stdio: 'inherit' },
  )
  await vi.waitUntil(() => calls() === 1, { timeout: 20_000 })
  client.kill('SIGKILL')
  await once(client, 'exit')
  await untilGone(stateDir)

  const later = await attachLocal({ stateDir, env })
  const { generations } = await send(later, 'GET', '/api/generations')
  expect(generations).toMatchObject([{ status: 'succeeded', emulated: false }])
  expect(calls()).toBe(1)
  await later.release()
})

test('a killed server loses no call under way: the next one waits for the old worker, then ends it', async () => {
  const stateDir = stateDirectory(template)
  const { promise: time, resolve: draw } = Promise.withResolvers<void>()
  const { env, calls } = await paidProvider(time)
  const first = await attachLocal({ stateDir, env })
  await send(first, 'POST', '/api/generations', FERN)
  await vi.waitUntil(() => calls() === 1)
  const { server, children } = readServing(placeOf(stateDir).record)!
  process.kill(server.pid, 'SIGKILL')
  await first.ended
  expect(children.filter(isAlive)).not.toEqual([])

  const report = vi.fn(() => draw())
  const second = await attachLocal({ stateDir, env, report })
  expect(report.mock.calls).toEqual([['waiting for the pictures that an earlier local worker still makes']])
  expect(children.filter(isAlive)).toEqual([])
  const { generations } = await send(second, 'GET', '/api/generations')
  expect(generations).toMatchObject([{ status: 'succeeded', attempts: [{ charged: 'yes' }] }])
  expect(calls()).toBe(1)
  await second.release()
})

test('storages that are started at the same time share no port', async () => {
  const port = await freePort()
  const all = await Promise.all(
    [1, 2, 3].map(() => attachLocal({ stateDir: stateDirectory(template), env: PLAIN, preferredPort: port })),
  )
  expect(new Set(all.map(({ url }) => url)).size).toBe(3)
  expect(all.map(({ url }) => new URL(url).port)).toContain(String(port))
  await Promise.all(all.map(({ release }) => release()))
})

test('a port that is taken while the server starts is told of, and the log has the reason', async () => {
  const stateDir = stateDirectory(template)
  const port = await freePort()
  const attempt = attachLocal({ stateDir, env: PLAIN, port })
  const refused = expect(attempt).rejects.toMatchObject({
    reason: 'port',
    message: `port ${port} of 127.0.0.1 is taken; name another one with --port`,
  })
  const { record, log } = placeOf(stateDir)
  await vi.waitUntil(() => readServing(record)?.phase === 'starting', { timeout: 20_000 })
  const other = createServer().listen(port, '127.0.0.1')
  onTestFinished(() => void other.close())
  await refused
  expect(readFileSync(log, 'utf8')).toContain(`Address already in use (127.0.0.1:${port})`)
})

test('a worker that cannot start is an error at once, with the reason and without the keys', async () => {
  const stateDir = stateDirectory(template)
  const env = { ...PLAIN, GOOGLE_API_KEY: KEY, MINIFLARE_WORKERD_PATH: '/bin/false' }
  await expect(attachLocal({ stateDir, env, token: 'a-token-for-no-log' })).rejects.toMatchObject({
    reason: 'start',
    message: expect.stringContaining('Error: Failed to start ProxyWorker'),
  })
  const log = readFileSync(placeOf(stateDir).log, 'utf8')
  expect(log).not.toContain(KEY)
  expect(log).not.toContain('a-token-for-no-log')
})

test('a record of a server that is gone is replaced; a process that has its number now is left alone', async () => {
  const stateDir = stateDirectory(template)
  const bystander = spawn(process.execPath, ['--eval', 'setInterval(() => {}, 1e6)'], { stdio: 'ignore' })
  onTestFinished(() => void bystander.kill('SIGKILL'))
  await once(bystander, 'spawn')
  const stale = { pid: bystander.pid!, mark: 'another start' }
  const place = placeOf(stateDir)
  writeServing(place.record, {
    server: stale,
    phase: 'ready',
    url: 'http://127.0.0.1:9',
    control: 'http://127.0.0.1:9',
    token: 'old',
    emulated: true,
    salt: '',
    variables: '',
    code: '',
    children: [stale],
  })
  const { release } = await attachLocal({ stateDir, env: PLAIN })
  expect(readServing(place.record)!.server.pid).not.toBe(bystander.pid)
  expect(identityOf(bystander.pid!)).toBeDefined()
  await release()
})

test('a server with other settings is replaced when nobody uses it, and is an error while somebody does', async () => {
  const stateDir = stateDirectory(template)
  const { env } = await paidProvider(0)
  const drawn = await attachLocal({ stateDir, env: PLAIN, emulatorLatencyMs: 0 })
  const refused = attachLocal({ stateDir, env })
  await expect(refused).rejects.toMatchObject({
    name: 'LocalWorkerError',
    reason: 'in_use',
    message: `a local worker with the emulator behind it (${drawn.url}) is in use by another command; end that command, or wait for it`,
  })
  await drawn.release()

  const bought = await attachLocal({ stateDir, env })
  expect(await send(bought, 'GET', '/healthz')).toEqual({ ok: true, emulated: false, paused: false })
  await expect(attachLocal({ stateDir, env: { ...env, GOOGLE_API_KEY: 'other' } })).rejects.toMatchObject({
    message: expect.stringContaining('a local worker with other provider settings'),
  })
  // Keys reach the worker, but no file.
  const wish = { ...FERN, provider: 'google' }
  expect(await send(bought, 'POST', '/api/generations', wish)).toMatchObject({ provider: 'google' })
  await bought.release()
  await untilGone(stateDir)
  const files = readdirSync(stateDir, { recursive: true, withFileTypes: true }).filter((f) => f.isFile())
  const leaks = files.filter((f) => readFileSync(join(f.parentPath, f.name)).includes(KEY))
  expect(leaks.map((f) => f.name)).toEqual([])
  expect(files.length).toBeGreaterThan(5)
})

test('a port that is taken is an error that says so, and nothing is started', async () => {
  const stateDir = stateDirectory(template)
  const other = createServer()
  onTestFinished(() => void other.close())
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  const { port } = other.address() as AddressInfo
  await expect(attachLocal({ stateDir, env: PLAIN, port })).rejects.toMatchObject({
    reason: 'port',
    message: `port ${port} of 127.0.0.1 is taken; name another one with --port`,
  })
  expect(processesOf(stateDir)).toEqual([])
})

test('a server that cannot start is an error with the end of its log', async () => {
  const stateDir = stateDirectory()
  const { dir, storage } = placeOf(stateDir)
  mkdirSync(dir)
  writeFileSync(storage.emulated, 'not a folder')
  await expect(attachLocal({ stateDir, env: PLAIN })).rejects.toMatchObject({
    reason: 'start',
    message: expect.stringMatching(
      /^the local worker did not start: it ended\nlast lines of .*server\.log:\n/,
    ),
  })
})

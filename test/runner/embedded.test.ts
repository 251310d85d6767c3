// The embedded worker: a command that names no worker starts one, which outlives it as long as pictures are under way.
import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { GenerationView } from '../../core/api.ts'
import { serveEmulator } from '../../emulator/serve.ts'
import { attachLocal, untilEnded } from '../../runner/local/attach.ts'
import { placeOf } from '../../runner/local/place.ts'
import { kill } from '../../runner/local/process.ts'
import { readServing } from '../../runner/local/record.ts'
import { type Emulator, type Sandbox, sandbox } from './sandbox.ts'

const CLI = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'runner', 'cli.ts')

const CATALOG = `
defaults: { model: nano-banana-2, size: 512 }
items:
  a: { prompt: A cat }
  b: { prompt: A dog }
  c: { refs: [{ from: a }, { from: b }], prompt: Both on a sofa }
`

const open: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

function shop(env: Record<string, string> = {}): Sandbox {
  const box = sandbox(undefined, env)
  box.write('catalog.yaml', CATALOG)
  open.push(async () => {
    await untilEnded(join(box.folder, '.proofsheet'), 20_000)
    rmSync(box.folder, { recursive: true, force: true })
  })
  return box
}

async function provider(latencyMs: number): Promise<{ emulator: Emulator; env: Record<string, string> }> {
  const emulator = await serveEmulator({ latencyMs })
  open.push(() => emulator.close())
  return { emulator, env: { GOOGLE_API_KEY: 'key', GOOGLE_BASE_URL: `${emulator.url}/google` } }
}

async function listed({ url, token }: { url: string; token: string }): Promise<GenerationView[]> {
  const answer = await fetch(`${url}/api/generations`, { headers: { authorization: `Bearer ${token}` } })
  return ((await answer.json()) as { generations: GenerationView[] }).generations
}

describe('without a key', () => {
  test('the emulator draws, everything that shows its results says so, and no question is asked', async () => {
    const box = shop()
    const planned = await box.proofsheet('plan')
    expect(planned.stdout).toContain('EMULATED: no provider key is set, nothing is bought')
    const { code, stdout, stderr } = await box.proofsheet('run')
    expect(code).toBe(0)
    expect(
      stdout
        .trim()
        .split('\n')
        .every((line) => line.endsWith('emulated')),
    ).toBe(true)
    expect(stderr).toContain('nothing was bought, the emulator drew them')
    expect(box.read('catalog.lock.jsonl')).toContain('"emulated":true')
    expect((await box.proofsheet('run')).stderr).toContain('There is nothing to do')
  }, 120_000)

  test('what it drew counts as not yet made as soon as there is a key', async () => {
    const box = shop()
    await box.proofsheet('run')
    const { stdout } = await box.proofsheet('plan', {
      env: { PATH: process.env.PATH, GOOGLE_API_KEY: 'key' },
    })
    expect(stdout).toMatch(/\+ new +3 +a, b, c +so far only the emulator drew it/)
  }, 120_000)
})

describe('a runner that is killed', () => {
  test.each([
    ['while the first pictures are being made', 1],
    ['while the last picture is being made', 3],
  ])(
    '%s loses nothing: the next run ends with one purchase a picture',
    async (_, calls) => {
      const { emulator, env } = await provider(1_000)
      const box = shop(env)
      const runner = spawn(process.execPath, [CLI, 'run', '--yes'], {
        cwd: box.folder,
        env: { PATH: process.env.PATH, ...env },
        stdio: 'ignore',
      })
      const ended = new Promise((resolve) => runner.once('exit', resolve))
      await vi.waitUntil(() => emulator.calls().length >= calls, { timeout: 90_000 })
      runner.kill('SIGKILL')
      await ended
      const { code } = await box.proofsheet('run --yes')
      expect(code).toBe(0)
      expect(emulator.calls()).toHaveLength(3)
      expect(emulator.bill()).toHaveLength(3)
    },
    180_000,
  )
})

describe('what was accepted and is queued when everything is killed', () => {
  test('is made by the next run alone: plan starts the worker, and nothing is sent', async () => {
    const { emulator, env } = await provider(0)
    const box = shop(env)
    box.write(
      'catalog.yaml',
      `defaults: { model: nano-banana-2, size: 512 }
items:
  a: { prompt: "A cat [[fault:rate-limited times=1 retry=4]]" }
  b: { prompt: "A dog [[fault:rate-limited times=1 retry=4]]" }
`,
    )
    const place = placeOf(join(box.folder, '.proofsheet'))
    const runner = spawn(process.execPath, [CLI, 'run', '--yes'], {
      cwd: box.folder,
      env: { PATH: process.env.PATH, ...env },
      stdio: 'ignore',
    })
    const ended = new Promise((resolve) => runner.once('exit', resolve))
    const isThrottled = async () => {
      const { url, token } = readServing(place.record) ?? {}
      if (!url || !token) return false
      return (
        (await listed({ url, token })).filter(
          (g) => g.status === 'queued' && g.attempts[0]?.outcome === 'rate_limited',
        ).length === 2
      )
    }
    await vi.waitUntil(isThrottled, { timeout: 90_000 })
    const { server, children } = readServing(place.record)!
    for (const process of [server, ...children]) kill(process)
    runner.kill('SIGKILL')
    await ended
    const calls = emulator.calls().length
    expect(calls).toBeGreaterThanOrEqual(2)
    expect(emulator.bill()).toHaveLength(0)

    const planned = await box.proofsheet('plan')
    expect(planned.stdout).toMatch(/> underway +2 +a, b +it is still being made/)
    const stateDir = join(box.folder, '.proofsheet')
    const holding = await attachLocal({ stateDir, env: { PATH: process.env.PATH, ...env }, paused: true })
    const isHeld = async () => (await listed(holding)).every(({ paused }) => paused)
    await vi.waitUntil(isHeld, { timeout: 30_000 })
    const heldAt = Date.now()
    await holding.release()
    await untilEnded(stateDir, 20_000)
    expect(emulator.calls()).toHaveLength(calls)

    expect((await box.proofsheet('run --yes')).code).toBe(0)
    expect(emulator.bill()).toHaveLength(2)
    // Of itself each would look again only 30 s after it was held: whoever asks again does not wait for that.
    expect(Date.now() - heldAt).toBeLessThan(29_000)
  }, 120_000)
})

// Promise 1 and the state's own: a run that is killed at any moment, and run again, ends with one purchase a picture and
// a lock that holds them all. Real processes, the real worker; purchases are counted at the emulator.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { serveEmulator } from '../../emulator/serve.ts'
import { attachLocal, untilEnded } from '../../runner/local/attach.ts'
import { readLines } from '../../runner/state/lock.ts'
import { type Sandbox, type Stack, sandbox } from './sandbox.ts'

const CLI = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'runner', 'cli.ts')

const KILLS = 50
const SEED = 20_261_121

/** Kills of one manifest, at most: one that is nearly done leaves little to interrupt. */
const KILLS_OF_ONE = 3

/** A picture takes this long, in ms: enough for a kill to find some in flight. */
const LATENCY_MS = 60

/** Compiled code of the runner: without it a run spends most of its time on reading itself. */
const compiled = mkdtempSync(join(tmpdir(), 'proofsheet-compiled-'))

let stack: Stack
beforeAll(async () => {
  spawnSync(process.execPath, [CLI, '--version'], { env: { ...process.env, NODE_COMPILE_CACHE: compiled } })
  const emulator = await serveEmulator({ latencyMs: LATENCY_MS })
  const stateDir = mkdtempSync(join(tmpdir(), 'proofsheet-kill-'))
  const env = {
    PATH: process.env.PATH,
    GOOGLE_API_KEY: 'key-of-google',
    GOOGLE_BASE_URL: `${emulator.url}/google`,
  }
  const worker = await attachLocal({ stateDir, env })
  stack = {
    emulator,
    url: worker.url,
    token: worker.token,
    async close() {
      await worker.release()
      await untilEnded(stateDir, 20_000)
      await emulator.close()
      for (const folder of [stateDir, compiled]) rmSync(folder, { recursive: true, force: true })
    },
  }
}, 60_000)
afterAll(() => stack.close(), 60_000)

const IDS = ['last', 'last#2', 'pair', 'shot/four', 'shot/one', 'shot/three', 'shot/two']

/** A shop of its own: four shots, a picture that is made from two of them, and two samples made from that one. */
function shop(name: string): Sandbox {
  const box = sandbox(stack)
  box.write(
    'catalog.yaml',
    `defaults: { model: nano-banana-2, provider: google, size: 512 }
items:
  shot: { matrix: { n: [one, two, three, four] }, prompt: "${name}: \${n}" }
  pair: { refs: [{ from: shot/one }, { from: shot/two }], prompt: "${name}: pair" }
  last: { refs: [{ from: pair }], samples: 2, prompt: "${name}: last" }
`,
  )
  onTestFinished(() => rmSync(box.folder, { recursive: true, force: true }))
  return box
}

type Run = {
  /** Resolves with the nth line of its events, or with its end. */
  line(n: number): Promise<void>
  kill(): void
  ended: Promise<{ signal: string | null; code: number | null; stderr: string }>
}

function startRun(box: Sandbox): Run {
  const child = spawn(process.execPath, [CLI, 'run', '--yes', '-j', '2', '--progress', 'json'], {
    cwd: box.folder,
    env: {
      PATH: process.env.PATH,
      NODE_COMPILE_CACHE: compiled,
      PROOFSHEET_URL: stack.url,
      PROOFSHEET_TOKEN: stack.token,
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let stderr = ''
  const read = new EventTarget()
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
    read.dispatchEvent(new Event('data'))
  })
  const ended = new Promise<Awaited<Run['ended']>>((resolve) =>
    child.once('close', (code, signal) => resolve({ signal, code, stderr })),
  )
  const reached = (n: number) =>
    new Promise<void>((resolve) =>
      read.addEventListener('data', () => stderr.split('\n').length > n && resolve()),
    )
  return {
    line: async (n) => void (await Promise.race([reached(n), ended])),
    kill: () => void child.kill('SIGKILL'),
    ended,
  }
}

/** What every shop must be in after its last run, whatever happened before. */
function expectIntact(box: Sandbox, name: string): void {
  const { lock, unreadable } = readLines(box.read('catalog.lock.jsonl'))
  expect(unreadable).toEqual([])
  expect([...lock.keys()]).toEqual(IDS)
  expect([...lock.values()].map(({ status, charged }) => [status, charged])).toEqual(
    IDS.map(() => ['succeeded', 'yes']),
  )
  const left = readdirSync(box.folder, { recursive: true, withFileTypes: true })
    .filter((found) => found.isFile())
    .map((found) => join(found.parentPath, found.name).slice(box.folder.length + 1))
    .filter((path) => path !== '.proofsheet/journal/catalog.sqlite')
  expect(left.sort()).toEqual(
    ['catalog.lock.jsonl', 'catalog.yaml', ...IDS.map((id) => `out/${id}.jpg`)].sort(),
  )
  const bought = stack.emulator.calls().filter(({ prompt }) => prompt.startsWith(`${name}:`))
  expect(bought.map(({ prompt }) => prompt.slice(name.length + 2)).sort()).toEqual([
    'four',
    'last',
    'last',
    'one',
    'pair',
    'three',
    'two',
  ])
  expect(bought.every(({ charged }) => charged)).toBe(true)
}

test(`${KILLS} kills at random moments cost no picture, no money and no line of the lock`, async () => {
  const random = seeded(SEED)
  const landed = { starting: 0, working: 0 }
  const kills = () => landed.starting + landed.working
  let shops = 0

  const lane = async () => {
    while (kills() < KILLS) {
      const name = `Shop ${++shops}`
      const box = shop(name)
      for (let n = 0; n < KILLS_OF_ONE && kills() < KILLS; n++) {
        const run = startRun(box)
        const early = random() < 0.2
        if (early) await Promise.race([sleep(random() * 1_000), run.ended])
        else {
          await run.line(1 + Math.floor((random() * 14) / (n + 1)))
          await sleep(random() * 50)
        }
        run.kill()
        const { signal, ...end } = await run.ended
        if (signal === 'SIGKILL') landed[early ? 'starting' : 'working']++
        else {
          expect(end).toMatchObject({ code: 0 })
          break
        }
      }
      expect(await box.proofsheet('run --yes')).toMatchObject({ code: 0 })
      expectIntact(box, name)
    }
  }
  await Promise.all([lane(), lane()])

  console.log(`${landed.starting} kills while starting, ${landed.working} at work, in ${shops} shops`)
  expect(kills()).toBeGreaterThanOrEqual(KILLS)
  expect(stack.emulator.bill()).toHaveLength(shops * IDS.length)
}, 300_000)

test('two processes at once buy each picture once, and the lock holds all of them', async () => {
  const name = 'Two at once'
  const box = shop(name)
  // What a download that was killed leaves.
  box.write('.proofsheet/parts/999999999.draft', 'half a picture')
  const ends = await Promise.all([startRun(box).ended, startRun(box).ended])
  expect(ends).toMatchObject([{ code: 0 }, { code: 0 }])
  expectIntact(box, name)
}, 60_000)

test('a killed run that is never repeated has lost nothing: without its journal the worker knows', async () => {
  const name = 'No journal'
  const box = shop(name)
  const run = startRun(box)
  await run.line(8)
  run.kill()
  await run.ended
  rmSync(join(box.folder, '.proofsheet'), { recursive: true, force: true })
  rmSync(join(box.folder, 'out'), { recursive: true, force: true })
  expect(existsSync(join(box.folder, 'catalog.lock.jsonl'))).toBe(false)
  expect(await box.proofsheet('run --yes')).toMatchObject({ code: 0 })
  expectIntact(box, name)
}, 60_000)

/** Numbers from 0 to 1, the same ones for a seed. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

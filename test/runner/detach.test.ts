// A plan that is handed over: one batch on the worker, followed and fetched later. Purchases are counted at the emulator.
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { BatchView } from '../../core/batch.ts'
import type { Io } from '../../runner/io.ts'
import { type Sandbox, type Stack, sandbox, startStack } from './sandbox.ts'

let stack: Stack
beforeAll(async () => {
  stack = await startStack()
}, 120_000)
afterAll(() => stack.close(), 60_000)

/** A shop whose pictures no other test has bought. The scene is made from the cup and stands before it. */
function shop(fault = ''): Sandbox {
  const box = sandbox(stack)
  box.write(
    'catalog.yaml',
    `defaults: { model: nano-banana-2, provider: apiyi, size: 512 }
items:
  scene: { refs: [{ from: cup }], prompt: "The cup on a table, ${box.folder}" }
  cup: { prompt: "A cup, ${box.folder} ${fault}" }
  jug: { prompt: "A jug, ${box.folder}" }
`,
  )
  return box
}

async function batch(id: string, method: 'GET' | 'POST' = 'GET', path = ''): Promise<BatchView> {
  const headers = { authorization: `Bearer ${stack.token}` }
  return (await (
    await fetch(`${stack.url}/api/batches/${id}${path}`, { method, headers })
  ).json()) as BatchView
}

/** Hands the plan of a shop over; the id of its batch. */
async function detached(box: Sandbox, flags = ''): Promise<string> {
  const { code, stdout, stderr } = await box.proofsheet(`run --detach --yes ${flags}`)
  expect({ code, stderr }).toMatchObject({ code: 0 })
  return stdout.trim()
}

/** Ctrl-C as soon as stderr has said something. */
function interruptingAt(words: string): Partial<Io> {
  let interrupt = () => {}
  const hear = (text: string) => void (text.includes(words) && interrupt())
  return {
    onInterrupt(listener) {
      interrupt = listener
      return () => {}
    },
    stderr: {
      write: hear,
      data: hear,
      isTerminal: false,
      color: false,
      unicode: true,
      columns: 80,
      rows: 24,
    },
  }
}

const ids = (stdout: string) =>
  stdout
    .trim()
    .split('\n')
    .map((line) => line.split(/ +/)[0])

describe('a plan that is handed over', () => {
  test('is made without the command, fetched with --attach, and not bought again by a run', async () => {
    const box = shop()
    const { code, stdout, stderr } = await box.proofsheet('run --detach --yes')
    expect(code).toBe(0)
    expect(stdout).toMatch(/^bat_[0-9a-z]{26}\n$/)
    expect(stderr).toContain(`3 pictures handed over to ${stack.url}, which makes them without this machine.`)
    expect(stderr).toContain(`To follow and fetch them:  proofsheet run catalog.yaml --attach ${stdout}`)
    expect((await batch(stdout.trim())).metadata).toEqual({ manifest: 'catalog.yaml', pictures: '3' })
    const followed = await box.proofsheet('run --attach')
    expect(followed).toMatchObject({ code: 0, stderr: expect.stringContaining('3 pictures made in') })
    expect(ids(followed.stdout)).toEqual(['scene', 'cup', 'jug'])
    expect(existsSync(join(box.folder, 'out/scene.jpg'))).toBe(true)
    expect(followed.stderr).toMatch(/: \$0\.165 \(expected \$0\.165, at most \$0\.165\)/)
    expect(box.calls()).toBe(3)
    const run = await box.proofsheet('run --yes')
    expect(run.stderr).toContain('There is nothing to do: 3 pictures made.')
    const again = await box.proofsheet('run --attach')
    expect(again).toMatchObject({ code: 0, stdout: '' })
    expect(again.stderr).not.toContain('stay on the worker')
    expect(box.calls()).toBe(0)
  })

  test('is joined when it is handed over once more, and by a run that comes meanwhile', async () => {
    const box = shop('[[fault:slow ms=1500]]')
    const first = await detached(box)
    expect(await detached(box)).toBe(first)
    const run = await box.proofsheet('run --yes')
    expect(run).toMatchObject({ code: 0 })
    expect((await box.proofsheet('run --attach')).code).toBe(0)
    expect(box.calls()).toBe(3)
    expect((await batch(first)).counts).toMatchObject({ succeeded: 3 })
  })

  test('is followed by its id from a machine that knows nothing of it', async () => {
    const box = shop()
    const id = await detached(box)
    for (const name of ['catalog.lock.jsonl', '.proofsheet'])
      rmSync(join(box.folder, name), { force: true, recursive: true })
    expect(await box.proofsheet('run --attach')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('no batch of catalog.yaml was handed over from here'),
    })
    const followed = await box.proofsheet(`run --attach ${id}`)
    expect(followed).toMatchObject({ code: 0, stderr: expect.stringContaining('3 pictures made') })
    expect(box.calls()).toBe(3)
  })

  test('says of a picture that the model refused what it cost; what hangs on it is blocked', async () => {
    const box = shop('[[fault:refused]]')
    await detached(box)
    const { code, stderr, stdout } = await box.proofsheet('run --attach')
    expect(code).toBe(3)
    expect(stderr).toMatch(/✗ cup {2}refused, charged \$0\.055: IMAGE_SAFETY/)
    expect(stderr).toContain('- scene  not started: cup has no picture')
    expect(ids(stdout)).toEqual(['jug'])
    expect(box.calls()).toBe(2)
    expect((await box.proofsheet('run --yes')).code).toBe(3)
    expect(box.calls()).toBe(0)
  })

  test('is planned as it was, flags and all, when it is followed', async () => {
    const box = shop('[[fault:refused times=1]]')
    await detached(box)
    await box.proofsheet('run --attach')
    const id = await detached(box, '--refused')
    const { code, stdout } = await box.proofsheet('run --attach')
    expect(code).toBe(0)
    expect(ids(stdout)).toEqual(['scene', 'cup'])
    expect((await batch(id)).total).toBe(2)
    expect(box.calls()).toBe(4)
  })

  test('is bought again on purpose once, and whoever lost the lock finds it', async () => {
    const box = shop()
    await box.proofsheet('run --yes')
    await detached(box, '--redo -s jug')
    const followed = await box.proofsheet('run --attach')
    expect(followed).toMatchObject({ code: 0, stderr: expect.stringContaining('1 picture made') })
    expect(box.calls()).toBe(4)
    expect((await box.proofsheet('run --yes')).stderr).toContain('nothing to do')
    expect(box.calls()).toBe(0)
  })

  test('names pictures that are made already, and uploads those that the worker does not know', async () => {
    const box = shop()
    expect((await box.proofsheet('run --yes -s cup')).code).toBe(0)
    const lock = box.read('catalog.lock.jsonl')
    const [, generation] = /"generation":"(gen_[^"]+)"/.exec(lock)!
    box.write('catalog.lock.jsonl', lock.replace(generation!, `gen_${'0'.repeat(26)}`))
    const id = await detached(box, '-s scene')
    expect((await box.proofsheet('run --attach')).code).toBe(0)
    expect((await batch(id)).counts).toMatchObject({ succeeded: 1 })
    expect(box.calls()).toBe(2)
  })

  test('gets a batch of its own when the one before was cancelled', async () => {
    const box = shop('[[fault:slow ms=1500]]')
    const first = await detached(box)
    await batch(first, 'POST', '/cancel')
    const second = await detached(box)
    expect(second).not.toBe(first)
    const followed = await box.proofsheet('run --attach')
    expect(followed).toMatchObject({ code: 0, stderr: expect.stringContaining('3 pictures made') })
    expect(box.calls()).toBeLessThanOrEqual(3)
  })
})

describe('--attach', () => {
  test('leaves the batch running at Ctrl-C, and finds the rest afterwards', async () => {
    const box = shop('[[fault:slow ms=2000]]')
    const id = await detached(box)
    const told: string[] = []
    const interrupting = interruptingAt('"type":"start"')
    const { stderr } = interrupting
    const data = (text: string) => {
      told.push(text)
      stderr!.data(text)
    }
    const heard = { ...interrupting, stderr: { ...stderr!, data } }
    const left = await box.proofsheet('run --attach --progress json', heard)
    expect(left.code).toBe(130)
    const events = told.map((text) => JSON.parse(text))
    expect(events.at(-1)).toMatchObject({ type: 'summary', made: 0, left: 3, unpriced: 0 })
    const stopping = events.find(({ type }) => type === 'stopping')
    expect(stopping).toMatchObject({ reason: 'interrupted', elsewhere: true })
    expect(stopping.message).toBe(
      `${id} goes on without this command; to follow it again:  proofsheet run catalog.yaml --attach ${id}`,
    )
    expect((await box.proofsheet('run --attach')).code).toBe(0)
    expect(box.calls()).toBe(3)
  })

  test('counts what was edited since as left, names what it leaves, and says how to go on', async () => {
    const box = shop()
    const id = await detached(box)
    box.edit('catalog.yaml', 'A jug', 'A tall jug')
    box.edit('catalog.yaml', 'on a table', 'on a chair')
    const { code, stderr, stdout } = await box.proofsheet('run --attach')
    expect(stderr).toContain(
      '2 pictures of the batch are not what catalog.yaml asks for now, and stay on the worker: ',
    )
    expect(ids(stdout)).toEqual(['cup'])
    expect(stderr).toContain('1 picture made, 2 left')
    expect(stderr).toContain(
      'To go on where this ended; nothing is bought twice:  proofsheet run catalog.yaml\n',
    )
    expect(code).toBe(3)
    rmSync(join(box.folder, '.proofsheet'), { recursive: true })
    expect((await box.proofsheet(`run --attach ${id}`)).code).toBe(3)
    expect(box.calls()).toBe(3)
  })

  test('tells what was never made apart from what stays on the worker, by its name', async () => {
    const box = shop('[[fault:slow ms=1500]]')
    const id = await detached(box)
    await batch(id, 'POST', '/cancel')
    box.edit('catalog.yaml', 'on a table', 'on a chair')
    const { stderr } = await box.proofsheet('run --attach')
    expect(stderr).toContain(
      '1 line of the batch has no picture, and catalog.yaml does not ask for it any more: scene',
    )
    expect(stderr).not.toContain('on the worker: ')
  })

  test('follows every batch that is not fetched yet; a second one holds only what the first does not', async () => {
    const box = shop('[[fault:slow ms=3000]]')
    const first = await detached(box, '-s cup')
    const plan = await box.proofsheet('plan')
    expect(plan.stdout).toMatch(new RegExp(`> underway +1 +cup +in ${first}, handed over already`))
    expect(plan.stdout).toMatch(/ 2 +\$0\.11 +\$0\.11\n/)
    const second = await box.proofsheet('run --detach --yes -s jug')
    expect(second.stderr).toContain('1 picture handed over')
    expect(second.stderr).toContain(
      `Not fetched yet, too: ${first}. To follow them all:  proofsheet run catalog.yaml --attach\n`,
    )
    const again = await box.proofsheet('run --detach --yes -s cup -s jug')
    expect(again).toMatchObject({ code: 0, stdout: second.stdout })
    expect(again.stderr).toContain('Nothing was handed over')
    const followed = await box.proofsheet('run --attach')
    expect(followed.code).toBe(0)
    expect(ids(followed.stdout)).toEqual(['cup', 'jug'])
    expect(existsSync(join(box.folder, 'out/cup.jpg'))).toBe(true)
    expect(existsSync(join(box.folder, 'out/jug.jpg'))).toBe(true)
    expect(box.calls()).toBe(2)
    const last = await box.proofsheet('run --attach')
    expect(last.stderr).not.toContain(first)
  })

  test('is told of in a plan: what was made and is not here', async () => {
    const box = shop()
    const id = await detached(box)
    await expect.poll(async () => (await batch(id)).status, { timeout: 30_000 }).toBe('ended')
    const { stdout } = await box.proofsheet('plan')
    expect(stdout).toContain('3 pictures made on the worker and not fetched yet')
    expect(stdout).toContain('There is nothing to make.')
    await box.proofsheet('run --attach')
    expect((await box.proofsheet('plan')).stdout).not.toContain('not fetched yet')
  })

  test('buys nothing that is not in the batch', async () => {
    const box = shop()
    const id = await detached(box, '-s jug')
    rmSync(join(box.folder, '.proofsheet'), { recursive: true })
    const { stderr, stdout } = await box.proofsheet(`run --attach ${id}`)
    expect(ids(stdout)).toEqual(['jug'])
    expect(stderr).toContain('1 picture made, 2 left')
    expect(box.calls()).toBe(1)
  })

  test('ends with 6 as a run does when a quota is used up, after all the rest', async () => {
    const box = shop('[[fault:daily-quota]]')
    await detached(box)
    const { code, stderr, stdout } = await box.proofsheet('run --attach')
    expect(stderr).toContain('✗ cup  quota_exhausted, not charged')
    expect(stderr).not.toContain('stopping')
    expect(stderr).toMatch(/To go on later; nothing is bought twice: {2}proofsheet run catalog.yaml/)
    expect(ids(stdout)).toEqual(['jug'])
    expect(code).toBe(6)
  })

  test('ends with 6 when the worker is out of reach, and nothing is lost', async () => {
    const box = shop('[[fault:slow ms=1500]]')
    await detached(box)
    const gone = (async (url: string, init: RequestInit) => {
      if (url.includes('/results')) throw new TypeError('fetch failed')
      return fetch(url, init)
    }) as typeof fetch
    const sleep = async () => {}
    const { code, stderr } = await box.proofsheet('run --attach', { fetch: gone, sleep })
    expect(code).toBe(6)
    expect(stderr).toContain('cannot be reached: fetch failed')
    expect(stderr).not.toContain('✗')
    expect((await box.proofsheet('run --attach')).code).toBe(0)
    expect(box.calls()).toBe(3)
  })
})

describe('what cannot be handed over or followed is refused before anything is sent', () => {
  test.for<[string, string, number, string]>([
    [
      'a price that a limit does not allow',
      'run --detach --yes --max-cost 0.1',
      5,
      'a batch does not stop on the way',
    ],
    ['a purchase that nobody agreed to', 'run --detach', 2, 'add --yes'],
    ['a batch with other flags', 'run --attach -s jug --redo', 2, 'leave -s, --redo out with --attach'],
    ['both at once', 'run --detach --attach', 2, 'leave --detach out with --attach'],
    ['a manifest after --attach', 'run --attach catalog.yaml', 2, 'proofsheet run catalog.yaml --attach'],
    ['what looks like a batch', 'run --attach bat_nonsense', 2, 'that is bat_ and 26 letters and digits'],
    ['a stop that no batch makes', 'run --detach --yes --fail-fast', 2, 'leave --fail-fast out'],
    ['a batch that is not there', `run --attach bat_${'0'.repeat(26)}`, 2, 'there is no batch bat_'],
  ])('%s', async ([, words, code, text]) => {
    const box = shop()
    const result = await box.proofsheet(words)
    expect(result.code).toBe(code)
    expect(result.stderr).toContain(text)
    expect(box.calls()).toBe(0)
  })

  test.for(['--detach', '--attach'])('a worker that ends with the command: %s', async (flag) => {
    const box = sandbox(undefined, { GOOGLE_API_KEY: 'key' })
    box.write('catalog.yaml', 'items: { a: { model: nano-banana-2, prompt: x } }')
    const result = await box.proofsheet(
      `run ${flag} ${flag === '--attach' ? `bat_${'0'.repeat(26)}` : '--yes'}`,
    )
    expect(result.code).toBe(2)
    expect(result.stderr).toContain(`${flag} needs a worker that stays`)
    expect(existsSync(join(box.folder, '.proofsheet'))).toBe(false)
  })
})

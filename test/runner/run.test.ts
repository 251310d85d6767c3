// The command line from a manifest to stored pictures: in this process, against the real worker in workerd, with the
// emulator as every provider.
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Sandbox, type Stack, sandbox, startStack } from './sandbox.ts'

let stack: Stack
beforeAll(async () => {
  stack = await startStack()
}, 60_000)
afterAll(() => stack.close(), 60_000)

const CATALOG = `
defaults: { model: nano-banana-2, size: 512 }
items:
  packshot:
    matrix: { product: { mug: { name: a stoneware mug }, lamp: { name: a brass lamp } } }
    refs: [{ image: ./logo.png, as: logo }]
    prompt: Studio packshot of \${product.name}, with \${image.logo}.
  scene:
    aspect: 16:9
    refs: [{ from: packshot/mug, as: mug }]
    prompt: Place \${image.mug} on an oak table.
`

/** A shop whose pictures no other test has bought: the brand makes its prompts unique. */
async function shop(): Promise<Sandbox> {
  const box = sandbox(stack)
  const hue = Number.parseInt(createHash('sha256').update(box.folder).digest('hex').slice(0, 6), 16)
  const background = { r: hue & 255, g: (hue >> 8) & 255, b: hue >> 16 }
  box.write(
    'logo.png',
    await sharp({ create: { width: 8, height: 8, channels: 3, background } })
      .png()
      .toBuffer(),
  )
  box.write('catalog.yaml', CATALOG.replaceAll('packshot of', `packshot ${hue} of`))
  return box
}

describe('a run', () => {
  test('makes every picture once, prints its address and leaves it in out/', async () => {
    const box = await shop()
    const { code, stdout, stderr } = await box.proofsheet('run --yes')
    expect(stderr).toContain('3 pictures made')
    expect(code).toBe(0)
    expect(box.calls()).toBe(3)
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => line.split(/ {2,}/))
    expect(lines.map(([id, , file]) => [id, file])).toEqual([
      ['packshot/mug', 'out/packshot/mug.jpg'],
      ['packshot/lamp', 'out/packshot/lamp.jpg'],
      ['scene', 'out/scene.jpg'],
    ])
    for (const [, url, file] of lines) {
      const served = Buffer.from(await (await fetch(url!)).arrayBuffer())
      expect(readFileSync(join(box.folder, file!)).equals(served)).toBe(true)
    }
    const { width, height } = await sharp(join(box.folder, 'out/scene.jpg')).metadata()
    expect([width, height]).toEqual([688, 384])
  })

  test('a second run says that there is nothing to do and calls nobody', async () => {
    const box = await shop()
    await box.proofsheet('run --yes')
    box.calls()
    const { code, stderr, stdout } = await box.proofsheet('run --yes')
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' })
    expect(stderr).toContain('There is nothing to do: 3 pictures made.')
    expect(box.calls()).toBe(0)
  })

  test('an edited prompt remakes that picture and what is made from it; plan says why', async () => {
    const box = await shop()
    await box.proofsheet('run --yes')
    box.edit('catalog.yaml', 'a stoneware mug', 'a porcelain mug')
    box.calls()
    const planned = await box.proofsheet('plan --exit-code')
    expect(planned.code).toBe(10)
    expect(planned.stdout).toMatch(/~ changed +2 +packshot\/mug +prompt\n +scene +reference packshot\/mug/)
    expect(planned.stdout).toContain('= done           1')
    expect(box.calls()).toBe(0)
    expect((await box.proofsheet('run --yes')).code).toBe(0)
    expect(box.calls()).toBe(2)
  })

  test('new bytes of a reference remake what is made from it, and name the file', async () => {
    const box = await shop()
    await box.proofsheet('run --yes')
    box.write(
      'logo.png',
      await sharp({ create: { width: 9, height: 9, channels: 3, background: '#123456' } })
        .png()
        .toBuffer(),
    )
    expect((await box.proofsheet('plan')).stdout).toMatch(/packshot\/\* +reference \.\/logo\.png/)
  })

  test('without lock, journal and pictures everything is found on the worker and nothing is bought', async () => {
    const box = await shop()
    await box.proofsheet('run --yes')
    for (const name of ['catalog.lock.jsonl', '.proofsheet', 'out'])
      rmSync(join(box.folder, name), { recursive: true })
    box.calls()
    expect((await box.proofsheet('plan --exit-code')).code).toBe(0)
    expect((await box.proofsheet('run')).code).toBe(0)
    expect(box.calls()).toBe(0)
    expect(existsSync(join(box.folder, 'out/scene.jpg'))).toBe(true)
    expect(box.read('catalog.lock.jsonl').trim().split('\n')).toHaveLength(3)
  })

  test('a picture that is missing on disk is fetched again and not bought again', async () => {
    const box = await shop()
    await box.proofsheet('run --yes')
    rmSync(join(box.folder, 'out/packshot/mug.jpg'))
    box.calls()
    expect((await box.proofsheet('run')).stderr).toContain('fetched packshot/mug\n')
    expect(existsSync(join(box.folder, 'out/packshot/mug.jpg'))).toBe(true)
    expect(box.calls()).toBe(0)
  })

  test('a renamed item buys nothing', async () => {
    const box = await shop()
    await box.proofsheet('run --yes')
    box.edit('catalog.yaml', '  scene:', '  tableau:')
    box.calls()
    expect((await box.proofsheet('run')).code).toBe(0)
    expect(box.calls()).toBe(0)
    expect(existsSync(join(box.folder, 'out/tableau.jpg'))).toBe(true)
  })

  test('two runs at the same time buy each picture once', async () => {
    const box = await shop()
    const both = await Promise.all([
      box.proofsheet('run --yes'),
      box.proofsheet('run --yes', { pid: 999_999 }),
    ])
    expect(both.map((r) => r.code)).toEqual([0, 0])
    expect(box.calls()).toBe(3)
  })

  test('--json gives the result on stdout and --progress json the events on stderr', async () => {
    const box = await shop()
    const { stdout, stderr } = await box.proofsheet('run --yes --json --progress json')
    expect(JSON.parse(stdout)).toMatchObject({
      format: 'proofsheet-run',
      emulated: false,
      summary: { made: 3, failed: 0, blocked: 0, left: 0 },
      pictures: [{ id: 'packshot/mug', provider: 'google', width: 512, height: 512 }, {}, { id: 'scene' }],
    })
    const events = stderr
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line).type)
    expect(events[0]).toBe('version')
    expect(events.filter((type) => type === 'made')).toHaveLength(3)
  })

  test('--no-download leaves the pictures on the worker', async () => {
    const box = await shop()
    expect((await box.proofsheet('run --yes --no-download')).code).toBe(0)
    expect(existsSync(join(box.folder, 'out'))).toBe(false)
  })
})

describe('money', () => {
  test('nothing is bought before it was accepted: elsewhere than on a terminal --yes is needed', async () => {
    const box = await shop()
    const { code, stderr } = await box.proofsheet('run')
    expect(code).toBe(2)
    expect(stderr).toMatch(/this buys 3 pictures for \$0\.\d+ expected, \$0\.\d+ at most; add --yes/)
    expect(box.calls()).toBe(0)
  })

  test('on a terminal the price is asked, and no is no', async () => {
    const box = await shop()
    const asked: string[] = []
    const confirm = async (question: string) => asked.push(question) > 99
    expect((await box.proofsheet('run', { interactive: true, confirm })).code).toBe(2)
    expect(asked).toEqual([
      expect.stringMatching(/^Buy 3 pictures for \$0\.\d+ expected, \$0\.\d+ at most\?$/),
    ])
    expect(box.calls()).toBe(0)
  })

  test('what was paid stands beside what was expected, and is what the provider billed', async () => {
    const box = await shop()
    const before = stack.emulator.bill().length
    const { stderr } = await box.proofsheet('run --yes')
    const billed = stack.emulator
      .bill()
      .slice(before)
      .reduce((sum, charge) => sum + charge.costMicroUsd!, 0)
    const [, paid] = /: \$([\d.]+) \(expected \$[\d.]+, at most \$[\d.]+\)/.exec(stderr)!
    expect(Math.abs(Number(paid) * 1e6 - billed)).toBeLessThan(100)
  })

  test('an unknown price is a question mark and never a sum', async () => {
    const box = sandbox(stack)
    box.write('catalog.yaml', 'items: { a: { provider: tokaify, model: nano-banana-pro, prompt: x } }')
    const { stdout } = await box.proofsheet('plan')
    expect(stdout).toMatch(/tokaify +nano-banana-pro +1K +1 +\? +\? +\?/)
    expect(stdout).toContain('not known: the price of nano-banana-pro at tokaify')
  })
})

describe('failures', () => {
  const catalog = (fault: string) => `
defaults: { model: nano-banana-2, provider: apiyi, size: 512 }
items:
  bad: { prompt: "A cat ${Math.random()} [[fault:${fault}]]" }
  child: { refs: [{ from: bad }], prompt: A copy }
  good: { prompt: "A dog ${Math.random()}" }
`

  test('the rest is made, what depends on the failure is blocked, the exit code says so', async () => {
    const box = sandbox(stack)
    box.write('catalog.yaml', catalog('refused'))
    const { code, stderr, stdout } = await box.proofsheet('run --yes')
    expect(code).toBe(3)
    expect(stderr).toMatch(/✗ bad {2}refused, charged \$0\.055: IMAGE_SAFETY/)
    expect(stderr).toContain('- child  not started: bad has no picture')
    expect(stdout).toMatch(/^good /)
    expect(stderr).toMatch(
      /1 picture made, 1 refused, 1 blocked in .*: \$0\.11 \(expected \$0\.165, at most \$0\.165\)/,
    )
  })

  test('what was refused is not repeated unless it is asked for by name', async () => {
    const box = sandbox(stack)
    box.write('catalog.yaml', catalog('refused'))
    await box.proofsheet('run --yes')
    box.calls()
    const again = await box.proofsheet('run --yes')
    expect(again.code).toBe(3)
    expect(again.stderr).toMatch(/! refused +1 +bad +last time: refused, charged \$0\.055/)
    expect(box.calls()).toBe(0)
    expect((await box.proofsheet('run --yes --refused')).code).toBe(3)
    expect(box.calls()).toBe(1)
  })

  test('a try on purpose is remembered by the worker: without a lock nothing is bought again', async () => {
    const box = sandbox(stack)
    box.write('catalog.yaml', catalog('refused times=1'))
    await box.proofsheet('run --yes')
    expect((await box.proofsheet('run --yes --refused')).code).toBe(0)
    rmSync(join(box.folder, 'catalog.lock.jsonl'))
    box.calls()
    const { code, stdout } = await box.proofsheet('plan --exit-code')
    expect(stdout).toContain('= done           3')
    expect(code).toBe(0)
    expect((await box.proofsheet('run --yes')).code).toBe(0)
    expect(box.calls()).toBe(0)
  })

  test('two items that are the same picture are paid for once, in the sum too', async () => {
    const box = sandbox(stack)
    const words = Math.random()
    box.write(
      'catalog.yaml',
      `defaults: { model: nano-banana-2, provider: apiyi, size: 512, prompt: "Twins ${words}" }\nitems: { a: {}, b: {} }`,
    )
    const { code, stderr, stdout } = await box.proofsheet('run --yes')
    expect(code).toBe(0)
    expect(box.calls()).toBe(1)
    expect(stderr).toContain('[2/2] ✓ b')
    expect(stderr).toMatch(/2 pictures made in .*: \$0\.055 \(expected \$0\.055, /)
    expect(stdout).toMatch(/^a .*\nb /)
  })

  test('lines of the lock that cannot be read are said, and looked up again', async () => {
    const box = await shop()
    await box.proofsheet('run --yes')
    box.write('catalog.lock.jsonl', box.read('catalog.lock.jsonl').replace('"key":', '"k":'))
    box.calls()
    const { code, stderr } = await box.proofsheet('run')
    expect(stderr).toContain('catalog.lock.jsonl: 1 line cannot be read; looked up on the worker')
    expect(code).toBe(0)
    expect(box.calls()).toBe(0)
  })

  test('what those lines speak of and the worker does not know is said before it is bought again', async () => {
    const box = await shop()
    box.write('catalog.lock.jsonl', '{"id":"scene","key":"\n')
    const { stderr } = await box.proofsheet('run --yes')
    const told = '1 picture of those lines was not found on the worker and would be bought again: scene'
    expect(stderr).toContain(told)
    expect(stderr.indexOf(told)).toBeLessThan(stderr.indexOf('+ new'))
  })

  test('an edit that is taken back brings its picture back, from the lock alone', async () => {
    const box = sandbox(stack)
    const yaml = (words: string) =>
      `defaults: { model: nano-banana-2, provider: apiyi, size: 512 }\nitems: { cup: { prompt: "${words}" } }`
    const [one, two] = [`One ${Math.random()}`, `Two ${Math.random()}`]
    for (const words of [one, two]) {
      box.write('catalog.yaml', yaml(words))
      expect(await box.proofsheet('run --yes')).toMatchObject({ code: 0 })
    }
    box.write('catalog.yaml', yaml(one))
    box.calls()
    expect((await box.proofsheet('run')).code).toBe(0)
    expect(box.calls()).toBe(0)
    const lock = JSON.parse(box.read('catalog.lock.jsonl'))
    expect([lock, ...lock.before].map((entry) => entry.inputs?.prompt)).toEqual([one, undefined])
    expect((await box.proofsheet('run')).stderr).toContain('There is nothing to do: 1 picture made.')
  })

  test('before that run export tells of that picture, and not of the file of the other; pick means it, too', async () => {
    const box = sandbox(stack)
    const yaml = (words: string) =>
      `defaults: { model: nano-banana-2, provider: apiyi, size: 512 }\nitems: { cup: { prompt: "${words}" } }`
    const [one, two] = [`One ${Math.random()}`, `Two ${Math.random()}`]
    const exported = async () =>
      JSON.parse((await box.proofsheet('export --format json')).stdout).cup as {
        url: string
        file: string | null
      }
    box.write('catalog.yaml', yaml(one))
    await box.proofsheet('run --yes')
    const first = await exported()
    expect(first.file).toBe('out/cup.jpg')
    box.write('catalog.yaml', yaml(two))
    await box.proofsheet('run --yes')
    expect((await exported()).url).not.toBe(first.url)
    box.write('catalog.yaml', yaml(one))
    expect(await exported()).toMatchObject({ url: first.url, file: null })
    expect((await box.proofsheet('pick cup')).stdout).toBe('picked cup\n')
    const { review, image, before } = JSON.parse(box.read('catalog.lock.jsonl'))
    expect({ review, url: image.url }).toEqual({ review: 'picked', url: first.url })
    expect(before.map((past: { review?: string }) => past.review)).toEqual([undefined])
    expect((await box.proofsheet('run --yes')).code).toBe(0)
    expect(await exported()).toMatchObject({ url: first.url, file: 'out/cup.jpg' })
  })

  test('what the worker knows counts, though the clock of who wrote the lock is ahead', async () => {
    const box = sandbox(stack)
    const yaml = (words: string) =>
      `defaults: { model: nano-banana-2, provider: apiyi, size: 512 }\nitems: { cup: { prompt: "${words}" } }`
    const [one, two] = [`One ${Math.random()}`, `Two ${Math.random()}`]
    for (const words of [one, two]) {
      box.write('catalog.yaml', yaml(words))
      await box.proofsheet('run --yes')
    }
    const { before: _, ...ahead } = JSON.parse(box.read('catalog.lock.jsonl'))
    box.write('catalog.lock.jsonl', JSON.stringify({ ...ahead, recordedAt: 9e15 }))
    box.write('catalog.yaml', yaml(one))
    box.calls()
    const { stderr } = await box.proofsheet('run')
    expect(stderr).toContain('= done           1')
    expect(stderr).toContain('1 picture found on the worker')
    expect(box.calls()).toBe(0)
    expect(JSON.parse(box.read('catalog.lock.jsonl'))).toMatchObject({
      inputs: { prompt: one },
      recordedAt: 9e15 + 1,
    })
  })

  test('what may have been charged is reported, and repeated only with --uncertain', async () => {
    const box = sandbox(stack)
    box.write('catalog.yaml', catalog('cut times=1'))
    const first = await box.proofsheet('run --yes')
    expect(first.stderr).toMatch(/✗ bad {2}cut_off, not known whether it was charged/)
    expect(first.stderr).toContain('or whether they were charged, is not known')
    box.calls()
    expect((await box.proofsheet('run --yes')).code).toBe(3)
    expect(box.calls()).toBe(0)
    expect((await box.proofsheet('run --yes --uncertain')).code).toBe(0)
    expect(box.calls()).toBe(2)
  })

  test('an answer without a picture is planned again, with what it cost the last time', async () => {
    const box = sandbox(stack)
    box.write('catalog.yaml', catalog('text-only times=1'))
    expect((await box.proofsheet('run --yes')).code).toBe(3)
    expect((await box.proofsheet('plan')).stdout).toMatch(
      /! retry +1 +bad +last time: no_image, charged \$0\.055/,
    )
    expect((await box.proofsheet('run --yes')).code).toBe(0)
  })
})

describe('bad input', () => {
  test.each([
    ['items: { a: { model: nano-banana-9, prompt: x } }', 'nano-banana-9'],
    ['items: { a: { model: nano-banana, size: 4K, prompt: x } }', 'it makes 1K'],
    ['items: { a: { model: nano-banana-2, promt: x } }', 'did you mean `prompt`'],
    ['items: { a: { model: nano-banana-2, prompt: x, refs: [./gone.png] } }', './gone.png'],
    ['items: [', 'catalog.yaml:1:'],
  ])('%s is an error with its place, exit 2, and nothing is sent', async (yaml, words) => {
    const box = sandbox(stack)
    box.write('catalog.yaml', yaml)
    for (const verb of ['check', 'plan', 'run --yes']) {
      const { code, stderr } = await box.proofsheet(verb)
      expect(code).toBe(2)
      expect(stderr).toContain(words)
      expect(stderr).toContain('Nothing was sent.')
    }
    expect(box.calls()).toBe(0)
  })

  test.each([
    ['run nowhere.yaml', 2, 'nowhere.yaml'],
    ['plan --worker localhost:8787', 2, 'starts with http:// or https://'],
    ['--version', 0, '0.1.0'],
    ['run -j 0', 2, 'a whole number from 1 to 256'],
    ['frobnicate', 2, 'unknown command'],
    ['plan --frob', 2, 'unknown option'],
    ['--help', 0, 'proofsheet init --from'],
    ['run --help', 0, '--out-dir'],
  ])('`proofsheet %s` ends with %i', async (words, code, text) => {
    const result = await sandbox(stack).proofsheet(words)
    expect(result.code).toBe(code)
    expect(result.stdout + result.stderr).toContain(text)
  })

  test('a wrong token ends with 4, a worker that is not there with 6', async () => {
    const wrong = sandbox(undefined, { PROOFSHEET_URL: stack.url, PROOFSHEET_TOKEN: 'wrong' })
    wrong.write('catalog.yaml', 'items: { a: { model: nano-banana-2, prompt: x } }')
    expect(await wrong.proofsheet('plan')).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('PROOFSHEET_TOKEN'),
    })
    const gone = sandbox(undefined, { PROOFSHEET_URL: 'http://127.0.0.1:9', PROOFSHEET_TOKEN: 'x' })
    gone.write('catalog.yaml', 'items: { a: { model: nano-banana-2, prompt: x } }')
    const sleep = async () => {}
    expect(await gone.proofsheet('plan', { sleep })).toMatchObject({
      code: 6,
      stderr: expect.stringContaining('cannot be reached'),
    })
  })

  test('a worker without a token to it is a matter of usage', async () => {
    const box = sandbox(undefined, { PROOFSHEET_URL: stack.url })
    box.write('catalog.yaml', 'items: { a: { model: nano-banana-2, prompt: x } }')
    expect(await box.proofsheet('plan')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('PROOFSHEET_TOKEN'),
    })
  })
})

describe('Ctrl-C', () => {
  test('once finishes what is in flight and ends with 130; the same command continues', async () => {
    const box = await shop()
    let interrupt = () => {}
    const first = await box.proofsheet('run --yes -j 1 --progress json', {
      onInterrupt: (listener) => {
        interrupt = listener
        return () => {}
      },
      // The first thing the run reads of the clock after the start of an item.
      stderr: {
        write: () => {},
        data: (text) => {
          if (text.includes('"type":"start"')) interrupt()
        },
        isTerminal: false,
        color: false,
        unicode: true,
        columns: 80,
        rows: 24,
      },
    })
    expect(first.code).toBe(130)
    expect(box.calls()).toBe(1)
    expect((await box.proofsheet('run --yes')).code).toBe(0)
    expect(box.calls()).toBe(2)
  })
})

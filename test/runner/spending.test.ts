// What a run may spend, and how it goes on where it ended: the command line against the real worker, with the emulator as
// every provider.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { JsonEvent } from '../../runner/views/events.ts'
import { type Sandbox, type Stack, sandbox, startStack } from './sandbox.ts'

let stack: Stack
beforeAll(async () => {
  stack = await startStack()
}, 60_000)
afterAll(() => stack.close(), 60_000)

/** Four pictures of $0.055 each, which no other test has bought; `more` stands at the top of the manifest. */
function shop(more = '', items = ''): Sandbox {
  const box = sandbox(stack)
  const brand = Math.random()
  box.write(
    'catalog.yaml',
    `${more}
defaults: { model: nano-banana-2, provider: apiyi, size: 512 }
items:
${items}  cup: { matrix: { color: [red, green, blue, white] }, prompt: "A \${color} cup of ${brand}" }
`,
  )
  return box
}

const eventsOf = (stderr: string): JsonEvent[] =>
  stderr
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))

/** The command that a run says to go on with. */
const again = (stderr: string) => /^To go on.*: {2}proofsheet (.*)$/m.exec(stderr)?.[1]

describe('a limit', () => {
  test('stops the run before it is passed, with exit 5 and the command that goes on', async () => {
    const box = shop()
    const first = await box.proofsheet('run --yes --max-cost 0.12')
    expect(first.code).toBe(5)
    expect(box.calls()).toBe(2)
    expect(first.stderr).toMatch(
      /stopping: cup\/blue may cost up to \$0\.055, and of the limit of \$0\.12 only \$0\.01 is left/,
    )
    expect(first.stderr).toMatch(
      /2 pictures made, 2 left in .*: \$0\.11 \(expected \$0\.22, at most \$0\.22\)/,
    )
    expect(first.stderr).toContain('the limit of this run was $0.12')
    const next = again(first.stderr)!
    expect(next).toBe('run catalog.yaml --max-cost 0.12 --yes')
    expect((await box.proofsheet(next)).code).toBe(0)
    expect(box.calls()).toBe(2)
  })

  test('of the manifest holds, and a flag lowers it but does not raise it', async () => {
    const box = shop('budget: { max: 0.06 }')
    const { code, stderr } = await box.proofsheet('run --yes --max-cost 5')
    expect(code).toBe(5)
    expect(box.calls()).toBe(1)
    expect(stderr).toContain('the limit of this run was $0.06')
  })

  test('under which nothing fits says what to raise', async () => {
    const box = shop()
    const { code, stderr } = await box.proofsheet('run --yes --max-cost 0.01')
    expect({ code, calls: box.calls() }).toEqual({ code: 5, calls: 0 })
    expect(stderr).toContain(
      'Nothing fits under this limit: raise `budget.max` in the manifest, or --max-cost.',
    )
  })

  test('up to confirm_above nobody is asked on a terminal, above it they are', async () => {
    const asked: string[] = []
    const terminal = {
      interactive: true,
      confirm: async (question: string) => asked.push(question) === 0,
    }
    const small = shop('budget: { confirm_above: 0.25 }')
    expect((await small.proofsheet('run', terminal)).code).toBe(0)
    expect(asked).toEqual([])
    const dear = shop('budget: { confirm_above: 0.2, max: 0.21 }')
    expect((await dear.proofsheet('run', terminal)).code).toBe(2)
    expect(dear.calls()).toBe(0)
    expect(asked).toEqual(['Buy 4 pictures for $0.22 expected, $0.22 at most, stopping at $0.21?'])
  })

  test('where nobody can be asked --yes is needed, however little it costs', async () => {
    const box = shop('budget: { confirm_above: 1, max: 0.21 }')
    const { code, stderr } = await box.proofsheet('run')
    expect({ code, calls: box.calls() }).toEqual({ code: 2, calls: 0 })
    expect(stderr).toContain(
      'this buys 4 pictures for $0.22 expected, $0.22 at most, stopping at $0.21; add --yes',
    )
  })
})

test('--limit makes so many and the same command makes the next ones', async () => {
  const box = shop()
  for (const calls of [3, 1, 0]) {
    expect((await box.proofsheet('run --yes --limit 3')).code).toBe(0)
    expect(box.calls()).toBe(calls)
  }
})

test('--fail-fast starts nothing more after the first failure', async () => {
  const box = shop('', '  a: { prompt: "A dog [[fault:text-only]]" }\n')
  const { code, stderr } = await box.proofsheet('run --yes -j 1 --fail-fast -s a -s cup')
  expect(code).toBe(3)
  expect(stderr).toContain('[1/5] stopping: the first failure, as --fail-fast asks')
  expect(again(stderr)).toBe('run catalog.yaml -s a -s cup -j 1 --fail-fast --yes')
})

test('prices of the manifest are what is quoted and what is settled', async () => {
  const box = shop('prices: { apiyi: { nano-banana-2: { perRequest: 0.5 } } }')
  const { stderr, stdout } = await box.proofsheet('run --yes --json --limit 1')
  expect(stderr).toMatch(/1 picture made in .*: \$0\.50 \(expected \$0\.50, at most \$0\.50\)/)
  expect(JSON.parse(stdout).summary).toMatchObject({ actual: 0.5, expected: 0.5, atMost: 0.5 })
  expect(box.read('catalog.lock.jsonl')).toContain('"cost":0.5')
})

test('pictures of a profile lie in a folder of their own, and the final ones stay', async () => {
  const box = shop('profiles: { draft: { aspect: 1:1 } }')
  await box.proofsheet('run --yes --limit 1')
  const final = readdirSync(join(box.folder, 'out/cup'))
  expect((await box.proofsheet('run --yes --profile draft --limit 1')).code).toBe(0)
  expect(readdirSync(join(box.folder, 'out/cup'))).toEqual(final)
  expect(readdirSync(join(box.folder, 'out/@draft/cup'))).toEqual(final)
})

test('what is bought again is bought again once: an interrupted --redo goes on with what is left of it', async () => {
  const box = shop()
  await box.proofsheet('run --yes')
  box.calls()
  const first = await box.proofsheet('run --yes --redo -s cup -j 1 --max-cost 0.12')
  expect(first.code).toBe(5)
  expect(box.calls()).toBe(2)
  const next = again(first.stderr)!
  // Typed once more it would buy once more: so it asks.
  expect(next).toBe('run catalog.yaml -s cup/blue -s cup/white --redo --max-cost 0.12 -j 1')
  expect((await box.proofsheet(next)).code).toBe(2)
  expect((await box.proofsheet(`${next} --yes`)).code).toBe(0)
  expect(box.calls()).toBe(2)
})

test.each([
  ['was bought and never heard of, is found', true, [1, 0], [0, 0]],
  ['was not even asked for, is bought', false, [0, 1], [1, 0]],
] as const)('what a --redo left behind that %s by the next run, once', async (_, isTaken, lost, next) => {
  const box = shop()
  await box.proofsheet('run --yes')
  box.calls()
  const send = fetch
  const died = await box.proofsheet('run --yes --redo -s cup/red', {
    sleep: async () => {},
    fetch: async (input, init) => {
      const isPurchase = String(input).endsWith('/api/generations')
      if (!isPurchase) return send(input, init)
      if (isTaken) await (await send(input, init)).body?.cancel()
      throw new TypeError('fetch failed')
    },
  })
  expect(died.code).toBe(6)
  expect(box.calls()).toBe(lost[0])
  for (const [run, calls] of next.entries()) {
    const { code, stdout } = await box.proofsheet('run --yes --json')
    expect({ code, calls: box.calls() }).toEqual({ code: 0, calls })
    const { adopted, made } = JSON.parse(stdout).summary
    expect([adopted, made]).toEqual(run === 0 ? lost : [0, 0])
  }
})

describe('a saved plan', () => {
  test('is carried out as it was saved', async () => {
    const box = shop()
    await box.proofsheet('plan --out plan.json -s cup/red -s cup/blue')
    expect((await box.proofsheet('run --yes --plan plan.json')).code).toBe(0)
    expect(box.calls()).toBe(2)
    expect(readdirSync(join(box.folder, 'out/cup')).map((name) => name.split('.')[0])).toEqual([
      'blue',
      'red',
    ])
  })

  test('that was stopped goes on as the same plan, within what was agreed', async () => {
    const box = shop()
    await box.proofsheet('plan --out plan.json -x cup/white')
    const first = await box.proofsheet('run --yes --plan plan.json -j 1 --max-cost 0.12')
    expect({ code: first.code, calls: box.calls() }).toEqual({ code: 5, calls: 2 })
    const next = again(first.stderr)!
    expect(next).toBe('run --plan plan.json --max-cost 0.12 -j 1 --yes')
    expect((await box.proofsheet(next)).code).toBe(0)
    expect(box.calls()).toBe(1)
    expect((await box.proofsheet(next)).stderr).toContain('There is nothing to do: 3 pictures made.')
  })

  test('of so many pictures is of those very ones, whatever was made in the meantime', async () => {
    const box = shop('', '  box: { refs: [{ from: cup/red }], prompt: A box for it }\n')
    await box.proofsheet('plan --limit 2 --out plan.json')
    await box.proofsheet('run --yes -s cup/red')
    expect(box.calls()).toBe(1)
    expect((await box.proofsheet('run --yes --plan plan.json')).code).toBe(0)
    expect(box.calls()).toBe(1)
    expect(JSON.parse(box.read('plan.json')).items.map(({ id }: { id: string }) => id)).toEqual([
      'box',
      'cup/red',
    ])
    expect(readdirSync(join(box.folder, 'out')).sort()).toEqual(['box.jpg', 'cup'])
  })

  test('may be made in part', async () => {
    const box = shop()
    await box.proofsheet('plan --out plan.json')
    expect((await box.proofsheet('run --yes --plan plan.json --limit 3')).code).toBe(0)
    expect(box.calls()).toBe(3)
  })

  test('that buys again does so once, however often it is run', async () => {
    const box = shop()
    await box.proofsheet('run --yes')
    box.calls()
    await box.proofsheet('plan --redo -s cup --out plan.json')
    const first = await box.proofsheet('run --yes --plan plan.json -j 1 --max-cost 0.12')
    expect({ code: first.code, calls: box.calls() }).toEqual({ code: 5, calls: 2 })
    expect(again(first.stderr)).toBe('run --plan plan.json --max-cost 0.12 -j 1')
    for (const calls of [2, 0]) {
      expect((await box.proofsheet('run --yes --plan plan.json')).code).toBe(0)
      expect(box.calls()).toBe(calls)
    }
  })

  test('is not what pays twice: what was charged without a picture is asked for anew', async () => {
    const box = shop('', '  a: { prompt: "A dog [[fault:text-only]]" }\n')
    await box.proofsheet('plan --out plan.json')
    const { stderr } = await box.proofsheet('run --yes --plan plan.json -j 1 --fail-fast')
    expect(again(stderr)).toBe(`run catalog.yaml --worker ${stack.url} -s a -s 'cup/*' -j 1 --fail-fast`)
    expect((await box.proofsheet('run --yes --plan plan.json')).stderr).toContain(
      'paid for in the meantime without a picture: a',
    )
  })

  test('that does not hold any more buys nothing and says what changed', async () => {
    const box = shop()
    await box.proofsheet('plan --out plan.json')
    box.edit('catalog.yaml', 'A ${color} cup', 'A big ${color} cup')
    const { code, stderr } = await box.proofsheet('run --yes --plan plan.json')
    expect({ code, calls: box.calls() }).toEqual({ code: 2, calls: 0 })
    expect(stderr).toContain(
      'plan.json does not hold any more; plan again:\n  changed: cup/red, cup/green, cup/blue',
    )
  })

  test.each([
    ['run --plan plan.json -s cup', 'plan.json says what is made: leave -s out, or plan again with it'],
    ['run other.yaml --plan plan.json', 'plan.json is a plan of catalog.yaml, not of other.yaml'],
    ['run --plan gone.json', 'there is no saved plan gone.json; proofsheet plan --out gone.json writes one'],
    ['run --plan catalog.yaml', 'catalog.yaml is no saved plan'],
  ])('`%s` is bad usage', async (words, message) => {
    const box = shop()
    await box.proofsheet('plan --out plan.json')
    const { code, stderr } = await box.proofsheet(words)
    expect(code).toBe(2)
    expect(stderr).toContain(message)
  })
})

test('what was found on the worker is counted apart from what was bought', async () => {
  const box = shop()
  await box.proofsheet('run --yes --limit 3')
  // One line of three is left of the lock.
  box.write('catalog.lock.jsonl', `${box.read('catalog.lock.jsonl').split('\n')[0]}\n`)
  box.calls()
  const { stderr, stdout } = await box.proofsheet('run --yes --json')
  expect(box.calls()).toBe(1)
  expect(stderr).toMatch(/1 picture made in .*: \$0\.055 \(expected \$0\.055/)
  expect(stderr).toContain('2 pictures found on the worker, made before and not in this sum')
  expect(JSON.parse(stdout).summary).toMatchObject({ made: 1, actual: 0.055, adopted: 2 })
})

test('a run ends with every failure in its JSON, charged or not', async () => {
  const box = shop(
    '',
    '  bad: { prompt: "A cat [[fault:refused]]" }\n  child: { refs: [{ from: bad }], prompt: x }\n',
  )
  const { code, stdout, stderr } = await box.proofsheet('run --yes --json --progress json -s bad -s child')
  expect(code).toBe(3)
  expect(JSON.parse(stdout)).toMatchObject({
    summary: { made: 0, failed: 0, refused: 1, blocked: 1, actual: 0.055, expected: 0.11 },
    pictures: [],
    failures: [{ id: 'bad', code: 'refused', status: 'refused', charged: 'yes', cost: 0.055 }],
    blocked: [{ id: 'child', by: 'bad' }],
  })
  expect(eventsOf(stderr).map(({ type }) => type)).toEqual([
    'version',
    'plan',
    'start',
    'failed',
    'blocked',
    'summary',
  ])
})

test('Ctrl-C while pictures are fetched ends with 130; the same command goes on', async () => {
  const box = shop()
  await box.proofsheet('run --yes --no-download')
  let interrupt = () => {}
  const { code, stderr } = await box.proofsheet('run -j 1', {
    onInterrupt: (listener) => {
      interrupt = listener
      return () => {}
    },
    fetch: async (input, init) => {
      if (String(input).includes('/images/')) interrupt()
      return fetch(input, init)
    },
  })
  expect(code).toBe(130)
  expect(stderr).toContain('3 pictures still to be fetched; to go on:  proofsheet run catalog.yaml -j 1')
  expect((await box.proofsheet('run')).code).toBe(0)
  expect(readdirSync(join(box.folder, 'out/cup'))).toHaveLength(4)
})

test('Ctrl-C twice leaves what is in flight to the worker at once; the next run has it without buying', async () => {
  const box = sandbox(stack)
  box.write(
    'catalog.yaml',
    `items: { a: { provider: apiyi, model: nano-banana-2, size: 512, prompt: "A ${Math.random()} [[fault:slow ms=3000]]" } }`,
  )
  const before = stack.emulator.calls().length
  let interrupt = () => {}
  const { code } = await box.proofsheet('run --yes', {
    onInterrupt: (listener) => {
      interrupt = listener
      return () => {}
    },
    fetch: async (input, init) => {
      const answer = fetch(input, init)
      if (String(input).endsWith('/api/generations')) {
        // The provider was asked, and the picture is on its way.
        await expect.poll(() => stack.emulator.calls().length, { timeout: 10_000 }).toBeGreaterThan(before)
        interrupt()
        interrupt()
      }
      return answer
    },
  })
  expect(code).toBe(130)
  expect(existsSync(join(box.folder, 'out'))).toBe(false)
  box.calls()
  expect((await box.proofsheet('run --yes')).code).toBe(0)
  expect(box.calls()).toBe(0)
})

test('Ctrl-C while the worker is looked for starts nothing, and says how to go on', async () => {
  const box = shop()
  const { code, stderr } = await box.proofsheet('run --yes', {
    onInterrupt: (listener) => {
      listener()
      return () => {}
    },
  })
  expect({ code, calls: box.calls() }).toEqual({ code: 130, calls: 0 })
  expect(stderr).toContain('0 pictures made, 4 left')
  expect(again(stderr)).toBe('run catalog.yaml --yes')
})

test.each([
  ['the limit of its plan', '', 2],
  ['a lower one', ' --max-cost 0.06', 1],
  ['no higher one', ' --max-cost 5', 2],
])('a saved plan that was made under a limit is run under %s', async (_, flag, calls) => {
  const box = shop()
  await box.proofsheet('plan --max-cost 0.12 --out p.json')
  const { code } = await box.proofsheet(`run --plan p.json --yes -j 1${flag}`)
  expect({ code, calls: box.calls() }).toEqual({ code: 5, calls })
})

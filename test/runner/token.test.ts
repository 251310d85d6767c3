// What a token may do and spend, as a run meets it. Charges are counted at the emulator.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Sandbox, type Stack, sandbox, startStack } from './sandbox.ts'

let stack: Stack
beforeAll(async () => {
  stack = await startStack()
}, 120_000)
afterAll(() => stack.close(), 60_000)

async function tokenOf(token: object): Promise<string> {
  const headers = { authorization: `Bearer ${stack.token}`, 'content-type': 'application/json' }
  const body = JSON.stringify({ name: 'shop', ...token })
  const answer = await fetch(`${stack.url}/api/tokens`, { method: 'POST', headers, body })
  expect(answer.status).toBe(201)
  return ((await answer.json()) as { token: string }).token
}

/** A shop of three pictures at $0.055 each, with a token of its own. */
async function shop(token: object): Promise<Sandbox> {
  const box = sandbox({ ...stack, token: await tokenOf(token) })
  box.write(
    'catalog.yaml',
    `defaults: { model: nano-banana-2, provider: apiyi, size: 512 }
items: { kite: { matrix: { n: [one, two, three] }, prompt: "A kite of ${box.folder}, \${n}" } }
`,
  )
  return box
}

test('a budget that is spent ends the run with 5, the figures and the command that goes on', async () => {
  const box = await shop({ budget: { total: 0.12 } })
  const { code, stderr } = await box.proofsheet('run --yes -j 1')
  expect(stderr).toContain(
    'this token may spend $0.12 in all; $0.11 are spent or held, and $0.01 are not enough',
  )
  // Once where the picture is named, once where the run says why it stops.
  expect(stderr.match(/this token may spend/g)).toHaveLength(2)
  expect(stderr).toMatch(/2 pictures made, 1 failed in/)
  expect(stderr).toContain(
    'To go on once the token may spend more; nothing is bought twice:  proofsheet run catalog.yaml -j 1 --yes',
  )
  expect(code).toBe(5)
  expect(box.calls()).toBe(2)
})

test('a batch that is over the budget is not taken, with 5', async () => {
  const box = await shop({ budget: { day: 0.05 } })
  const { code, stderr } = await box.proofsheet('run --yes --detach')
  expect(stderr).toContain('$0.05 a day')
  expect(code).toBe(5)
  expect(box.calls()).toBe(0)
})

test('a token that may only read plans, and ends a run with 4', async () => {
  const box = await shop({ scopes: ['read'] })
  expect((await box.proofsheet('plan')).code).toBe(0)
  const { code, stderr } = await box.proofsheet('run --yes')
  expect(stderr).toContain('✗ kite/one  forbidden, not charged')
  expect(code).toBe(4)
  expect(box.calls()).toBe(0)
})

test('a batch that outgrows the budget on the way ends as a run does: with 5, and the command that goes on', async () => {
  const box = await shop({ budget: { total: 0.12 } })
  expect((await box.proofsheet('run --yes --detach')).code).toBe(0)
  const { code, stderr } = await box.proofsheet('run --attach')
  expect(stderr).toContain('2 pictures made, 1 failed in')
  expect(stderr).toContain(
    'To go on once the token may spend more; nothing is bought twice:  proofsheet run catalog.yaml\n',
  )
  expect(code).toBe(5)
  expect(box.calls()).toBe(2)
})

test('a batch made from pictures of another workspace says so, and with a token that may only read ends with 4', async () => {
  const box = await shop({})
  const { folder } = box
  box.write(
    'catalog.yaml',
    `defaults: { model: nano-banana-2, provider: apiyi, size: 512 }
items:
  kite: { prompt: "A kite of ${folder}" }
  sky: { refs: [{ from: kite }], prompt: "The kite in the sky" }
`,
  )
  expect((await box.proofsheet('run --yes -s kite --no-download')).code).toBe(0)
  const tokens = [await tokenOf({ workspace: 'w2' }), await tokenOf({ workspace: 'w2', scopes: ['read'] })]
  const [other, reader] = await Promise.all(
    tokens.map((PROOFSHEET_TOKEN) =>
      box.proofsheet('run --yes --detach', {
        env: { PATH: process.env.PATH!, PROOFSHEET_URL: stack.url, PROOFSHEET_TOKEN },
      }),
    ),
  )
  expect(other).toMatchObject({ code: 2, stderr: expect.stringContaining("it is another workspace's") })
  expect(reader!.code).toBe(4)
  expect(box.calls()).toBe(1)
})
